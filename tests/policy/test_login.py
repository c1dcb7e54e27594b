"""Login: ordered entries, chains, steps that do not count, and what a client sees before anyone is identified."""

from datetime import UTC, datetime, timedelta

import pytest

from pysshd.policy.decide import first_methods
from pysshd.policy.query import UNKNOWN, Login, Pty, Step
from pysshd.policy.ways import LoginWay
from tests.policy.support import FINGERPRINTS, KEYS, NOON, PASSWORD, ask, facts, key_step, load, login

LOGIN = """\
networks: {office: 10.0.0.0/8}
login:
  - {who: bob, from: office, methods: publickey}
  - {who: bob, refuse: true}
  - {who: "*", from: office, methods: [publickey, password+publickey]}
  - {who: "*", methods: publickey+password}
"""
SECOND = Step("publickey", FINGERPRINTS[1])


def test_without_a_section_a_key_is_enough() -> None:
    ruleset = load()
    assert login(ruleset, key_step()).way == LoginWay(True)
    assert not login(ruleset, PASSWORD).allowed


def test_the_first_entry_that_matches_decides() -> None:
    ruleset = load(LOGIN)
    assert login(ruleset, key_step("bob"), person="bob").way == LoginWay(True)
    refused = login(ruleset, key_step("bob"), person="bob", source="192.0.2.1")
    assert (refused.allowed, refused.decided_by, refused.reason) == (False, "p.yaml:11", "login entry 2 refuses")
    assert login(ruleset, key_step(), source="192.0.2.1").way == LoginWay(False, ("password",))
    assert login(ruleset, key_step(), PASSWORD, source="192.0.2.1").way == LoginWay(True)
    assert login(ruleset, PASSWORD).way == LoginWay(False, ("publickey",))


def test_the_entry_that_decides_decides_also_when_its_methods_fail() -> None:
    found = login(load(LOGIN), PASSWORD, source="192.0.2.1")
    assert not found.allowed
    assert found.decided_by == "p.yaml:13"
    assert found.reason == "login entry 4 asks for publickey+password, not password"


def test_what_is_asked_for_and_what_goes_on_is_told_whole() -> None:
    ruleset = load("login: [{methods: [publickey+password, publickey+publickey]}]\n")
    found = login(ruleset, PASSWORD)
    assert found.reason == "login entry 1 asks for publickey+password, publickey+publickey, not password"
    found = login(ruleset, key_step())
    assert found.way == LoginWay(False, ("password", "publickey"))
    assert found.reason == "login entry 1 goes on with password, publickey"
    assert login(ruleset, key_step(), SECOND).reason == "login entry 1 is met by publickey+publickey"


def test_a_step_too_many_is_refused() -> None:
    assert not login(load(LOGIN), key_step(), PASSWORD).allowed
    assert not login(load(LOGIN), key_step(), PASSWORD, SECOND, source="192.0.2.1").allowed


@pytest.mark.security("S64")
def test_no_key_and_no_password_counts_twice() -> None:
    ruleset = load('login: [{who: "*", methods: publickey+publickey}]')
    assert login(ruleset, key_step()).way == LoginWay(False, ("publickey",))
    assert login(ruleset, key_step(), SECOND).way == LoginWay(True)
    assert login(ruleset, key_step(), key_step()).reason == "a key counts once"
    both = load('login: [{who: "*", methods: password+publickey}]')
    assert login(both, PASSWORD, PASSWORD).reason == "a password counts once"


def test_every_step_must_fit_the_person() -> None:
    ruleset = load('login: [{who: "*", methods: [publickey, password]}]')
    assert login(ruleset, key_step("bob")).reason == "a key is not among the keys of alice"
    assert login(ruleset, Step("publickey")).reason == "a key is not among the keys of alice"
    assert login(ruleset, PASSWORD, person="bob").reason == "bob has no password"
    assert login(ruleset, Step("totp")).reason == "alice has no totp"
    assert login(ruleset, Step("smile")).reason == "a method is not served"
    assert login(ruleset, Step("certificate")).reason == "a method is not served"
    assert login(ruleset, key_step(), person=None).reason == "nobody is identified"
    assert login(ruleset, key_step(), person="mallory", account="alice").reason == "nobody is identified"


def test_a_password_first_of_all_is_that_of_the_accounts_own_person() -> None:
    ruleset = load('login: [{who: "*", methods: [publickey+password, password]}]')
    assert login(ruleset, PASSWORD, person="carol").allowed
    assert not login(ruleset, PASSWORD, person="carol", account="git").allowed
    assert login(ruleset, key_step("carol"), PASSWORD, person="carol", account="git").allowed
    person = ruleset.person_of_password("carol")
    assert person is not None
    assert person.name == "carol"
    assert ruleset.person_of_password("git") is None


def test_an_unknown_fact_refuses() -> None:
    found = login(load(LOGIN), key_step("bob"), person="bob", source=UNKNOWN)
    assert (found.allowed, found.reason) == (False, "login entry 1 hangs on a fact that is unknown")


def test_a_key_in_who_of_an_entry() -> None:
    ruleset = load('login:\n  - {who: key:laptop, methods: publickey}\n  - {who: "*", methods: publickey+publickey}\n')
    assert login(ruleset, key_step()).way == LoginWay(True)
    assert login(ruleset, SECOND).way == LoginWay(False, ("publickey",))
    assert not login(ruleset, SECOND, key_step()).allowed


