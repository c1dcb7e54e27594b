"""What a session runs, made of its plan: a program, its words and where it stands."""

from typing import Final

from pysshd.policy.ways import Forced, LoginShell, Program, RunWay, ShellCommand, Words, original_of
from pysshd.records import dataclass
from pysshd.server.plan import Account, Plan

RUN_WAYS: Final = (LoginShell, ShellCommand, Words, Program, Forced)
"""The ways that run something."""

UMASK: Final = 0o022
"""Of every session for which the policy sets none."""


@dataclass(frozen=True, slots=True)
class Run:
    """One program to run.

    path: what is executed: an absolute path, or a name without a slash that the session looks up in the PATH of the
        environment, never in the working folder.
    argv: all words, the first being the name that the program sees.
    env: variables of this run alone, over the rest of the environment.
    cwd: absolute path of the working folder.
    confined: whether it runs in namespaces of its own.
    umask: of the program.
    """

    path: bytes
    argv: tuple[bytes, ...]
    env: tuple[tuple[bytes, bytes], ...]
    cwd: str
    confined: bool
    umask: int = UMASK


def run_of(plan: Plan) -> Run | None:
    """What a plan has run, or None for one that runs nothing or whose words no program can be given."""
    way = plan.way
    if not isinstance(way, RUN_WAYS):
        return None
    path, argv = _words(way, plan.account)
    if not path or any(b"\0" in word for word in argv) or not _is_safe(path):
        return None
    env = tuple((name.encode("utf-8"), value.encode("utf-8", "surrogateescape")) for name, value in way.env)
    original = original_of(way)
    if original and b"\0" not in original:
        env = ((b"SSH_ORIGINAL_COMMAND", original), *env)
    umask = way.umask if way.umask is not None else UMASK
    return Run(path, argv, env, way.folder or plan.account.home, way.confined, umask)


def _words(way: RunWay, account: Account) -> tuple[bytes, tuple[bytes, ...]]:
    shell = account.shell.encode("utf-8", "surrogateescape")
    match way:
        case LoginShell():
            return shell, (b"-" + shell.rpartition(b"/")[2],)
        case ShellCommand(command=command):
            return shell, (shell.rpartition(b"/")[2], b"-c", command)
        case Words(argv=argv) | Program(argv=argv) | Forced(argv=argv):
            return (argv[0] if argv else b""), argv


def _is_safe(path: bytes) -> bool:
    """Whether a program is named absolutely or by its bare name: a relative path would follow the working folder."""
    return path.startswith(b"/") or b"/" not in path
