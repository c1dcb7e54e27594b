"""The process outside the namespaces that stands for a confined program: signals go in, the exit status comes out."""

import contextlib
import os
import resource
import signal
import time
from typing import NoReturn

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import init, limits, process

_GRACE = 5.0
"""Seconds from the death of the monitor to the end of a program that does not heed its SIGHUP."""


def stand_in(child: int, status: int, null: int, parent: int, until_started: tuple[int, ...] = ()) -> int:
    """Pass signals on to `child`, the first process inside, until it has ended; return the program's wait status.

    All signals are blocked. `status` is the end of the pipe that the child reports to. `until_started` are closed once
    the program has been forked. When `parent` is no longer the parent, the monitor has died and nobody is left to end
    the program: it gets `_GRACE` seconds. Raises SandboxError where the child says that the program was not started.
    """
    # What it took to make the namespaces is of no more use here.
    process.clear_capabilities()
    process.set_no_new_privs()
    first = os.read(status, 1)
    if first != init.STARTED:
        text = os.read(status, 8192).decode(errors="replace")
        _, wait_status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(wait_status)
        raise SandboxError(
            text or f"confined: the first process ended with status {code} before it started the program"
        )
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for descriptor in until_started:
        os.close(descriptor)
    deadline: float | None = None
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        number = _next_signal(left)
        if number is None:
            # The child's death signal ends everything inside.
            os._exit(1)
        if number == signal.SIGCHLD:
            reaped, wait_status = os.waitpid(child, os.WNOHANG)
            if reaped:
                return _program_status(status, wait_status)
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)
        if deadline is None and os.getppid() != parent:
            deadline = time.monotonic() + _GRACE


def _next_signal(left: float | None) -> int | None:
    if left is None:
        return signal.sigwait(signal.valid_signals())
    taken = signal.sigtimedwait(signal.valid_signals(), max(left, 0))
    return None if taken is None else taken.si_signo


def _program_status(status: int, own: int) -> int:
    report = os.read(status, 1 + init.WAIT_STATUS.size)
    if report[:1] != init.ENDED:
        # The first process was killed from outside, and everything inside with it.
        return own
    wait_status: int = init.WAIT_STATUS.unpack(report[1:])[0]
    return wait_status


def end_as(wait_status: int) -> NoReturn:
    """End this process as another ended: with its exit status, or by its signal, without a core dump."""
    code = os.waitstatus_to_exitcode(wait_status)
    if code < 0:
        limits.set_limit("core", resource.RLIMIT_CORE, 0)
        number = -code
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))
        os.kill(os.getpid(), number)
    os._exit(code if code >= 0 else 128 - code)
