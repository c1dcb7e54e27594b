"""The people of the policy file and those of the host, under `accounts: system`."""

import os
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Final

from pysshd.errors import DecodeError
from pysshd.identity.fingerprints import fingerprint_of
from pysshd.identity.host.calls import CheckPassword, Found, FoundAccount, LookUp, PasswordChecked
from pysshd.identity.lines import narrowing_of
from pysshd.identity.queue import HelperQueue
from pysshd.identity.virtual import VirtualPeople
from pysshd.patterns.narrowing import Narrowing
from pysshd.policy.people import Person
from pysshd.policy.query import UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.values import timezone
from pysshd.records import dataclass
from pysshd.server.known import NOTHING_KNOWN, HostAccount, Known
from pysshd.server.plan import Account
from pysshd.server.ports import Clock, KeyHolder
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey

LOOK_UPS: Final = 16
"""Look-ups at once: they wait for directories and disks, and one that hangs holds up no other."""

LOOK_UP_WITHIN: Final = 10.0
PASSWORD_WITHIN: Final = 20.0
"""Seconds that one helper may take."""

NAMES_MAX: Final = 500
"""People who share one account, as far as their keys are looked for in files of theirs."""

_PASSWORD_SIZE_MAX: Final = 4096
"""Bytes that are handed to the helper, which takes far fewer for a password."""

_FAILED: Final = "the account could not be looked up"
"""Not which one: a name that nobody has may be a password in the wrong place."""

REMEMBERED_MAX: Final = 1024
REMEMBERED_FOR: Final = 5.0
"""Accounts, and seconds, that an answer of the host is good for where none of its files has changed meanwhile."""

FILES: Final = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/nsswitch.conf", "/etc/environment")
"""What the host itself says of accounts; directories of the network are asked again when the time is over."""

