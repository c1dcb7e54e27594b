"""The requests of the connection as a whole (RFC 4254 §4, §7.1), and their verdicts."""

from pysshd.records import dataclass
from pysshd.ssh.events.ids import Ticket


@dataclass(frozen=True, slots=True)
class GlobalRequested:
    """A global request other than those with an event of their own; answer with `GlobalVerdict`."""

    ticket: Ticket
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class HostKeysDoubted:
    """hostkeys-prove-00@openssh.com: the peer wants signatures by these keys; answer with `GlobalVerdict`."""

    ticket: Ticket
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class GlobalVerdict:
    """The answer to a global request; `data` follows a success."""

    ok: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class ForwardRequested:
    """tcpip-forward (RFC 4254 §7.1); answer with `ForwardVerdict`."""

    ticket: Ticket
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class ForwardVerdict:
    """The port that listens now, or None for a refusal."""

    port: int | None


@dataclass(frozen=True, slots=True)
class ForwardCancelled:
    """cancel-tcpip-forward; answer with `GlobalVerdict`."""

    ticket: Ticket
    address: str
    port: int
