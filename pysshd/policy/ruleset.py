"""The compiled policy: immutable plain data, made once by `compile` and read by `decide`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Final

from pysshd.policy.authorities import Authority
from pysshd.policy.bounds import NO_BOUNDS, Bounds
from pysshd.policy.conditions import Conditions, Who
from pysshd.policy.login_settings import NO_SETTINGS, LoginSettings
from pysshd.policy.people import KeyCandidates, Person, PersonKey, SystemSource
from pysshd.policy.query import Facts
from pysshd.policy.rights import Rights
from pysshd.policy.settings import Settings
from pysshd.policy.steps import Certificate, Chain, Step


class Effect(Enum):
    """What a grant does where its conditions hold."""

    ALLOW = "allow"
    DENY = "deny"
    BOUND = "bound"


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of `grants:`.

    where: `file:line`; number: its place in the file, for traces.
    everything: whether a deny touches every request.
    """

    name: str
    where: str
    number: int
    conditions: Conditions
    effect: Effect
    rights: Rights = field(default_factory=Rights)
    everything: bool = False
    bounds: Bounds = NO_BOUNDS


BUILT_IN_LOGIN: Final = "built-in login"
"""Where the entry is that holds for a document without `login:`."""


@dataclass(frozen=True, slots=True)
class LoginEntry:
    """One entry of `login:`; no chains: refused. settings: what it sets for the connection."""

    number: int
    where: str
    conditions: Conditions
    chains: tuple[Chain, ...] = ()
    settings: LoginSettings = NO_SETTINGS

    @property
    def refuse(self) -> bool:
        """Whether it refuses."""
        return not self.chains

    def first_steps(self) -> tuple[str, ...]:
        """The methods with which its chains begin."""
        return tuple(dict.fromkeys(chain[0] for chain in self.chains))


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One compiled policy file. Made by `ruleset_of`.

    settings: what the daemon itself is told.
    people: entries of `users:` by name.
    login, grants: in the order of the file; the order of grants decides nothing.
    source: the host's own people, where the file takes them.
    authorities: entries of `authorities:` by name.
    system_groups: the groups of the host that conditions name.
    written: every name of a Unix account that the file itself writes.
    version: the name of what was compiled (`version_of`); empty where it was no text.
    files, folders: absolute paths of the files that it was read from, the main one first, and of the folders in which
        further ones are looked for; none where it was no file.
    """

    settings: Settings = field(default_factory=Settings)
    people: Mapping[str, Person] = field(default_factory=dict)
    login: tuple[LoginEntry, ...] = ()
    grants: tuple[Grant, ...] = ()
    _by_account: Mapping[str, tuple[Person, ...]] = field(default_factory=dict, repr=False)
    _by_key: Mapping[str, tuple[tuple[Person, PersonKey], ...]] = field(default_factory=dict, repr=False)
    _by_group: Mapping[frozenset[str], tuple[Grant, ...]] = field(default_factory=dict, repr=False)
    _by_name: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict, repr=False)
    source: SystemSource | None = None
    system_groups: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    version: str = ""
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def has_login_section(self) -> bool:
        """Whether the file says itself how people log in."""
        return any(entry.where != BUILT_IN_LOGIN for entry in self.login)

    @property
    def first_confined(self) -> str | None:
        """`file:line` of the first permission whose programs are confined, or None where there is none."""
        allows = (grant.rights.runs for grant in self.grants if grant.effect is Effect.ALLOW)
        return next((right.where for runs in allows for right in runs if right.confined), None)

    def people_of(self, account: str) -> tuple[Person, ...]:
        """The people who may log in under this account name, in the order of the file."""
        return self._by_account.get(account, ())

    def person_of_key(self, account: str, fingerprint: str) -> KeyCandidates:
        """Whom a key identifies under an account name, as far as the policy file itself says."""
        found = tuple(pair for pair in self._by_key.get(fingerprint, ()) if pair[0].may_use(account))
        files = tuple(
            (person, key) for person in self.people_of(account) for key in person.keys if key.file is not None
        )
        return KeyCandidates(found, files)

    def why_no_holder(
        self, account: str, fingerprint: str, now: datetime, of_source: Mapping[str, Person] | None = None
    ) -> str:
        """Why a key identifies nobody under an account name, for the log and never for the peer.

        of_source: people of a source who may log in as that.
        """
        if not self.people_of(account) and not of_source:
            return "nobody may log in as that"
        candidates = self.person_of_key(account, fingerprint)
        for person, key in candidates.found:
            for window, where in ((person.window, person.where), (key.window, key.where)):
                if not window.holds(now):
                    state = "has expired" if window.next_edge(now) is None else "is not valid yet"
                    return f"it is a key of {person.name} and {state} ({where})"
        if candidates.found:
            return "it is a key of more than one person"
        others = [person.name for person, _ in self._by_key.get(fingerprint, ())]
        if others:
            return f"it is a key of {', '.join(others[:3])}, who may not log in as that"
        if not candidates.files and not of_source:
            return "it is nobody's key"
        return "neither the policy nor a key file says whose it is"

    def holder(self, facts: Facts, steps: Iterable[Step] = ()) -> Person | None:
        """The person that a query speaks of, or None. steps: of their login; a certificate may make them a person."""
        found = facts.holder or (self.people.get(facts.person) if facts.person is not None else None)
        if found is not None or facts.person is None:
            return found
        holders = (self.holder_of(step.certificate) for step in steps if step.certificate is not None)
        return next((holder for holder in holders if holder is not None and holder.name == facts.person), None)

    def holder_of(self, certificate: Certificate) -> Person | None:
        """Whom a certificate names: the entry of `users:` of that name where there is one. None: nobody."""
        authority = self.authorities.get(certificate.authority)
        name = authority.names(certificate) if authority is not None else None
        if name is None:
            return None
        entry = self.people.get(name)
        return None if entry is not None and entry.guests is not None else entry or Person(name, certified=True)

    def person_of_password(self, account: str) -> Person | None:
        """Whom a password identifies that comes first of all: the person of the account's own name, or None."""
        person = self.people.get(account)
        return person if person is not None and account in person.accounts else None

    def grants_of(self, person: Person) -> tuple[Grant, ...]:
        """The grants that could speak of a person, as far as `who` says without keys."""
        own = self._by_name.get(person.name)
        common = self._by_group.get(person.groups, ())
        if own is None:
            return common
        # Of whom the file has no entry it is not known beforehand which groups the person is in.
        return common + (own if person.name in self.people else tuple(grant for grant in own if grant not in common))


