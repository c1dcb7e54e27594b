"""The ways in which an allowed request is answered: what the decision tells the monitor to do.

A way is plain data. Words of a program are already filled (templates included) and are never read again by a shell,
unless the way says so by its name.
"""

from dataclasses import dataclass
from typing import TypeAlias

EnvSettings: TypeAlias = tuple[tuple[str, str], ...]
"""Variables that the policy sets for a program, sorted by name; they win over what the client sends."""


@dataclass(frozen=True, slots=True)
class LoginWay:
    """A step of a login is accepted: the login is complete, or one of `next_methods` must follow."""

    complete: bool
    next_methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoginShell:
    """The account's own shell, as a login shell (`shell: true`)."""

    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """`command` is run by the account's shell with `-c` (`exec: any` and `exec: {literal: …}`)."""

    command: bytes
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class Words:
    """The request's own words are run without a shell (a words pattern of `exec` permits them)."""

    argv: tuple[bytes, ...]
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class Program:
    """The policy's own program for a shell or a subsystem is run without a shell."""

    argv: tuple[bytes, ...]
    confined: bool
    env: EnvSettings = ()


@dataclass(frozen=True, slots=True)
class Forced:
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


RunWay: TypeAlias = LoginShell | ShellCommand | Words | Program | Forced
Way: TypeAlias = LoginWay | RunWay | SessionWay | PtyWay | EnvWay | SignalWay | GlobalWay
