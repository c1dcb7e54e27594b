"""The steps of an authentication (RFC 4252, RFC 4256), and their verdicts."""

from enum import IntEnum

from pysshd.records import dataclass
from pysshd.ssh.events.ids import Ticket


class Outcome(IntEnum):
    """What an authentication step came to; the numbers are those of the server interface."""

    SUCCESS = 0
    PARTIAL = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class AuthBegun:
    """The first request of this connection names its user, for good; answer with `AuthOffer`."""

    ticket: Ticket
    user: bytes
    service: str


@dataclass(frozen=True, slots=True)
class AuthOffer:
    """What may be tried, the same whoever is named, and a banner to show first (empty: none)."""

    methods: tuple[str, ...]
    banner: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class NoneOffered:
    """The method `none`, or one that this server does not know (then `method` is its name)."""

    ticket: Ticket
    method: str


@dataclass(frozen=True, slots=True)
class PasswordOffered:
    """A password; its repr hides it. A change request is answered by the machine: it always fails."""

    ticket: Ticket
    password: bytes

    def __repr__(self) -> str:
        return f"PasswordOffered(ticket={self.ticket}, password=<{len(self.password)} bytes>)"


@dataclass(frozen=True, slots=True)
class KeyProbed:
    """Would this public key be acceptable? SUCCESS or PARTIAL makes SSH_MSG_USERAUTH_PK_OK.

    `host_key`: that which a host-bound request names as ours, not verified yet; empty for plain `publickey`.
    """

    ticket: Ticket
    algorithm: str
    blob: bytes
    host_key: bytes = b""


@dataclass(frozen=True, slots=True)
class KeySigned:
    """A public key with a signature over this session's data, not verified yet; `host_key` as in `KeyProbed`."""

    ticket: Ticket
    algorithm: str
    blob: bytes
    signature: bytes
    host_key: bytes = b""


@dataclass(frozen=True, slots=True)
class InteractiveBegun:
    """keyboard-interactive was asked for; answer with `Challenge` or `AuthVerdict`."""

    ticket: Ticket
    submethods: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    """A round of keyboard-interactive: each prompt is a text and whether the answer is echoed."""

    name: str
    instructions: str
    prompts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class InteractiveAnswered:
    """The responses to the pending challenge, as many as it had prompts; its repr hides them."""

    ticket: Ticket
    responses: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"InteractiveAnswered(ticket={self.ticket}, responses=<{len(self.responses)}>)"


@dataclass(frozen=True, slots=True)
class AuthVerdict:
    """The end of one authentication step; `methods` is what may be tried next.

    `note`: what the peer is told of a failure, in a banner, or with the end of the connection where that is the last.
    """

    outcome: Outcome
    methods: tuple[str, ...]
    note: str = ""
