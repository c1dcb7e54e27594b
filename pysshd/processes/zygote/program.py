"""The zygote's loop: one thread, one socket to the monitor, one call after the other."""

import os
import resource
import signal
import sys
from collections.abc import Collection
from typing import Final, NoReturn

from pysshd.errors import BoundaryError, SandboxError
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.zygote import (
    TO_ZYGOTE,
    Account,
    Adopt,
    Become,
    Done,
    Failed,
    Forked,
    ForkHelper,
    ForkSession,
    ForkWorker,
    Greet,
    Hello,
    Release,
    Retire,
    ZygoteCall,
)
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.sandbox.process import become_user, close_all_except, set_non_dumpable, set_process_name
from pysshd.processes.zygote import pages
from pysshd.processes.zygote.born import SOCKET, Birth, Programs, Warm, note_signals
from pysshd.processes.zygote.fork import fork_sibling
from pysshd.processes.zygote.sessions import Sessions
from pysshd.version import __version__

EXIT_REFUSED: Final = 78
"""The status of a zygote that refuses its monitor (EX_CONFIG of sysexits.h)."""

_REASON_MAX: Final = 1000


class Zygote:
    """Holds one socket to the monitor, the pidfds of its sessions, and a client's descriptors only while it forks."""

    def __init__(
        self, endpoint: Endpoint, helpers: Collection[str], warm: Warm | None = None, monitor: int | None = None
    ) -> None:
        """`monitor` is the process that it serves, None: its parent."""
        self._endpoint = endpoint
        self._helpers = helpers
        self._warm = warm
        self._warmed: set[str] = set()
        self._monitor = os.getppid() if monitor is None else monitor
        self._sessions = Sessions()

    def run(self) -> Birth | None:
        """Serve the monitor; return None when that is over, and in a process that was forked what it is to become.

        When the monitor is gone, or has let this zygote go, every session ends that was not released. A zygote that
        retires, or cannot go on, ends nobody. Raises BoundaryError where the monitor breaks the rules.
        """
        self._answer(Hello(__version__, os.getpid()))
        received = self._endpoint.recv()
        if received is None:
            return None
        self._check(decode(received.message, TO_ZYGOTE))
        while (received := self._endpoint.recv()) is not None:
            call = decode(received.message, TO_ZYGOTE)
            if isinstance(call, Retire):
                return None
            birth = self._serve(call, received.fds)
            if birth is not None:
                return birth
        self._sessions.sweep()
        return None

    def close(self) -> None:
        """Close everything; for the forked process too, which is not to hold any of it."""
        self._endpoint.close()
        self._sessions.close()

    def _check(self, call: Call) -> None:
        if not isinstance(call, Greet):
            raise BoundaryError(f"first call of the monitor is {type(call).__name__}, expected Greet")
        if call.version != __version__:
            raise BoundaryError(f"monitor has version {call.version!r}, expected {__version__!r}: restart the daemon")
        if call.pid != self._monitor:
            raise BoundaryError(f"monitor says that it is process {call.pid}, expected {self._monitor}")

    def _serve(self, call: Call, fds: tuple[int, ...]) -> Birth | None:
        match call:
            case ForkWorker() | ForkHelper() | ForkSession():
                if len(fds) != _descriptors_of(call):
                    raise BoundaryError(f"{type(call).__name__} came with {len(fds)} descriptors")
                return self._fork(call, fds)
            case Adopt(numbers=numbers, pids=pids) if len(numbers) == len(pids) == len(fds):
                for number, pid, pidfd in zip(numbers, pids, fds, strict=True):
                    self._sessions.hold(number, pid, pidfd)
            case Release(number=number) if not fds:
                self._sessions.release(number)
            case Become(account=account, algorithms=algorithms) if not fds:
                self._become(account, algorithms)
            case _:
                raise BoundaryError(f"{type(call).__name__} came with {len(fds)} descriptors, or out of turn")
        return None

    def _fork(self, call: ForkWorker | ForkHelper | ForkSession, fds: tuple[int, ...]) -> Birth | None:
        try:
            if isinstance(call, ForkHelper) and call.kind not in self._helpers:
                raise ValueError(f"there is no helper of kind {call.kind!r}")
            if isinstance(call, ForkWorker):
                self._warm_up(call.algorithms)
                if call.nursery:
                    # It and each of its forks share this memory, as sessions and helpers do.
                    pages.settle_for_many()
            newborn = fork_sibling()
        except (OSError, ValueError) as error:
            _close_all(fds)
            self._answer(Failed(str(error)[:_REASON_MAX]))
            return None
        if newborn is None:
            return Birth(call, fds, self._monitor)
        _close_all(fds)
        if isinstance(call, ForkSession):
            self._sessions.hold(call.number, newborn.pid, os.dup(newborn.pidfd))
        if self._answer(Forked(newborn.pid), (newborn.pidfd,)):
            newborn.let_go()
        else:
            newborn.close()
        return None

    def _warm_up(self, algorithms: Collection[str]) -> None:
        """Warm up what these need, once; ValueError where that does not work."""
        if self._warm is None or self._warmed.issuperset(algorithms):
            return
        try:
            self._warm(algorithms)
        except Exception as error:
            raise ValueError(f"algorithms do not work on this host: {type(error).__name__}: {error}") from error
        self._warmed.update(algorithms)
        pages.settle()

    def _become(self, account: Account, algorithms: Collection[str]) -> None:
        try:
            self._warm_up(algorithms)
        except ValueError as error:
            self._answer(Failed(str(error)[:_REASON_MAX]))
            return
        try:
            become_user(account.uid, account.gid, account.groups)
            set_non_dumpable()
        except SandboxError as error:
            self._answer(Failed(str(error)[:_REASON_MAX]))
            # Half changed it must not fork.
            raise BoundaryError(str(error)) from error
        self._answer(Done())

    def _answer(self, call: ZygoteCall, fds: tuple[int, ...] = ()) -> bool:
        """Whether it was sent; where not the monitor is gone, which the next receive tells."""
        try:
            self._endpoint.send(call.encode(), fds)
        except BoundaryError:
            return False
        return True


def serve(programs: Programs, descriptor: int = SOCKET) -> NoReturn:
    """Be a zygote for the parent process, on the SEQPACKET socket with this number. Everything must be warm by now."""
    _prepare(descriptor)
    zygote = Zygote(Endpoint.from_fd(descriptor), frozenset(programs.helpers), programs.warm)
    status = 0
    birth = None
    try:
        birth = zygote.run()
    except BoundaryError as error:
        print(f"pysshd: zygote: {error}", file=sys.stderr, flush=True)  # noqa: T201
        status = EXIT_REFUSED
    zygote.close()
    if birth is None:
        os._exit(status)
    birth.run(programs)


def _prepare(descriptor: int) -> None:
    close_all_except((0, 1, 2, descriptor))
    os.chdir("/")
    os.umask(0o077)
    set_non_dumpable()
    set_process_name("pysshd: zygote")
    ignore_signals()
    note_signals()
    # One descriptor for each session.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pages.settle()


def ignore_signals() -> None:
    """Leave to the monitor what ends a daemon: who forks ends when its socket does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)


def _descriptors_of(call: ForkWorker | ForkHelper | ForkSession) -> int:
    if isinstance(call, ForkSession):
        return 2 if call.spec.has_pty else 4
    return 1 if isinstance(call, ForkWorker) and call.nursery else 2


def _close_all(fds: tuple[int, ...]) -> None:
    for descriptor in fds:
        os.close(descriptor)
