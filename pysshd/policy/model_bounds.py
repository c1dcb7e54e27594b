"""The models of bounds: `limits` and `record`, of an allow or of a `bound`."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Final

from pysshd.policy import values
from pysshd.policy.bounds import GRANT, LIMITS, NO_BOUNDS, Bounds, Limit, Unit
from pysshd.policy.bounds import Record as Recording
from pysshd.policy.reading import Many, Record, Text, bad, scalar, text
from pysshd.policy.report import Report, meant, one_of, show
from pysshd.policy.validators import PlainValidator

_PER: Final = ("channel", "connection", "source", "all")
_RECORD: Final = {"off": Recording.OFF, "on": Recording.ON, "required": Recording.REQUIRED}
_MOST: Final = 999_999_999


def _count(found: str) -> float:
    return values.count(found, 1, _MOST)


_AMOUNTS: Final[dict[Unit, Callable[[str], float]]] = {
    "bytes/s": values.rate,
    "bytes": values.size,
    "seconds": values.duration,
    "count": _count,
}


def _amount(unit: Unit) -> PlainValidator:
    """The reader of an amount of this unit."""

    def read(node: object) -> float:
        found = scalar(node, "a limit")
        try:
            amount = _AMOUNTS[unit](found.text)
        except ValueError as error:
            raise bad(f"found {show(found.text)}, {error}") from None
        if not amount:
            raise bad(f"found {show(found.text)}, expected more than nothing", "to forbid it, write a deny")
        return amount

    return PlainValidator(read)


def _per(node: object) -> Text:
    """Whose use is counted together."""
    found = text(node)
    if found.text not in _PER:
        raise bad(f"found {show(found.text)}, expected {one_of(_PER)}; absent, it is per user and grant",
                  meant(found.text, _PER))  # fmt: skip
    return found


def _record(node: object) -> Recording:
    """`off`, `on` or `required`."""
    found = scalar(node, "off, on or required")
    if found.text not in _RECORD:
        raise bad(f"found {show(found.text)}, expected off, on or required", meant(found.text, _RECORD))
    return _RECORD[found.text]


class UseLimitsModel(Record):
    """One item of a grant's `limits`: some limits, and whose use they count together."""

    example: ClassVar[str] = "{idle: 15m}"
    bandwidth: Annotated[float | None, _amount("bytes/s")] = None
    bytes: Annotated[float | None, _amount("bytes")] = None
    lifetime: Annotated[float | None, _amount("seconds")] = None
    idle: Annotated[float | None, _amount("seconds")] = None
    connections: Annotated[float | None, _amount("count")] = None
    channels: Annotated[float | None, _amount("count")] = None
    sessions: Annotated[float | None, _amount("count")] = None
    forwards: Annotated[float | None, _amount("count")] = None
    files: Annotated[float | None, _amount("count")] = None
    file_size: Annotated[float | None, _amount("bytes")] = None
    per: Annotated[Text | None, PlainValidator(_per)] = None

    def amounts(self) -> dict[str, float]:
        """The limits that it has."""
        found = ((name, getattr(self, name)) for name in LIMITS)
        return {name: amount for name, amount in found if amount is not None}


RecordValue = Annotated[Recording | None, PlainValidator(_record)]


class BoundModel(Record):
    """`bound`: what holds whatever else is granted."""

    example: ClassVar[str] = "{limits: {idle: 15m}}"
    never: ClassVar = dict.fromkeys(LIMITS, "a limit stands in limits: {…}")

    limits: Many[UseLimitsModel] | None = None
    record: RecordValue = None


def check_limits(limits: tuple[UseLimitsModel, ...], report: Report) -> None:
    """What one item of `limits` can not say of itself: `per` where nothing is shared, and items that say nothing."""
    seen: dict[tuple[str, str], UseLimitsModel] = {}
    for item in limits:
        per = item.per.text if item.per is not None else GRANT
        if not item.amounts():
            report.error(item.mark, "limits with per alone limit nothing, expected one of " + ", ".join(LIMITS))
        for name in item.amounts():
            scopes = LIMITS[name].scopes
            if per != GRANT and per not in scopes:
                may = f"may count {one_of([f'per {one}' for one in _PER if one in scopes])}" if scopes else "has no per"
                report.error(item.mark_of("per"), f"{name} {may}, found per {per}",
                             "write it in an item of its own: limits: [{…}, {…}]")  # fmt: skip
            other = seen.setdefault((name, per), item)
            if other is not item:
                report.error(item.mark_of(name), f"{name} stands twice with one per, the first time at "
                                                 f"{other.mark_of(name).where}")  # fmt: skip


def bounds_of(limits: tuple[UseLimitsModel, ...] | None, record: Recording | None, grant: str) -> Bounds:
    """The bounds that a grant of this name brings."""
    found = frozenset(
        Limit(name, amount, item.per.text if item.per is not None else GRANT, grant)
        for item in limits or ()
        for name, amount in item.amounts().items()
    )
    return Bounds(found, record or Recording.OFF) if found or record else NO_BOUNDS
