"""zlib@openssh.com: payloads in one stream for each direction, from authentication on (OpenSSH's PROTOCOL §1.3).

Imported only where it is offered. A stream lasts from one NEWKEYS to the next (RFC 4253 §6.2) and is flushed at the end
of each packet. What a packet may inflate to is bounded (S11), and so is what a peer may inflate in one go.
"""

import zlib
from collections.abc import Callable

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.crypto.catalogue import DELAYED_COMPRESSION
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.transport.masking import MaskingReader
from pysshd.ssh.transport.packet import PACKET_LENGTH_MAX, PacketWriter
from pysshd.ssh.transport.scratch import Scratch

PAYLOAD_MAX = PACKET_LENGTH_MAX
"""Bytes that one payload may inflate to: as much as a packet without compression may carry."""

REST_AFTER = 1 << 20
"""Bytes that may be inflated before the peer has to wait a moment, so that all that it made us hold is dealt with."""

_LEVEL = 6
_CHANNEL_DATA_HEAD = 9


class Inflater:
    """The stream of the peer under one key."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def inflate(self, payload: memoryview) -> bytes:
        """The payload that was packed into a payload; `ProtocolError` where it is malformed, empty or too large."""
        try:
            made = self._stream.decompress(payload, PAYLOAD_MAX + 1)
        except zlib.error:
            raise _fault("compressed payload is malformed") from None
        if len(made) > PAYLOAD_MAX:
            raise _fault(f"compressed payload inflates to more than {PAYLOAD_MAX} bytes")
        if not made or self._stream.eof:
            raise _fault("compressed payload holds nothing, or ends its stream")
        return made


class Deflater:
    """Our stream under one key."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL)

    def deflate(self, head: bytes, body: bytes | bytearray | memoryview) -> bytes:
        """One payload of the two parts, flushed so that the peer can read it whole."""
        stream = self._stream
        return stream.compress(head) + stream.compress(body) + stream.flush(zlib.Z_PARTIAL_FLUSH)


class InflatingReader(MaskingReader):
    """A reader that inflates, once there is an `inflater`; `rest` is called when the peer has to wait a moment."""

    def __init__(self, max_packets_per_key: int, scratch: Scratch, rest: Callable[[], None]) -> None:
        super().__init__(max_packets_per_key, scratch)
        self.inflater: Inflater | None = None
        self._rest = rest
        self._inflated = 0

    def next(self) -> memoryview | None:
        """As `PacketReader.next`; what is inflated is nobody else's."""
        payload = super().next()
        if payload is None or self.inflater is None:
            return payload
        made = self.inflater.inflate(payload)
        self._inflated += len(made)
        if self._inflated >= REST_AFTER:
            self._inflated = 0
            self._rest()
        return memoryview(made)

    def gather(self, payload: memoryview) -> tuple[memoryview, int]:
        """As `PacketReader.gather`, of this one packet where it was inflated."""
        if self.inflater is None:
            return super().gather(payload)
        return payload[_CHANNEL_DATA_HEAD:], len(payload) - _CHANNEL_DATA_HEAD


class DeflatingWriter(PacketWriter):
    """A writer that deflates, once there is a `deflater`."""

    def __init__(self, entropy: Entropy, max_packets_per_key: int, scratch: Scratch) -> None:
        super().__init__(entropy, max_packets_per_key, scratch)
        self.deflater: Deflater | None = None

    def write(self, head: bytes, body: bytes | bytearray | memoryview = b"") -> None:
        """As `PacketWriter.write`."""
        if self.deflater is None:
            super().write(head, body)
        else:
            super().write(self.deflater.deflate(head, body))

    def write_slots(self, head: bytes, size: int) -> None:
        """As `PacketWriter.write_slots`."""
        if self.deflater is None:
            super().write_slots(head, size)
            return
        slots, left, number = self._scratch.slots, size, 0
        while left:
            part = min(slots.packet, left)
            self.write(head + part.to_bytes(4, "big"), slots.data(number, part))
            left -= part
            number += 1


class Compression:
    """Which streams there are: none before authentication, then those that the last key exchange agreed on."""

    __slots__ = ("_reader", "_receiving", "_sending", "_started", "_writer")

    def __init__(self, reader: InflatingReader, writer: DeflatingWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sending = self._receiving = False
        self._started = False

    def sends(self, name: str) -> None:
        """Our NEWKEYS is sent; from here on `name` is what we agreed on."""
        self._sending = name == DELAYED_COMPRESSION
        self._writer.deflater = Deflater() if self._started and self._sending else None

    def receives(self, name: str) -> None:
        """The peer's NEWKEYS came; from here on `name` is what we agreed on."""
        self._receiving = name == DELAYED_COMPRESSION
        self._reader.inflater = Inflater() if self._started and self._receiving else None

    def start(self) -> None:
        """SSH_MSG_USERAUTH_SUCCESS is sent, itself as it is."""
        self._started = True
        self._writer.deflater = Deflater() if self._sending else None
        self._reader.inflater = Inflater() if self._receiving else None


def warm_up() -> None:
    """One payload there and back, and one that is refused."""
    made = Inflater().inflate(memoryview(Deflater().deflate(b"warm", b"up")))
    if made != b"warmup":
        raise AssertionError("a payload does not come back as it was compressed")
    try:
        Inflater().inflate(memoryview(b"cold"))
    except ProtocolError:
        return
    raise AssertionError("a payload that is malformed was inflated")


def _fault(text: str) -> ProtocolError:
    return ProtocolError(DisconnectReason.PROTOCOL_ERROR, text)
