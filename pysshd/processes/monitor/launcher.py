"""Starts workers, helpers and sessions through the zygote, which it keeps alive and current.

Everything that the zygote forks is a child of this process. A zygote that dies takes nobody with it: another one is
started, and adopts the sessions, so that they still end should this process die.
"""

import asyncio
import contextlib
import fcntl
import itertools
import os
import signal
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pysshd.errors import BoundaryError, StartupError
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.zygote import (
    Account,
    Become,
    ForkHelper,
    ForkSession,
    ForkWorker,
    SessionFailure,
    SessionSpec,
    ZygoteCall,
)
from pysshd.processes.boundary.socket import MAX_MESSAGE, Endpoint
from pysshd.processes.monitor.children import Child, Kind
from pysshd.processes.monitor.forking import PROGRAM_WITHIN, Fork, failure_of, refusal_in
from pysshd.processes.monitor.nursery_keeper import NurseryKeeper
from pysshd.processes.monitor.orphans import Links, Reaper
from pysshd.processes.monitor.zygote_keeper import Held, ZygoteKeeper
from pysshd.processes.monitor.zygote_link import START_WITHIN, ZygoteLink, ZygoteLostError
from pysshd.processes.monitor.zygote_start import COMMAND, Started
from pysshd.processes.sandbox.process import become_subreaper

FORKS_PER_ZYGOTE: Final = 4000
"""Forks share an address layout and a hash seed: after so many another zygote takes over."""

BURIED_WITHIN: Final = 1.0
"""Seconds that a fork of which the monitor was not told may take to end, where one was under way at the end."""

_PIPE_SIZE = 4096


class LaunchError(BoundaryError):
    """Nothing was started."""


class SessionFailedError(LaunchError):
    """A session failed before its program ran; `failure` has the stage, the errno and the story."""

    def __init__(self, failure: SessionFailure) -> None:
        super().__init__(f"session failed at {failure.stage}: {failure.text}")
        self.failure = failure


class Helper(NamedTuple):
    """A helper, and the socket to ask it on (blocking; the caller's to close)."""

    child: Child
    endpoint: Endpoint


