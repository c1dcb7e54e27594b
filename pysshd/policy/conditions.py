"""The conditions of login entries and grants: one class each, three-valued.

A condition is TRUE, FALSE or UNKNOWN; unknown is a fact that could not be obtained. What an unknown entry does, its
effect says: an allow does not match, a deny or a bound does, a login entry refuses (policy.md, Conditions).
"""

from dataclasses import field
from datetime import datetime
from enum import IntEnum
from typing import Protocol, TypeAlias

from pysshd.patterns.globs import Glob
from pysshd.patterns.hosts import AddressSet, Place, place_of
from pysshd.policy.people import Person, Window
from pysshd.policy.query import UNKNOWN, IPAddress, UnixFacts, Unknown
from pysshd.policy.steps import Certificate, Chain, includes
from pysshd.policy.weekly import Weekly
from pysshd.records import dataclass


class Truth(IntEnum):
    """Of several conditions that must all hold the least decides."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


FALSE, UNSURE, TRUE = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
_NOT = (TRUE, UNSURE, FALSE)


@dataclass(frozen=True, slots=True)
class Case:
    """What conditions are tested on: the facts of a query, resolved once.

    methods: names of the methods used; key_names, fingerprints: of the keys used.
    unix: what the host says of the session's account, where that plays a part.
    client: the client's identification string.
    certificates: of the login.
    """

    person: Person | None
    account: str
    source: IPAddress | Unknown | None
    listener: str
    now: datetime
    methods: tuple[str, ...] = ()
    key_names: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()
    unix: UnixFacts | None = None
    client: str | Unknown = UNKNOWN
    certificates: tuple[Certificate, ...] = ()
    _place: Place | None = field(default=None, init=False, compare=False, repr=False)

    def place_of(self, source: IPAddress) -> Place:
        """Where its source, an address, is among ranges; every `from` asks."""
        if self._place is None:
            object.__setattr__(self, "_place", place_of(source))
        assert self._place is not None
        return self._place

    @property
    def is_root(self) -> Truth:
        """Whether the session would be uid 0."""
        if self.unix is None:
            return FALSE
        return UNSURE if isinstance(self.unix.uid, Unknown) else TRUE if self.unix.uid == 0 else FALSE

    def in_system_group(self, groups: frozenset[str]) -> Truth:
        """Whether the session's Unix account is in one of these groups of the host."""
        if not groups or self.unix is None:
            return FALSE
        held = self.unix.groups
        if isinstance(held, Unknown):
            return UNSURE
        if not held.isdisjoint(groups):
            return TRUE
        return FALSE if self.unix.unknown_groups.isdisjoint(groups) else UNSURE


class Condition(Protocol):
    """One key of an entry."""

    @property
    def clause(self) -> str:
        """How it stands in the file, for traces."""

    def test(self, case: Case) -> Truth:
        """Whether it holds."""


@dataclass(frozen=True, slots=True)
class Who:
    """`who`: the person, by name, by group, by a key or a certificate that the login used, or by a group of the host
    that the session's account is in. Nobody identified: never.

    but_root: `*` leaves out whoever would be uid 0, who must be named; but_guests: and guests.
    principals, extensions: each with the name of its authority.
    """

    clause: str
    anyone: bool = False
    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    key_names: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()
    system_groups: frozenset[str] = frozenset()
    but_root: bool = False
    but_guests: bool = False
    authorities: frozenset[str] = frozenset()
    principals: frozenset[tuple[str, str]] = frozenset()
    extensions: frozenset[tuple[str, str]] = frozenset()

    def test(self, case: Case) -> Truth:
        """Whether the person of the case is meant."""
        person = case.person
        if person is None:
            return FALSE
        held = self._calls(person) or not (
            self.key_names.isdisjoint(case.key_names) and self.fingerprints.isdisjoint(case.fingerprints)
        )
        if held or (case.certificates and any(self._certifies(certificate) for certificate in case.certificates)):
            return TRUE
        anyone = FALSE if not self._anyone(person) else _NOT[case.is_root] if self.but_root else TRUE
        if person.unknown_groups and not self.groups.isdisjoint(person.unknown_groups):
            return max(anyone, UNSURE, case.in_system_group(self.system_groups))
        return max(anyone, case.in_system_group(self.system_groups))

    def names(self, person: Person) -> bool:
        """Whether the person is meant whatever key is used and whatever the host says."""
        return self._anyone(person) or self._calls(person)

    def _anyone(self, person: Person) -> bool:
        return self.anyone and not (self.but_guests and person.guests is not None)

    def _certifies(self, certificate: Certificate) -> bool:
        name = certificate.authority
        return (
            name in self.authorities
            or any((name, principal) in self.principals for principal in certificate.principals)
            or any((name, extension) in self.extensions for extension in certificate.extensions)
        )

    def _calls(self, person: Person) -> bool:
        return person.name in self.people or not self.groups.isdisjoint(person.groups)

    @property
    def by_more(self) -> bool:
        """Whether people are meant by more than who they are: by a key, a certificate, or a group of the host."""
        return bool(self.key_names or self.fingerprints or self.system_groups or self.by_certificate)

    @property
    def by_name_alone(self) -> bool:
        """Whether nothing but who somebody is decides it: no key, certificate, group of the host, or exception."""
        return not (self.by_more or self.but_root or self.but_guests)

    @property
    def by_certificate(self) -> bool:
        """Whether people are meant by what a certificate of theirs says."""
        return bool(self.authorities or self.principals or self.extensions)


