"""What runs in the fork for a session, up to the program that the account asked for.

Step by step from the daemon's process to the account's: the order is the kernel's and that of safety. A step that fails
ends the session before its program runs, and says on a pipe which one it was; the pipe closes when the program starts.
"""

import errno
import fcntl
import os
import resource
import signal
import termios
from collections.abc import Callable
from typing import Final, NoReturn

from pysshd.errors import SandboxError
from pysshd.processes.boundary.calls.zygote import SessionFailure, SessionSpec
from pysshd.processes.sandbox.namespaces import Confinement, run_confined
from pysshd.processes.sandbox.process import become_user, set_parent_death_signal
from pysshd.processes.session.greeting import greet, say, turn_away

EXIT_FAILED: Final = 126
"""The status of a session whose program could not be run; nobody but the monitor sees it."""

DESCRIPTORS_SOFT: Final = 1024
"""Open files of a session unless it asks for more: what programs that use select(2) rely on."""

_TEXT_MAX = 1000


def main(spec: SessionSpec, monitor: int, pipe: int) -> NoReturn:
    """Run `spec` on the descriptors 0, 1 and 2 of this process, which has no others but `pipe`.

    Signals have their default actions. `monitor` is the parent, whose death is to be this session's hang-up.
    """
    stage = "start"
    try:
        for name, step in _STEPS:
            stage = name
            step(spec, monitor)
        if spec.nologin:
            # For the monitor that is a program like any other: what it says goes to the client.
            os.close(pipe)
            turn_away(spec.nologin)
        if spec.greeting:
            stage = "greeting"
            greet()
        stage = "program"
        if spec.confinement is None:
            _execute(spec)
        stage = "confinement"
        run_confined(_confinement(spec), lambda: _execute_confined(spec, pipe), pipe)
    except BaseException as error:
        _tell(pipe, stage, error)
    finally:
        os._exit(EXIT_FAILED)


def _lead_session(spec: SessionSpec, _: int) -> None:
    os.setsid()
    if spec.has_pty:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _set_limits(spec: SessionSpec, _: int) -> None:
    os.umask(spec.umask)
    for kind, soft, hard in spec.limits:
        _set_limit(kind, soft, hard)
    if spec.limits:
        return
    for kind, wanted in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, DESCRIPTORS_SOFT)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _set_limit(kind: int, soft: int, hard: int) -> None:
    """A limit as the host had it before this daemon changed it; where that can not be, the most there is."""
    try:
        resource.setrlimit(kind, (soft, hard))
    except (OSError, ValueError):
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if soft == resource.RLIM_INFINITY else min(soft, most), most))


def _become_account(spec: SessionSpec, _: int) -> None:
    if spec.account is not None:
        become_user(spec.account.uid, spec.account.gid, spec.account.groups)
    elif 0 in os.getresuid():
        raise SandboxError("session: it names no account and would run as root by omission, expected an account")


def _follow_monitor(_: SessionSpec, monitor: int) -> None:
    set_parent_death_signal(signal.SIGHUP, monitor)


def _enter_directory(spec: SessionSpec, _: int) -> None:
    try:
        os.chdir(spec.directory)
    except OSError as error:
        # As the account: what it may not enter it does not start in.
        os.chdir("/")
        if spec.system and not spec.nologin:
            say(f"folder {os.fsdecode(spec.directory)} can not be entered ({error.strerror}); this is /\n")


_STEPS: Final[tuple[tuple[str, Callable[[SessionSpec, int], None]], ...]] = (
    ("session", _lead_session),
    ("limits", _set_limits),
    ("account", _become_account),
    ("parent", _follow_monitor),
    ("directory", _enter_directory),
)


def _execute(spec: SessionSpec) -> NoReturn:
    os.execve(spec.executable, list(spec.argv), dict(spec.environment))


def _execute_confined(spec: SessionSpec, pipe: int) -> NoReturn:
    """In the confined tree, where nothing can be imported any more, and which has working folders of its own."""
    try:
        _enter_directory(spec, 0)
        _execute(spec)
    except BaseException as error:
        _tell(pipe, "program", error)
    finally:
        os._exit(EXIT_FAILED)


def _confinement(spec: SessionSpec) -> Confinement:
    asked = spec.confinement
    assert asked is not None
    return Confinement(
        home=os.fsdecode(asked.home),
        hidden=tuple(map(os.fsdecode, asked.hidden)),
        read_only=tuple(map(os.fsdecode, asked.read_only)),
        scratch_bytes=asked.scratch_bytes,
        processes=asked.processes,
    )


def _tell(pipe: int, stage: str, error: BaseException) -> None:
    number = error.errno if isinstance(error, OSError) and error.errno else 0
    text = f"{error.strerror} ({errno.errorcode.get(number, number)})" if isinstance(error, OSError) else str(error)
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename!r}: {text}"
    try:
        os.write(pipe, SessionFailure(stage, number, text[:_TEXT_MAX] or type(error).__name__).encode())
    except (OSError, ValueError):
        # The monitor gave up on this session, and ends it.
        pass
