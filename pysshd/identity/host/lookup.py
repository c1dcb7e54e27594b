"""What a helper runs to look accounts up: NSS, shadow(5), and files of authorized keys, each as its owner.

NSS and home folders may hang, so this is a process of its own, with a deadline of the monitor's and an alarm. It is
root's where the daemon is; what belongs to an account is opened with the rights of that account.
"""

import grp
import os
import pwd
import signal
import socket
import stat
import time
from hashlib import sha256
from typing import Final

from pysshd.errors import DecodeError
from pysshd.identity.host.authorized_keys import FILE_SIZE_MAX, AuthorizedKeys, parse_authorized_keys
from pysshd.identity.host.calls import (
    KEY_SIZE,
    KEYS_SIZE_MAX,
    Found,
    FoundAccount,
    FoundKeys,
    FoundPerson,
    LookUp,
)
from pysshd.identity.host.environment import environment_of
from pysshd.identity.host.helper import MESSAGE_MAX, limit, receive
from pysshd.identity.host.shadow import FILE_SIZE_MAX as SHADOW_SIZE_MAX
from pysshd.identity.host.shadow import SECONDS_OF_A_DAY, Shadow, ShadowError, entry_of
from pysshd.identity.host.trusted_file import read_trusted
from pysshd.identity.host.users import rights_of

SHADOW: Final = "/etc/shadow"
ENVIRONMENT: Final = "/etc/environment"

SECONDS_MAX: Final = 15
"""Seconds of the clock until the kernel ends a look-up, the monitor gives up before that; and of CPU for them all."""

NOTES_MAX: Final = 32
_NOTE_SIZE_MAX: Final = 300


class Host:
    """Answers one question. `today`: days since 1970."""

    def __init__(self, asked: LookUp, today: int, shadow: str = SHADOW, environment: str = ENVIRONMENT) -> None:
        self._asked = asked
        self._today = today
        self._shadow_path = shadow
        self._environment_path = environment
        self._shadow: bytes | None = None
        self._room = KEYS_SIZE_MAX
        self.notes: list[str] = []

    def answer(self) -> Found:
        """Everything that was asked for."""
        accounts = tuple(found for name in self._asked.accounts if (found := self._account(name)) is not None)
        people: list[FoundPerson] = []
        keys: list[FoundKeys] = []
        for name in self._asked.people:
            person = self._person(name)
            if person is None:
                # Whoever is not there costs as much as whoever is (security.md S70).
                self._read_keys_of(self._asked.stand_in, quiet=True)
                continue
            people.append(person)
            held = self._read_keys_of(name)
            keys += held if not person.fault else ()
        notes = tuple(note[:_NOTE_SIZE_MAX] for note in dict.fromkeys(self.notes))[:NOTES_MAX]
        return Found(accounts, tuple(people), tuple(keys), self._environment(), notes)

    def _account(self, name: str) -> FoundAccount | None:
        entry = _entry(name)
        if entry is None:
            return None
        groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
        member, unknown = [], []
        for group in self._asked.groups:
            try:
                known = grp.getgrnam(group)
            except KeyError:
                unknown.append(group)
                continue
            if known.gr_gid in groups or entry.pw_name in known.gr_mem:
                member.append(group)
        shell = entry.pw_shell or "/bin/sh"
        own_home = False
        try:
            with rights_of(entry.pw_uid, entry.pw_gid, groups):
                own_home = _is_own_folder(entry.pw_dir, entry.pw_uid)
        except OSError as error:
            self.notes.append(f"home of {name}: {error.strerror}")
        return FoundAccount(
            name,
            entry.pw_uid,
            entry.pw_gid,
            tuple(groups),
            os.fsencode(entry.pw_dir or "/"),
            os.fsencode(shell),
            own_home,
            tuple(member),
            tuple(unknown),
            self._fault(entry) or _shell_fault(name, shell),
        )

    def _person(self, name: str) -> FoundPerson | None:
        entry = _entry(name)
        if entry is None or entry.pw_uid < self._asked.min_uid:
            return None
        return FoundPerson(name, self._fault(entry))

    def _fault(self, entry: pwd.struct_passwd) -> str:
        """Why nobody may log in as the account, or ""."""
        name = entry.pw_name
        if entry.pw_passwd != "x":
            return Shadow(entry.pw_passwd).fault(name, self._today)
        try:
            if self._shadow is None:
                self._shadow = read_trusted(self._shadow_path, frozenset({0}), SHADOW_SIZE_MAX)
            found = entry_of(name, self._shadow)
        except FileNotFoundError:
            return ""
        except (OSError, ShadowError) as error:
            return f"{self._shadow_path} does not say whether account {name} is locked: {error}"
        # Whose line is elsewhere (LDAP and the like) is the host's own to refuse.
        return found.fault(name, self._today) if found is not None else ""

    def _read_keys_of(self, name: str, *, quiet: bool = False) -> list[FoundKeys]:
        entry = _entry(name) if name else None
        if entry is None:
            return []
        found = []
        refused = frozenset[bytes]()
        groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
        for number, pattern in enumerate(self._asked.key_files):
            path = _path(pattern, entry)
            read = AuthorizedKeys()
            try:
                with rights_of(entry.pw_uid, entry.pw_gid, groups):
                    content = read_trusted(path, frozenset({0, entry.pw_uid}), FILE_SIZE_MAX)
                read = parse_authorized_keys(content, refused)
                refused = read.refused
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                if not quiet:
                    self.notes.append(f"key file {path} of {name} is ignored: {error}")
            if quiet:
                continue
            self.notes += [f"key file {path} of {name}: {note}" for note in read.notes]
            keys = self._taken(read, f"key file {path} of {name}")
            found.append(FoundKeys(name, number, keys, os.fsencode(path)))
        return found

    def _taken(self, read: AuthorizedKeys, what: str) -> tuple[tuple[bytes, int, str], ...]:
        """The keys of a file, as many as still fit into the answer."""
        found: list[tuple[bytes, int, str]] = []
        for line in read.lines:
            self._room -= KEY_SIZE + len(line.options.encode("utf-8", "surrogateescape"))
            if self._room < 0:
                self.notes.append(f"{what}: there are more keys and options for one account than can be looked at")
                break
            found.append((sha256(line.key.blob).digest(), line.number, line.options))
        return tuple(found)

    def _environment(self) -> tuple[tuple[bytes, bytes], ...]:
        try:
            return environment_of(read_trusted(self._environment_path, frozenset({0}), 65536))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.notes.append(f"{self._environment_path} is ignored: {error}")
        return ()


