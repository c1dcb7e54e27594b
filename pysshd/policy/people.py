"""People as the policy knows them: who they are, their accounts, their keys and their password hash."""

from dataclasses import field, replace
from datetime import datetime
from typing import Final

from pysshd.patterns.globs import Glob
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing
from pysshd.policy.steps import Certificate, Step
from pysshd.policy.templates import Template
from pysshd.records import dataclass

DEFAULT_TIMEOUT: Final = 5.0
"""Seconds that a program may take which is asked for keys."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of time, aware instants: `start` is in it, `end` is not; None: no end on that side."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether `now` lies in the window."""
        return (self.start is None or now >= self.start) and (self.end is None or now < self.end)

    def next_edge(self, now: datetime) -> datetime | None:
        """The first instant after `now` at which `holds` may change, or None."""
        if self.start is not None and now < self.start:
            return self.start
        if self.end is not None and now < self.end:
            return self.end
        return None


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class SecretText:
    """A text that shows itself to nobody who does not ask by name."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "SecretText(***)"

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """An argon2id hash (RFC 9106) in PHC form; the costs are within the bounds that `check` sets.

    memory: KiB.
    """

    phc: SecretText
    memory: int
    iterations: int
    lanes: int


@dataclass(frozen=True, slots=True)
class PersonKey:
    """One entry of a person's `keys`: a public key, a file that holds one or more, or a program that is asked for them.

    label: what ties a Step to this entry: its name, else the fingerprint, else the file's path or the program's words.
    name: `name:` of the entry, for `key:` conditions and `{key}`.
    blob, fingerprint: the key itself (RFC 4253 §6.6 blob, `SHA256:…`); None for a file and for a program.
    file: absolute path of the file; None for all else. One key per line, as in an authorized_keys file.
    where: `file:line` in the policy.
    narrowing: what its options say, of each key of a file; a line of the file may say more.
    """

    label: str
    name: str | None = None
    blob: bytes | None = None
    fingerprint: str | None = None
    file: str | None = None
    window: Window = ALWAYS
    where: str = ""
    narrowing: Narrowing = NO_NARROWING

    @property
    def is_open(self) -> bool:
        """Whether the entry does not say itself which keys it means."""
        return self.fingerprint is None


@dataclass(frozen=True, slots=True)
class Guests:
    """`names:` of an entry of `users:`: it takes the names that nobody has.

    taken: the accounts of everybody else.
    """

    patterns: tuple[Glob, ...]
    taken: frozenset[str] = frozenset()

    def take(self, account: str) -> bool:
        """Whether a name is one of theirs."""
        return account not in self.taken and any(pattern.matches(account) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Person:
    """One entry of `users:`, one person of a source, or both: the entry lies over what the source says.

    run_as: the Unix account of every session under `accounts: system`; None: the account that was logged in as.
    system_password: the host checks the password, for the Unix account of the person's own name.
    totp: absolute path of the file with the secret of their one-time passwords.
    guests: which names it takes, where it is no person but stands for whoever comes.
    certified: whether a certificate alone makes them a person: no entry says anything of them.
    listed: whether an entry of `users:` has the name.
    by_default: whether the groups are those of `user_defaults:`, for nothing else says which; a source may.
    unknown_groups: groups that they may be in, which whoever would know does not say.
    """

    name: str
    groups: frozenset[str] = frozenset()
    accounts: tuple[str, ...] = ()
    keys: tuple[PersonKey, ...] = ()
    password: PasswordHash | None = None
    home: str | None = None
    window: Window = ALWAYS
    where: str = ""
    run_as: str | None = None
    system_password: bool = False
    totp: str | None = None
    guests: Guests | None = None
    certified: bool = False
    listed: bool = True
    by_default: bool = False
    unknown_groups: frozenset[str] = frozenset()

    def may_use(self, account: str) -> bool:
        """Whether they may log in under this name; of who is `certified` their authority says it."""
        return self.certified or account in self.accounts or (self.guests is not None and self.guests.take(account))

    def unix_name(self, account: str) -> str:
        """As which Unix account a session runs that logged in under this account's name."""
        return self.run_as or account

    @property
    def written(self) -> frozenset[str]:
        """The names of Unix accounts that the file writes for them; a name that is not `listed` it does not write."""
        listed = (self.name, *self.accounts) if self.listed and not self.certified else ()
        return frozenset([*listed, *([self.run_as] if self.run_as is not None else [])])

    @property
    def has_password(self) -> bool:
        """Whether a password of theirs could be right."""
        return self.password is not None or self.system_password

    def key_of(self, step: Step) -> PersonKey | None:
        """The entry that lists the key of a publickey step, or None where this person has no such key (any more).

        That a key is listed says nothing of a certificate for it.
        """
        return self._entry(step.key, step.label) if step.certificate is None else None

    def signer_of(self, step: Step) -> PersonKey | None:
        """The entry that lists the key which signed the certificate of a step, where no authority of the file did."""
        certificate = step.certificate
        return (
            self._entry(certificate.signer or None, step.label) if certificate and not certificate.authority else None
        )

    def entries_of(self, step: Step) -> tuple[PersonKey, ...]:
        """What says something of the key of a publickey step, or of the key of theirs that signed its certificate: the
        entry by which it counts first of all, and every other one that lists the same key.
        """
        own = self.key_of(step) or self.signer_of(step)
        fingerprint = step.key if step.certificate is None else step.certificate.signer
        others = [key for key in self.keys if fingerprint and key.fingerprint == fingerprint and key is not own]
        return (*(() if own is None else (own,)), *others)

    def certified_of(self, step: Step) -> tuple[PersonKey, ...]:
        """The entries that list the key which a certificate is for: it is no more than its key by itself."""
        if step.certificate is None:
            return ()
        return tuple(key for key in self.keys if step.key is not None and key.fingerprint == step.key)

    def _entry(self, fingerprint: str | None, label: str | None) -> PersonKey | None:
        if fingerprint is None:
            return None
        for key in self.keys:
            if key.fingerprint is None:
                if label == key.label:
                    return key
            elif key.fingerprint == fingerprint and label in (None, key.label):
                return key
        return None

    def joined(self, groups: frozenset[str], keys: tuple[PersonKey, ...] = ()) -> "Person":
        """The person, whom a source has too: its groups and keys add, and groups of the defaults fill no gap then."""
        if not groups:
            return replace(self, keys=self.keys + keys) if keys else self
        own = frozenset[str]() if self.by_default else self.groups
        return replace(self, groups=own | groups, by_default=False, keys=self.keys + keys,
                       unknown_groups=self.unknown_groups - groups)  # fmt: skip

    def perhaps_in(self, groups: frozenset[str]) -> "Person":
        """The person, whom a source with these groups may have or not; of groups of the defaults nothing is certain
        then, for those of a source would take their place.
        """
        if self.by_default and groups:
            maybe = self.unknown_groups | self.groups | groups
            return replace(self, groups=frozenset(), by_default=False, unknown_groups=maybe)
        return replace(self, unknown_groups=(self.unknown_groups | groups) - self.groups)

    @staticmethod
    def step(key: PersonKey, fingerprint: str, narrowing: Narrowing = NO_NARROWING) -> Step:
        """The step that a login with this entry's key is; `fingerprint` is that of the key itself, `narrowing` of its
        line in a file.
        """
        return Step("publickey", fingerprint, key.label, narrowing=narrowing)