def test_the_trace_of_a_login() -> None:
    found = ask(load(LOGIN), Login((), key_step()), trace=True)
    assert [(tried.entry, tried.where, tried.matched, tried.failed) for tried in found.trace] == [
        ("login entry 1", "p.yaml:10", False, "who: bob"),
        ("login entry 2", "p.yaml:11", False, "who: bob"),
        ("login entry 3", "p.yaml:12", True, ""),
    ]


def test_the_trace_of_a_login_that_no_entry_decides() -> None:
    found = ask(load("login: [{who: bob, methods: publickey}]"), Login((), key_step()), trace=True)
    assert (found.allowed, found.decided_by, found.reason) == (False, "no login entry", "no login entry matches")
    assert [(tried.where, tried.failed) for tried in found.trace] == [("p.yaml:8", "who: bob")]
    assert found.valid_until is None
    later = datetime(2027, 1, 1, tzinfo=UTC)
    soon = ask(load("login: [{not_before: 2027-01-01, methods: publickey}]"), Login((), key_step()))
    assert (soon.allowed, soon.valid_until) == (False, later)


# What a client sees before a factor has succeeded


@pytest.mark.security("S71")
@pytest.mark.parametrize("source", ["10.0.0.1", "192.0.2.1", None, UNKNOWN])
def test_offers_do_not_follow_from_the_name(source: str | None) -> None:
    ruleset = load(LOGIN)
    offers = {
        first_methods(ruleset, facts(person=person, account=account, source=source))
        for person in ("alice", "bob", "carol", None, "mallory")
        for account in ("alice", "bob", "git", "mallory", "../x")
    }
    assert len(offers) == 1


@pytest.mark.parametrize(
    ("section", "source", "expected"),
    [
        ("", "10.0.0.1", ("publickey",)),
        (LOGIN, "10.0.0.1", ("publickey", "password")),
        (LOGIN, "192.0.2.1", ("publickey",)),
        (LOGIN, None, ("publickey",)),
        (LOGIN, UNKNOWN, ("publickey", "password")),
        ('login: [{who: "*", from: 10.0.0.0/8, refuse: true}, {who: "*", methods: password}]', "10.0.0.1", ()),
        (
            'login: [{who: "*", from: 10.0.0.0/8, refuse: true}, {who: "*", methods: password}]',
            "1.2.3.4",
            ("password",),
        ),
        ("login: [{who: alice, methods: password}]", "10.0.0.1", ("password",)),
        ("login: [{account: git, methods: password}, {methods: publickey}]", "10.0.0.1", ("password", "publickey")),
        (
            "login: [{unless: {who: bob}, methods: password}, {methods: publickey}]",
            "1.1.1.1",
            ("password", "publickey"),
        ),
        ("login: [{unless: {from: 10.0.0.0/8}, methods: password}, {methods: publickey}]", "10.0.0.1", ("publickey",)),
    ],
)
def test_first_methods(section: str, source: str | None, expected: tuple[str, ...]) -> None:
    assert first_methods(load(section), facts(source=source)) == expected


def test_first_methods_follow_from_the_time() -> None:
    ruleset = load("login: [{not_after: 2026-11-23, methods: password}, {methods: publickey}]")
    assert first_methods(ruleset, facts()) == ("password",)
    assert first_methods(ruleset, facts(now=NOON + timedelta(days=1))) == ("publickey",)


# After the login


def test_requests_ask_again_who_stands_there() -> None:
    ruleset = load("grants: [{allow: {pty: true}}]")
    assert ask(ruleset, Pty("xterm")).allowed
    assert ask(ruleset, Pty("xterm"), methods=()).reason == "no step of a login is done"
    assert not ask(ruleset, Pty("xterm"), methods=(key_step("bob"),)).allowed
    assert not ask(ruleset, Pty("xterm"), person="bob", methods=(PASSWORD,)).allowed
    assert not ask(ruleset, Pty("xterm"), person=None).allowed


def test_keys_of_files_are_tied_to_their_entry_by_label() -> None:
    people = (
        f'version: 1\nusers:\n  alice: {{keys: [{{name: yubi, file: /k/a.pub}}, {{file: /k/b.pub}}, "{KEYS[0]}"]}}\n'
    )
    ruleset = load("grants: [{who: key:yubi, allow: {pty: true}}]", people)
    alice = ruleset.people["alice"]
    yubi, plain, inline = alice.keys
    assert (yubi.label, plain.label, inline.label) == ("yubi", "/k/b.pub", FINGERPRINTS[0])
    assert alice.key_of(alice.step(yubi, "SHA256:x")) is yubi
    assert alice.key_of(alice.step(plain, "SHA256:x")) is plain
    assert alice.key_of(alice.step(inline, FINGERPRINTS[0])) is inline
    assert alice.key_of(Step("publickey", "SHA256:x")) is None
    assert alice.key_of(Step("publickey", None, "yubi")) is None
    assert alice.key_of(Step("publickey", "SHA256:x", FINGERPRINTS[0])) is None
    assert ask(ruleset, Pty("xterm"), methods=(alice.step(yubi, "SHA256:x"),)).allowed
    assert not ask(ruleset, Pty("xterm"), methods=(alice.step(plain, "SHA256:x"),)).allowed
