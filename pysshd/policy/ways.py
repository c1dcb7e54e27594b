"""The ways in which an allowed request is answered: what the decision tells the monitor to do.

A way is plain data. Words of a program are already filled (templates included) and are never read again by a shell,
unless the way says so by its name.
"""

from typing import TypeAlias

from pysshd.policy.login_settings import NO_SETTINGS, LoginSettings
from pysshd.policy.ways_net import NetWay
from pysshd.records import dataclass

EnvSettings: TypeAlias = tuple[tuple[str, str], ...]
"""Variables that the policy sets for a program, sorted by name; they win over what the client sends."""


@dataclass(frozen=True, slots=True)
class LoginWay:
    """A step of a login is accepted: the login is complete, or one of `next_methods` must follow.

    settings: what the entry that decides sets for the connection.
    """

    complete: bool
    next_methods: tuple[str, ...] = ()
    settings: LoginSettings = NO_SETTINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How something is run, whatever it is.

    umask: of the program; None: that of every session.
    folder: the absolute path of its working folder; None: the account's home.
    asked: what was asked for, where a key or a certificate forces this instead, for SSH_ORIGINAL_COMMAND: as `original`
        of Forced. None: this is what was asked for.
    """

    umask: int | None = None
    folder: str | None = None
    asked: bytes | None = None


@dataclass(frozen=True, slots=True)
class LoginShell(Start):
    """The account's own shell, as a login shell (`shell: true`)."""

    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class ShellCommand(Start):
    """`command` is run by the account's shell with `-c` (`exec: any` and `exec: {literal: …}`)."""

    command: bytes
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class Words(Start):
    """The request's own words are run without a shell (a words pattern of `exec` permits them)."""

    argv: tuple[bytes, ...]
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class Program(Start):
    """The policy's own program for a shell or a subsystem, or what a profile makes of a command: without a shell."""

    argv: tuple[bytes, ...]
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class Forced(Start):
    """The policy's own program answers whatever was asked; `original` is only for SSH_ORIGINAL_COMMAND.

    `original` is the command of an exec request, the name of a subsystem, or empty for a shell.
    """

    argv: tuple[bytes, ...]
    original: bytes
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class SessionWay:
    """A session channel may be opened."""


@dataclass(frozen=True, slots=True)
class PtyWay:
    """A pseudo-terminal may be given."""


@dataclass(frozen=True, slots=True)
class EnvWay:
    """The variable that the client sent may be put in the program's environment."""


@dataclass(frozen=True, slots=True)
class SignalWay:
    """The signal or the break may be delivered to the program that the channel runs."""


@dataclass(frozen=True, slots=True)
class GlobalWay:
    """The global request may be answered with success."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: an absolute path, or one that begins at the home of the session's account.

    path: canonical; where `in_home` it is empty for the home itself, else it begins with `/` below it.
    """

    path: str
    in_home: bool = False

    def __str__(self) -> str:
        return f"{{home}}{self.path}" if self.in_home else self.path


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the host at a place of the tree that SFTP shows."""

    at: str
    folder: Folder


@dataclass(frozen=True, slots=True)
class SftpWay:
    """The daemon's own SFTP server, or its own scp, is started over a tree; each operation is asked for by itself.

    mounts: all that are in force, sorted by place; at least one, and each place once.
    start: where relative paths begin, a path of the tree; one in the home means what the tree shows of that folder.
        None, and what is no folder of the tree: `/`.
    scp: the words of an scp command; empty for the subsystem.
    """

    mounts: tuple[Mount, ...]
    start: Folder | None = None
    scp: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class FileWay:
    """An operation of SFTP or scp may be done.

    mount: the one that shows the path; None for a folder that only leads to mounts.
    below: the path below the mount's folder, beginning with `/`; empty for the folder itself.
    """

    mount: Mount | None
    below: str = ""


def original_of(way: "RunWay") -> bytes | None:
    """What was asked for, where something that is forced runs instead; None where nothing is forced."""
    return way.original if isinstance(way, Forced) else way.asked


RunWay: TypeAlias = LoginShell | ShellCommand | Words | Program | Forced
Way: TypeAlias = LoginWay | RunWay | SessionWay | PtyWay | EnvWay | SignalWay | GlobalWay | SftpWay | FileWay | NetWay
