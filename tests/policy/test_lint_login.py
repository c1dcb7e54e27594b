"""The checks on `login`: what they refuse, and what they must let pass."""

import pytest

from pysshd.policy import lint_login
from tests.policy.support import PEOPLE, load, loaded, messages, problems

OFFICE = 'networks: {office: [10.0.0.0/8, "fd00::/8"]}\nlogin:\n'


def section(*entries: str) -> str:
    return OFFICE + "".join(f"  - {{{entry}}}\n" for entry in entries)


@pytest.mark.parametrize(
    ("entries", "by"),
    [
        (('who: "*", methods: publickey', "who: alice, methods: password"), "p.yaml:10"),
        (("methods: publickey", "who: alice, refuse: true"), "p.yaml:10"),
        (("who: [alice, bob], methods: publickey", "who: group:ops, methods: password"), "p.yaml:10"),
        (('who: "*", from: office, refuse: true', "who: bob, from: 10.2.0.0/16, methods: publickey"), "p.yaml:10"),
        (("account: git, methods: publickey", "who: carol, account: git, methods: password"), "p.yaml:10"),
        (
            ("from: office, methods: publickey", "unless: {from: office}, methods: password", "who: bob, refuse: true"),
            "p.yaml:1",
        ),
        (("not_after: 2027-01-01, refuse: true", "not_after: 2026-12-31, methods: publickey"), "p.yaml:10"),
        (("who: bob, methods: publickey", "who: alice, account: carol, methods: publickey"), "nobody"),
    ],
)
def test_unreachable(entries: tuple[str, ...], by: str) -> None:
    text = messages(section(*entries))
    assert "login entry is never reached" in text
    assert by in text


@pytest.mark.parametrize(
    "entries",
    [
        ("who: alice, methods: publickey", 'who: "*", methods: publickey'),
        ("who: alice, account: git, methods: publickey", "who: alice, methods: publickey"),
        ('who: "*", from: office, methods: [publickey, password]', 'who: "*", methods: publickey'),
        ("who: key:laptop, methods: publickey", "who: alice, methods: publickey+password"),
        ("unless: {who: group:ops}, methods: publickey", "methods: publickey"),
        ("not_after: 2027-01-01, methods: publickey", "methods: publickey+password"),
    ],
)
def test_reachable(entries: tuple[str, ...]) -> None:
    load(section(*entries))


def test_a_group_without_members_may_have_an_entry() -> None:
    people = "version: 1\ngroups: [ops, later]\nusers:\n  a: {groups: ops}\n"
    load(section("who: group:later, methods: publickey", 'who: "*", methods: password'), people)
    text = messages(section('who: "*", methods: publickey', "who: group:later, methods: password"), people)
    assert "never reached" in text


def test_without_people_entries_are_judged_for_somebody() -> None:
    load("login: [{methods: publickey}]", "version: 1\n")
    assert "never reached" in messages("login: [{methods: publickey}, {methods: password}]", "version: 1\n")


@pytest.mark.parametrize(
    "entries",
    [
        ("who: alice, from: office, methods: publickey+password", 'who: "*", methods: publickey'),
        ("who: group:ops, from: office, methods: publickey+password", "from: 10.0.0.0/7, methods: [password]"),
        ("who: alice, not_after: 2027-01-01, methods: publickey+password", "methods: password"),
        ("account: git, unless: {from: office}, methods: publickey+publickey", "methods: publickey"),
        (
            "who: alice, from: office, methods: publickey+password",
            "who: bob, methods: publickey",
            'who: "*", methods: [publickey+password+publickey, publickey]',
        ),
    ],
)
def test_falls_through(entries: tuple[str, ...]) -> None:
    text = messages(
        section(*entries).replace("publickey+password+publickey, publickey", "password+publickey, publickey")
    )
    assert "is held to" in text
    assert "with less:" in text


@pytest.mark.parametrize(
    "entries",
    [
        (
            "who: alice, from: office, methods: publickey+password",
            "who: alice, refuse: true",
            'who: "*", methods: publickey',
        ),
        ("who: alice, from: office, methods: [publickey, password]", 'who: "*", methods: publickey'),
        ("who: alice, from: office, methods: password", 'who: "*", methods: publickey'),
        ('who: "*", from: office, methods: publickey+password', 'who: "*", methods: publickey'),
        ("who: alice, from: office, methods: publickey", 'who: "*", methods: publickey+password'),
        ("who: alice, from: office, refuse: true", 'who: "*", methods: publickey'),
        ("who: alice, methods: publickey+password", 'who: "*", methods: publickey'),
    ],
)
def test_does_not_fall_through(entries: tuple[str, ...]) -> None:
    load(section(*entries))