def ruleset_of(
    settings: Settings,
    people: Iterable[Person],
    login: Iterable[LoginEntry],
    grants: Iterable[Grant],
    source: SystemSource | None = None,
    authorities: Iterable[Authority] = (),
) -> Ruleset:
    """Put a ruleset together, with the tables by which it is read."""
    named = {person.name: person for person in people}
    login, grants = tuple(login), tuple(grants)
    accounts: dict[str, list[Person]] = {}
    keys: dict[str, list[tuple[Person, PersonKey]]] = {}
    for person in named.values():
        for account in person.accounts:
            accounts.setdefault(account, []).append(person)
        for key in person.keys:
            if key.fingerprint is not None:
                keys.setdefault(key.fingerprint, []).append((person, key))
    # Of these no entry speaks: whoever a source has, and holders of certificates.
    unnamed = {source.defaults.groups} if source is not None else set[frozenset[str]]()
    signing = {authority.name: authority for authority in authorities}
    unnamed |= {frozenset[str]()} if signing else set()
    by_group = {groups: _common(grants, groups) for groups in unnamed | {one.groups for one in named.values()}}
    by_name: dict[str, list[Grant]] = {}
    for grant in grants:
        who = grant.conditions.who
        for name in who.people if who is not None and not (who.anyone or who.by_more) else ():
            groups = named[name].groups if name in named else frozenset[str]()
            if who is not None and who.groups.isdisjoint(groups):
                by_name.setdefault(name, []).append(grant)
    return Ruleset(
        settings,
        MappingProxyType(named),
        login,
        grants,
        MappingProxyType({account: tuple(found) for account, found in accounts.items()}),
        MappingProxyType({fingerprint: tuple(found) for fingerprint, found in keys.items()}),
        MappingProxyType(by_group),
        MappingProxyType({name: tuple(found) for name, found in by_name.items()}),
        source,
        frozenset(group for who in _whos(login, grants) for group in who.system_groups),
        _written(named.values(), source),
        MappingProxyType(signing),
    )


def rebuilt(
    ruleset: Ruleset,
    *,
    people: Iterable[Person] | None = None,
    login: Iterable[LoginEntry] | None = None,
    grants: Iterable[Grant] | None = None,
) -> Ruleset:
    """The same rules with other people, login entries or grants: for asking what would be if."""
    made = ruleset_of(
        ruleset.settings,
        ruleset.people.values() if people is None else people,
        ruleset.login if login is None else login,
        ruleset.grants if grants is None else grants,
        ruleset.source,
    )
    return replace(
        ruleset,
        people=made.people,
        login=made.login,
        grants=made.grants,
        _by_account=made._by_account,
        _by_key=made._by_key,
        _by_group=made._by_group,
        _by_name=made._by_name,
        written=ruleset.written | made.written,
    )


def _written(people: Iterable[Person], source: SystemSource | None) -> frozenset[str]:
    names = {name for one in people for name in (one.name, *one.accounts, one.unix_name(one.name))}
    default = source.defaults.run_as if source is not None else None
    return frozenset(names | ({default} if default is not None else set()))


def _whos(login: Iterable[LoginEntry], grants: Iterable[Grant]) -> Iterator[Who]:
    every = [*(entry.conditions for entry in login), *(grant.conditions for grant in grants)]
    yield from (condition for one in every for condition in one.all if isinstance(condition, Who))


def _common(grants: tuple[Grant, ...], groups: frozenset[str]) -> tuple[Grant, ...]:
    """The grants that may speak of whoever is in exactly these groups, whatever the person's name."""
    found = []
    for grant in grants:
        who = grant.conditions.who
        if who is None or who.anyone or who.by_more or not who.groups.isdisjoint(groups):
            found.append(grant)
    return tuple(found)