def place_of(person: Person | None) -> str:
    """`file:line` of what the file says of a person, or the section where it says nothing."""
    return (person.where if person is not None else "") or "users"


def window_of_certificate(certificate: Certificate) -> Window:
    """The time in which it is valid."""
    return Window(certificate.not_before, certificate.not_after)


USER_SLOT = "{user}"
"""In `home` and `accounts` of `user_defaults`: the name of each person."""


@dataclass(frozen=True, slots=True)
class UserDefaults:
    """`user_defaults:`: what an entry of `users:` does not say itself, and what people of a source have.

    home, accounts: with USER_SLOT in them for the person's name.
    """

    groups: frozenset[str] = frozenset()
    accounts: tuple[str, ...] = (USER_SLOT,)
    home: str | None = None
    window: Window = ALWAYS
    run_as: str | None = None

    def person(self, name: str, where: str = "") -> Person:
        """Somebody of whom nothing else is said."""
        accounts = tuple(dict.fromkeys(account.replace(USER_SLOT, name) for account in self.accounts))
        home = self.home.replace(USER_SLOT, name) if self.home is not None else None
        return Person(name, self.groups, accounts, home=home, window=self.window, where=where, run_as=self.run_as,
                      listed=False, by_default=True)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """A program that is asked for the keys of a person.

    argv: its words, the first an absolute path. run_as: the Unix account that it is; None: the daemon's own user.
    timeout: seconds until it is killed.
    """

    argv: tuple[Template, ...]
    run_as: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    where: str = field(default="", compare=False)

    @property
    def program(self) -> str:
        """Its path."""
        return self.argv[0].parts[0]

    @property
    def label(self) -> str:
        """What ties a Step to the keys that it says: all on which these depend."""
        words = " ".join(map(str, self.argv))
        return words if self.run_as is None else f"{words} (as {self.run_as})"

    def key(self) -> PersonKey:
        """The entry of a person's keys that stands for whatever it says."""
        return PersonKey(self.label, where=self.where)

    def words_for(self, person: str, account: str) -> tuple[str, ...]:
        """The words to ask about one person, who logs in as `account`; both are names, so that no slot is an option."""
        values = {"user": person, "account": account}
        return tuple(word for template in self.argv if (word := template.fill(values)) is not None)


