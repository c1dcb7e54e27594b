"""What a helper runs to ask a program of the administrator's for the keys of one person.

The program is a stranger: it hangs, it prints too much or what is no key, it leaves children behind. What can not be
had of it is a fault, and never an empty answer: that it knows no keys, only the program itself says.
"""

import math
import os
import pwd
import re
import signal
import socket
from collections.abc import Callable
from hashlib import sha256
from typing import Final, Protocol

from pysshd.errors import DecodeError
from pysshd.identity.host.authorized_keys import FILE_SIZE_MAX, LINES_MAX, AuthorizedKeys, parse_authorized_keys
from pysshd.identity.host.calls import KEY_SIZE, KEYS_MAX, KEYS_SIZE_MAX, AskProgram, ProgramSaid
from pysshd.identity.host.helper import limit, receive
from pysshd.identity.host.trusted_file import check_program
from pysshd.records import dataclass

OUTPUT_MAX: Final = FILE_SIZE_MAX
"""Bytes of output: as many as a file of keys may have."""

SECONDS_BESIDE: Final = 10
"""Seconds for all else than the program, such as a look-up of the account, before the kernel ends the helper."""

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_KEY: Final = re.compile(rb"(?:^|[ \t])(?:ssh|ecdsa|sk|webauthn)-[a-z0-9@.-]+[ \t]+AAAA")
"""In a line that is meant to be a key: a type of key, and the beginning of its base64."""

_TEXT_MAX: Final = 200

_NAME_HIDDEN: Final = 3
"""Letters of a name that is left out of an error; a shorter one is no password, and would be in any text."""


class Ran(Protocol):
    """What came of a program."""

    @property
    def output(self) -> bytes:
        """What it printed."""

    @property
    def said(self) -> bytes:
        """What it wrote to its standard error, cut."""

    @property
    def fault(self) -> str:
        """Why the output is of no use, or "" where it ended well."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be run: the words, as whom, with which environment, and the bounds in seconds and bytes."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    uid: int
    gid: int
    groups: tuple[int, ...]
    seconds: float
    output: int


Run = Callable[[Task, int], Ran]
"""Runs a task, until the peer of this socket is gone; nothing of it is left afterwards."""


def answer(asked: AskProgram, run: Run, hangup: int) -> ProgramSaid:
    """Ask the program. Whatever it does, there is an answer."""
    program = asked.argv[0] if asked.argv else ""
    try:
        account = _account(asked.run_as)
        check_program(program, frozenset(asked.owners))
    except (OSError, LookupError) as error:
        return _fault(str(error.args[0]) if isinstance(error, LookupError) else _why(error))
    ran = run(_task(asked, account), hangup)
    if ran.fault:
        return _fault(f"it {ran.fault}{_said(ran.said, asked.names)}")
    limit(SECONDS_BESIDE, SECONDS_BESIDE)
    found = keys_of(ran.output)
    if isinstance(found, str):
        return _fault(found)
    keys = tuple((sha256(line.key.blob).digest(), line.number, line.options) for line in found.lines)
    return ProgramSaid(keys, "", tuple(note[: 2 * _TEXT_MAX] for note in found.notes))


def keys_of(output: bytes) -> AuthorizedKeys | str:
    """The keys of an output, or why it is none of keys.

    A line that is meant to be a key, and that lets nobody in, is passed over; any other says that something is wrong.
    """
    lines = output.split(b"\n")
    if len(lines) > LINES_MAX + 1:
        return f"it printed {len(lines) - 1} lines, expected {LINES_MAX} at most"
    for number, line in enumerate(lines, 1):
        stripped = line.strip(b" \t\r")
        if stripped and not stripped.startswith(b"#") and not _KEY.search(stripped):
            return f"line {number} of what it printed is no key"
    found = parse_authorized_keys(output)
    if len(found.keys) > KEYS_MAX:
        return f"it printed {len(found.keys)} keys, expected {KEYS_MAX} at most"
    size = sum(KEY_SIZE + len(line.options.encode("utf-8", "surrogateescape")) for line in found.lines)
    if size > KEYS_SIZE_MAX:
        return (f"its {len(found.keys)} keys have more options than can be looked at: {size} bytes at {KEY_SIZE} a key "
                f"and what stands in front, expected {KEYS_SIZE_MAX} at most")  # fmt: skip
    return found


def _account(name: str) -> pwd.struct_passwd:
    """As whom the program runs; LookupError where that can not be."""
    if not name:
        return pwd.getpwuid(os.geteuid())
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise LookupError(f"run_as: the host has no account {name}") from None
    if entry.pw_uid == 0 and name != "root":
        raise LookupError(f"run_as: account {name} is uid 0, which only root may be that is written so")
    return entry


def _task(asked: AskProgram, account: pwd.struct_passwd) -> Task:
    me = os.geteuid()
    own = me != 0 and account.pw_uid == me
    groups = os.getgroups() if own else os.getgrouplist(account.pw_name, account.pw_gid)
    environment = {
        "PATH": PATH,
        "HOME": account.pw_dir or "/",
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "SHELL": "/bin/sh",
    }
    gid = os.getegid() if own else account.pw_gid
    seconds = asked.milliseconds / 1000
    return Task(asked.argv, environment, account.pw_uid, gid, tuple(groups), seconds, OUTPUT_MAX)


def _said(said: bytes, names: tuple[str, ...]) -> str:
    """The first line of an error, without names: somebody may have typed a password for one."""
    text = said.strip().split(b"\n")[0].decode("utf-8", "replace")
    for name in sorted(set(names), key=len, reverse=True):
        text = text.replace(name, "…") if len(name) >= _NAME_HIDDEN else text
    return f": {text[:_TEXT_MAX]}" if text else ""


def _why(error: OSError) -> str:
    return f"it can not be run: {error.strerror or error.args[0]}"


def _fault(text: str) -> ProgramSaid:
    return ProgramSaid((), text[: 2 * _TEXT_MAX], ())


def main(descriptor: int, run: Run) -> int:
    """Answer one question on the SEQPACKET socket with this number; the exit status."""
    with socket.socket(fileno=descriptor) as end:
        try:
            asked = AskProgram.decode(receive(end))
            # The program would inherit other limits of this process; what reads its answer gets them then.
            signal.alarm(math.ceil(asked.milliseconds / 1000) + SECONDS_BESIDE)
            end.send(answer(asked, run, end.fileno()).encode())
        except (OSError, EOFError, DecodeError):
            return 1
    return 0
