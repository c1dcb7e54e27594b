"""Permissions, compiled: what each would permit, and how it would run it."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal, TypeAlias

from pysshd.patterns.globs import Glob
from pysshd.patterns.words import NO_VALUES, WordsPattern, to_bytes
from pysshd.policy import profiles
from pysshd.policy.profile import Profile
from pysshd.policy.query import Exec, Run, Shell, Subsystem
from pysshd.policy.rights_net import NetRight
from pysshd.policy.rights_sftp import SftpRight
from pysshd.policy.templates import Template
from pysshd.policy.ways import EnvSettings, Forced, LoginShell, Program, RunWay, ShellCommand, Words
from pysshd.records import dataclass

Values: TypeAlias = Mapping[str, str]
"""Of the slots of templates."""


def fill(argv: tuple[Template, ...], values: Values) -> tuple[bytes, ...] | None:
    """The words of a program, or None where a slot has no value."""
    words = [template.fill(values) for template in argv]
    return None if None in words else to_bytes(tuple(word for word in words if word is not None))


@dataclass(frozen=True, slots=True)
class ShellRight:
    """`shell`: the account's shell, or a program.

    all_signals: whether its role says nothing of signals, so that all may be sent to what it runs.
    where: `file:line`.
    """

    program: tuple[Template, ...] | None
    confined: bool
    where: str = field(compare=False)
    all_signals: bool = True

    def permits(self, request: object, words: tuple[str, ...] | None, values: Values = NO_VALUES) -> bool:
        """Whether it is a shell that is asked for."""
        return isinstance(request, Shell)

    def way(self, request: Run, words: tuple[str, ...] | None, values: Values, env: EnvSettings) -> RunWay | None:
        """How it is run, or None where a slot has no value."""
        if self.program is None:
            return LoginShell(self.confined, env)
        argv = fill(self.program, values)
        return Program(argv, self.confined, env) if argv is not None else None

    @property
    def rank(self) -> int:
        """The order of caution; the least is taken."""
        return 0

    def __str__(self) -> str:
        program = "true" if self.program is None else _shown(self.program)
        return f"shell: {program}{_confined(self.confined)}"


@dataclass(frozen=True, slots=True)
class ExecRight:
    """One item of `exec`: a pattern of words, equal bytes (`literal`), a profile, or, with none of them, anything."""

    source: str
    confined: bool
    where: str = field(compare=False)
    words: WordsPattern | None = None
    literal: bytes | None = None
    all_signals: bool = True
    profile: Profile | None = None

    @property
    def is_any(self) -> bool:
        """Whether it permits every command."""
        return self.words is None and self.literal is None and self.profile is None

    def permits(self, request: object, words: tuple[str, ...] | None, values: Values = NO_VALUES) -> bool:
        """Whether it permits the command; `words` are the request's, None where it is not words."""
        if not isinstance(request, Exec):
            return False
        if self.profile is not None:
            return words is not None and profiles.argv_of(self.profile, words, values) is not None
        if self.words is not None:
            return words is not None and self.words.matches(words, values)
        return self.literal is None or self.literal == request.command

    def touches(self, request: object, words: tuple[str, ...] | None, values: Values = NO_VALUES) -> bool:
        """Whether a deny of it touches the command."""
        if not isinstance(request, Exec):
            return False
        if self.profile is not None:
            return words is not None and profiles.touches(self.profile, words, values)
        if self.words is not None:
            return words is not None and self.words.touches(words, values)
        return self.permits(request, words, values)

    def way(self, request: Run, words: tuple[str, ...] | None, values: Values, env: EnvSettings) -> RunWay | None:
        """How it is run: by words of the profile's making, by the request's own, or by the shell."""
        if self.profile is not None:
            argv = profiles.argv_of(self.profile, words or ("",), values)
            if argv is None:
                return None
            return Program(to_bytes(argv), self.confined, profiles.env_of(self.profile, env))
        if self.words is not None:
            return Words(to_bytes(words or ()), self.confined, env)
        return ShellCommand(request.command if isinstance(request, Exec) else b"", self.confined, env)

    @property
    def rank(self) -> int:
        """A profile before words before equal bytes before anything."""
        if self.profile is not None:
            return 0
        return 1 if self.words is not None else 2 if self.literal is not None else 3

    def __str__(self) -> str:
        source = f"{{literal: {self.source!r}}}" if self.literal is not None else self.source
        return f"exec: {source}{_confined(self.confined)}"


