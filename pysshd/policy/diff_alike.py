"""Who need not be compared: people of whom both policies say the same, and people of whom they say what they say of one
who was compared already.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Final

from pysshd.policy.conditions import Account, Who
from pysshd.policy.diff_certificates import Certified
from pysshd.policy.diff_rights import Contents
from pysshd.policy.diff_sessions import Side, held
from pysshd.policy.people import Person
from pysshd.policy.ruleset import LoginEntry

_ROOT: Final = "root"


class Likeness:
    """Tells whom a comparison may leave out."""

    def __init__(self, new: Side, old: Side, same: Contents) -> None:
        self._new, self._old, self._same = new, old, same
        here, there = new.ruleset, old.ruleset
        server, before = new.settings.server, old.settings.server
        self._same_logins = (
            [_bare_entry(entry) for entry in here.login] == [_bare_entry(entry) for entry in there.login]
            and server.listen == before.listen
            and server.accounts == before.accounts
            and authorities(new) == authorities(old)
        )
        logins = [entry.conditions for ruleset in (here, there) for entry in ruleset.login]
        grants = [grant.conditions for ruleset in (here, there) for grant in ruleset.grants]
        conditions = [condition for one in (*logins, *grants) for condition in one.all]
        self._logins = [condition for one in logins for condition in one.all if isinstance(condition, Who)]
        self._accounts = {name for one in conditions if isinstance(one, Account) for name in one.accounts} | {_ROOT}
        self._certified = set(Certified(new, old).told())
        self._fingerprints = {one for condition in conditions if isinstance(condition, Who)
                              for one in condition.fingerprints}  # fmt: skip

    def unchanged(self, person: Person, before: Person | None) -> bool:
        """Whether both policies say the same of a person."""
        return (
            before is not None
            and self._same_logins
            and self._is_same(person, before)
            and self._same(self._new.ruleset.grants_of(person)) == self._same(self._old.ruleset.grants_of(before))
        )

    def kind(self, person: Person, before: Person | None) -> Hashable | None:
        """People of one kind gain the same by the same lines; None: there is nobody else like this."""
        if before is None or not self._is_same(person, before):
            return None
        if person.name not in person.accounts or person.name in self._accounts | self._certified:
            return None
        others = tuple(account for account in person.accounts if account != person.name)
        grants = [*self._new.ruleset.grants_of(person), *self._old.ruleset.grants_of(before)]
        whos = [one for grant in grants for one in grant.conditions.all if isinstance(one, Who)]
        keys = tuple(
            (
                key.name,
                key.label if key.is_open else "",
                key.fingerprint if key.fingerprint in self._fingerprints else "",
                key.window,
            )
            for key in person.keys
        )
        named = tuple(who.names(person) for who in (*self._logins, *whos))
        facts = (person.has_password, person.window, person.run_as, person.listed)
        return (keys, others, facts, named, tuple(map(id, grants)))

    def _is_same(self, person: Person, before: Person) -> bool:
        return bare(person) == bare(before) and _reading(self._new, person) == _reading(self._old, before)


def _bare_entry(entry: LoginEntry) -> LoginEntry:
    return replace(entry, number=0, where="")


def authorities(side: Side) -> list[object]:
    """What certificates come to, whatever the authorities' places are."""
    return [
        (
            replace(one, keys=tuple(replace(key, where="") for key in one.keys)),
            [held(side, key, ()) for key in one.keys],
        )
        for one in side.ruleset.authorities.values()
    ]


def bare(person: Person) -> Person:
    """A person without the places where they stand."""
    return replace(person, where="", keys=tuple(replace(key, where="") for key in person.keys))


def _reading(side: Side, person: Person) -> list[tuple[object, ...]]:
    """The keys of a person's files with what their lines say, as far as these were read."""
    known = side.key_files or {}
    read = [known[key.file] for key in person.keys if key.file is not None and key.file in known]
    return [(file.fingerprints, file.narrowings) for file in read]
