"""As whom sessions run: as the daemon's own user (`accounts: service`), or as the account itself (`system`)."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from pwd import struct_passwd
from typing import Final, Protocol

from pysshd.patterns.names import is_name
from pysshd.policy.people import Person
from pysshd.records import dataclass
from pysshd.server.known import NOTHING_KNOWN, HostAccount, Known
from pysshd.server.plan import Account

_FALLBACK_SHELL = "/bin/sh"

HOMES: Final = "homes"
"""The folder, in that of the state, of the homes of people to whom the policy gives none."""


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The daemon's own user, as its host knows it."""

    uid: int
    home: str
    shell: str

    @classmethod
    def from_passwd(cls, entry: struct_passwd | None, uid: int) -> "ServiceUser":
        """The user of an entry of passwd(5); a host that has none gives / and /bin/sh."""
        if entry is None:
            return cls(uid, "/", _FALLBACK_SHELL)
        return cls(uid, entry.pw_dir or "/", entry.pw_shell or _FALLBACK_SHELL)


class Accounts(Protocol):
    """Makes the account of a session."""

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """As whom `person` runs who logged in as `name`; `LookupError` or `OSError` where that can not be."""


class ServiceAccounts:
    """Makes accounts: the owner's programs have the daemon user's home and shell, confined ones a home of their person.

    A confined home is `users.NAME.home`, else `{state}/homes/NAME`, made 0700 when it is first used.
    certified: whether a certificate may make somebody a person.
    """

    def __init__(
        self, user: ServiceUser, state: Path, people: Mapping[str, Person], *, certified: bool = False
    ) -> None:
        self._user = user
        self._state = state
        self._people = people
        self._certified = certified

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """The account `name` for `person`.

        `LookupError` for a person whom the policy does not have, `OSError` for a home that cannot be used.
        """
        entry = known.people.get(person) or self._people.get(person) or _certified(person, self._certified)
        if entry is None:
            raise LookupError(f"person {person!r} is not in the policy")
        if not confined:
            return Account(name, None, None, (), self._user.home, self._user.shell, person)
        return Account(name, None, None, (), self._confined_home(entry), _FALLBACK_SHELL, person)

    def _confined_home(self, entry: Person) -> str:
        if entry.home is not None:
            self._check(entry.home, exclusive=False)
            return entry.home
        homes = self._state / HOMES
        for folder in (homes, homes / entry.name):
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                pass
            self._check(str(folder), exclusive=True)
        return str(homes / entry.name)

    def _check(self, folder: str, exclusive: bool) -> None:
        _check_home(folder, self._user.uid, exclusive)


class SystemAccounts:
    """Makes accounts of what the host says: a session is its Unix account's own.

    A confined home is `users.NAME.home`, else that of passwd(5), which must belong to the account.
    certified: whether a certificate may make somebody a person.
    """

    def __init__(self, people: Mapping[str, Person], *, certified: bool = False) -> None:
        self._people = people
        self._certified = certified

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """As whom `person` runs who logged in as `name`.

        `LookupError` for a person or an account that is not known or of no use now, `OSError` for a home that cannot be
        used.
        """
        entry = known.people.get(person) or self._people.get(person) or _certified(person, self._certified)
        if entry is None:
            raise LookupError(f"person {person!r} is not in the policy")
        unix = known.accounts.get(entry.unix_name(name))
        if unix is None or unix.facts.fault:
            raise LookupError(known.unix(entry.unix_name(name)).fault)
        home = unix.home if not confined else _confined_home(entry, unix)
        return Account(unix.facts.name, unix.uid, unix.gid, unix.groups, home, unix.shell, person, unix.environment)


def _certified(name: str, may_be: bool) -> Person | None:
    """A person of whom no entry says anything, as a certificate makes one."""
    return Person(name, certified=True) if may_be and is_name(name) else None


def _confined_home(entry: Person, unix: HostAccount) -> str:
    name = unix.facts.name
    if 0 in (unix.uid, unix.gid):
        raise LookupError(f"account {name} is root's, and root can not be confined")
    if entry.home is not None:
        _check_home(entry.home, unix.uid, exclusive=False)
        return entry.home
    if not unix.own_home or unix.home == "/":
        raise LookupError(f"home {unix.home} of account {name} is no folder of its own, which confined programs need")
    return unix.home


def _check_home(folder: str, uid: int, exclusive: bool) -> None:
    """A folder of this user and no symlink to one; closed to others where it is ours alone."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"home {folder} is not a folder")
    if found.st_uid != uid:
        raise PermissionError(f"home {folder} is owned by uid {found.st_uid}, expected {uid}")
    if exclusive and found.st_mode & 0o077:
        raise PermissionError(f"home {folder} has mode {found.st_mode & 0o777:04o}, expected 0700")
