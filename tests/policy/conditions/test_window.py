"""`not_before` and `not_after`, of grants, entries, people and keys; half-open, and `valid_until` at their edges."""

from datetime import UTC, datetime, timedelta

from pysshd.policy.query import Pty
from tests.policy.support import FINGERPRINTS, HASH, KEYS, PASSWORD, ask, key_step, load, login

PARIS = "server: {timezone: Europe/Paris}\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_bare_date_covers_its_day_in_the_zone_of_the_server() -> None:
    ruleset = load(PARIS + "grants: [{who: alice, not_before: 2027-01-28, not_after: 2027-01-29, allow: {pty: true}}]")
    start, end = at("2027-01-27T23:00Z"), at("2027-01-29T23:00Z")
    tick = timedelta(microseconds=1)
    assert not ask(ruleset, Pty("xterm"), now=start - tick).allowed
    assert ask(ruleset, Pty("xterm"), now=start).allowed
    assert ask(ruleset, Pty("xterm"), now=end - tick).allowed
    assert not ask(ruleset, Pty("xterm"), now=end).allowed


def test_valid_until_is_the_next_edge() -> None:
    ruleset = load(
        "grants: [{who: alice, allow: {pty: true}}, "
        "{who: alice, not_before: 2027-01-01, not_after: 2027-01-01, deny: {pty: true}}]"
    )
    opens, closes = at("2027-01-01T00:00Z"), at("2027-01-02T00:00Z")
    found = ask(ruleset, Pty("xterm"))
    assert (found.allowed, found.valid_until) == (True, opens)
    found = ask(ruleset, Pty("xterm"), now=opens)
    assert (found.allowed, found.valid_until) == (False, closes)
    found = ask(ruleset, Pty("xterm"), now=closes)
    assert (found.allowed, found.valid_until) == (True, None)


def test_a_day_of_25_hours_lasts_25_hours() -> None:
    ruleset = load(PARIS + "grants: [{who: alice, not_before: 2027-10-31, not_after: 2027-10-31, allow: {pty: true}}]")
    start = at("2027-10-30T22:00Z")
    assert ask(ruleset, Pty("xterm"), now=start).valid_until == start + timedelta(hours=25)


def test_an_instant_with_its_offset() -> None:
    ruleset = load('grants: [{who: alice, not_after: "2027-01-29T18:00+01:00", allow: {pty: true}}]')
    assert ask(ruleset, Pty("xterm"), now=at("2027-01-29T16:59:59Z")).allowed
    assert not ask(ruleset, Pty("xterm"), now=at("2027-01-29T17:00Z")).allowed


def test_people_and_keys_expire() -> None:
    people = f"""\
version: 1
users:
  alice: {{keys: [{{key: "{KEYS[0]}", not_after: 2027-01-10}}], password: "{HASH}", not_after: 2027-01-20}}
"""
    ruleset = load('login: [{who: "*", methods: [publickey, password]}]\ngrants: [{allow: {pty: true}}]', people)
    key_ends, person_ends = datetime(2027, 1, 11, tzinfo=UTC), datetime(2027, 1, 21, tzinfo=UTC)
    found = login(ruleset, key_step())
    assert (found.allowed, found.valid_until) == (True, key_ends)
    assert not login(ruleset, key_step(), now=key_ends).allowed
    session = ask(ruleset, Pty("xterm"))
    assert (session.allowed, session.valid_until) == (True, key_ends)
    assert not ask(ruleset, Pty("xterm"), now=key_ends).allowed
    by_password = ask(ruleset, Pty("xterm"), now=key_ends, methods=(PASSWORD,))
    assert (by_password.allowed, by_password.valid_until) == (True, person_ends)
    assert not ask(ruleset, Pty("xterm"), now=person_ends, methods=(PASSWORD,)).allowed
    assert FINGERPRINTS[0] in {key.fingerprint for key in ruleset.people["alice"].keys}


def test_login_entries_have_windows() -> None:
    ruleset = load(
        "login:\n"
        "  - {who: bob, not_after: 2027-01-01, methods: publickey}\n"
        "  - {who: bob, refuse: true}\n"
        '  - {who: "*", methods: publickey}\n'
    )
    edge = datetime(2027, 1, 2, tzinfo=UTC)
    found = login(ruleset, key_step("bob"), person="bob")
    assert (found.allowed, found.valid_until) == (True, edge)
    assert not login(ruleset, key_step("bob"), person="bob", now=edge).allowed
