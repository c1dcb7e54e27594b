"""The event loop of a worker: descriptors and deadlines, on a bare epoll.

A bare epoll costs a forked worker less memory than asyncio and each turn less time than `selectors`, and a worker needs
no more: it opens nothing, so there is nothing to await but readiness and time. The descriptor of the epoll is made
before the sandbox closes.

A worker that serves many connections gives each a lane: the loop as that connection alone sees it. What goes wrong in
one lane is told to that lane, deadlines cost only those whose lane had something to do, and whoever had nothing to do
in the turn before comes first.
"""

import contextlib
import heapq
import math
import select
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from pysshd.processes.worker.glance import Glance

READ = select.EPOLLIN
WRITE = select.EPOLLOUT

QUIET = 0.1
"""Seconds without anything to do in another lane after which a connection is alone again."""

_BROKEN = select.EPOLLHUP | select.EPOLLERR
"""What is told of a descriptor whatever it is watched for; whoever reads or writes then learns more."""

Ready = Callable[[int], None]
"""Called with the mask of what a descriptor is ready for."""


class Timed(Protocol):
    """Something that the loop calls when its deadline (monotonic seconds, or None) has come."""

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; looked at again whenever its lane had something to do."""
        ...

    def tick(self, now: float) -> None:
        """The deadline has come."""
        ...


class _Watched:
    """A descriptor, what it is watched for, and whose it is."""

    __slots__ = ("lane", "mask", "ready")

    def __init__(self, mask: int, ready: Ready, lane: "Loop") -> None:
        self.mask = mask
        self.ready = ready
        self.lane = lane


class _Core:
    """What all lanes of one loop share."""

    __slots__ = ("busy", "epoll", "glance", "heap", "last", "order", "running", "shifted", "watched")

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.watched: dict[int, _Watched] = {}
        self.heap: list[tuple[float, int, Loop]] = []
        self.order = count()
        self.running = True
        self.glance = Glance()
        self.last: Loop | None = None
        self.shifted = -math.inf
        """When the lane that had something to do was last another one than before."""

        self.busy: set[Loop] = set()
        """The lanes of the turn before."""


class Loop:
    """Waits for descriptors and deadlines, until `stop` is called."""

    __slots__ = ("_core", "_failed", "_scheduled", "_timed", "alone", "handed")

    def __init__(self, core: _Core | None = None, failed: Callable[[Exception], None] | None = None) -> None:
        self._core = core or _Core()
        self._failed = failed
        self._timed: tuple[Timed, ...] = ()
        self._scheduled = math.inf
        self.handed = self._core.glance.handed
        """To be told of how many bytes went to a program, which may answer at once, and on whose channel."""

        self.alone = True
        """No other lane was ready in this turn, nor of late: whoever is called may take their time."""

    def others_type(self, whose: int) -> bool:
        """Whether somebody has typed of late on another channel than `whose`, in any lane."""
        return self._core.glance.others_type(whose)

    def lane(self, failed: Callable[[Exception], None]) -> "Loop":
        """This loop as one connection sees it; an exception of what it calls there goes to `failed`."""
        return Loop(self._core, failed)

    def watch(self, descriptor: int, mask: int, ready: Ready) -> None:
        """Call `ready` when `descriptor` is ready for `mask`; a mask of 0 stops watching it."""
        core = self._core
        known = core.watched.get(descriptor)
        if known is None:
            if mask:
                core.epoll.register(descriptor, mask)
                core.watched[descriptor] = _Watched(mask, ready, self)
        elif not mask:
            del core.watched[descriptor]
            core.epoll.unregister(descriptor)
        else:
            if known.mask != mask:
                core.epoll.modify(descriptor, mask)
                known.mask = mask
            known.ready = ready

    def forget(self) -> None:
        """Watch nothing of this lane any more, where it is not known what it watched."""
        for descriptor in [number for number, entry in self._core.watched.items() if entry.lane is self]:
            del self._core.watched[descriptor]
            with contextlib.suppress(OSError, ValueError):
                self._core.epoll.unregister(descriptor)

    def add_timed(self, timed: Timed) -> None:
        """Ask `timed` for its deadline from now on."""
        self._timed += (timed,)
        self.settle()

    def remove_timed(self, timed: Timed) -> None:
        """Forget `timed`."""
        self._timed = tuple(known for known in self._timed if known is not timed)

    def stop(self) -> None:
        """Return from `run` once the callbacks of this turn are done."""
        self._core.running = False

    def run(self) -> None:
        """Serve until `stop`."""
        core = self._core
        glance = core.glance
        self.settle()
        while core.running:
            ready = glance.look(core.epoll.poll) if glance.wanted else core.epoll.poll(self._timeout())
            glance.now = now = time.monotonic()
            if ready:
                self._serve(ready, now)
            if core.heap and core.heap[0][0] <= now:
                self._tick(now)

    def close(self) -> None:
        """Let go of the epoll descriptor."""
        self._core.epoll.close()

    def _timeout(self) -> float:
        """Seconds to the next deadline, -1 where there is none."""
        heap = self._core.heap
        return max(0.0, heap[0][0] - time.monotonic()) if heap else -1

    def _serve(self, ready: list[tuple[int, int]], now: float) -> None:
        core = self._core
        watched = core.watched
        if len(ready) == 1:
            # As below, for one and without the calls: the turn of somebody who types.
            ((descriptor, mask),) = ready
            if (entry := watched.get(descriptor)) is not None:
                lane = entry.lane
                if lane is not core.last:
                    core.shifted = now if core.last is not None else core.shifted
                    core.last = lane
                core.busy = {lane}
                lane.alone = now - core.shifted > QUIET
                if mask := (READ | WRITE if mask & _BROKEN else mask) & entry.mask:
                    try:
                        entry.ready(mask)
                    except Exception as error:
                        lane._fail(error)
                lane.settle()
            return
        found = [(descriptor, watched[descriptor], mask) for descriptor, mask in ready if descriptor in watched]
        if len(found) > 1 and core.busy:
            # Whoever moves much is ready in every turn; who types is not, and goes first.
            busy = core.busy
            found.sort(key=lambda item: item[1].lane in busy)
        lanes = {item[1].lane for item in found}
        for descriptor, entry, mask in found:
            if watched.get(descriptor) is not entry:
                continue
            lane = entry.lane
            if lane is not core.last:
                core.shifted = now if core.last is not None else core.shifted
                core.last = lane
            lane.alone = len(lanes) < 2 and now - core.shifted > QUIET
            if mask := (READ | WRITE if mask & _BROKEN else mask) & entry.mask:
                lane._call(entry.ready, mask)
        core.busy = lanes
        for lane in lanes:
            lane.settle()

    def _tick(self, now: float) -> None:
        """Call whose deadline has come, each once: one that stays in the past is called again in the next turn."""
        heap = self._core.heap
        due: list[Loop] = []
        while heap and heap[0][0] <= now:
            at, _, lane = heapq.heappop(heap)
            if at == lane._scheduled:
                lane._scheduled = math.inf
                due.append(lane)
        for lane in due:
            for timed in lane._timed:
                if timed.deadline is not None and timed.deadline <= now:
                    lane._call(timed.tick, now)
            lane.settle()

    def _call(self, function: Callable[..., None], argument: float) -> None:
        try:
            function(argument)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._failed is None:
            raise error
        self._failed(error)

    def settle(self) -> None:
        """Look at the deadlines again; needed only after what this loop did not call itself."""
        # An entry of the heap that comes too early is looked at when it comes, and put off.
        for timed in self._timed:
            due = timed.deadline
            if due is not None and due < self._scheduled:
                self._scheduled = due
                core = self._core
                heapq.heappush(core.heap, (due, next(core.order), self))
