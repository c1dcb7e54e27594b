"""Certificates of two policies beside each other: which ones they can tell apart, and what each policy takes them for.

A certificate is what its holder has: the key that signed it, its key id, its principals and its extensions. An
authority is found by its key, whatever either file calls it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import Final

from pysshd.patterns.names import is_name
from pysshd.policy.authorities import ANY, SAME, Authority
from pysshd.policy.conditions import Account, Conditions, Who
from pysshd.policy.diff_sessions import Factor, Side, held
from pysshd.policy.narrow import PERMITTED_BY
from pysshd.policy.people import Person, PersonKey
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate
from pysshd.records import dataclass

WORDS_MAX: Final = 8
"""Principals and extensions that an account's conditions tell apart, of which every combination is tried."""

STRANGER: Final = "somebody-certified"
"""Somebody whom no file names; their principal, and the account of that name."""

NO_PRINCIPAL: Final = "\0"
"""A principal that no file can name."""

_EVERY_EXTENSION: Final = frozenset(PERMITTED_BY.values())


class TooManyError(Exception):
    """There are more principals and extensions than can be combined."""


@dataclass(frozen=True, slots=True)
class _Signer:
    """A key of an authority of the new policy, and the authority of the old one that has the same key."""

    identity: tuple[str, ...]
    key: PersonKey
    authority: Authority
    old_key: PersonKey | None
    old: Authority | None


class Certified:
    """Makes the certificates. entries: the conditions of both policies that may speak of them."""

    def __init__(self, new: Side, old: Side) -> None:
        self._new, self._old = new, old
        self._signers = tuple(_signers(new, old))

    def before(self, factor: Factor) -> Authority | None:
        """The authority of the old policy that has the key of a certificate."""
        found = (one.old for one in self._signers if one.key is factor.signer)
        return next(found, None)

    def told(self) -> set[str]:
        """The people whom a certificate may name and of whom either file says something.

        Where an authority takes a principal for the person, every word of theirs may be one.
        """
        found: set[str] = set()
        rulesets = (self._new.ruleset, self._old.ruleset) if self._signers else ()
        authorities = [one for ruleset in rulesets for one in ruleset.authorities.values()]
        entries = [one for ruleset in rulesets for one in _conditions(ruleset)]
        for who in _whos(entries):
            found |= who.people
        if any(authority.person == "principal" for authority in authorities):
            found |= _accounts(entries) | {principal for who in _whos(entries) for _, principal in who.principals}
            found |= {word for one in authorities for account, wanted in one.accounts for word in (account, *wanted)}
        return found

    def names(self) -> list[str]:
        """Whom a certificate may name that the files could tell apart: people without an entry in the new one."""
        found = self.told() | set(self._old.ruleset.people) | {STRANGER}
        known = self._new.ruleset.people
        return sorted(name for name in found if is_name(name) and name not in known) if self._signers else []

    def accounts(self, person: Person, before: Person | None, entries: Sequence[Conditions]) -> tuple[str, ...]:
        """The accounts that certificates of this person may open, as far as anything tells them apart."""
        if not self._signers or person.guests is not None:
            return ()
        found = {person.name, STRANGER, *_accounts(entries), *person.accounts}
        found |= set(before.accounts if before is not None else ())
        for ruleset in (self._new.ruleset, self._old.ruleset):
            found |= {account for one in ruleset.authorities.values() for account, _ in one.accounts if account != SAME}
            for authority in ruleset.authorities.values():
                found |= dict(authority.accounts).get(SAME, frozenset()) - {ANY}
        for who in _whos(entries):
            found |= {principal for _, principal in who.principals}
        usable = [name for name in sorted(found) if is_name(name) and person.may_use(name)]
        alike = {self._kind(name, person, before, entries): name for name in reversed(usable)}
        return tuple(sorted(alike.values()))

    def _kind(self, account: str, person: Person, before: Person | None, entries: Sequence[Conditions]) -> object:
        """Accounts of one kind are opened and spoken of alike."""
        rulesets = (self._new.ruleset, self._old.ruleset)
        return (
            account in (person.name, "root") and account,
            before is not None and before.may_use(account),
            tuple(ruleset.writes(account, person) for ruleset in rulesets),
            tuple(account in one.accounts for entry in entries for one in entry.all if isinstance(one, Account)),
            tuple(pair for who in _whos(entries) for pair in sorted(who.principals) if pair[1] == account),
            tuple(
                (name == SAME and account in wanted, name == account and wanted)
                for ruleset in rulesets
                for one in ruleset.authorities.values()
                for name, wanted in one.accounts
            ),
        )

    def factors(
        self, person: Person, account: str, entries: Sequence[Conditions], fingerprints: Iterable[str]
    ) -> Iterator[tuple[Factor, Factor | None]]:
        """Each certificate that names this person and could open the account under the new policy, and the same as the
        old policy takes it: None where it has no such authority, or takes its holder for somebody else.

        fingerprints: of keys that conditions name; one of them may be certified. Raises TooManyError.
        """
        for signer in self._signers if person.guests is None else ():
            names = [signer.authority.name, *([signer.old.name] if signer.old is not None else [])]
            extensions = {one for who in _whos(entries) for name, one in who.extensions if name in names}
            principals = self._principals(signer, person, account, entries, names)
            if len(principals) + len(extensions) > WORDS_MAX:
                raise TooManyError
            sets = _nonempty(principals)
            if signer.authority.person == "principal":
                sets = [frozenset([person.name])]
            ids = [person.name]
            if signer.authority.person == "principal" and signer.old is not None and signer.old.person == "key_id":
                ids.append(f"{STRANGER}-else")
            bare = _EVERY_EXTENSION - extensions
            for some, more, key_id, key in product(sets, _subsets(extensions), ids, (None, *sorted(fingerprints))):
                if signer.authority.admits(account, some):
                    yield _pair(signer, person, Certificate("", key_id, some, bare | more), key)

    def _principals(
        self, signer: _Signer, person: Person, account: str, entries: Sequence[Conditions], names: Sequence[str]
    ) -> list[str]:
        """Principals of which one stands for all that nothing tells apart from it; none that neither opens the account
        nor is asked for."""
        authorities = [one for one in (signer.authority, signer.old) if one is not None]
        wanted = [words for one in authorities for named, words in one.accounts if named in (account, SAME)]
        asked = [who.principals for who in _whos(entries) if who.principals]
        found = {account, STRANGER, *(word for words in wanted for word in words - {ANY})}
        found |= {principal for pairs in asked for name, principal in pairs if name in names}
        if any(one.person == "principal" for one in authorities):
            found.add(person.name)
        kinds: dict[object, str] = {}
        for word in sorted(found):
            told = tuple((name, word) in pairs for pairs in asked for name in names)
            opens = tuple(one.admits(account, frozenset([word])) for one in authorities)
            named = word == person.name and any(one.person == "principal" for one in authorities)
            if any(told) or any(opens) or named:
                kinds.setdefault((told, opens, named), word)
        return sorted(kinds.values())


