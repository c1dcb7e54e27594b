"""The first line of a connection (RFC 4253 §4.2).

A client's identification is its first line: text in front of it is for servers alone (S01). A line end without CR is
taken, as the RFC allows for old clients.
"""

from pysshd.errors import DisconnectReason, ProtocolError

LINE_SIZE_MAX = 255
"""Bytes of the line with its end."""

_PREFIXES = (b"SSH-2.0-", b"SSH-1.99-")
_PRINTABLE = bytes(range(0x20, 0x7F))


def parse(line: bytes) -> bytes:
    """The identification in a line up to its LF, without the line end; `ProtocolError` where it is none of ours."""
    text = line.removesuffix(b"\n").removesuffix(b"\r")
    if text.translate(None, _PRINTABLE):
        raise ProtocolError(DisconnectReason.PROTOCOL_ERROR, "identification has a byte that is not printable ascii")
    if not text.startswith(b"SSH-"):
        raise ProtocolError(
            DisconnectReason.PROTOCOL_ERROR, f"identification starts with {text[:16]!r}, expected b'SSH-'"
        )
    for prefix in _PREFIXES:
        if text.startswith(prefix) and len(text) > len(prefix):
            return text
    raise ProtocolError(
        DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED, f"identification is {text[:64]!r}, expected SSH-2.0-software"
    )