_Stamps = tuple[tuple[int, int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What the host said of an account: as its files were, and until when (monotonic seconds)."""

    known: Known
    stamps: _Stamps
    until: float


class SystemPeople:
    """`Identity` over `users:` and the host.

    What the host says of an account is looked up once for each connection: from then on it is the same for every step
    of the login, and for every session. `file`: the people of the policy file alone.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        file: VirtualPeople,
        look_ups: HelperQueue,
        passwords: HelperQueue,
        clock: Clock,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ruleset = ruleset
        self._file = file
        self._look_ups = look_ups
        self._passwords = passwords
        self._complain = complain
        self._clock = clock
        self._stand_in = ""
        self._zone = timezone(ruleset.settings.server.options_timezone)
        self._remembered: dict[str, _Remembered] = {}

    async def look_up(self, account: str, peer: Hashable) -> Known:
        """What the host says of the account, and of everyone who may log in as it."""
        stamps = _stamps() if self._ruleset.source is None else ()
        before = self._remembered.get(account)
        if before is not None and before.stamps == stamps and self._clock.monotonic() < before.until:
            return before.known
        asked = self._question(account, self._ruleset.people_of(account))
        answered = await self._look_ups.ask(asked.encode(), peer)
        if answered is None:
            return Known(fault=_FAILED, unanswered=True)
        try:
            found = Found.decode(answered)
        except DecodeError as error:
            self._complain(f"look-up helper answered what can not be read: {error}")
            return Known(fault=_FAILED, unanswered=True)
        for note in found.notes:
            self._complain(note)
        known = self._known(account, asked.people, found)
        if self._ruleset.source is None:
            # Keys of people's own are read for each connection; who an account is changes with files of the host.
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[account] = _Remembered(known, stamps, self._clock.monotonic() + REMEMBERED_FOR)
        return known

    def _question(self, account: str, listed: tuple[Person, ...]) -> LookUp:
        source = self._ruleset.source
        accounts = dict.fromkeys([account, *(person.unix_name(account) for person in listed)])
        people = dict.fromkeys(person.name for person in listed) if source is not None else {}
        defaults = self._ruleset.defaults
        if defaults is not None and account not in self._ruleset.people:
            people |= {account: None} if source is not None else {}
            accounts[defaults.person(account).unix_name(account)] = None
        if len(people) > NAMES_MAX:
            self._complain(f"account {account} is shared by {len(people)} people, of whom {NAMES_MAX} are looked up")
        return LookUp(
            tuple(accounts)[:NAMES_MAX],
            tuple(people)[:NAMES_MAX],
            source.min_uid if source is not None else 0,
            source.keys if source is not None else (),
            tuple(sorted(self._ruleset.system_groups)),
            self._stand_in,
        )

    def _known(self, account: str, asked: tuple[str, ...], found: Found) -> Known:
        source = self._ruleset.source
        people: dict[str, Person] = {}
        keys: dict[str, list[tuple[str, str, Narrowing]]] = {}
        fault, of_no_use = "", set[str]()
        for known in found.people if source is not None else ():
            assert source is not None
            if known.fault:
                fault = known.fault if known.name == account else fault
                of_no_use.add(known.name)  # and still in the groups of the source
                continue
            people[known.name] = source.person(known.name, self._ruleset.people.get(known.name))
            self._stand_in = known.name
        for held in found.keys if source is not None else ():
            assert source is not None
            if held.person in people and held.file < len(source.keys):
                for digest, number, options in held.keys:
                    line = narrowing_of(options, self._zone, f"{os.fsdecode(held.path)}:{number}", self._complain)
                    if line is not None:
                        keys.setdefault(fingerprint_of(digest), []).append((held.person, source.keys[held.file], line))
        accounts = {one.name: _account(one, found.environment) for one in found.accounts}
        said = frozenset(asked) - of_no_use
        return Known(people, accounts, {key: tuple(held) for key, held in keys.items()}, fault, by_host=said)

    async def key_holder(
        self, account: str, key: PublicKey, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | None:
        """The one person who may have `account` by this key now, in the file or of the host."""
        return await self._file.key_holder(account, key, now, known)

    async def certificate_holder(
        self, account: str, certificate: Certificate, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | str:
        """The person whom a certificate of an authority names, of the host or not; or why it names nobody."""
        return await self._file.certificate_holder(account, certificate, now, known)

    async def password_matches(
        self, person: str, password: bytes, now: datetime, peer: Hashable, known: Known = NOTHING_KNOWN
    ) -> bool:
        """Whether it is right: by the hash of the file where that has one, else by the host where the source says so.

        Where the source takes the host's passwords, whoever is unknown costs what these cost (S70).
        """
        source = self._ruleset.source
        listed = self._ruleset.people.get(person)
        if source is None or not source.password or (listed is not None and listed.password is not None):
            return await self._file.password_matches(person, password, now, peer, known)
        holder = known.people.get(person)
        real = holder is not None and holder.system_password and holder.window.holds(now)
        name = person if real else ""
        asked = CheckPassword(name, password[:_PASSWORD_SIZE_MAX])
        answered = await self._passwords.ask(asked.encode(), peer)
        if answered is None:
            return False
        try:
            checked = PasswordChecked.decode(answered)
        except DecodeError as error:
            self._complain(f"password helper answered what can not be read: {error}")
            return False
        if checked.note and real:
            self._complain(f"no password is right: {checked.note}")
        return real and checked.matches

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """As whom `person` runs."""
        return self._file.account(person, name, confined, known)


def _stamps() -> _Stamps:
    """What tells whether the host's own files have changed."""
    return tuple(map(_stamp, FILES))


def _stamp(path: str) -> tuple[int, int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _account(found: FoundAccount, environment: tuple[tuple[bytes, bytes], ...]) -> HostAccount:
    home, shell = os.fsdecode(found.home), os.fsdecode(found.shell)
    groups, unknown = frozenset(found.member_of), frozenset(found.unknown_groups)
    facts = UnixFacts(found.name, found.uid, groups, unknown, found.fault, home)
    return HostAccount(facts, found.uid, found.gid, found.groups, home, shell, found.own_home, environment)
