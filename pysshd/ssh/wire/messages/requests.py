"""The bodies behind the names of channel requests, channel opens and global requests (RFC 4254 §6, §7, RFC 4335).

Commands, variables and terminal modes stay bytes: a system takes any byte but NUL there.
"""

from collections.abc import Iterable
from dataclasses import field
from typing import Final

from pysshd.errors import DecodeError
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.fields import Boolean, String, Structure, Text, Uint32, structure

HOST_KEYS: Final = "hostkeys-00@openssh.com"
HOST_KEYS_PROVE: Final = "hostkeys-prove-00@openssh.com"
"""The server's host keys, and the question whether they are its own (OpenSSH's PROTOCOL §2.5)."""

HOST_KEYS_MAX: Final = 32
"""Host keys in one request."""


def decode_strings(data: bytes) -> tuple[bytes, ...]:
    """Strings up to the end, without a count: the host keys of these requests, the signatures of an answer."""
    reader = Reader(data)
    found: list[bytes] = []
    while reader.remaining:
        if len(found) == HOST_KEYS_MAX:
            raise DecodeError(f"list has more than {HOST_KEYS_MAX} strings")
        found.append(reader.string())
    return tuple(found)


def encode_strings(strings: Iterable[bytes]) -> bytes:
    """The data that `decode_strings` reads."""
    return b"".join(map(codec.string, strings))


@structure
class PtyReq(Structure):
    """`pty-req` (RFC 4254 §6.2): sizes in characters and in pixels; `modes` is the encoded list of §8."""

    term: Text
    columns: Uint32
    rows: Uint32
    width: Uint32
    height: Uint32
    modes: String = b""


@structure
class X11Req(Structure):
    """`x11-req` (RFC 4254 §6.3.1)."""

    single_connection: Boolean
    protocol: String
    cookie: String = field(repr=False)
    screen: Uint32 = 0


@structure
class Env(Structure):
    """`env` (RFC 4254 §6.4)."""

    name: String
    value: String


@structure
class Exec(Structure):
    """`exec` (RFC 4254 §6.5)."""

    command: String


@structure
class Subsystem(Structure):
    """`subsystem` (RFC 4254 §6.5)."""

    name: Text


@structure
class WindowChange(Structure):
    """`window-change` (RFC 4254 §6.7): sizes in characters and in pixels."""

    columns: Uint32
    rows: Uint32
    width: Uint32
    height: Uint32


@structure
class XonXoff(Structure):
    """`xon-xoff` (RFC 4254 §6.8)."""

    client_can_do: Boolean


@structure
class Signal(Structure):
    """`signal` (RFC 4254 §6.9): a name without "SIG"."""

    name: Text


@structure
class Break(Structure):
    """`break` (RFC 4335 §3): its length in milliseconds."""

    length: Uint32


@structure
class ExitStatus(Structure):
    """`exit-status` (RFC 4254 §6.10)."""

    status: Uint32


@structure
class ExitSignal(Structure):
    """`exit-signal` (RFC 4254 §6.10): a name without "SIG"."""

    name: Text
    core_dumped: Boolean = False
    message: String = b""
    language: String = b""


@structure
class DirectTcpip(Structure):
    """`direct-tcpip` and `forwarded-tcpip` (RFC 4254 §7.2): where to, and where the connection came from."""

    host: Text
    port: Uint32
    originator_host: Text
    originator_port: Uint32


@structure
class TcpipForward(Structure):
    """`tcpip-forward` and `cancel-tcpip-forward` (RFC 4254 §7.1)."""

    address: Text
    port: Uint32


@structure
class TcpipForwardReply(Structure):
    """The answer to a `tcpip-forward` for port 0 (RFC 4254 §7.1): the port that was bound."""

    port: Uint32


@structure
class HostKeyProof(Structure):
    """What the signature of a proof is over, `HOST_KEYS_PROVE` first: built by whoever signs or verifies."""

    name: Text
    session_id: String
    key: String
