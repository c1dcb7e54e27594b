"""Values that are written as texts: spans of time, sizes, counts, shares, instants. Each raises ValueError with what
was expected; no message repeats the text, for the caller knows whether it may be shown.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?")
_SECONDS = (86400, 3600, 60, 1)
_SIZE = re.compile(r"(\d{1,15})(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?")
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_UNITS |= {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_WRITTEN = sorted(_UNITS.items(), key=lambda unit: -unit[1])
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(Z|[+-]\d\d:\d\d)")
_MAX_SECONDS = 10 * 366 * 86400


def duration(text: str) -> float:
    """Seconds, from a span such as `60s` or `1h30m`."""
    match = _DURATION.fullmatch(text) if text.isascii() else None
    if match is None or not any(match.groups()):
        raise ValueError("expected a span of time such as 60s, 5m or 1h30m")
    seconds = sum(int(part) * unit for part, unit in zip(match.groups("0"), _SECONDS, strict=True))
    if not 0 < seconds <= _MAX_SECONDS:
        raise ValueError("expected a span of time longer than 0s and shorter than ten years")
    return float(seconds)


def written_duration(seconds: float) -> str:
    """A span of whole seconds, as `duration` reads it."""
    left, parts = int(seconds), ""
    for name, unit in zip("dhms", _SECONDS, strict=True):
        count, left = divmod(left, unit)
        parts += f"{count}{name}" if count else ""
    return parts or "0s"


def size(text: str) -> int:
    """Bytes, from a size such as `64MiB`."""
    match = _SIZE.fullmatch(text) if text.isascii() else None
    if match is None:
        raise ValueError("expected a size such as 512KiB, 64MiB or 1GiB")
    if match[2] is None:
        raise ValueError("expected a size with its unit, such as 512KiB, 64MiB or 1GiB")
    return int(match[1]) * _UNITS[match[2]]


def written_size(amount: float) -> str:
    """A number of whole bytes, as `size` reads it: in the largest unit that leaves it whole."""
    name, unit = next((name, unit) for name, unit in _WRITTEN if (amount and not int(amount) % unit) or unit == 1)
    return f"{int(amount) // unit}{name}"


def rate(text: str) -> int:
    """Bytes in a second, from a rate such as `50MiB/s`."""
    amount, slash, unit = text.partition("/")
    try:
        if (slash, unit) != ("/", "s"):
            raise ValueError
        return size(amount)
    except ValueError:
        raise ValueError("expected a rate such as 512KiB/s or 50MiB/s") from None


def count(text: str, least: int, most: int) -> int:
    """A whole number between two others."""
    if not (text.isascii() and _COUNT.fullmatch(text)) or not least <= int(text) <= most:
        raise ValueError(f"expected a whole number from {least} to {most}")
    return int(text)


def percent(text: str) -> int:
    """A whole percentage, from `30%`."""
    number = text.removesuffix("%")
    if number == text or not (number.isascii() and _COUNT.fullmatch(number)) or int(number) > 100:
        raise ValueError("expected a share from 0% to 100%")
    return int(number)


def timezone(text: str) -> tzinfo:
    """A zone of the IANA database by its name; UTC is known also where the host has no such database."""
    if text == "UTC":
        return UTC
    try:
        if not text.isascii() or text.startswith(("/", ".")):
            raise ValueError
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone of the IANA database, such as Europe/Paris or UTC") from None


def instant(text: str, zone: tzinfo, *, end: bool) -> datetime:
    """An aware instant: a date with a time and an offset, or a bare date in `zone`.

    A bare date covers its day: it is the day's start, or with `end` the start of the day after.
    """
    expected = "expected a date such as 2027-01-29, or an instant with its offset such as 2027-01-29T18:00+01:00"
    try:
        if _DATE.fullmatch(text) and text.isascii():
            day = datetime.fromisoformat(text).replace(tzinfo=zone)
            return day + timedelta(days=1) if end else day
        if _INSTANT.fullmatch(text) and text.isascii():
            return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    raise ValueError(expected)


def exact_instant(text: str) -> datetime:
    """An aware instant with its offset; a bare date is a whole day, and none."""
    with suppress(ValueError):
        if _INSTANT.fullmatch(text) and text.isascii():
            return datetime.fromisoformat(text)
    raise ValueError("expected an instant with its offset such as 2027-03-01T09:00+01:00")