@dataclass(frozen=True, slots=True)
class ForcedRight:
    """`forced`: a program that answers shell, exec and every subsystem. It takes no signals."""

    argv: tuple[Template, ...]
    confined: bool
    where: str = field(compare=False)

    def permits(self, request: object, words: tuple[str, ...] | None, values: Values = NO_VALUES) -> bool:
        """It answers whatever would run something."""
        return isinstance(request, Run)

    def way(self, request: Run, words: tuple[str, ...] | None, values: Values, env: EnvSettings) -> RunWay | None:
        """How it is run, or None where a slot has no value."""
        argv = fill(self.argv, values)
        if argv is None:
            return None
        original = b""
        if isinstance(request, Exec):
            original = request.command
        elif isinstance(request, Subsystem):
            original = request.name.encode("utf-8", "surrogateescape")
        return Forced(argv, original, self.confined, env)

    @property
    def rank(self) -> int:
        """It stands alone."""
        return 0

    def __str__(self) -> str:
        return f"forced: {_shown(self.argv)}{_confined(self.confined)}"


@dataclass(frozen=True, slots=True)
class SubsystemRight:
    """`subsystems`: one name and the program that serves it; in a deny the program is empty. It takes no signals."""

    name: str
    argv: tuple[Template, ...]
    confined: bool
    where: str = field(compare=False)

    def permits(self, request: object, words: tuple[str, ...] | None, values: Values = NO_VALUES) -> bool:
        """Whether this very subsystem is asked for."""
        return isinstance(request, Subsystem) and request.name == self.name

    def way(self, request: Run, words: tuple[str, ...] | None, values: Values, env: EnvSettings) -> RunWay | None:
        """How it is run, or None where a slot has no value."""
        argv = fill(self.argv, values)
        return Program(argv, self.confined, env) if argv is not None else None

    @property
    def rank(self) -> int:
        """One program serves a name."""
        return 0

    def __str__(self) -> str:
        return f"subsystem {self.name}: {_shown(self.argv)}{_confined(self.confined)}"


RunRight: TypeAlias = ShellRight | ExecRight | ForcedRight | SubsystemRight


def is_shell(right: object) -> bool:
    """Whether a permission runs whatever is typed: the account's own shell, or any command."""
    if isinstance(right, ShellRight):
        return right.program is None
    return isinstance(right, ExecRight) and right.is_any


def order(right: RunRight, way: RunWay) -> tuple[int, bool]:
    """The rank of a way that a permission has for a request: the least is taken, and what permits less gives way."""
    profile = right.profile if isinstance(right, ExecRight) else None
    return right.rank, profile is not None and isinstance(way, Program) and profiles.gives_way(profile, way.argv)


@dataclass(frozen=True, slots=True)
class SetRight:
    """One variable of `env.set`, or another setting of what runs: `kind` is its key, and then `name` too."""

    name: str
    value: Template
    where: str = field(compare=False)
    kind: Literal["env", "umask", "working_folder"] = "env"

    def __str__(self) -> str:
        if self.kind != "env":
            return f"{self.kind}: {self.value}"
        return f"env: {{set: {{{self.name}: …}}}}"


@dataclass(frozen=True, slots=True)
class Rights:
    """All permissions of one grant.

    accept: patterns of variables; signals: names that roles give in words; net: what reaches beyond the session.
    """

    runs: tuple[RunRight, ...] = ()
    pty: bool = False
    accept: tuple[Glob, ...] = ()
    sets: tuple[SetRight, ...] = ()
    signals: frozenset[str] = frozenset()
    sftp: tuple[SftpRight, ...] = ()
    net: tuple[NetRight, ...] = ()

    @property
    def shells(self) -> tuple[RunRight, ...]:
        """Those that run whatever is typed: the account's own shell, and any command."""
        return tuple(right for right in self.runs if is_shell(right))

    def __or__(self, other: "Rights") -> "Rights":
        """The permissions of both."""
        return Rights(
            self.runs + other.runs,
            self.pty or other.pty,
            self.accept + other.accept,
            self.sets + other.sets,
            self.signals | other.signals,
            self.sftp + other.sftp,
            self.net + other.net,
        )

    def __le__(self, other: "Rights") -> bool:
        """Whether the other has every permission of this one."""
        return (
            set(self.runs) <= set(other.runs)
            and self.pty <= other.pty
            and set(self.accept) <= set(other.accept)
            and set(self.sets) <= set(other.sets)
            and self.signals <= other.signals
            and set(self.sftp) <= set(other.sftp)
            and set(self.net) <= set(other.net)
        )


NO_RIGHTS: Final = Rights()


def _shown(argv: tuple[Template, ...]) -> str:
    return "[" + ", ".join(str(word) for word in argv) + "]"


def _confined(confined: bool) -> str:
    return " (confined)" if confined else ""