def _pair(signer: _Signer, person: Person, said: Certificate, key: str | None) -> tuple[Factor, Factor | None]:
    identity = ("certificate", *signer.identity, said.key_id, *sorted(said.principals), "", *sorted(said.extensions),
                key or "")  # fmt: skip

    def factor(authority: Authority, signed_by: PersonKey) -> Factor:
        certificate = Certificate(authority.name, said.key_id, said.principals, said.extensions)
        return Factor("certificate", identity, key, None, certificate, signed_by, authority)

    now = factor(signer.authority, signer.key)
    if signer.old is None or signer.old_key is None:
        return now, None
    was = factor(signer.old, signer.old_key)
    assert was.certificate is not None
    return now, was if signer.old.names(was.certificate) == person.name else None


def _signers(new: Side, old: Side) -> Iterator[_Signer]:
    """Keys that sign; of those that both policies treat alike, one."""
    before = {
        identity: (authority, key)
        for authority in old.ruleset.authorities.values()
        for key in authority.keys
        for identity in _identities(old, key)
    }
    seen: set[object] = set()
    for authority in new.ruleset.authorities.values():
        for key in authority.keys:
            for identity in _identities(new, key):
                other, old_key = before.get(identity, (None, None))
                kind = (authority.name, key.window, other and other.name, old_key and old_key.window)
                if kind not in seen:
                    seen.add(kind)
                    yield _Signer(identity, key, authority, old_key, other)


def _identities(side: Side, key: PersonKey) -> list[tuple[str, ...]]:
    return [
        ("key", fingerprint) if fingerprint is not None else ("file", key.file or "")
        for fingerprint in held(side, key, ())
    ]


def _subsets(words: Iterable[str]) -> list[frozenset[str]]:
    some = sorted(words)
    return [frozenset(chosen) for count in range(len(some) + 1) for chosen in combinations(some, count)]


def _nonempty(words: Iterable[str]) -> list[frozenset[str]]:
    return [one for one in _subsets(words) if one]


def _conditions(ruleset: Ruleset) -> list[Conditions]:
    return [*(entry.conditions for entry in ruleset.login), *(grant.conditions for grant in ruleset.grants)]


def _whos(entries: Iterable[Conditions]) -> Iterator[Who]:
    yield from (condition for entry in entries for condition in entry.all if isinstance(condition, Who))


def _accounts(entries: Iterable[Conditions]) -> set[str]:
    every = (condition for entry in entries for condition in entry.all if isinstance(condition, Account))
    return {name for one in every for name in one.accounts}


# What is not compared


def two_certificates(side: Side) -> bool:
    """Whether somebody may log in by two certificates, one after the other."""
    return bool(side.ruleset.authorities) and any(
        sum(step in ("publickey", "certificate") for step in chain) > 1
        for entry in side.ruleset.login
        for chain in entry.chains
    )
