"""Moments and clients that tell conditions apart: for each way in which they can come out together, one that shows it.

Conditions of time change their truth only at their edges. Between the edges of dates the hours of the week come again
each week, until a clock is set: so of each stretch in which neither happens eight days stand for all of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Final, TypeVar

from pysshd.patterns.globs import STAR, common_text
from pysshd.policy.conditions import Client, Timed, When, Within
from pysshd.policy.weekly import clock_changes

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
BEFORE_ALL: Final = datetime(1, 1, 1, tzinfo=UTC)
NO_CLIENT: Final = "SSH-2.0-?"
"""A client whose version no condition names."""

_FIRST: Final = datetime(2, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9998, 12, 31, tzinfo=UTC)
"""Beyond these the wall clocks of some zones show nothing."""

_MONDAY: Final = datetime(2027, 1, 4, tzinfo=UTC)
"""From where weeks are looked at, where no date says when."""

_YEAR: Final = timedelta(days=366)
"""Of a longer stretch no more is looked at: by then every clock that is set twice a year was set twice."""

_WEEK: Final = timedelta(days=8)
"""A week, and what a clock that was set could have skipped of it."""

_TRIED_MAX: Final = 300_000
"""Truths of conditions that are compared to find moments alike; beyond it every moment is kept, alike or not."""

T = TypeVar("T")


def moments(timed: Collection[Timed]) -> list[datetime]:
    """Instants that show every way in which the conditions can come out together, in their order."""
    edges = {edge for one in timed if isinstance(one, Within) for edge in (one.window.start, one.window.end)}
    dates = sorted(edge.astimezone(UTC) for edge in edges if edge is not None)
    schedules = [one for one in timed if isinstance(one, When)]
    if not schedules:
        return sorted({*dates, BEFORE_ALL}) if dates else [BEGINNING]
    first = _moved(dates[0], -_YEAR) if dates else _MONDAY
    found: dict[datetime, None] = {}
    for start, end in zip([first, *dates], [*dates, None], strict=True):
        latest = _moved(start, _YEAR)
        for begin, stop in _weeks(schedules, start, min(end or latest, latest)):
            found.update(dict.fromkeys(_opened(schedules, begin, stop)))
    return _unlike(found, [one.window.holds for one in timed])


def _moved(moment: datetime, by: timedelta) -> datetime:
    """A moment that much later, or as near to it as the calendar goes."""
    try:
        return min(max(moment + by, _FIRST), _LAST)
    except OverflowError:
        return _FIRST if by < timedelta(0) else _LAST


def _weeks(schedules: Iterable[When], start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The beginnings of the stretches in which no clock is set."""
    zones = {one.window.zone for one in schedules}
    changes = {change for zone in zones for change in clock_changes(zone, start, end)}
    for begin, stop in zip([start, *sorted(changes)], [*sorted(changes), end], strict=True):
        yield begin, min(stop, _moved(begin, _WEEK))


def _opened(schedules: Iterable[When], start: datetime, end: datetime) -> list[datetime]:
    """The instants of a span of time at which some hours begin or end, and its start."""
    found = {start}
    for schedule in schedules:
        edge = schedule.window.next_edge(start)
        while edge is not None and edge < end:
            found.add(edge)
            edge = schedule.window.next_edge(edge)
    return sorted(found)


def clients(conditions: Sequence[Client]) -> list[str]:
    """Identification strings that the conditions can tell apart: of each pattern, of each two, and of none."""
    patterns = {pattern.source: pattern for one in conditions for pattern in one.patterns}
    if not patterns:
        return [NO_CLIENT]
    versions: dict[str, None] = {}
    for source in patterns:
        versions |= dict.fromkeys([source.replace(STAR, "").replace("?", "x"), source.replace(STAR, "~")])
    for left, right in combinations(patterns.values(), 2):
        both = common_text(left, right)
        versions |= {} if both is None else {both: None}
    found = [*(f"SSH-2.0-{version}" for version in versions), NO_CLIENT]
    return _unlike(found, [one.claimed for one in conditions])


def _unlike(found: Collection[T], tests: Sequence[Callable[[T], bool]]) -> list[T]:
    """The first of each kind, where a kind is what all of the tests say of it together."""
    if len(found) * len(tests) > _TRIED_MAX:
        return list(found)
    kinds: dict[tuple[bool, ...], T] = {}
    for one in found:
        kinds.setdefault(tuple(test(one) for test in tests), one)
    return list(kinds.values())
