"""The types of fields of time: spans, and the week's days, hours and time zones."""

import re
from typing import Annotated, Final, TypeAlias

from pysshd.policy import values
from pysshd.policy.problems import Mark
from pysshd.policy.reading import bad, scalar, text
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.validators import PlainValidator
from pysshd.policy.weekly import DAYS
from pysshd.records import dataclass

_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]|24(?=:00)):([0-5][0-9])")
_HOURS_FORM: Final = "expected hours such as 08:00-18:00, or 22:00-06:00 for a window past midnight"


class Span:
    """A validator of spans of time within bounds, in seconds. example: what somebody may write."""

    def __init__(self, least: int, most: int, example: str = "60s") -> None:
        self.least, self.most, self._example = least, most, example

    def __call__(self, node: object) -> float:
        found = scalar(node, f"a span of time such as {self._example}")
        try:
            seconds = values.duration(found.text)
        except ValueError as error:
            raise bad(f"found {show(found.text)}, {error}") from None
        if not self.least <= seconds <= self.most:
            raise bad(f"found {show(found.text)}, expected from {self.least}s to {self.most}s")
        return seconds


@dataclass(frozen=True, slots=True)
class Days:
    """One item of `days`. numbers: of the days, Monday is 0."""

    numbers: tuple[int, ...]
    source: str
    mark: Mark

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Hours:
    """One item of `hours`, in minutes since the midnight of the day on which it opens; half-open."""

    start: int
    end: int
    source: str
    mark: Mark

    def __str__(self) -> str:
        return self.source


def days(node: object) -> Days:
    """A day, or a range of days, which may run over Sunday."""
    found = scalar(node, "a day such as mon, or days such as mon-fri")
    first, dash, last = found.text.partition("-")
    for word in (first, last) if dash else (first,):
        if word not in DAYS:
            raise bad(f"found {show(found.text)}, expected days: {one_of(DAYS)}, or a range such as mon-fri",
                      meant(word.lower(), DAYS))  # fmt: skip
    if not dash:
        return Days((DAYS.index(first),), found.text, found.mark)
    if first == last:
        raise bad(f"found {show(found.text)}, a range from a day to itself", f"for the one day write {first}")
    start = DAYS.index(first)
    length = (DAYS.index(last) - start) % len(DAYS) + 1
    return Days(tuple((start + step) % len(DAYS) for step in range(length)), found.text, found.mark)


def hours(node: object) -> Hours:
    """`HH:MM-HH:MM`; where the end is not after the start, it is on the next day."""
    found = scalar(node, "hours such as 08:00-18:00")
    match = _HOURS.fullmatch(found.text)
    if match is None:
        raise bad(f"found {show(found.text)}, {_HOURS_FORM}")
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if start == end:
        raise bad(f"found {show(found.text)}, which is no time at all", "for the whole day leave hours out")
    return Hours(start, end if end > start else end + 24 * 60, found.text, found.mark)


def timezone(node: object) -> str:
    """The name of a time zone that is known here."""
    found = text(node)
    try:
        values.timezone(found.text)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}") from None
    return found.text


DaysItem: TypeAlias = Annotated[Days, PlainValidator(days)]
HoursItem: TypeAlias = Annotated[Hours, PlainValidator(hours)]
Timezone: TypeAlias = Annotated[str, PlainValidator(timezone)]