def _entry(name: str) -> pwd.struct_passwd | None:
    """The account of exactly this name: some directories answer to other spellings too."""
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        return None
    return entry if entry.pw_name == name else None


def _path(pattern: str, entry: pwd.struct_passwd) -> str:
    path = pattern.replace("{user}", entry.pw_name)
    return os.path.join(entry.pw_dir or "/", path[2:]) if path.startswith("~/") else path


def _is_own_folder(path: str, uid: int) -> bool:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid


def _shell_fault(name: str, shell: str) -> str:
    """Why the account's shell can not be run, or ""."""
    try:
        found = os.stat(shell)
    except OSError as error:
        return f"shell {shell} of account {name}: {error.strerror}"
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o111:
        return f"shell {shell} of account {name} is not executable"
    return ""


def main(descriptor: int) -> int:
    """Answer questions on the SEQPACKET socket with this number until it ends; the exit status."""
    limit(SECONDS_MAX, SECONDS_MAX)
    with socket.socket(fileno=descriptor) as end:
        try:
            while True:
                # Waiting takes as long as it takes, an answer does not.
                signal.alarm(0)
                asked = receive(end)
                signal.alarm(SECONDS_MAX)
                found = Host(LookUp.decode(asked), int(time.time()) // SECONDS_OF_A_DAY).answer().encode()
                if len(found) > MESSAGE_MAX:
                    found = _too_much(len(found))
                end.send(found)
        except EOFError:
            return 0
        except (OSError, DecodeError):
            return 1


def _too_much(size: int) -> bytes:
    return Found((), (), (), (), (f"what the host says has {size} bytes, expected {MESSAGE_MAX} at most",)).encode()
