"""The threads in which plain `def` hooks run: bounded, and never starved by hooks that are slow or never return.

A thread whose hook takes long gives up its place, so that another can be started; one whose hook has run past its
deadline is written off and counted. A thread cannot be ended from outside: when too many hang, nobody new is let in.
Everything but the hooks themselves happens in the thread of the event loop.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401  (what asyncio.to_thread of an async hook would import too late)
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from pysshd.records import dataclass
from pysshd.server.ports import Clock

PLACES = 16
"""Threads whose hooks have not taken long yet."""

MOST = 256
"""Threads in all."""

SLOW_AFTER = 0.5
"""Seconds after which a hook gives up its place."""

DEADLINE = 60.0
"""Seconds that a hook may take."""

STUCK_MOST = 64
"""Hooks past their deadline with which nobody new is let in."""

Outcome = tuple[Any, BaseException | None]
"""What a hook returned or raised: no future takes every exception (StopIteration is one that it does not)."""


@dataclass(eq=False, slots=True)
class _Job:
    """One call of a hook: `started` is None while it waits for a thread."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: "asyncio.Future[Outcome]"
    over: Callable[[], None]
    started: float | None = None
    slow: bool = False


_Inbox = queue.SimpleQueue[_Job | None]


class HookThreads:
    """Runs functions in threads, for a loop that is running."""

    def __init__(
        self,
        clock: Clock,
        *,
        places: int = PLACES,
        most: int = MOST,
        slow_after: float = SLOW_AFTER,
        deadline: float = DEADLINE,
        stuck_most: int = STUCK_MOST,
    ) -> None:
        self.deadline = deadline
        self._clock = clock
        self._places = places
        self._most = most
        self._slow_after = slow_after
        self._stuck_most = stuck_most
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._running: dict[_Job, _Inbox] = {}
        self._idle: list[_Inbox] = []
        self._look_again: asyncio.TimerHandle | None = None

    async def run(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], over: Callable[[], None]
    ) -> Outcome:
        """What the function returns or raises. Cancelled, it is left alone: what comes of it is dropped.

        `over` is called, once, when the function is no longer running and never will be again.
        """
        job = _Job(name, function, args, self._loop.create_future(), over)
        self._waiting.append(job)
        self._dispatch()
        try:
            return await job.future
        finally:
            if job.started is None:
                self._waiting.remove(job)
                over()

    def stuck(self) -> Counter[str]:
        """How many hooks have run past their deadline, by their names."""
        now = self._clock.monotonic()
        return Counter(job.name for job in self._running if now - (job.started or now) >= self.deadline)

    def refusal(self) -> str | None:
        """Why nobody new should be let in, or None."""
        stuck = self.stuck()
        if stuck.total() < self._stuck_most:
            return None
        names = ", ".join(f"{name} {count} times" for name, count in stuck.most_common(4))
        return f"{stuck.total()} hooks of the server interface hang: {names}"

    def close(self) -> None:
        """Let idle threads end; those in a hook end with it, or with the process, which they do not keep."""
        if self._look_again is not None:
            self._look_again.cancel()
        for inbox in (*self._idle, *self._running.values()):
            inbox.put(None)
        self._idle.clear()

    # --- in the loop's thread

    def _dispatch(self) -> None:
        """Give waiting jobs to threads, as far as there are places."""
        now = self._clock.monotonic()
        while self._waiting:
            quick = [job for job in self._running if not self._is_slow(job, now)]
            if len(quick) >= self._places or len(self._running) >= self._most:
                if quick:
                    self._wait_until(min(job.started or now for job in quick) + self._slow_after - now)
                return
            job = self._waiting.popleft()
            job.started = now
            self._running[job] = inbox = self._idle.pop() if self._idle else self._new_thread()
            inbox.put(job)

    def _is_slow(self, job: _Job, now: float) -> bool:
        job.slow = job.slow or now - (job.started or now) >= self._slow_after
        return job.slow

    def _wait_until(self, seconds: float) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
        self._look_again = self._loop.call_later(max(0.001, seconds), self._dispatch)

    def _new_thread(self) -> _Inbox:
        inbox: _Inbox = queue.SimpleQueue()
        threading.Thread(target=_work, args=(inbox, self._loop, self._done), name="pysshd-hook", daemon=True).start()
        return inbox

    def _done(self, job: _Job, outcome: Outcome) -> None:
        inbox = self._running.pop(job)
        if len(self._idle) < self._places:
            self._idle.append(inbox)
        else:
            inbox.put(None)
        job.over()
        if not job.future.done():
            job.future.set_result(outcome)
        self._dispatch()


def _work(inbox: _Inbox, loop: asyncio.AbstractEventLoop, done: Callable[[_Job, Outcome], None]) -> None:
    """What a thread does: one job after the other, until there is None."""
    while (job := inbox.get()) is not None:
        try:
            outcome: Outcome = job.function(*job.args), None
        except BaseException as error:
            outcome = None, error
        try:
            loop.call_soon_threadsafe(done, job, outcome)
        except RuntimeError:
            return  # the loop is closed: the daemon has ended meanwhile
        del job, outcome
