"""When a decision is to be asked again: instants of the wall clock, waited for on a clock that nobody sets.

Windows of the policy are judged by the wall clock, which may be set, and which goes on while a machine sleeps; timers
run on the monotonic one, which does neither. So a timer only says when to look, and whoever looks judges by the wall
clock: too early, and it waits on. While an edge is waited for, it looks every `LOOK_AGAIN` seconds at the latest, so
that a clock that was set forward, or a machine that slept, is noticed by then.
"""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from pysshd.server.ports import Clock

LOOK_AGAIN: Final = 30.0
"""Seconds after which the wall clock is looked at again where an edge is further away."""

_SOON: Final = 0.001


class Timer(Protocol):
    """What `Later` returns."""

    def cancel(self) -> None:
        """Do not call."""


Later = Callable[[float, Callable[[], None]], Timer]
"""Calls a function after so many seconds."""


class Edge:
    """One who waits for an instant."""

    def __init__(self, edges: "Edges", call: Callable[[], None]) -> None:
        self._edges = edges
        self._call = call
        self.when: datetime | None = None
        """The instant; None: nothing is waited for."""

    def set(self, when: datetime | None) -> None:
        """Be called once at `when`, in place of any instant before; None: not any more."""
        if when != self.when:
            self.when = when
            self._edges.changed(self)

    def sooner(self, when: datetime | None) -> None:
        """Be called at `when`, if that is before the instant that is waited for."""
        if when is not None and (self.when is None or when < self.when):
            self.set(when)

    def reached(self) -> None:
        """It is time."""
        self.when = None
        self._call()


class Edges:
    """All who wait, on one timer: that of the first instant."""

    def __init__(self, clock: Clock, later: Later) -> None:
        self._clock = clock
        self._later = later
        self._waiting: list[tuple[datetime, int, Edge]] = []
        self._numbers = itertools.count()
        self._timer: Timer | None = None

    def changed(self, edge: Edge) -> None:
        """An edge waits for another instant."""
        if edge.when is not None:
            heapq.heappush(self._waiting, (edge.when, next(self._numbers), edge))
        self._forget_stale()
        self._wait()

    def close(self) -> None:
        """Wait for nothing any more."""
        self._waiting.clear()
        self._wait()

    def _forget_stale(self) -> None:
        """What stands in front and is not waited for any more goes; where most of all is such, all of it."""
        if len(self._waiting) > 64 + 2 * sum(when == edge.when for when, _, edge in self._waiting[:64]):
            self._waiting = [entry for entry in self._waiting if entry[0] == entry[2].when]
            heapq.heapify(self._waiting)
        while self._waiting and self._waiting[0][0] != self._waiting[0][2].when:
            heapq.heappop(self._waiting)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            left = (self._waiting[0][0] - self._clock.wall()).total_seconds()
            self._timer = self._later(min(LOOK_AGAIN, max(left, 0.0) + _SOON), self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.wall()
        due: list[Edge] = []
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][0] != self._waiting[0][2].when):
            when, _, edge = heapq.heappop(self._waiting)
            if when == edge.when:
                due.append(edge)
        for edge in due:
            edge.reached()
        self._wait()
