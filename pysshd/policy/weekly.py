"""Hours of the week on the wall clock of a time zone: what `when` means.

Nothing here asks what time it is, and a zone is plain data once it was loaded.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from pysshd.records import dataclass

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week, in the order of ISO 8601."""

DAY: Final = 24 * 60
WEEK: Final = len(DAYS) * DAY
"""Minutes."""

_MINUTE: Final = timedelta(minutes=1)
_STEP: Final = timedelta(hours=12)
"""How far the offset of a zone is looked at in one step: no zone changes it twice within that time."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """Half-open spans of the week, judged on the local wall clock of `zone`. Made by `weekly`.

    So a skipped hour never matches, and a repeated one twice.

    spans: minutes since Monday 00:00, in their order; none touches the next, one over the week's end is cut in two.
    edges: the minutes of the week at which one begins or ends; empty where the whole week is meant.
    """

    zone: tzinfo
    spans: tuple[tuple[int, int], ...]
    edges: tuple[int, ...]

    def holds(self, now: datetime) -> bool:
        """Whether the wall clock shows a time within the spans; `now` is aware."""
        local = local_time(now, self.zone)
        minute = local.weekday() * DAY + local.hour * 60 + local.minute
        for start, end in self.spans:  # noqa: SIM110 (a generator costs twice as much here)
            if start <= minute < end:
                return True
        return False

    def next_edge(self, now: datetime) -> datetime | None:
        """The first instant after `now` at which `holds` is another, or None where there is none."""
        if not self.edges:
            return None
        try:
            return self._next_edge(now.astimezone(UTC))
        except OverflowError:  # the end of the calendar comes first
            return None

    def _next_edge(self, at: datetime) -> datetime:
        """Goes from `at` to the next edge of the wall clock, or to where the clock itself is set, if that comes first.

        At the first the answer changes, for spans do not touch; at the second perhaps.
        """
        if isinstance(self.zone, timezone):  # no clock of it is ever set
            return at + self._until_edge(at + offset_of(self.zone, at))
        held = self.holds(at)
        while True:
            offset = offset_of(self.zone, at)
            edge = at + self._until_edge(at + offset)
            probe = min(edge, at + _STEP)
            if offset_of(self.zone, probe) != offset:
                probe = _clock_change(self.zone, at, probe)
                if self.holds(probe) is not held:
                    return probe
            elif probe == edge:
                return edge
            at = probe

    def _until_edge(self, local: datetime) -> timedelta:
        """How long until the wall clock, which shows `local`, comes to an edge, if nobody sets it."""
        passed = timedelta(local.weekday(), local.hour * 3600 + local.minute * 60 + local.second, local.microsecond)
        later = bisect_right(self.edges, passed // _MINUTE)
        edge = self.edges[later] if later < len(self.edges) else self.edges[0] + WEEK
        return timedelta(minutes=edge) - passed


def weekly(zone: tzinfo, spans: Iterable[tuple[int, int]]) -> Weekly:
    """Put spans together. Each begins within the week, and ends within two days; they may overlap.

    spans: minutes since Monday 00:00.
    """
    cut: list[tuple[int, int]] = []
    for start, end in spans:
        cut += [(start, end)] if end <= WEEK else [(start, WEEK), (0, end - WEEK)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(cut):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    # Where one ends with the week and one begins with it, nothing changes.
    edges = {start for start, _ in joined} ^ {end % WEEK for _, end in joined}
    return Weekly(zone, tuple(joined), tuple(sorted(edges)))


def local_time(now: datetime, zone: tzinfo) -> datetime:
    """What the wall clock shows. The first and last hours of the calendar have no local time and stay as they are."""
    try:
        return now.astimezone(zone)
    except OverflowError:
        return now


def offset_of(zone: tzinfo, at: datetime) -> timedelta:
    """How far the wall clock is ahead of UTC. Raises OverflowError at the ends of the calendar."""
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _clock_change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The first instant at which the offset is not that of `before`; that of `after` is not. It is a whole second."""
    offset = offset_of(zone, before)
    start = before.replace(microsecond=0)
    low, high = 0, int((after - start).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_of(zone, start + timedelta(seconds=middle)) == offset else (low, middle)
    return start + timedelta(seconds=high)


def clock_changes(zone: tzinfo, start: datetime, end: datetime) -> list[datetime]:
    """When between two instants the wall clock is set; `start` is not among them."""
    found = []
    at = start
    while at < end:
        probe = min(end, at + _STEP)
        if offset_of(zone, probe) != offset_of(zone, at):
            probe = _clock_change(zone, at, probe)
            found.append(probe)
        at = probe
    return found
