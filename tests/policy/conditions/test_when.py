"""`when`: hours of the week on the wall clock, half-open, over midnight, and where clocks are set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.query import Pty
from pysshd.policy.weekly import DAY, WEEK, Weekly, clock_changes, weekly
from tests.policy.support import ask, key_step, load, login, messages, warnings

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"
TICK = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def allowed(when: str, now: str, server: str = PARIS) -> bool:
    ruleset = load(f"server: {{timezone: {server}}}\ngrants: [{{who: alice, when: {when}, allow: {{pty: true}}}}]")
    return ask(ruleset, Pty("xterm"), now=at(now)).allowed


OFFICE = "{days: mon-fri, hours: 08:00-18:00}"
NIGHT = "{days: fri, hours: 22:00-06:00}"
SUNDAY = "{days: sun, hours: 02:15-02:45}"


@pytest.mark.parametrize(
    ("when", "now", "holds"),
    [
        (OFFICE, "2027-03-01T08:00+01:00", True),
        (OFFICE, "2027-03-01T07:59:59.999999+01:00", False),
        (OFFICE, "2027-03-01T17:59:59.999999+01:00", True),
        (OFFICE, "2027-03-01T18:00+01:00", False),
        (OFFICE, "2027-02-28T12:00+01:00", False),
        (OFFICE, "2027-07-01T08:00+02:00", True),
        (OFFICE, "2027-07-01T06:00Z", True),
        (OFFICE, "2027-07-01T07:59+02:00", False),
        (NIGHT, "2027-01-01T22:00+01:00", True),
        (NIGHT, "2027-01-02T05:59+01:00", True),
        (NIGHT, "2027-01-02T06:00+01:00", False),
        (NIGHT, "2027-01-01T05:00+01:00", False),
        (NIGHT, "2026-12-31T23:00+01:00", False),
        ("{days: sun, hours: 22:00-06:00}", "2027-01-04T05:59+01:00", True),
        ("{days: sun, hours: 22:00-06:00}", "2027-01-04T06:00+01:00", False),
        ("{days: thu, hours: 22:00-24:00}", "2026-12-31T23:59+01:00", True),
        ("{days: thu, hours: 22:00-24:00}", "2027-01-01T00:00+01:00", False),
        ("{days: thu, hours: 22:00-00:00}", "2027-01-01T00:00+01:00", False),
        ("{days: thu}", "2027-01-01T00:00+01:00", False),
        ("{days: thu}", "2026-12-31T22:59:59Z", True),
        ("{hours: [08:00-09:00, 12:00-13:00]}", "2027-03-06T12:30+01:00", True),
        ("{hours: [08:00-09:00, 12:00-13:00]}", "2027-03-06T11:30+01:00", False),
        ("{days: [mon, wed-thu]}", "2027-03-02T12:00+01:00", False),
        ("{days: [mon, wed-thu]}", "2027-03-03T12:00+01:00", True),
        ("{days: fri-mon}", "2027-03-08T12:00+01:00", True),
        ("{days: fri-mon}", "2027-03-09T12:00+01:00", False),
        # The hour that is skipped never matches; the one that comes twice does so twice.
        (SUNDAY, "2027-03-28T01:30Z", False),
        (SUNDAY, "2027-03-28T00:30Z", False),
        (SUNDAY, "2027-10-31T00:30Z", True),
        (SUNDAY, "2027-10-31T00:50Z", False),
        (SUNDAY, "2027-10-31T01:30Z", True),
        (f"{{days: sun, hours: 01:15-01:45, timezone: {NEW_YORK}}}", "2027-11-07T05:30Z", True),
        (f"{{days: sun, hours: 01:15-01:45, timezone: {NEW_YORK}}}", "2027-11-07T06:30Z", True),
        (f"{{days: sun, hours: 02:15-02:45, timezone: {NEW_YORK}}}", "2027-03-14T07:30Z", False),
        (f"{{hours: 08:00-18:00, timezone: {NEW_YORK}}}", "2027-03-01T13:00Z", True),
        (f"{{hours: 08:00-18:00, timezone: {NEW_YORK}}}", "2027-03-01T12:59Z", False),
        (f"{{hours: 08:00-18:00, timezone: {NEW_YORK}}}", "2027-03-15T12:00Z", True),
    ],
)
def test_the_wall_clock_decides(when: str, now: str, holds: bool) -> None:
    assert allowed(when, now) is holds


def test_without_a_zone_anywhere_it_is_utc() -> None:
    ruleset = load("grants: [{who: alice, when: {hours: 08:00-18:00}, allow: {pty: true}}]")
    assert ask(ruleset, Pty("xterm"), now=at("2027-07-01T08:00Z")).allowed
    assert not ask(ruleset, Pty("xterm"), now=at("2027-07-01T08:00+02:00")).allowed


@pytest.mark.parametrize(
    ("when", "now", "edge"),
    [
        (OFFICE, "2027-03-01T09:00+01:00", "2027-03-01T18:00+01:00"),
        (OFFICE, "2027-03-01T18:00+01:00", "2027-03-02T08:00+01:00"),
        (OFFICE, "2027-03-05T18:00+01:00", "2027-03-08T08:00+01:00"),
        # Over the changes of the clock, both ways.
        (OFFICE, "2027-03-26T18:00+01:00", "2027-03-29T08:00+02:00"),
        (OFFICE, "2027-10-29T18:00+02:00", "2027-11-01T08:00+01:00"),
        ("{hours: 22:00-06:00}", "2027-03-27T23:00+01:00", "2027-03-28T06:00+02:00"),
        ("{hours: 22:00-06:00}", "2027-10-30T23:00+02:00", "2027-10-31T06:00+01:00"),
        # The window that is skipped does not open; its neighbour opens or closes where the clock is set.
        (SUNDAY, "2027-03-27T12:00+01:00", "2027-04-04T02:15+02:00"),
        ("{days: sun, hours: 02:30-04:00}", "2027-03-28T00:00Z", "2027-03-28T01:00Z"),
        ("{days: sun, hours: 01:00-02:30}", "2027-03-28T00:30Z", "2027-03-28T01:00Z"),
        # The one that comes twice opens twice, and where it is open when the clock is set back, it closes then.
        (SUNDAY, "2027-10-31T00:20Z", "2027-10-31T00:45Z"),
        (SUNDAY, "2027-10-31T00:45Z", "2027-10-31T01:15Z"),
        (SUNDAY, "2027-10-31T01:15Z", "2027-10-31T01:45Z"),
        ("{days: sun, hours: 02:30-03:00}", "2027-10-31T00:40Z", "2027-10-31T01:00Z"),
        ("{days: sun, hours: 02:30-03:00}", "2027-10-31T01:00Z", "2027-10-31T01:30Z"),
        # Seconds are past the minute, also just behind an edge.
        (OFFICE, "2027-03-01T18:00:30+01:00", "2027-03-02T08:00+01:00"),
        (OFFICE, "2027-03-01T17:59:30+01:00", "2027-03-01T18:00+01:00"),
        # Days touch at midnight and at the week's end: no edge there.
        ("{days: sat-tue}", "2027-03-06T00:00+01:00", "2027-03-10T00:00+01:00"),
        ("{days: thu-fri}", "2026-12-31T12:00+01:00", "2027-01-02T00:00+01:00"),
        (f"{{days: sun, hours: 01:30-03:30, timezone: {NEW_YORK}}}", "2027-03-14T06:45Z", "2027-03-14T07:30Z"),
        (f"{{days: sun, hours: 00:30-01:30, timezone: {NEW_YORK}}}", "2027-11-07T05:30Z", "2027-11-07T06:00Z"),
        (f"{{days: sun, hours: 00:30-01:30, timezone: {NEW_YORK}}}", "2027-11-07T06:00Z", "2027-11-07T06:30Z"),
    ],
)
def test_valid_until_is_the_next_edge(when: str, now: str, edge: str) -> None:
    ruleset = load(f"server: {{timezone: {PARIS}}}\ngrants: [{{who: alice, when: {when}, allow: {{pty: true}}}}]")
    now_, edge_ = at(now), at(edge)
    found = ask(ruleset, Pty("xterm"), now=now_)
    assert found.valid_until == edge_
    assert ask(ruleset, Pty("xterm"), now=edge_ - TICK).allowed is found.allowed
    assert ask(ruleset, Pty("xterm"), now=edge_).allowed is not found.allowed


def test_the_whole_week_has_no_edge() -> None:
    ruleset = load("grants: [{who: alice, when: {days: mon-sun}, allow: {pty: true}}]")
    found = ask(ruleset, Pty("xterm"))
    assert (found.allowed, found.valid_until) == (True, None)


def test_an_edge_inside_unless_counts() -> None:
    ruleset = load(
        "grants: [{who: alice, allow: {pty: true}}, "
        "{name: d, who: alice, unless: {when: {hours: 08:00-18:00}}, deny: {pty: true}}]"
    )
    found = ask(ruleset, Pty("xterm"), now=at("2027-03-01T12:00Z"))
    assert (found.allowed, found.valid_until) == (True, at("2027-03-01T18:00Z"))
    found = ask(ruleset, Pty("xterm"), now=at("2027-03-01T18:00Z"))
    assert (found.allowed, found.valid_until) == (False, at("2027-03-02T08:00Z"))


def test_a_date_may_come_before_the_hour() -> None:
    ruleset = load(
        "grants: [{who: alice, not_after: '2027-03-01T12:00Z', when: {hours: 08:00-18:00}, allow: {pty: true}}]"
    )
    assert ask(ruleset, Pty("xterm"), now=at("2027-03-01T09:00Z")).valid_until == at("2027-03-01T12:00Z")


def test_login_entries_have_hours() -> None:
    ruleset = load(
        "login:\n  - {who: bob, when: {days: sat-sun}, refuse: true}\n  - {when: {days: mon-fri}, methods: publickey}\n"
    )
    found = login(ruleset, key_step("bob"), person="bob", now=at("2027-03-05T12:00Z"))
    assert (found.allowed, found.valid_until) == (True, at("2027-03-06T00:00Z"))
    found = login(ruleset, key_step("bob"), person="bob", now=at("2027-03-06T12:00Z"))
    assert (found.allowed, found.reason) == (False, "login entry 1 refuses")


def test_the_trace_names_the_clause() -> None:
    ruleset = load(
        "grants: [{name: g, who: alice, when: {days: [mon, wed-fri], hours: 08:00-18:00, timezone: Europe/Paris}, "
        "allow: {pty: true}}]"
    )
    [tried] = ask(ruleset, Pty("xterm"), now=at("2027-03-02T12:00Z"), trace=True).trace
    assert tried.failed == "when: {days: [mon, wed-fri], hours: 08:00-18:00, timezone: Europe/Paris}"


@pytest.mark.parametrize("now", [datetime.min, datetime.max])
@pytest.mark.parametrize("zone", [PARIS, NEW_YORK, "Pacific/Kiritimati"])
def test_the_ends_of_the_calendar_do_not_raise(now: datetime, zone: str) -> None:
    ruleset = load(f"grants: [{{who: alice, when: {{days: mon-fri, timezone: {zone}}}, allow: {{pty: true}}}}]")
    for moment in (now.replace(tzinfo=UTC), now.replace(tzinfo=ZoneInfo(zone))):
        ask(ruleset, Pty("xterm"), now=moment)


# What tells hours apart in the checks of a document


def test_windows_of_one_zone_that_do_not_meet_do_not_clash() -> None:
    load(
        "grants:\n"
        "  - {who: bob, when: {days: mon-fri, hours: 08:00-18:00}, allow: {forced: [a], confined: true}}\n"
        "  - {who: bob, when: {days: mon-fri, hours: 18:00-08:00}, allow: {forced: [b], confined: true}}\n"
        "  - {who: bob, when: {days: sat, hours: 08:00-24:00}, allow: {forced: [c], confined: true}}\n"
        "  - {who: bob, when: {days: sun}, allow: {forced: [d], confined: true}}\n"
    )


def test_windows_that_meet_clash_with_the_moment() -> None:
    text = messages(
        "grants:\n"
        "  - {who: bob, when: {days: mon-fri, hours: 08:00-18:00}, allow: {forced: [a], confined: true}}\n"
        "  - {who: bob, when: {days: thu, hours: 17:59-08:00}, allow: {forced: [b], confined: true}}\n"
    )
    assert "clash" in text
    assert "bob on thu 2027-01-07T17:59+00:00" in text


def test_zones_that_meet_for_some_weeks_of_the_year_clash() -> None:
    """Paris is six hours ahead of New York, but for some weeks in spring and autumn five."""
    both = (
        "grants:\n"
        f"  - {{who: bob, when: {{hours: 12:00-13:00, timezone: {PARIS}}}, allow: {{forced: [a], confined: true}}}}\n"
        f"  - {{who: bob, when: {{hours: HOURS, timezone: {NEW_YORK}}}, allow: {{forced: [b], confined: true}}}}\n"
    )
    assert "bob on sun 2027-03-14T12:00+01:00" in messages(both.replace("HOURS", "07:00-08:00"))
    load(both.replace("HOURS", "08:00-09:00"))


def test_dates_and_hours_together() -> None:
    """Three days in which no Monday lies, and three in which one does."""
    grants = (
        "grants:\n"
        "  - {{who: bob, when: {{days: mon}}, allow: {{forced: [a], confined: true}}}}\n"
        "  - {{who: bob, not_before: {0}, not_after: {1}, allow: {{forced: [b], confined: true}}}}\n"
    )
    load(grants.format("2027-03-02", "2027-03-04"))
    assert "bob on mon 2027-03-08T00:00+00:00" in messages(grants.format("2027-03-06", "2027-03-08"))


@pytest.mark.parametrize("day", ["9999-12-30", "0001-01-01"])
def test_dates_at_the_ends_of_the_calendar(day: str) -> None:
    load(f"grants: [{{who: bob, not_after: {day}, when: {{days: mon}}, allow: {{pty: true}}}}]")


def test_a_fall_through_after_hours_is_found() -> None:
    text = messages(
        "login:\n"
        "  - {who: alice, when: {days: mon-fri, hours: 08:00-18:00}, methods: publickey+password}\n"
        "  - {methods: publickey}\n"
    )
    assert "alice is held to publickey+password by" in text
    assert "admits alice on mon 2027-01-04T00:00+00:00 with less: publickey" in text


def test_an_entry_within_the_hours_of_another_is_never_reached() -> None:
    entries = (
        "login:\n"
        "  - {{who: bob, when: {{days: mon-fri}}, refuse: true}}\n"
        "  - {{who: bob, when: {{days: {}, hours: 20:00-04:00}}, methods: publickey}}\n"
        "  - {{methods: publickey}}\n"
    )
    assert "login entry is never reached" in messages(entries.format("mon-thu"))
    load(entries.format("mon-fri"))


def test_a_grant_whose_hours_never_come_is_empty() -> None:
    assert "g matches nobody" in warnings(
        "grants: [{name: g, who: bob, when: {days: mon}, unless: {when: {days: sun-mon}}, allow: {pty: true}}]"
    )


def test_very_many_hours_are_told_as_too_many() -> None:
    zones = (PARIS, NEW_YORK, "Asia/Tokyo")
    entries = "".join(
        f"  - {{from: 10.0.{n}.0/24, when: {{hours: {n % 24:02}:{n % 60:02}-{(n + 9) % 24:02}:{n * 7 % 60:02}, "
        f"timezone: {zones[n % 3]}}}, methods: publickey}}\n"
        for n in range(200)
    )
    assert "only some of the cases were tried" in warnings(f"login:\n{entries}")


# Properties

ZONES = st.sampled_from(
    [UTC, *map(ZoneInfo, (PARIS, NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca"))]
)
SPANS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, DAY - 1), st.integers(1, DAY)).map(
        lambda drawn: (drawn[0] * DAY + drawn[1], drawn[0] * DAY + drawn[1] + drawn[2])
    ),
    min_size=1,
    max_size=4,
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
NEAR_CHANGES = st.sampled_from(
    [
        change + timedelta(minutes=minutes)
        for zone in (PARIS, NEW_YORK, "Australia/Lord_Howe")
        for change in clock_changes(ZoneInfo(zone), datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
        for minutes in (-121, -60, -30, -1, 0, 1, 29, 60)
    ]
)


@given(ZONES, SPANS, st.one_of(INSTANTS, NEAR_CHANGES), st.lists(st.floats(0, 1), max_size=20))
def test_nothing_changes_before_the_next_edge_and_it_does_then(
    zone: ZoneInfo, spans: list[tuple[int, int]], now: datetime, shares: list[float]
) -> None:
    window = weekly(zone, spans)
    edge = window.next_edge(now)
    if edge is None:
        assert window.spans == ((0, WEEK),)
        return
    assert now < edge <= now + timedelta(days=15)
    assert window.holds(edge) is not window.holds(now)
    for share in shares:
        between = now + (edge - now) * share
        assert between == edge or window.holds(between) is window.holds(now)


@given(ZONES, SPANS, INSTANTS)
def test_spans_hold_as_each_of_them_says(zone: ZoneInfo, spans: list[tuple[int, int]], now: datetime) -> None:
    local = now.astimezone(zone)
    minute = local.weekday() * DAY + local.hour * 60 + local.minute
    held = any(start <= minute + shift < end for start, end in spans for shift in (0, WEEK))
    assert weekly(zone, spans).holds(now) is held


@given(SPANS)
def test_spans_neither_touch_nor_overlap(spans: list[tuple[int, int]]) -> None:
    window: Weekly = weekly(UTC, spans)
    for (_, end), (start, _) in zip(window.spans, window.spans[1:], strict=False):
        assert end < start
    assert all(0 <= start < end <= WEEK for start, end in window.spans)


def test_the_clock_changes_of_2027() -> None:
    year = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    assert clock_changes(ZoneInfo(PARIS), *year) == [at("2027-03-28T01:00Z"), at("2027-10-31T01:00Z")]
    assert clock_changes(ZoneInfo(NEW_YORK), *year) == [at("2027-03-14T07:00Z"), at("2027-11-07T06:00Z")]
    assert clock_changes(UTC, *year) == []


def test_a_clock_that_is_set_within_the_first_second_is_seen() -> None:
    change, end = at("2027-03-28T01:00Z"), at("2027-03-29T00:00Z")
    for before in (1, 2, 3, 60):
        assert clock_changes(ZoneInfo(PARIS), change - timedelta(seconds=before), end) == [change]
    assert clock_changes(ZoneInfo(PARIS), change, end) == []


def test_hours_over_sunday_go_on_with_the_first_minute_of_monday() -> None:
    ruleset = load("grants: [{who: alice, when: {days: sun, hours: '22:00-06:00'}, allow: {pty: true}}]\n")
    for moment, allowed in (
        ("2027-03-07T21:59:59Z", False), ("2027-03-07T22:00Z", True), ("2027-03-07T23:59:59Z", True),
        ("2027-03-08T00:00Z", True), ("2027-03-08T00:00:59Z", True), ("2027-03-08T00:01Z", True),
        ("2027-03-08T05:59:59Z", True), ("2027-03-08T06:00Z", False), ("2027-03-09T00:00Z", False),
    ):  # fmt: skip
        found = ask(ruleset, Pty("xterm"), now=at(moment))
        assert found.allowed == allowed
    edges = [ask(ruleset, Pty("xterm"), now=at(f"2027-03-{day}T12:00Z")).valid_until for day in ("07", "08")]
    assert edges == [at("2027-03-07T22:00Z"), at("2027-03-14T22:00Z")]
    assert ask(ruleset, Pty("xterm"), now=at("2027-03-07T23:00Z")).valid_until == at("2027-03-08T06:00Z")
