"""The compiled policy: immutable plain data, made once by `compile` and read by `decide`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from pysshd.policy.authorities import Authority
from pysshd.policy.candidates import Bundle, Candidates, candidates_of
from pysshd.policy.conditions import Conditions, Who
from pysshd.policy.grants import Effect as Effect
from pysshd.policy.grants import Grant as Grant
from pysshd.policy.login_settings import NO_SETTINGS, LoginSettings
from pysshd.policy.people import AskedSource, KeyCandidates, KeyCommand, Person, PersonKey, SystemSource, UserDefaults
from pysshd.policy.query import Facts
from pysshd.policy.settings import Settings
from pysshd.policy.steps import Certificate, Chain, Step
from pysshd.records import dataclass

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
    source: the host's own people, where the file takes them. asked: those whom a program knows, where it asks one.
    outside: what says who people are and is no file of one person: folders of keys, and programs; absolute paths.
    authorities: entries of `authorities:` by name.
    system_groups: the groups of the host that conditions name.
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
    _candidates: Candidates = field(default_factory=Candidates, repr=False)
    source: SystemSource | None = None
    system_groups: frozenset[str] = frozenset()
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    version: str = ""
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    asked: AskedSource | None = None
    outside: tuple[str, ...] = ()

    @property
    def has_login_section(self) -> bool:
        """Whether the file says itself how people log in."""
        return any(entry.where != BUILT_IN_LOGIN for entry in self.login)

    @property
    def takes_certificates(self) -> bool:
        """Whether somebody may come with a certificate."""
        by_line = any("cert-authority" in entry.settings.key_options for entry in self.login)
        return by_line or bool(self.authorities)

    @property
    def first_confined(self) -> str | None:
        """`file:line` of the first permission whose programs are confined, or None where there is none."""
        allows = (grant.rights.runs for grant in self.grants if grant.effect is Effect.ALLOW)
        return next((right.where for runs in allows for right in runs if right.confined), None)

    @property
    def open_ended(self) -> bool:
        """Whether there may be people whom nobody knows before they come: of the host, or by a program's word."""
        return self.source is not None or self.asked is not None

    @property
    def defaults(self) -> UserDefaults | None:
        """What holds for people of whom no entry speaks, where there may be some."""
        found = self.source or self.asked
        return found.defaults if found is not None else None

    @property
    def commands(self) -> tuple[KeyCommand, ...]:
        """The programs that are asked for keys."""
        of_host = self.source.commands if self.source is not None else ()
        return (*of_host, *([self.asked.command] if self.asked is not None else ()))

    def person_of(self, name: str, *, host: bool = True, asked: bool = True) -> Person | None:
        """The person of a name: of the file, of the sources that have them, or both.

        host, asked: whether the host has them, and whether a program has a key for them, where it is asked.
        """
        found = self.people.get(name)
        if host and self.source is not None:
            found = self.source.person(name, found)
        if asked and self.asked is not None:
            found = self.asked.person(name, found)
        return found

    def people_of(self, account: str) -> tuple[Person, ...]:
        """The people who may log in under this account name, in the order of the file."""
        return self._by_account.get(account, ())

    def person_of_key(self, account: str, fingerprint: str) -> KeyCandidates:
        """Whom a key identifies under an account name, as far as the policy file itself says."""
        found = tuple(pair for pair in self._by_key.get(fingerprint, ()) if pair[0].may_use(account))
        files = tuple((person, key) for person in self.people_of(account) for key in person.keys if key.is_open)
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

    def writes(self, account: str, person: Person, certificates: Iterable[Certificate] = ()) -> bool:
        """Whether the file itself writes the name of a Unix account for this person, or for holders of certificates.

        What it writes for somebody else opens nothing, nor does the name that a folder, a program, the host or a
        certificate gives a person.
        """
        entry = self.people.get(person.name)
        if account == person.run_as or (entry is not None and account in entry.written):
            return True
        signed = ((self.authorities.get(one.authority), one.principals) for one in certificates)
        return any(authority is not None and authority.writes(account, principals) for authority, principals in signed)

    def person_of_password(self, account: str) -> Person | None:
        """Whom a password identifies that comes first of all: the person of the account's own name, or None."""
        person = self.people.get(account)
        return person if person is not None and account in person.accounts else None

    def grants_of(self, person: Person) -> tuple[Grant, ...]:
        """The grants that could speak of a person, as far as `who` says without keys.

        A `who` that hangs on nothing but who somebody is names the person in each of them (`Conditions.left`).
        """
        return self._candidates.of(person)

    def bundles_of(self, person: Person) -> tuple[Bundle, ...]:
        """The same grants, those in one that say the same."""
        return self._candidates.bundles_of(person)


def ruleset_of(
    settings: Settings,
    people: Iterable[Person],
    login: Iterable[LoginEntry],
    grants: Iterable[Grant],
    source: SystemSource | None = None,
    authorities: Iterable[Authority] = (),
    asked: AskedSource | None = None,
    outside: Iterable[str] = (),
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
    signing = {authority.name: authority for authority in authorities}
    # Of these no entry speaks: whoever a source has, and holders of certificates.
    unnamed = _groups_of_sources(named.values(), source, asked)
    unnamed |= {frozenset[str]()} if signing else set()
    return Ruleset(
        settings,
        MappingProxyType(named),
        login,
        grants,
        MappingProxyType({account: tuple(found) for account, found in accounts.items()}),
        MappingProxyType({fingerprint: tuple(found) for fingerprint, found in keys.items()}),
        candidates_of(named, unnamed, grants),
        source,
        frozenset(group for who in _whos(login, grants) for group in who.system_groups),
        authorities=MappingProxyType(signing),
        asked=asked,
        outside=tuple(outside),
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
        asked=ruleset.asked,
    )
    return replace(
        ruleset,
        people=made.people,
        login=made.login,
        grants=made.grants,
        _by_account=made._by_account,
        _by_key=made._by_key,
        _candidates=made._candidates,
    )


def _groups_of_sources(
    people: Iterable[Person], source: SystemSource | None, asked: AskedSource | None
) -> set[frozenset[str]]:
    """The groups of whoever is of one of these, or of both, with an entry or without."""
    found: set[frozenset[str]] = set()
    for entry in (None, *people):
        of_host = source.person("", entry) if source is not None else entry
        of_program = [asked.person("", one) for one in (entry, of_host)] if asked is not None else []
        found |= {one.groups for one in (of_host, *of_program) if one is not None}
    return found


def _whos(login: Iterable[LoginEntry], grants: Iterable[Grant]) -> Iterator[Who]:
    every = [*(entry.conditions for entry in login), *(grant.conditions for grant in grants)]
    yield from (condition for one in every for condition in one.all if isinstance(condition, Who))
