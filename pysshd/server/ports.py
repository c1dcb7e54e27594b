"""What others fill for this room: time, people, the audit log, randomness. The composition root hands them in."""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Protocol, TypeAlias

from pysshd.policy.query import Step
from pysshd.records import dataclass
from pysshd.server.known import NOTHING_KNOWN, Known
from pysshd.server.plan import Account
from pysshd.server.requests import Request
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey


class Clock(Protocol):
    """The two times of a machine."""

    def wall(self) -> datetime:
        """Now, as an aware datetime in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a key means.

    person: the entry of `users:`, or the name of a person of a source.
    step: the step of a login that a signature by this key is.
    """

    person: str
    step: Step


class Identity(Protocol):
    """Who people are. Every method takes about as long for a name that nobody has as for one that somebody has.

    `known` is what `look_up` said of the account, for the connection that asks.
    """

    async def look_up(self, account: str, peer: Hashable) -> Known:
        """What the host says of an account name and of whoever might log in as it; asked once for each connection.

        Never raises: what could not be had is in `Known.fault`.
        """

    async def key_holder(
        self, account: str, key: PublicKey, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | None:
        """The one person who may log in as `account` and has this key, at this (aware) time; None: nobody."""

    async def certificate_holder(
        self, account: str, certificate: Certificate, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | str:
        """The person whom a certificate names, if an authority of the policy signed it; else why it names nobody.

        Whether it is valid now, and good for the account and from there, is for the policy to say.
        """

    async def password_matches(
        self, person: str, password: bytes, now: datetime, peer: Hashable, known: Known = NOTHING_KNOWN
    ) -> bool:
        """Whether this is the password of `person`, who need not exist; False also where it could not be checked.

        `peer`: who asks, so that no peer's many questions hold up the others'.
        """

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """As whom `person`, logged in as `name`, runs programs; `LookupError` where that cannot be had.

        `confined`: the program will be confined, so the home is the person's own folder, which is made if missing.
        """


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision for the audit log; the monitor adds the peer and the connection.

    reason and decided_by (`file:line`) are the policy's; never for the peer.
    person: None while nobody is identified.
    probe: a key that was only asked about, not used.
    trace: of a refusal, every entry that was tried (`traces.told`); empty where none was.
    rules: the version of the policy that decided.
    """

    request: Request
    allowed: bool
    reason: str
    decided_by: str
    decision_id: str
    person: str | None
    account: str
    probe: bool = False
    trace: str = ""
    rules: str = ""


class Journal(Protocol):
    """Where decisions are written down."""

    def decided(self, record: DecisionRecord) -> None:
        """Note one decision. Must not block and must not raise."""


NewId: TypeAlias = Callable[[], str]
"""Makes a short random name for a decision."""