class Launcher:
    """Starts what the monitor needs started; made and used on one asyncio loop, in the main thread.

    The process becomes a subreaper, and SIGCHLD is the launcher's: it reaps every child, its own by pidfd and the
    orphans that fall to it. Only children in this process's own session that it does not know are left alone.
    `complain` is told what an administrator should know of the zygote; each text continues the word "zygote".
    """

    def __init__(
        self,
        complain: Callable[[str], None],
        *,
        worker: ForkWorker | None = None,
        command: Sequence[str] = COMMAND,
        forks_per_zygote: int = FORKS_PER_ZYGOTE,
        first: Started | None = None,
    ) -> None:
        """`first` is a zygote that is on its way already."""
        self._worker = worker or ForkWorker()
        self._by_nursery = False
        self._forks_per_zygote = forks_per_zygote
        self._children: dict[int, Child] = {}
        self._sessions: dict[Child, int] = {}
        self._numbers = itertools.count(1)
        self._keeper = ZygoteKeeper(command, complain, self._held, first)
        self._nurseries = NurseryKeeper(self._keeper, complain)
        self._links = Links(self._keeper.links, self._nurseries.links)
        self._reaper = Reaper(self._children, self._links)

    @property
    def generation(self) -> int:
        """The number of the zygote that forks now: a waiting worker of an older one is better ended than used."""
        return self._keeper.generation

    def worker_is(self, worker: ForkWorker, *, by_nursery: bool = False) -> None:
        """Fork workers so from now on; what the policy says of them is known only after the zygote was started.

        `by_nursery`: they are many, so a nursery that stands ready for them forks them.
        """
        self._worker = worker
        self._by_nursery = by_nursery

    async def start(self) -> None:
        """Start the zygote; StartupError where it cannot be, or is of another version."""
        become_subreaper()
        self._reaper.start()
        try:
            await self._keeper.start()
        except (OSError, BoundaryError) as error:
            raise StartupError(f"zygote can not be started: {error}") from error

    async def become(self, account: Account, algorithms: Sequence[str] = ()) -> None:
        """Have the zygote become `account` for good; the caller does the same to itself. LaunchError where it fails.

        algorithms: those that the policy offers, as in `ForkWorker`.
        """
        refused: list[str | None] = []

        def answered(answer: Call, _: int | None) -> None:
            refused.append(refusal_in(answer))

        link = await self._current()
        try:
            await link.ask(Become(account, tuple(algorithms)), (), answered)
        except ZygoteLostError as error:
            raise LaunchError(str(error)) from error
        if refused[0] is not None:
            raise LaunchError(f"zygote could not change its user: {refused[0]}")

    async def worker(self, end: Endpoint, *, at_once: bool = False) -> Child:
        """Fork a worker that holds `end` (which stays the caller's to close). LaunchError where none can be had.

        `at_once`: by the zygote, also where a nursery forks them; to make one takes a while.
        """
        return await self._with_last_words("worker", self._worker, end, by_nursery=self._by_nursery and not at_once)

    async def helper(self, kind: str) -> Helper:
        """Fork a helper of `kind`. LaunchError where none can be had."""
        ours, theirs = Endpoint.pair()
        try:
            with theirs:
                return Helper(await self._with_last_words("helper", ForkHelper(kind), theirs), ours)
        except BaseException:
            ours.close()
            raise

    async def session(self, spec: SessionSpec, fds: Sequence[int]) -> Child:
        """Start a program; returns once it runs. `fds`: standard input, output and error, or the pty's slave alone.

        They stay the caller's to close. SessionFailedError where it failed on the way, LaunchError where none can be
        had.
        """
        expected = 1 if spec.has_pty else 3
        if len(fds) != expected:
            raise LaunchError(f"session has {len(fds)} descriptors, expected {expected}")
        call = ForkSession(next(self._numbers), spec)
        if (size := len(call.encode())) > MAX_MESSAGE:
            raise LaunchError(f"session's command and environment have {size} bytes, expected at most {MAX_MESSAGE}")
        ours, theirs = os.pipe()
        try:
            try:
                child = await self._fork("session", call, (theirs, *fds), call.number, None)
            finally:
                os.close(theirs)
            try:
                failure = await failure_of(ours)
            except TimeoutError:
                child.kill()
                child.close()
                raise LaunchError(f"session did not run its program within {PROGRAM_WITHIN:.0f} s") from None
            except BaseException:
                child.kill()
                child.close()
                raise
        finally:
            os.close(ours)
        if failure is not None:
            child.close()
            raise SessionFailedError(failure)
        return child

    async def close(self) -> None:
        """End workers and helpers at once, the zygote, and through it every session that was not released."""
        for child in list(self._children.values()):
            if child.kind != "session":
                child.signal(signal.SIGKILL)
        owed = self._owes()
        await self._nurseries.close()
        owed = owed or self._owes()
        await self._keeper.close()
        ending = [asyncio.ensure_future(child.wait()) for child in self._children.values()]
        if ending:
            _, late = await asyncio.wait(ending, timeout=1)
            for task in late:
                task.cancel()
        for child in list(self._sessions):
            child.close()
        if owed:
            # What was forked without a word to us ends by itself, as nobody has let it go.
            await self._reaper.bury(BURIED_WITHIN)
        self._reaper.stop()

    def _owes(self) -> bool:
        """A fork is under way of which we were not told yet."""
        return any(link.answered < link.sent for link in self._links)

    async def _with_last_words(
        self, kind: Kind, call: ForkWorker | ForkHelper, end: Endpoint, *, by_nursery: bool = False
    ) -> Child:
        ours, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            # It need not hold more, and an ordinary user may have only so much of pipes.
            fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        try:
            return await self._fork(kind, call, (end.fileno(), theirs), None, ours, by_nursery=by_nursery)
        finally:
            os.close(theirs)

    async def _fork(
        self,
        kind: Kind,
        call: ZygoteCall,
        fds: Sequence[int],
        number: int | None,
        words: int | None,
        *,
        by_nursery: bool = False,
    ) -> Child:
        """Ask the zygote, and once more where it is lost meanwhile: what it had not answered never ran."""
        fork = Fork(
            kind, words, born=lambda child: self._add(child, number), on_end=self._remove, on_release=self._release
        )
        try:
            for last in (False, True):
                link = await self._current(by_nursery=by_nursery)
                fork.generation = link.generation
                try:
                    await link.ask(call, fds, fork.answered)
                    break
                except ZygoteLostError as error:
                    if last:
                        raise LaunchError(f"{kind} can not be started: {error}") from error
        except BaseException:
            fork.abandon()
            raise
        if link.answered >= self._forks_per_zygote:
            self._keeper.change(f"it has forked {link.answered} times")
        if fork.child is None:
            # A nursery that can not fork, as where somebody has lowered its limits, may not be able to for good.
            self._nurseries.retire(link)
            fork.abandon()
            raise LaunchError(f"{kind} can not be started: {fork.refused}")
        return fork.child

    async def _current(self, *, by_nursery: bool = False) -> ZygoteLink:
        try:
            async with asyncio.timeout(START_WITHIN):
                if by_nursery:
                    return await self._nurseries.current(self._worker)
                return await self._keeper.current()
        except TimeoutError:
            raise LaunchError("zygote is gone, and another one can not be started") from None
        except ZygoteLostError as error:
            raise LaunchError(str(error)) from error

    def _held(self, generation: int) -> list[Held]:
        return [
            (number, child.pid, child.pidfd)
            for child, number in self._sessions.items()
            if child.generation != generation and child.pidfd >= 0
        ]

    def _add(self, child: Child, number: int | None) -> None:
        self._children[child.pid] = child
        if number is not None:
            self._sessions[child] = number

    def _remove(self, child: Child) -> None:
        if self._children.get(child.pid) is child:
            del self._children[child.pid]
        if child.kind == "worker" and child.exit is not None and child.exit.is_fault:
            self._keeper.change(f"worker {child.pid} ended with {child.exit}")

    def _release(self, child: Child) -> None:
        number = self._sessions.pop(child, None)
        if number is not None:
            self._keeper.release(number)
