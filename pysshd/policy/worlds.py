"""What the file cannot exclude: every case in which some entries could be told apart, and no more.

For some entries and one person a case of each kind is made: conditions change their truth only at the edges of
prefixes and windows, so one address and one instant of each stretch between edges stand for all of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from itertools import combinations, product
from typing import Final

from pysshd.policy.conditions import (
    TRUE,
    Account,
    Case,
    Client,
    Condition,
    Conditions,
    From,
    Listener,
    Timed,
    When,
    Who,
    With,
    version_of,
)
from pysshd.policy.moments import BEGINNING, clients, moments
from pysshd.policy.people import Person
from pysshd.policy.query import IPAddress, UnixFacts, Unknown
from pysshd.policy.weekly import DAYS, local_time

_NOBODY: Final = "\0"
"""An account or a listener that no condition names."""

_ROOT: Final = "root"
_SOME_UID: Final = 1 << 20
"""An account that is nothing special."""

_Key = tuple[str | None, str | None]
"""Name and fingerprint of a key, as far as conditions name them."""


@dataclass(frozen=True, slots=True)
class Signature:
    """All of a person that the conditions at hand can tell: people of one signature have the same cases."""

    who: tuple[bool, ...]
    accounts: tuple[str, ...]
    is_root: bool
    keys: frozenset[_Key]


class Worlds:
    """Makes the cases.

    chains: the methods of complete logins, from the `login` section.
    fingerprints: of the keys of an entry of `users`, as far as known; by its label. An entry that is missing may hold
        any key.
    """

    def __init__(self, chains: Iterable[tuple[str, ...]], fingerprints: dict[tuple[str, str], tuple[str, ...]]) -> None:
        self._chains = tuple(dict.fromkeys(chains))
        self._fingerprints = fingerprints
        self._moments: dict[frozenset[Timed], list[datetime]] = {}

    def signature(self, person: Person, entries: Sequence[Conditions]) -> Signature:
        """What the entries can tell of a person."""
        conditions = [condition for entry in entries for condition in entry.all]
        whos = [condition for condition in conditions if isinstance(condition, Who)]
        accounts = self._accounts(person, conditions)
        named = _named_accounts(conditions)
        return Signature(
            tuple(who.names(person) for who in whos),
            tuple(account if account in named else "" for account in accounts),
            person.run_as == _ROOT,
            frozenset(self._keys(person, whos)),
        )

    def cases(self, person: Person, entries: Sequence[Conditions]) -> Iterator[Case]:
        """Every case of this person in which the entries could differ."""
        conditions = [condition for entry in entries for condition in entry.all]
        whos = [condition for condition in conditions if isinstance(condition, Who)]
        logins = self._logins(self._keys(person, whos), conditions)
        for account, source, listener, now, (methods, keys), groups, client in product(
            self._accounts(person, conditions),
            _sources(conditions),
            _listeners(conditions),
            self._times(conditions),
            logins,
            _system_groups(whos),
            clients([condition for condition in conditions if isinstance(condition, Client)]),
        ):
            yield Case(
                person,
                account,
                source,
                listener,
                now,
                methods,
                frozenset(name for name, _ in keys if name is not None),
                frozenset(fingerprint for _, fingerprint in keys if fingerprint is not None),
                _unix(person.unix_name(account), groups),
                client,
            )

    def together(self, person: Person, entries: Sequence[Conditions]) -> Case | None:
        """A case in which all of the entries match, or None where the file excludes it."""
        if not all(entry.concerns(person) for entry in entries):
            return None
        for case in self.cases(person, entries):
            if all(entry.truth(case) is TRUE for entry in entries):
                return case
        return None

    def _times(self, conditions: Iterable[Condition]) -> list[datetime]:
        """The moments that the conditions can tell apart; many entries have the same ones."""
        timed = frozenset(condition for condition in conditions if isinstance(condition, Timed))
        if timed not in self._moments:
            self._moments[timed] = moments(timed)
        return self._moments[timed]

    def _accounts(self, person: Person, conditions: Iterable[Condition]) -> tuple[str, ...]:
        named = _named_accounts(conditions)
        found = tuple(account for account in person.accounts if account in named)
        others = tuple(account for account in person.accounts if account not in named)[:1]
        return found + others

    def _keys(self, person: Person, whos: Iterable[Who]) -> list[_Key]:
        """The person's keys, with nothing of them that no condition names."""
        names = {name for who in whos for name in who.key_names}
        fingerprints = sorted(fingerprint for who in whos for fingerprint in who.fingerprints)
        found: dict[_Key, None] = {}
        for key in person.keys:
            name = key.name if key.name in names else None
            held = self._fingerprints.get((person.name, key.label))
            for fingerprint in (None, *fingerprints):
                if fingerprint is None or held is None or fingerprint in held:
                    found[(name, fingerprint)] = None
        return list(found)

    def _logins(
        self, keys: list[_Key], conditions: Iterable[Condition]
    ) -> list[tuple[tuple[str, ...], tuple[_Key, ...]]]:
        """The logins that could have been: methods, and the keys that they used."""
        speaks_of_methods = any(isinstance(condition, With) for condition in conditions)
        speaks_of_keys = any(key != (None, None) for key in keys)
        if not speaks_of_methods and not speaks_of_keys:
            return [((), ())]
        found: dict[tuple[tuple[str, ...], tuple[_Key, ...]], None] = {}
        for chain in self._chains or (("publickey",),):
            uses = chain.count("publickey") if speaks_of_keys else 0
            # Keys that look alike to the conditions may be two keys, so fewer may be told apart than the chain uses.
            for count in range(min(uses, 1), uses + 1):
                for used in combinations(keys, count):
                    found[(chain, used)] = None
        return list(found)


