"""The first process of a confined program's pid namespace: it builds the tree, starts the program, and reaps.

Its messages to the stand-in outside, over a pipe: STARTED; ENDED and the program's wait status; FAILED and a text.
"""

import contextlib
import fcntl
import os
import resource
import select
import signal
import struct
import termios
from collections.abc import Callable
from typing import NoReturn

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import landlock, limits, process, seccomp
from pysshd.processes.sandbox.bpf import ALLOW, build_filter
from pysshd.processes.sandbox.build import build_root
from pysshd.processes.sandbox.filters import ABSENT, confined_rules
from pysshd.processes.sandbox.kernel import machine
from pysshd.processes.sandbox.tree import Confinement
from pysshd.records import dataclass

STARTED = b"S"
ENDED = b"X"
FAILED = b"F"
WAIT_STATUS = struct.Struct("=i")

# As a shell says of a command that it found and could not run.
_NOT_STARTED = 126


@dataclass(frozen=True, slots=True)
class Ends:
    """Descriptors of the first process: where it reports, what closes when the stand-in dies, /dev/null.

    `pipe` is what the program's start keeps for its caller, if anything.
    """

    report: int
    alive: int
    null: int
    pipe: int | None = None

    @property
    def kept(self) -> tuple[int, ...]:
        """`pipe`, where there is one."""
        return () if self.pipe is None else (self.pipe,)


def run(confinement: Confinement, execute: Callable[[], NoReturn], terminal: str | None, ends: Ends) -> NoReturn:
    """Be the first process, from fork to exit. All signals are blocked, and stay so but in the program."""
    # Whatever happens, the code of the caller must not go on in this process too.
    try:
        process.close_all_except((0, 1, 2, ends.report, ends.alive, ends.null, *ends.kept))
        _die_with_standin(ends.alive)
        # A group of its own: what the stand-in's group is sent comes once, from the stand-in.
        os.setpgid(0, 0)
        build_root(confinement, terminal)
        process.close_all_except((0, 1, 2, ends.report, ends.null, *ends.kept))
        _confine(confinement)
        program = os.fork()
        if program == 0:
            _start(execute)
        process.close_all_except((0, 1, 2, ends.report, ends.null))
        for descriptor in (0, 1, 2):
            # The program alone holds its own, so that whoever reads the other ends learns when it lets go of them.
            os.dup2(ends.null, descriptor)
        os.write(ends.report, STARTED)
        os.write(ends.report, ENDED + WAIT_STATUS.pack(_reap_until(program)))
        os._exit(0)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(ends.report, FAILED + (str(error) or type(error).__name__).encode()[:4096])
    os._exit(1)


def _die_with_standin(alive: int) -> None:
    # The parent is outside the pid namespace: its number here is 0, dead or alive, so a pipe has to tell.
    process.set_parent_death_signal(signal.SIGKILL, 0)
    poll = select.poll()
    poll.register(alive, select.POLLIN)
    if poll.poll(0):
        raise SandboxError("confined: the process outside has died, expected it to wait for the program")


def _confine(confinement: Confinement) -> None:
    process.drop_capability_bounding_set()
    process.clear_capabilities()
    process.set_no_new_privs()
    limits.set_limit("core", resource.RLIMIT_CORE, 0)
    limits.set_limit("processes", resource.RLIMIT_NPROC, confinement.processes)
    scoped = landlock.keep_inside()
    rules = confined_rules(unix_sockets=scoped)
    seccomp.install(build_filter(machine(), rules, rest=ALLOW, newer=ABSENT))


def _start(execute: Callable[[], NoReturn]) -> NoReturn:
    try:
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        execute()
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, f"confined: the program could not be started: {error}\n".encode())
    os._exit(_NOT_STARTED)


def _reap_until(program: int) -> int:
    """Reap every child, pass signals on to the program's group, and return the program's wait status."""
    while True:
        number = signal.sigwait(signal.valid_signals())
        if number != signal.SIGCHLD:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-program, number)
            continue
        with contextlib.suppress(ChildProcessError):
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                if reaped[0] == program:
                    return reaped[1]
