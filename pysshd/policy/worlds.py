"""What the file cannot exclude: every case in which some entries could be told apart, and no more.

For some entries and one person a case of each kind is made: conditions change their truth only at the edges of
prefixes and windows, so one address and one instant of each stretch between edges stand for all of it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from itertools import combinations, islice, product
from string import ascii_lowercase, digits
from typing import Final

from pysshd.patterns.names import is_name
from pysshd.policy.authorities import Authority
from pysshd.policy.certificates import Certificates
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
from pysshd.policy.people import Guests, Person
from pysshd.policy.query import IPAddress, UnixFacts, Unknown
from pysshd.policy.steps import Certificate, Chain
from pysshd.policy.weekly import DAYS, local_time
from pysshd.records import dataclass

NOBODY: Final = "\0"
"""An account or a listener that no condition names."""

_ROOT: Final = "root"
_SOME_UID: Final = 1 << 20
"""An account that is nothing special."""

_FILLINGS: Final = (
    *(("x", text) for text in ("", "guest", "nobody-else", "x")),
    *((char, f"guest-{char}") for char in ascii_lowercase + digits),
)
"""For patterns of names: what takes the place of `?` and of `*`."""

_Key = tuple[str | None, str | None]
"""Name and fingerprint of a key, as far as conditions name them."""

_Login = tuple[Chain, tuple[_Key, ...], tuple[Certificate, ...]]
"""Methods, and the keys and certificates that a login used."""


@dataclass(frozen=True, slots=True)
class Signature:
    """All of a person that the conditions at hand can tell: people of one signature have the same cases."""

    who: tuple[bool, ...]
    accounts: tuple[str, ...]
    is_root: bool
    keys: frozenset[_Key]
    certified: bool
    guests: bool


class Worlds:
    """Makes the cases.

    chains: the methods of complete logins, from the `login` section.
    fingerprints: of the keys of an entry of `users`, as far as known; by its label. An entry that is missing may hold
        any key.
    """

    def __init__(
        self,
        chains: Iterable[Chain],
        fingerprints: dict[tuple[str, str], tuple[str, ...]],
        authorities: Iterable[Authority] = (),
    ) -> None:
        self._chains = tuple(dict.fromkeys(chains))
        self._fingerprints = fingerprints
        self._certificates = Certificates(authorities)
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
            person.certified,
            person.guests is not None,
        )

    def cases(self, person: Person, entries: Sequence[Conditions]) -> Iterator[Case]:
        """Every case of this person in which the entries could differ."""
        conditions = [condition for entry in entries for condition in entry.all]
        whos = [condition for condition in conditions if isinstance(condition, Who)]
        logins = self._logins(person, self._keys(person, whos), conditions)
        for account, source, listener, now, (methods, keys, certificates), groups, client in product(
            self._accounts(person, conditions),
            _sources(conditions),
            _listeners(conditions),
            self._times(conditions),
            logins,
            _system_groups(whos),
            clients([condition for condition in conditions if isinstance(condition, Client)]),
        ):
            opening = self._certificates.opening(account, certificates)
            if opening is None:
                continue
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
                opening,
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
        if person.certified:
            return self._certificates.accounts(sorted(named))
        if person.guests is not None:
            return _guest_names(person.guests, named)
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

    def _logins(self, person: Person, keys: list[_Key], conditions: Sequence[Condition]) -> list[_Login]:
        """The logins that could have been: methods, and the keys and certificates that they used."""
        whos = [condition for condition in conditions if isinstance(condition, Who)]
        speaks_of_methods = any(isinstance(condition, With) for condition in conditions)
        speaks_of_keys = any(key != (None, None) for key in keys)
        speaks_of_certificates = any(who.by_certificate for who in whos)
        if not (speaks_of_methods or speaks_of_keys or speaks_of_certificates or person.certified):
            return [((), (), ())]
        found: dict[_Login, None] = {}
        kinds = self._certificates.kinds(whos)
        for chain in self._chains or (("publickey",),):
            for methods in _methods(chain, person, bool(kinds)):
                uses = methods.count("publickey") if speaks_of_keys else 0
                signed = methods.count("certificate")
                # Keys that look alike to the conditions may be two keys, so fewer may be told apart than the chain
                # uses; and certificates just so.
                for count in range(min(uses, 1), uses + 1):
                    for used in combinations(keys, count):
                        for shown in range(min(signed, 1), min(signed, 2) + 1):
                            found |= dict.fromkeys((methods, used, some) for some in combinations(kinds, shown))
        return list(found)


def _methods(chain: Chain, person: Person, certificates: bool) -> list[Chain]:
    """The steps by which a chain can be gone, where a certificate counts as a key: fewest certificates first."""
    if not certificates or person.guests is not None:
        return [chain] if "certificate" not in chain else []
    keys = [place for place, step in enumerate(chain) if step == "publickey"]
    if person.certified and not keys and "certificate" not in chain:
        return []  # nothing else makes them a person
    counts = [len(keys)] if person.certified else range(len(keys) + 1)
    signed = [set(keys[:count]) for count in counts]
    return [tuple("certificate" if place in some else step for place, step in enumerate(chain)) for some in signed]


def _guest_names(guests: Guests, named: Collection[str]) -> tuple[str, ...]:
    """The names of conditions that guests come under, and one that no condition names, where there is one."""
    found = [name for name in sorted(named) if guests.take(name)]
    tried = (
        pattern.source.replace("?", char).replace("*", text) for pattern in guests.patterns for char, text in _FILLINGS
    )
    others = (name for name in tried if is_name(name) and name not in named and guests.take(name))
    return (*found, *islice(others, 1))


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
    return [*named, NOBODY]


def describe(case: Case, entries: Sequence[Conditions]) -> str:
    """A case in words, with no more than the entries ask for."""
    conditions = [condition for entry in entries for condition in entry.all]
    words = [case.person.name if case.person is not None else "nobody"]
    if any(isinstance(condition, Account) for condition in conditions):
        words.append(f"as {case.account}")
    if any(isinstance(condition, From) for condition in conditions):
        words.append(f"from {case.source}" if case.source is not None else "from no address")
    if case.listener != NOBODY:
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
    words += [f"by a certificate of {_certificate(one)}" for one in case.certificates[:1]]
    if isinstance(case.client, str) and any(isinstance(condition, Client) for condition in conditions):
        words.append(f"with the client {version_of(case.client)!r}")
    if any(isinstance(condition, Timed) for condition in conditions):
        words.append(_moment(case.now, [condition for condition in conditions if isinstance(condition, When)]))
    return " ".join(words)


def _certificate(certificate: Certificate) -> str:
    said = [*sorted(certificate.principals), *sorted(certificate.extensions)]
    return certificate.authority + (f" with {' and '.join(said)}" if said else "")


def _moment(now: datetime, schedules: Sequence[When]) -> str:
    """A moment in words: by the wall clock of those who ask for hours of the week."""
    if not schedules:
        return f"at {max(now, BEGINNING):%Y-%m-%dT%H:%MZ}"
    local = local_time(now, schedules[0].window.zone)
    return f"on {DAYS[local.weekday()]} {local.isoformat(timespec='minutes')}"