def test_the_message_names_person_lines_and_place() -> None:
    text = messages(section("who: bob, from: office, methods: publickey+password", 'who: "*", methods: publickey'))
    assert text == (
        "bob is held to publickey+password by p.yaml:10, but this entry admits bob from 11.0.0.0 with less: publickey"
    )


def test_every_chain_that_was_wanted_is_named() -> None:
    wanted = "methods: [publickey+password, password+publickey]"
    text = messages(section(f"who: bob, from: office, {wanted}", 'who: "*", methods: [password, publickey]'))
    assert text == (
        "bob is held to publickey+password or password+publickey by p.yaml:10, but this entry admits bob from 11.0.0.0 "
        "with less: password"
    )


@pytest.mark.parametrize(
    "between",
    [
        "who: carol, refuse: true",
        "who: alice, from: office, methods: publickey",  # asks for no more
        'who: "*", from: 10.2.0.0/16, methods: publickey+password',  # names nobody
    ],
)
def test_another_entry_before_the_one_that_holds_somebody_keeps_nothing_back(between: str) -> None:
    held = "who: bob, from: office, methods: publickey+password"
    text = messages(section(between, held, 'who: "*", methods: publickey'))
    assert text == (
        "bob is held to publickey+password by p.yaml:11, but this entry admits bob from 11.0.0.0 with less: publickey"
    )


def test_two_entries_that_hold_somebody_are_told_of_each() -> None:
    held = (
        "who: bob, from: 10.0.0.0/8, methods: publickey+password",
        "who: bob, from: 'fd01::/16', methods: publickey+totp",
    )
    found = problems(section(*held, 'who: "*", methods: publickey'))
    errors = [one for one in found if one.severity == "error"]
    assert [one.message.partition(", but")[0] for one in errors] == [
        "bob is held to publickey+password by p.yaml:10",
        "bob is held to publickey+totp by p.yaml:11",
    ]
    assert {one.hint for one in errors} == {
        "refuse them between the two: {who: bob, refuse: true}",
    }


def test_as_many_cases_as_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two entries that say nothing of places and times there is one case, in which both are tried."""
    people = "version: 1\nusers: {alice: {accounts: [a]}}\n"
    login = "login: [{who: alice, methods: publickey}, {who: bob, refuse: true}]\n"
    lint = "login entries differ in so many ways"
    monkeypatch.setattr(lint_login, "WORK_MAX", 2)
    assert lint not in messages(login, people)
    monkeypatch.setattr(lint_login, "WORK_MAX", 1)
    assert lint in messages(login, people)


def test_which_entry_takes_most_of_what_another_matches() -> None:
    text = messages(section(
        "who: alice, methods: publickey", "who: [bob, carol], methods: publickey", "who: bob, refuse: true",
        "who: [alice, bob, carol], methods: password",
    ))  # fmt: skip
    assert text.splitlines() == [
        "login entry is never reached: what it matches is decided before it, by p.yaml:11",
        "login entry is never reached: what it matches is decided before it, by p.yaml:11",
    ]


@pytest.mark.security("S123")
@pytest.mark.timeout(300)  # with a tracer, or on a busy machine, a minute is not enough
def test_entries_that_differ_in_too_many_ways_are_tried_as_far_as_time_goes() -> None:
    entries = "".join(
        f"  - {{who: alice, account: [alice, git], from: [10.{n}.0.0/16, 192.168.{n}.0/24], methods: publickey, "
        f"not_after: '20{n:02}-01-01'}}\n"
        for n in range(27, 99)
    )
    accounts = ", ".join(["alice", "git", *(f"a{n}" for n in range(70))])
    people = PEOPLE.replace("accounts: [alice, git]", f"accounts: [{accounts}]")
    entries = entries.replace("[alice, git]", f"[{accounts}]")
    found = loaded(f"login:\n{entries}", people).warnings
    assert found[0].message == "login entries differ in so many ways that only some of the cases were tried"
    assert found[0].line == 9
    assert found[0].hint == "entries that nothing reaches, or that admit somebody with less, may be among them"