@dataclass(frozen=True, slots=True)
class Account:
    """`account`: the name that the client typed."""

    clause: str
    accounts: frozenset[str]

    def test(self, case: Case) -> Truth:
        """Whether the account of the case is one of them."""
        return TRUE if case.account in self.accounts else FALSE


@dataclass(frozen=True, slots=True)
class From:
    """`from`: the peer's address; a peer that has none is nowhere."""

    clause: str
    addresses: AddressSet

    def test(self, case: Case) -> Truth:
        """Whether the source of the case lies in one of the prefixes."""
        if case.source is None:
            return FALSE
        if isinstance(case.source, Unknown):
            return UNSURE
        return TRUE if self.addresses.holds(case.place_of(case.source)) else FALSE


@dataclass(frozen=True, slots=True)
class Listener:
    """`listener`: which listener accepted the connection."""

    clause: str
    listeners: frozenset[str]

    def test(self, case: Case) -> Truth:
        """Whether the listener of the case is one of them."""
        return TRUE if case.listener in self.listeners else FALSE


@dataclass(frozen=True, slots=True)
class With:
    """`with`: the methods of the login include every step of one chain, in whatever order."""

    clause: str
    chains: tuple[Chain, ...]

    def test(self, case: Case) -> Truth:
        """Whether one of the chains was used."""
        return TRUE if any(includes(case.methods, chain) for chain in self.chains) else FALSE


@dataclass(frozen=True, slots=True)
class Within:
    """`not_before` and `not_after`."""

    clause: str
    window: Window

    def test(self, case: Case) -> Truth:
        """Whether the time of the case lies in the window."""
        return TRUE if self.window.holds(case.now) else FALSE


@dataclass(frozen=True, slots=True)
class When:
    """`when`: hours of the week."""

    clause: str
    window: Weekly

    def test(self, case: Case) -> Truth:
        """Whether the wall clock shows a time within them."""
        return TRUE if self.window.holds(case.now) else FALSE


Timed: TypeAlias = Within | When
"""Conditions whose truth changes with time alone."""


@dataclass(frozen=True, slots=True)
class Client:
    """`client`: the client's version string, which is what it claims."""

    clause: str
    patterns: tuple[Glob, ...]

    def test(self, case: Case) -> Truth:
        """Whether the version is of one of these forms."""
        if isinstance(case.client, Unknown):
            return UNSURE
        return TRUE if self.claimed(case.client) else FALSE

    def claimed(self, identification: str) -> bool:
        """Whether a client says so in its identification string."""
        version = version_of(identification)
        return any(pattern.matches(version) for pattern in self.patterns)


def version_of(identification: str) -> str:
    """What an identification string says behind the protocol's version (RFC 4253 §4.2): software and comments."""
    protocol, _, rest = identification.partition("-")
    return rest.partition("-")[2] if protocol == "SSH" and "-" in rest else identification


@dataclass(frozen=True, slots=True)
class Conditions:
    """All conditions of an entry, and those of its `unless`.

    timed: those of both whose truth changes with time.
    who: the entry's own `who`; None: everyone.
    left: those of its own that are still open where its `who` is known to name the person.
    settled: whether nothing is open then.
    """

    own: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    timed: tuple[Timed, ...] = field(init=False, compare=False, repr=False)
    who: Who | None = field(init=False, compare=False, repr=False)
    left: tuple[Condition, ...] = field(init=False, compare=False, repr=False)
    settled: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Asked for much more often than entries are made.
        who = next((condition for condition in self.own if isinstance(condition, Who)), None)
        known = who if who is not None and who.by_name_alone else None
        timed = tuple(condition for condition in self.all if isinstance(condition, Timed))
        object.__setattr__(self, "timed", timed)
        object.__setattr__(self, "who", who)
        left = tuple(condition for condition in self.own if condition is not known)
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "settled", not (left or self.unless))

    def truth(self, case: Case) -> Truth:
        """Whether the entry's conditions hold."""
        least = TRUE
        for condition in self.own:
            found = condition.test(case)
            if found is FALSE:
                return FALSE
            if found < least:
                least = found
        return min(least, self.not_excepted(case)) if self.unless else least

    def not_excepted(self, case: Case) -> Truth:
        """Whether its `unless`, which it has, does not hold."""
        return _NOT[min(condition.test(case) for condition in self.unless)]

    def failed(self, case: Case) -> str:
        """The first clause that does not hold or is unknown; empty where all hold."""
        for condition in self.own:
            found = condition.test(case)
            if found is not TRUE:
                return condition.clause if found is FALSE else f"{condition.clause} (unknown)"
        if self.unless:
            found = min(condition.test(case) for condition in self.unless)
            clauses = ", ".join(condition.clause for condition in self.unless)
            if found is not FALSE:
                return f"unless: {{{clauses}}}" + ("" if found is TRUE else " (unknown)")
        return ""

    def next_edge(self, now: datetime) -> datetime | None:
        """The first instant after `now` at which one of them may change its truth, or None."""
        edges = [edge for condition in self.timed if (edge := condition.window.next_edge(now)) is not None]
        return min(edges, default=None)

    @property
    def all(self) -> tuple[Condition, ...]:
        """Every condition, those of `unless` too."""
        return self.own + self.unless

    def concerns(self, person: Person) -> bool:
        """Whether the entry could ever speak of the person, as far as `who` says."""
        who = self.who
        return who is None or who.by_more or who.names(person)