def _named_accounts(conditions: Iterable[Condition]) -> set[str]:
    names = {name for one in conditions if isinstance(one, Account) for name in one.accounts}
    return names | {_ROOT for one in conditions if isinstance(one, Who) and one.but_root}


def _system_groups(whos: Iterable[Who]) -> list[frozenset[str]]:
    """The groups of the host that an account could be in: to make two entries match at once, two are enough."""
    named = sorted({group for who in whos for group in who.system_groups})
    return [frozenset(held) for count in range(3) for held in combinations(named, count)]


def _unix(name: str, groups: frozenset[str]) -> UnixFacts:
    """What the host could say. Who is uid 0 under another name than its own is not known before it is asked."""
    return UnixFacts(name, 0 if name == _ROOT else _SOME_UID, groups)


def _sources(conditions: Iterable[Condition]) -> list[IPAddress | None]:
    sets = [condition.addresses for condition in conditions if isinstance(condition, From)]
    if not sets:
        return [None]
    edges = {edge for addresses in sets for edge in addresses.edges()}
    first: set[IPAddress] = {IPv4Address(0), IPv6Address(0)}
    return [*sorted(edges, key=lambda edge: (edge.version, int(edge))), *(first - edges), None]


def _listeners(conditions: Iterable[Condition]) -> list[str]:
    named = sorted({name for one in conditions if isinstance(one, Listener) for name in one.listeners})
    return [*named, _NOBODY]


def describe(case: Case, entries: Sequence[Conditions]) -> str:
    """A case in words, with no more than the entries ask for."""
    conditions = [condition for entry in entries for condition in entry.all]
    words = [case.person.name if case.person is not None else "nobody"]
    if any(isinstance(condition, Account) for condition in conditions):
        words.append(f"as {case.account}")
    if any(isinstance(condition, From) for condition in conditions):
        words.append(f"from {case.source}" if case.source is not None else "from no address")
    if case.listener != _NOBODY:
        words.append(f"on {case.listener}")
    if any(isinstance(condition, With) for condition in conditions):
        words.append(f"with {'+'.join(case.methods)}")
    held = case.unix.groups if case.unix is not None else frozenset[str]()
    if not isinstance(held, Unknown):
        named = {group for one in conditions if isinstance(one, Who) for group in one.system_groups}
        shown = sorted(held & named)
        words += [f"in the host's group{'s' if len(shown) > 1 else ''} {' and '.join(shown)}"] if shown else []
    names = sorted(case.key_names | case.fingerprints)
    if names:
        words.append(f"by the key {names[0]}")
    if isinstance(case.client, str) and any(isinstance(condition, Client) for condition in conditions):
        words.append(f"with the client {version_of(case.client)!r}")
    if any(isinstance(condition, Timed) for condition in conditions):
        words.append(_moment(case.now, [condition for condition in conditions if isinstance(condition, When)]))
    return " ".join(words)


def _moment(now: datetime, schedules: Sequence[When]) -> str:
    """A moment in words: by the wall clock of those who ask for hours of the week."""
    if not schedules:
        return f"at {max(now, BEGINNING):%Y-%m-%dT%H:%MZ}"
    local = local_time(now, schedules[0].window.zone)
    return f"on {DAYS[local.weekday()]} {local.isoformat(timespec='minutes')}"
