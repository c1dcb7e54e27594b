"""Keeps one nursery at work: has the zygote fork it, and another one where it dies or is outdated."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.zygote import ForkWorker, Retire
from pysshd.processes.boundary.groups import signal_process
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.forking import newborn_in
from pysshd.processes.monitor.zygote_keeper import ZygoteKeeper
from pysshd.processes.monitor.zygote_link import ZygoteLink, ZygoteLostError
from pysshd.processes.monitor.zygote_start import Started

END_WITHIN: Final = 2.0


class _Birth:
    """What becomes of one fork of a nursery, also where nobody waits for it any more.

    `born` is called as soon as there is one: whoever reaps has to know it at once.
    """

    def __init__(
        self, generation: int, born: Callable[[ZygoteLink], None], lost: Callable[[ZygoteLink, str], None]
    ) -> None:
        self.link: ZygoteLink | None = None
        self.refused: str | None = None
        self._ours, self.theirs = Endpoint.pair()
        self._generation = generation
        self._born = born
        self._lost = lost
        self._abandoned = False
        self._closed = False

    def answered(self, answer: Call, pidfd: int | None) -> None:
        """The zygote has answered; BoundaryError where it says what can not be."""
        newborn = newborn_in(answer, pidfd)
        if isinstance(newborn, str):
            self.refused = newborn
            self._ours.close()
            return
        pid, pidfd = newborn
        if self._closed:
            # The launcher reaps whatever child it does not know.
            signal_process(pidfd, signal.SIGKILL)
            os.close(pidfd)
            return
        os.close(pidfd)
        self.link = ZygoteLink(Started(pid, self._ours), self._generation, self._lost, "nursery")
        self._born(self.link)
        if self._abandoned:
            self.abandon()

    def abandon(self) -> None:
        """Nobody wants it; where the zygote is gone, there will be none."""
        self._abandoned = True
        if self.link is not None:
            self.link.kill("it was not wanted any more")

    def hopeless(self) -> None:
        """The zygote is gone, and will not answer; or nobody will be there for what it answers."""
        if self.link is None:
            self._closed = True
            self._ours.close()


class NurseryKeeper:
    """Owns every nursery of this monitor.

    Each belongs to the generation of the zygote that forked it, for it shares the address layout. `complain` is told
    what an administrator should know; each text continues the word "zygote".
    """

    def __init__(self, zygotes: ZygoteKeeper, complain: Callable[[str], None]) -> None:
        self._zygotes = zygotes
        self._complain = complain
        self._current: tuple[ForkWorker, ZygoteLink] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False
        self._births: set[_Birth] = set()
        """Those that were asked for, and of which nobody knows yet what became of them."""
        self.links: list[ZygoteLink] = []

    async def current(self, worker: ForkWorker) -> ZygoteLink:
        """The nursery to ask for workers like `worker`; ZygoteLostError where none can be had."""
        async with self._one_at_a_time:
            zygote = await self._zygotes.current()
            if self._current is not None:
                kind, link = self._current
                if not link.is_lost and kind == worker and link.generation == zygote.generation:
                    return link
                self.retire(link)
            link = await self._plant(zygote, worker)
            self._current = worker, link
            return link

    def retire(self, link: ZygoteLink) -> None:
        """Ask this one no more: it refused, or is outdated. Another one is planted when workers are wanted."""
        if self._current is not None and self._current[1] is link:
            self._current = None
            link.tell(Retire())
            self._see_off_later(link)

    async def close(self) -> None:
        """Let go of all of them."""
        self._closed = True
        for birth in self._births:
            birth.hopeless()
        self._births.clear()
        for link in list(self.links):
            link.hang_up()
            await self._see_off(link)

    async def _plant(self, zygote: ZygoteLink, worker: ForkWorker) -> ZygoteLink:
        birth = _Birth(zygote.generation, self.links.append, self._on_lost)
        self._births = {birth, *(one for one in self._births if one.link is None and one.refused is None)}
        try:
            self._must_be_open()
            with birth.theirs:
                await zygote.ask(replace(worker, nursery=True), (birth.theirs.fileno(),), birth.answered)
            if birth.link is None:
                raise ZygoteLostError(f"nursery can not be forked: {birth.refused}")
            await birth.link.greet()
            self._must_be_open()
        except BaseException as error:
            if birth.link is not None:
                self._see_off_later(birth.link)
            elif isinstance(error, ZygoteLostError):
                birth.hopeless()
                self._births.discard(birth)
            birth.abandon()
            raise
        self._births.discard(birth)
        return birth.link

    def _must_be_open(self) -> None:
        if self._closed:
            raise ZygoteLostError("nursery is not wanted: the daemon ends")

    def _on_lost(self, link: ZygoteLink, reason: str) -> None:
        if not self._closed and self._current is not None and self._current[1] is link:
            self._complain(f"has lost its nursery {link.pid}: {reason}; another one is forked")

    def _see_off_later(self, link: ZygoteLink) -> None:
        task = asyncio.get_running_loop().create_task(self._see_off(link))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _see_off(self, link: ZygoteLink) -> None:
        try:
            async with asyncio.timeout(END_WITHIN):
                await link.ended()
        except TimeoutError:
            link.kill("it did not end")
            await link.ended()
        if link in self.links:
            self.links.remove(link)
