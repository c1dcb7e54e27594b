"""A `PolicyServer` over a policy in text, with people who are asked by a small stand-in for identity."""

import asyncio
import itertools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.query import Step
from pysshd.policy.ruleset import Ruleset
from pysshd.server import answers
from pysshd.server.channel import Channel
from pysshd.server.connection import Connection, ProgressWriter
from pysshd.server.keys import PKey
from pysshd.server.known import NOTHING_KNOWN, Known
from pysshd.server.plan import Account
from pysshd.server.policy_server import PolicyServer
from pysshd.server.ports import DecisionRecord, KeyHolder
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key
from pysshd.ssh.events.userauth import Outcome
from pysshd.ssh.wire import codec

CHEAP = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
"""From the reference implementation's tests: the hash of "password" with the salt "somesalt"."""


def make_key(seed: int) -> PKey:
    """The ed25519 key of a seed."""
    raw = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key().public_bytes_raw()
    return PKey(parse_public_key(codec.string(b"ssh-ed25519") + codec.string(raw)))


ALICE, BOB, CAROL, STRANGER = map(make_key, (1, 2, 3, 9))


def line_of(key: PKey) -> str:
    """The key as a line of a policy."""
    return f"{key.get_name()} {key.get_base64()}"


@dataclass(slots=True)
class FakeClock:
    """A clock that stands until it is set."""

    now: datetime = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()


@dataclass(slots=True)
class FakePeople:
    """Finds inline keys as identity does; every person's password is `right`, and each check is noted."""

    ruleset: Ruleset
    checked: list[tuple[str, bytes, Hashable]] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    known: Known = NOTHING_KNOWN
    asked: list[str] = field(default_factory=list)
    unusable: bool = False
    accounts: list[tuple[str, str, bool]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def look_up(self, account: str, peer: Hashable) -> Known:
        self.asked.append(account)
        return self.known

    async def key_holder(
        self, account: str, key: PublicKey, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | None:
        self.looked_up.append(account)
        for name, label, said in known.keys.get(key.fingerprint, ()):
            if known.people[name].window.holds(now):
                return KeyHolder(name, Step("publickey", key.fingerprint, label, narrowing=said))
        for person, entry in self.ruleset.person_of_key(account, key.fingerprint).found:
            if person.window.holds(now) and entry.window.holds(now):
                return KeyHolder(person.name, Person.step(entry, key.fingerprint))
        return None

    async def certificate_holder(
        self, account: str, certificate: Certificate, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | str:
        self.looked_up.append(account)
        return "no authority here"

    async def password_matches(
        self, person: str, password: bytes, now: datetime, peer: Hashable, known: Known = NOTHING_KNOWN
    ) -> bool:
        self.checked.append((person, password, peer))
        self.meanwhile()
        return person in self.ruleset.people and password == b"right"

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        self.accounts.append((person, name, confined))
        if self.unusable:
            raise LookupError(f"nothing for {name}")
        home = f"/state/homes/{person}" if confined else "/home/service"
        return Account(name, None, None, (), home, "/bin/bash", person)


@dataclass(slots=True)
class Notes:
    """A journal that keeps everything."""

    records: list[DecisionRecord] = field(default_factory=list)

    def decided(self, record: DecisionRecord) -> None:
        self.records.append(record)


class House:
    """One connection: its server, and the daemon's part of it played by hand."""

    def __init__(self, policy: str, source: str = "10.1.2.3", listener: str = "127.0.0.1:2222") -> None:
        self.ruleset = load_text(policy).ruleset
        self.clock = FakeClock()
        self.people = FakePeople(self.ruleset)
        self.notes = Notes()
        self.writer = ProgressWriter()
        numbers = itertools.count(1)
        here = Connection(IPv4Address(source), listener, "SSH-2.0-test", self.clock, self.writer.view)
        self.server = PolicyServer(self.ruleset, here, self.people, self.notes, lambda: f"d{next(numbers)}")

    @property
    def last(self) -> DecisionRecord:
        return self.notes.records[-1]

    def offers(self, user: str = "alice") -> str:
        return self.server.get_allowed_auths(user)

    def password(self, user: str, password: str | bytes = "right") -> Outcome:
        judged = answers.auth_outcome("p", asyncio.run(self.server.check_auth_password(user, password)))
        return self._done("password", None, judged)

    def probe(self, user: str, key: PKey) -> Outcome:
        self.writer.ask("probe")
        judged = answers.auth_outcome("k", asyncio.run(self.server.check_auth_publickey(user, key)))
        self.writer.ask(None)
        assert judged.complaint is None
        return judged.value

    def key(self, user: str, key: PKey, verified: bool = True) -> Outcome:
        self.writer.ask("signed")
        judged = answers.auth_outcome("k", asyncio.run(self.server.check_auth_publickey(user, key)))
        self.writer.ask(None)
        if not verified:
            return Outcome.FAILURE
        return self._done("publickey", key.fingerprint, judged)

    def _done(self, method: str, fingerprint: str | None, judged: answers.Judged[Outcome]) -> Outcome:
        assert judged.complaint is None
        if judged.value is not Outcome.FAILURE:
            self.writer.succeeded(method, fingerprint)
        return judged.value

    def session(self, number: int = 0) -> Channel:
        assert self.server.check_channel_request("session", number) == 0
        return Channel(number)

    def logged_in(self, user: str, key: PKey) -> "House":
        assert self.key(user, key) is Outcome.SUCCESS
        return self


def steps(record: Any) -> tuple[tuple[str, ...], str]:
    """The methods done and the method of a Login that was noted."""
    done: tuple[Step, ...] = record.request.done
    return tuple(step.method for step in done), record.request.step.method
