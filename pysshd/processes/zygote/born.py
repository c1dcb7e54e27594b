"""What a forked process does before its program runs: its descriptors, its signals, the death of the monitor."""

import fcntl
import gc
import os
import signal
import traceback
from collections.abc import Callable, Collection, Mapping
from typing import Final, NoReturn

from pysshd.processes.boundary.calls.zygote import ForkHelper, ForkSession, ForkWorker, SessionSpec
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.sandbox.process import (
    close_all_except,
    set_no_new_privs,
    set_parent_death_signal,
    set_process_name,
)
from pysshd.records import dataclass

SOCKET: Final = 3
"""The number of a worker's or helper's socket, and of the pipe on which a session says that it failed."""

EXIT_FAULT: Final = 70
"""The status of a worker or helper that ended by an exception (EX_SOFTWARE of sysexits.h)."""

Worker = Callable[[Endpoint, ForkWorker, int], int]
"""Runs a worker on its socket to the monitor, whose process id is the last argument; returns the exit status."""

Helper = Callable[[int], int]
"""Runs a helper on the socket with this number; returns the exit status."""

Session = Callable[[SessionSpec, int, int], NoReturn]
"""Runs a session: its specification, the monitor's process id, and the pipe on which it says that it failed."""


Nursery = Callable[[Endpoint, ForkWorker, int], NoReturn]
"""Runs what forks the workers, on its socket to the monitor, whose process id is the last argument."""

Warm = Callable[[Collection[str]], None]
"""Imports and uses what workers need for these algorithms only; raises where that does not work."""


def _has_all(algorithms: Collection[str]) -> None:
    """Nothing is imported late."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What a zygote can fork: one worker, helpers by kind, one kind of session; a nursery, where it has one."""

    worker: Worker
    helpers: Mapping[str, Helper]
    session: Session
    warm: Warm = _has_all
    nursery: Nursery | None = None


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new process is to become: the call that asked for it, and the descriptors that came with that."""

    call: ForkWorker | ForkHelper | ForkSession
    fds: tuple[int, ...]
    monitor: int

    def run(self, programs: Programs) -> NoReturn:
        """Become it, and never return."""
        gc.enable()
        reset_signals()
        match self.call:
            case ForkSession(spec=spec):
                pipe, *streams = self.fds
                _take_descriptors([*(streams * 3)[:3], pipe])
                set_process_name(f"pysshd: {spec.name}")
                programs.session(spec, self.monitor, SOCKET)
            case ForkWorker(nursery=True) as asked:
                assert programs.nursery is not None
                _take_descriptors([0, 1, 2, *self.fds])
                programs.nursery(Endpoint.from_fd(SOCKET), asked, self.monitor)
            case ForkWorker() as asked:
                self._serve("pysshd: worker", lambda: programs.worker(Endpoint.from_fd(SOCKET), asked, self.monitor))
            case ForkHelper(kind=kind):
                self._serve("pysshd: helper", lambda: programs.helpers[kind](SOCKET))

    def _serve(self, name: str, main: Callable[[], int]) -> NoReturn:
        """Run a program of ours with nothing but its socket and a pipe for its last words; it dies with the monitor."""

        def begin() -> int:
            end, words = self.fds
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            _take_descriptors([null, null, words, end])
            set_process_name(name)
            set_no_new_privs()
            # A worker's change of user clears it, and its sandbox sets it again.
            set_parent_death_signal(signal.SIGKILL, self.monitor)
            _outlive_peers()
            return main()

        _to_the_end(begin)

    def run_in(self, name: str, main: Callable[[Endpoint], int]) -> NoReturn:
        """Become a program of ours in a fork of a nursery, which has settled what it is to have in common with it."""

        def begin() -> int:
            end, words = self.fds
            os.dup2(words, 2)
            os.dup2(end, SOCKET, inheritable=False)
            close_all_except(range(SOCKET + 1))
            set_process_name(name)
            gc.enable()
            reset_signals()
            _outlive_peers()
            return main(Endpoint.from_fd(SOCKET))

        _to_the_end(begin)


def _to_the_end(main: Callable[[], int]) -> NoReturn:
    """Exit with the status that `main` returns; where it fails, its traceback goes into the pipe for last words."""
    status = EXIT_FAULT
    try:
        status = main()
    except BaseException:
        try:
            os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace")[-4000:])
        except OSError:
            pass
    finally:
        os._exit(status)


def _outlive_peers() -> None:
    """A peer that is gone is an error of the call, not the end of the process."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def reset_signals() -> None:
    """Give every signal its default action, and block none."""
    for number in _ACTED_ON:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def note_signals() -> None:
    """Look up, before anything is forked, which signals have another action than their default."""
    _ACTED_ON[:] = [number for number in signal.valid_signals() if signal.getsignal(number) != signal.SIG_DFL]


_ACTED_ON: Final[list[int]] = []


def _take_descriptors(wanted: list[int]) -> None:
    """Make `wanted` the descriptors 0, 1, 2, … of this process and close all others; the standard ones inheritable."""
    # First out of the way, or one that is still wanted could be overwritten.
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, len(wanted)) for descriptor in wanted]
    for number, descriptor in enumerate(moved):
        os.dup2(descriptor, number, inheritable=number <= 2)
    close_all_except(range(len(wanted)))
