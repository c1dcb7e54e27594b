"""Keeps one zygote at work: starts it, starts another when it dies, and changes it for a fresh one when that is due."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pysshd.errors import BoundaryError, StartupError
from pysshd.processes.boundary.calls.zygote import Adopt, Release, Retire
from pysshd.processes.boundary.socket import MAX_DESCRIPTORS
from pysshd.processes.monitor.zygote_link import ZygoteLink, ZygoteLostError
from pysshd.processes.monitor.zygote_start import Started, start

SETTLED: Final = 5.0
"""Seconds that a zygote must have lived for the next to be started at once; and that lie between two changes."""

PAUSE_MAX: Final = 10.0
END_WITHIN: Final = 7.0

Held = tuple[int, int, int]
"""A session: the monitor's number for it, its process id and its pidfd."""


class ZygoteKeeper:
    """Owns every zygote of this monitor.

    `held` gives the sessions that have to end with the monitor, without those that the zygote of this generation forked
    itself. `complain` is told what an administrator should know; each text continues the word "zygote".
    """

    def __init__(
        self,
        command: Sequence[str],
        complain: Callable[[str], None],
        held: Callable[[int], Iterable[Held]],
        first: Started | None = None,
    ) -> None:
        """`first` is on its way already, where it is given."""
        self._command = command
        self._first = first
        self._complain = complain
        self._held = held
        self._loop = asyncio.get_running_loop()
        self._link: ZygoteLink | None = None
        self._restart: asyncio.Task[None] | None = None
        self._change: asyncio.Task[None] | None = None
        self._closed = False
        self._started_at = 0.0
        self._pause = 0.0
        self.links: list[ZygoteLink] = []
        self._started = 0

    @property
    def generation(self) -> int:
        """The number of the one that is asked now; 0 before the first. One that is only being started is not it yet."""
        return 0 if self._link is None else self._link.generation

    async def start(self) -> None:
        """Start the first one; StartupError or BoundaryError where that fails."""
        self._link = await self._launch()

    async def current(self) -> ZygoteLink:
        """The zygote to ask; waits while another one is being started."""
        while self._link is None or self._link.is_lost:
            if self._closed or self._restart is None:
                raise ZygoteLostError("zygote is gone, and no other one is started")
            await asyncio.shield(self._restart)
        return self._link

    def change(self, reason: str) -> None:
        """Have a fresh one take over soon; the old one is asked nothing any more, and ends nobody when it goes."""
        if not self._closed and (self._change is None or self._change.done()):
            self._change = self._loop.create_task(self._change_link(reason))

    def release(self, number: int) -> None:
        """Tell whoever may know the session that it is over."""
        for link in self.links:
            link.tell(Release(number))

    async def close(self) -> None:
        """Hang up on all of them: they end the sessions that were not released, then themselves."""
        self._closed = True
        for task in (self._restart, self._change):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        for link in list(self.links):
            link.hang_up()
            await self._see_off(link)

    async def _launch(self) -> ZygoteLink:
        self._started += 1
        self._started_at = self._loop.time()
        started, self._first = self._first or start(self._command), None
        link = ZygoteLink(started, self._started, self._on_lost)
        self.links.append(link)
        try:
            await link.greet()
        except BaseException:
            link.kill("it was not wanted any more")
            raise
        if link.is_lost:
            raise ZygoteLostError("zygote ended as soon as it was there")
        return link

    def _on_lost(self, link: ZygoteLink, reason: str) -> None:
        if link is self._link and not self._closed:
            self._complain(f"{link.pid} is gone: {reason}; another one is started")
            self._restart = self._loop.create_task(self._start_again())

    async def _start_again(self) -> None:
        self._forget_ended()
        if self._loop.time() - self._started_at > SETTLED:
            self._pause = 0.0
        while True:
            await asyncio.sleep(self._pause)
            self._pause = min(PAUSE_MAX, 2 * self._pause or 0.1)
            try:
                link = await self._launch()
            except (OSError, BoundaryError, StartupError) as error:
                self._complain(f"can not be started again: {error}")
                continue
            self._adopt(link)
            self._link = link
            return

    async def _change_link(self, reason: str) -> None:
        await asyncio.sleep(max(0.0, self._started_at + SETTLED - self._loop.time()))
        old = self._link
        if old is None or self._is_being_replaced():
            return
        try:
            new = await self._launch()
        except (OSError, BoundaryError, StartupError) as error:
            self._complain(f"{old.pid} should be changed ({reason}), but no other one can be started: {error}")
            return
        if self._link is not old or self._is_being_replaced():
            # Another one is at work already, or will be.
            new.tell(Retire())
            await self._see_off(new)
            return
        self._link = new
        # What the old one still forks must be known before it is adopted, and adopted before the old one goes.
        await old.drained()
        self._adopt(new)
        old.tell(Retire())
        await self._see_off(old)

    def _is_being_replaced(self) -> bool:
        return self._link is None or self._link.is_lost

    def _adopt(self, link: ZygoteLink) -> None:
        held = list(self._held(link.generation))
        for at in range(0, len(held), MAX_DESCRIPTORS):
            some = held[at : at + MAX_DESCRIPTORS]
            numbers, pids, pidfds = zip(*some, strict=True)
            link.tell(Adopt(numbers, pids), [os.dup(pidfd) for pidfd in pidfds])

    async def _see_off(self, link: ZygoteLink) -> None:
        try:
            async with asyncio.timeout(END_WITHIN):
                await link.ended()
        except TimeoutError:
            link.kill("it did not end")
            await link.ended()
        self._forget_ended()

    def _forget_ended(self) -> None:
        self.links[:] = [link for link in self.links if not link.is_reaped]
