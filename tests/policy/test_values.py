"""Values that are written as texts."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("1s", 1),
        ("3660d", 316_224_000),
        ("316224000s", 316_224_000),
        ("2h", 7200),
        ("1d2m", 86520),
        ("1h30m", 5400),
        ("5m", 300),
        ("1d", 86400),
        ("1d1h1m1s", 90061),
        ("90m", 5400),
        ("007s", 7),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60",
        "s",
        "1.5h",
        "-1s",
        "1m1h",
        "0s",
        "1w",
        "1 h",
        "٣s",
        "99999999999s",
        "4000d",
        "1h30",
        "1H",
        "60s\n",
        "3660d1s",
        "316224001s",
        "0d",
        "0d0h0m0s",
        "1234567890s",
    ],
)
def test_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a span of time"):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("512KiB", 524288),
        ("1GiB", 1 << 30),
        ("1GB", 10**9),
        ("0B", 0),
        ("64MiB", 1 << 26),
        ("3kB", 3000),
        ("1B", 1),
        ("1KiB", 1024),
        ("1MiB", 1024**2),
        ("2TiB", 2 * 1024**4),
        ("1kB", 1000),
        ("1MB", 10**6),
        ("5TB", 5 * 10**12),
        (f"{'9' * 15}B", 999_999_999_999_999),
    ],
)
def test_size(text: str, found: int) -> None:
    assert values.size(text) == found


@pytest.mark.parametrize(
    "text",
    ["0B", "1B", "1023B", "1KiB", "1025B", "3MiB", "3GiB", "3TiB", "1kB", "1MB", "1GB", "1TB", "1500B", "1536B", "4TB"],
)
def test_a_size_is_written_in_the_largest_unit_that_leaves_it_whole(text: str) -> None:
    assert values.written_size(values.size(text)) == text


@pytest.mark.parametrize(("text", "found"), [("512KiB/s", 524288), ("50MB/s", 50 * 10**6), ("0B/s", 0)])
def test_rate(text: str, found: int) -> None:
    assert values.rate(text) == found


@pytest.mark.parametrize("text", ["", "1MiB", "1MiB/m", "1MiB/s/s", "1/s", "/s", "1MiBs", "1MiB/ s"])
def test_not_a_rate(text: str) -> None:
    with pytest.raises(ValueError, match="expected a rate such as 512KiB/s or 50MiB/s"):
        values.rate(text)


@given(st.integers(1, 10 * 365 * 86400))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    assert values.duration(values.written_duration(seconds)) == seconds


@given(st.integers(0, 1 << 45) | st.sampled_from([1 << 10, 10**9, 3 << 20, 1 << 40]))
def test_a_size_is_written_as_it_is_read(amount: int) -> None:
    assert values.size(values.written_size(amount)) == amount


@pytest.mark.parametrize("text", ["4h", "15m", "1h30m", "1d", "90s", "2d1s"])
def test_a_duration_is_written_in_its_largest_units(text: str) -> None:
    assert values.written_duration(values.duration(text)) == text.replace("90s", "1m30s")


@pytest.mark.parametrize("text", ["", "1", "1G", "1gib", "KiB", "-1KiB", "1.5MiB", "1e3B", "٣B", "1KiB\n"])
def test_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        values.size(text)


def test_count() -> None:
    assert [values.count(text, 0, 10) for text in ("0", "7", "10")] == [0, 7, 10]
    assert values.count("999999999", 1, 10**9) == 999_999_999
    with pytest.raises(ValueError, match="from 3 to 4"):
        values.count("2", 3, 4)
    with pytest.raises(ValueError, match="from 0 to 10000000000"):
        values.count("1000000000", 0, 10**10)
    for text in ("", "-1", "11", "07", "1e3", "0x1", "٣", "1_0", "1\n", " 1", "1" * 30):
        with pytest.raises(ValueError, match="from 0 to 10"):
            values.count(text, 0, 10)


def test_percent() -> None:
    assert [values.percent(text) for text in ("0%", "30%", "100%")] == [0, 30, 100]
    for text in ("", "%", "30", "101%", "-1%", "3.5%", "٣%", "030%", "30%%"):
        with pytest.raises(ValueError, match="0% to 100%"):
            values.percent(text)


def test_timezone() -> None:
    assert values.timezone("UTC") is UTC
    assert values.timezone("Europe/Paris") == ZoneInfo("Europe/Paris")
    for text in ("", "Mars/Olympus", "../etc/passwd", "/etc/localtime", ".", "é", "europe", "Europe/Paris\0"):
        with pytest.raises(ValueError, match="IANA"):
            values.timezone(text)


def test_instant() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert values.instant("2027-01-29", paris, end=False) == datetime(2027, 1, 28, 23, tzinfo=UTC)
    assert values.instant("2027-01-29", paris, end=True) == datetime(2027, 1, 29, 23, tzinfo=UTC)
    for text in ("2027-01-29T18:00+01:00", "2027-01-29 18:00+01:00", "2027-01-29T17:00Z", "2027-01-29T17:00:00Z"):
        assert values.instant(text, paris, end=True) == datetime(2027, 1, 29, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "2027-02-30", "2027-1-1", "tomorrow", "2027-01-29T18:00", "2027-01-29T25:00Z", "20270129", "2027-W01",
     "9999-12-31", "0000-01-01", "2027-01-29\n", "٢٠٢٧-01-01", "1798761600"],
)  # fmt: skip
def test_not_an_instant(text: str) -> None:
    with pytest.raises(ValueError, match="expected a date"):
        values.instant(text, UTC, end=True)
