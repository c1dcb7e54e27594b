"""The monitor's children: each with its pidfd, so that a status, a signal and an end are never another process's."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Final, Literal

from pysshd.processes.boundary.groups import HUP_AFTER, KILL_AFTER, TERM_AFTER, ProcessGroup, signal_process
from pysshd.records import dataclass

Kind = Literal["worker", "helper", "session"]

FAULTS: Final = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE, signal.SIGSYS, signal.SIGTRAP}
)
"""Signals by which a process ends that did what it never should: whoever sent input to it may have meant it."""

_LAST_WORDS_MAX = 4096


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: with a status of 0 to 255, or by a signal, maybe with a core dump."""

    status: int | None
    signal: int | None = None
    core: bool = False

    @property
    def is_fault(self) -> bool:
        """Whether it ended by a signal of `FAULTS`."""
        return self.signal in FAULTS

    def __str__(self) -> str:
        if self.signal is None:
            return f"status {self.status}"
        try:
            name = signal.Signals(self.signal).name
        except ValueError:
            name = str(self.signal)
        return f"signal {name}" + (" with a core dump" if self.core else "")


class Child:
    """A worker, helper or session; a child process of this one.

    A session is held until `end` or `close`: as long as it is, its process group can be signalled, and dies with the
    monitor. Workers and helpers let go of themselves when they end.
    `generation` is the number of the zygote that forked it. `last_words`, once it has ended, is what a worker or helper
    wrote to its standard error, up to 4 KiB: hostile, so to be escaped.
    """

    def __init__(
        self,
        kind: Kind,
        pid: int,
        pidfd: int,
        *,
        generation: int,
        words: int | None,
        on_end: Callable[["Child"], None],
        on_release: Callable[["Child"], None],
    ) -> None:
        self.kind: Final = kind
        self.pid: Final = pid
        self.generation: Final = generation
        self.exit: ExitStatus | None = None
        self.last_words = b""
        self._pidfd = pidfd
        self._words = words
        self._group = ProcessGroup(pid, pidfd)
        self._released = False
        self._on_end = on_end
        self._on_release = on_release
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[ExitStatus] = self._loop.create_future()
        self._loop.add_reader(pidfd, self.reap)

    @property
    def pidfd(self) -> int:
        """The pidfd, -1 once closed."""
        return self._pidfd

    async def wait(self) -> ExitStatus:
        """How it ended, once it has; for any number of callers."""
        return await asyncio.shield(self._exited)

    def signal(self, number: int) -> bool:
        """Signal the process; False where it has ended, or may not be signalled."""
        return self.exit is None and self._pidfd >= 0 and signal_process(self._pidfd, number)

    def signal_group(self, number: int) -> bool:
        """Signal the process group that a session leads, also after the leader's own end; False as in `signal`."""
        return self._pidfd >= 0 and self._group.signal(number)

    def kill(self) -> None:
        """End what nobody wants: a session with all of its group, for it may have started others before this."""
        # Its leader first, which then starts no more of them.
        self.signal(signal.SIGKILL)
        if self.kind == "session":
            self.signal_group(signal.SIGKILL)

    async def end(self, grace: float = KILL_AFTER, *, hung_up: bool = False) -> None:
        """End a session: SIGHUP to its process group, SIGTERM half a second later, SIGKILL after `grace` seconds.

        With `hung_up` its terminal's master is being closed, and SIGHUP is sent to what lives on after `HUP_AFTER`.
        Returns as soon as the group is empty, and closes. A worker or helper gets SIGKILL at once.
        """
        try:
            if self.kind != "session":
                self.signal(signal.SIGKILL)
                await self.wait()
                return
            deadline = self._loop.time() + grace
            term = min(TERM_AFTER, grace)
            if hung_up and await self._is_empty_before(deadline - grace + min(HUP_AFTER, term)):
                return
            for number, until in ((signal.SIGHUP, deadline - grace + term), (signal.SIGTERM, deadline)):
                self.signal_group(number)
                # A stopped process reads no signal but SIGKILL until it goes on.
                self.signal_group(signal.SIGCONT)
                if await self._is_empty_before(until):
                    return
            self.signal_group(signal.SIGKILL)
            # Not for ever: a set-user-id program may be beyond the reach of an ordinary user's daemon.
            await self._is_empty_before(self._loop.time() + 1)
        finally:
            self.close()

    async def _is_empty_before(self, until: float) -> bool:
        pause = 0.005
        while self.exit is None or self.signal_group(0):
            left = until - self._loop.time()
            if left <= 0:
                return False
            if self.exit is None:
                await asyncio.wait([self._exited], timeout=left)
            else:
                await asyncio.sleep(min(pause, left))
                pause = min(2 * pause, 0.1)
        return True

    def reap(self) -> None:
        """Take the status, if the process has ended; the launcher calls it too."""
        if self.exit is not None or self._pidfd < 0:
            return
        found = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return
        if self.kind == "session":
            # Where the kernel cannot signal a group through a pidfd, its members must be known before the leader's
            # number is free. Without descriptors left that fails, but the status must be taken all the same.
            with contextlib.suppress(OSError):
                self._group.signal(0)
        os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        by_signal = found.si_code != os.CLD_EXITED
        self.exit = ExitStatus(
            None if by_signal else found.si_status,
            found.si_status if by_signal else None,
            found.si_code == os.CLD_DUMPED,
        )
        self._loop.remove_reader(self._pidfd)
        self._read_last_words()
        if not self._exited.done():
            self._exited.set_result(self.exit)
        self._on_end(self)
        if self.kind != "session" or self._released:
            self._released = True
            self._forget()

    def _read_last_words(self) -> None:
        if self._words is None:
            return
        try:
            self.last_words = os.read(self._words, _LAST_WORDS_MAX)
        except OSError:
            # Nothing was written, and a process that it left behind holds the other end.
            pass
        os.close(self._words)
        self._words = None

    def close(self) -> None:
        """Let go of a session: from its end on, its group can not be signalled any more, and nobody sweeps it."""
        if self._released:
            return
        self._released = True
        if self.exit is not None:
            self._forget()

    def _forget(self) -> None:
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
            self._group.close()
            self._on_release(self)

    def __del__(self) -> None:
        for descriptor in (self._pidfd, self._words):
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)
