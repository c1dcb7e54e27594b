"""What is asked of the policy: the facts of a connection, and one request.

Every looked-up fact is in the query, so that deciding reads no clock, file, socket or environment.
"""

from datetime import datetime
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal, TypeAlias

from pysshd.policy.people import Person
from pysshd.policy.query_net import X11 as X11
from pysshd.policy.query_net import Agent as Agent
from pysshd.policy.query_net import Connect as Connect
from pysshd.policy.query_net import ConnectUnix as ConnectUnix
from pysshd.policy.query_net import Listen as Listen
from pysshd.policy.query_net import ListenUnix as ListenUnix
from pysshd.policy.query_net import NetRequest
from pysshd.policy.steps import Step as Step
from pysshd.records import dataclass


class Unknown(Enum):
    """The value of a fact that could not be obtained (policy.md, Conditions)."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

IPAddress: TypeAlias = IPv4Address | IPv6Address
Method: TypeAlias = Literal["publickey", "password"]


@dataclass(frozen=True, slots=True)
class UnixFacts:
    """What the host says of the Unix account as which a session would run.

    uid: UNKNOWN where it could not be looked up.
    groups: of those groups of the host that the policy names, the ones that the account is in; UNKNOWN as above.
    unknown_groups: those of them that the host does not know: whether the account is in one is not known.
    fault: why the account is of no use now (it does not exist, is locked, has expired, …); empty where it is.
    home: the absolute path of its home; None where it is not known.
    """

    name: str
    uid: int | Unknown
    groups: frozenset[str] | Unknown = frozenset()
    unknown_groups: frozenset[str] = frozenset()
    fault: str = ""
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connection and of the person on it.

    account: the name that the client typed; a name of the wrong form is refused, never raised.
    person: the entry of `users:` that a factor identified; None while nobody is identified.
    source: the peer's address; None for a peer that has none (it matches no `from`), UNKNOWN if it was not learned.
    listener: `Listen.name` of the listener that accepted the connection.
    client: the client's identification string, or UNKNOWN.
    now: aware, in any zone.
    methods: the steps done, in their order. Not read for a Login request, which brings its own.
    holder: the person, where a source has them; None: the entry of `users:` of that name is meant.
    unix: what the host says of the Unix account of the session, under `accounts: system`; None: it plays no part.
    own_addresses: of the interfaces of this host, at the time of the request; UNKNOWN: any address might be one.
    """

    account: str
    person: str | None
    source: IPAddress | Unknown | None
    listener: str
    client: str | Unknown
    now: datetime
    methods: tuple[Step, ...] = ()
    holder: Person | None = None
    unix: UnixFacts | None = None
    own_addresses: frozenset[IPAddress] | Unknown = UNKNOWN


@dataclass(frozen=True, slots=True)
class Login:
    """May this step, after the steps done, count towards a login? Probes ask the same.

    The secret itself (signature, password) is checked by `identity`; this asks whether it would be of use.
    """

    done: tuple[Step, ...]
    step: Step


@dataclass(frozen=True, slots=True)
class Session:
    """Open a channel; kinds other than `session` have requests of their own or none, and are refused."""

    kind: str = "session"


@dataclass(frozen=True, slots=True)
class Shell:
    """Start the shell on a channel."""


@dataclass(frozen=True, slots=True)
class Exec:
    """Run a command, as the client sent it."""

    command: bytes


@dataclass(frozen=True, slots=True)
class Subsystem:
    """Start a subsystem by its exact name."""

    name: str


Run: TypeAlias = Shell | Exec | Subsystem


@dataclass(frozen=True, slots=True)
class Pty:
    """Allocate a pseudo-terminal; `term` is the value of TERM."""

    term: str


@dataclass(frozen=True, slots=True)
class Env:
    """Put a variable that the client sent in the environment of the program to come."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Signal:
    """Deliver a signal (RFC 4254 §6.10 name, without SIG) to what the channel runs."""

    name: str
    running: Run


@dataclass(frozen=True, slots=True)
class Break:
    """Deliver a break (RFC 4335) to what the channel runs: judged as the signal name BREAK."""

    running: Run


@dataclass(frozen=True, slots=True)
class Sftp:
    """Do one operation of SFTP or scp.

    right: one of `sftp_rights.RIGHTS`.
    path: absolute, in the tree that the mounts make, `..` and relative paths resolved. An operation with two paths that
        moves or links is two requests, one for each.
    """

    right: str
    path: bytes


@dataclass(frozen=True, slots=True)
class Global:
    """A global request of this name, which a bare success answers."""

    name: str


Request: TypeAlias = Login | Session | Run | Pty | Env | Signal | Break | Sftp | Global | NetRequest


@dataclass(frozen=True, slots=True)
class Query:
    """One question: may this request be, given these facts?"""

    facts: Facts
    request: Request