@dataclass(frozen=True, slots=True)
class SystemSource:
    """`sources: [{system: …}]`: everyone whom the host knows, from a uid on, is a person of their own name.

    keys: files of authorized keys, absolute or under `~/`; `{user}` in one is the person's name.
    password: whether the host's own password counts.
    defaults: what holds for those of whom no entry speaks.
    commands: programs that are asked for their keys. groups: of the policy, that all of them are in.
    """

    min_uid: int
    keys: tuple[str, ...] = ()
    password: bool = False
    where: str = ""
    defaults: UserDefaults = UserDefaults()
    commands: tuple[KeyCommand, ...] = ()
    groups: frozenset[str] = frozenset()

    def person(self, name: str, entry: Person | None) -> Person:
        """The person of this name, whom the source has; `entry` is what `users:` says of them: keys add to those of
        the source, single values replace it."""
        own = entry or self.defaults.person(name, self.where)
        keys = tuple(PersonKey(path, file=path, where=self.where) for path in self.keys)
        found = own.joined(self.groups, (*keys, *(command.key() for command in self.commands)))
        return replace(found, system_password=self.password and own.password is None)

    def perhaps(self, entry: Person) -> Person:
        """A person of whom the host says nothing of use, or was not asked: they may be in its groups."""
        return _perhaps(self, entry)


@dataclass(frozen=True, slots=True)
class AskedSource:
    """`sources: [{command: …}]`: whoever has a key by a program's word is a person.

    groups: of the policy, that all of them are in. defaults: what holds for those of whom no entry speaks.
    """

    command: KeyCommand
    groups: frozenset[str] = frozenset()
    where: str = ""
    defaults: UserDefaults = UserDefaults()

    def person(self, name: str, entry: Person | None) -> Person:
        """The person of this name, whom the program knows; `entry` as of `SystemSource`."""
        return (entry or self.defaults.person(name, self.where)).joined(self.groups, (self.command.key(),))

    @property
    def holders(self) -> str:
        """Whom it has, in words that follow on a name or on `anybody`."""
        return f"with a key of {self.command.program}"

    def perhaps(self, entry: Person) -> Person:
        """A person of whom the program says nothing, or was not asked: they may be in its groups."""
        return _perhaps(self, entry)


def _perhaps(source: SystemSource | AskedSource, entry: Person) -> Person:
    """Whoever has no entry would have the groups of the defaults too, or instead."""
    return entry.perhaps_in(source.groups | source.defaults.groups if entry.certified else source.groups)


@dataclass(frozen=True, slots=True)
class KeyCandidates:
    """Who might own a key under an account name.

    found: the people whose inline keys hold it (at most one by the checks at load), with the entry.
    files: the entries of that account's people whose files must be read to know.
    """

    found: tuple[tuple[Person, PersonKey], ...] = ()
    files: tuple[tuple[Person, PersonKey], ...] = ()
