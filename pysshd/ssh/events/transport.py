"""What the transport tells (RFC 4253), and the signature that it is owed."""

from pysshd.errors import DisconnectReason
from pysshd.records import dataclass
from pysshd.ssh.events.ids import Ticket


@dataclass(frozen=True, slots=True)
class PeerIdentified:
    """The peer's identification string came, without its line end (RFC 4253 §4.2)."""

    identification: bytes


@dataclass(frozen=True, slots=True)
class SignatureWanted:
    """A key exchange needs the host key's signature over the exchange hash; answer with `Signed`."""

    ticket: Ticket
    algorithm: str
    exchange_hash: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """The host key's signature blob over the exchange hash."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class KeysTaken:
    """Both sides use new keys; the names are what was negotiated (client to server, server to client)."""

    first: bool
    kex: str
    host_key_algorithm: str
    ciphers: tuple[str, str]
    macs: tuple[str, str]
    strict: bool


@dataclass(frozen=True, slots=True)
class PeerDisconnected:
    """The peer sent SSH_MSG_DISCONNECT; the text is raw."""

    reason: int
    text: bytes


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The connection is over because the peer broke a rule or a limit; `detail` is for the log, never for the peer.

    `note`: what the peer is told besides the reason.
    """

    reason: DisconnectReason
    detail: str
    note: str = ""
