"""Warnings about roles, grants and people."""

import pytest

from pysshd.policy.load import load_text
from tests.policy.support import KEYS, PEOPLE, loaded, warnings


def test_a_role_that_nobody_has() -> None:
    assert warnings("roles: {r: {pty: true}}") == "no grant gives the role r"
    assert warnings("roles: {r: {pty: true}}\ngrants: [{who: alice, roles: r}]") == ""


@pytest.mark.parametrize(
    ("entry", "empty"),
    [
        ("who: group:dba, allow: {pty: true}", False),
        ("who: bob, account: git, allow: {pty: true}", True),
        ("who: bob, with: password, deny: all", True),
        ("who: alice, unless: {who: group:ops}, allow: {pty: true}", True),
        ("who: alice, from: 10.0.0.1, deny: all", False),
    ],
)
def test_a_grant_that_matches_nobody(entry: str, empty: bool) -> None:
    other = "{who: alice, allow: {env: {accept: X}}}"  # so that there is something to deny
    assert warnings(f"grants: [{other}, {{name: g, {entry}}}]") == ("g matches nobody" if empty else "")


@pytest.mark.parametrize(
    ("wide", "narrow", "shadowed"),
    [
        ("allow: {pty: true}", "who: alice, from: 10.0.0.1, allow: {pty: true}", True),
        ("who: [alice, bob], allow: {pty: true}", "who: bob, allow: {pty: true}", True),
        ("who: group:ops, allow: {pty: true, env: {accept: LANG}}", "who: group:ops, allow: {pty: true}", True),
        ("who: group:ops, allow: {pty: true}", "who: bob, allow: {pty: true, env: {accept: LANG}}", False),
        ("who: group:ops, allow: {pty: true}", "who: bob, allow: {pty: true}", True),
        ("who: [group:ops, carol], allow: {pty: true}", "who: [carol, bob, alice], allow: {pty: true}", True),
        ("who: group:ops, allow: {pty: true}", "who: [bob, carol], allow: {pty: true}", False),
        ("who: group:dba, allow: {pty: true}", "who: bob, allow: {pty: true}", False),
        ("who: group:ops, from: 10.0.0.1, allow: {pty: true}", "who: bob, allow: {pty: true}", False),
        ("who: alice, from: 10.0.0.1, allow: {pty: true}", "who: alice, account: git, allow: {pty: true}", False),
        (
            "who: alice, unless: {from: 10.0.0.1}, allow: {pty: true}",
            "who: alice, account: git, allow: {pty: true}",
            False,
        ),
        ("who: alice, allow: {pty: true}", "who: [alice, bob], allow: {pty: true}", None),
        ("account: git, allow: {pty: true}", "account: git, allow: {pty: true}", False),
        ("who: alice, deny: {pty: true}", "who: alice, allow: {pty: true}", False),
    ],
)
def test_a_grant_that_gives_nothing_new(wide: str, narrow: str, shadowed: bool | None) -> None:
    if shadowed is None:
        wide, narrow, shadowed = narrow, wide, True
    expected = "n gives nothing that w at p.yaml:8 does not give to the same people" if shadowed else ""
    assert warnings(f"grants: [{{name: w, {wide}}}, {{name: n, {narrow}}}]") == expected
    assert warnings(f"grants: [{{name: n, {narrow}}}, {{name: w, {wide}}}]") == expected


def test_of_two_that_are_alike_the_later_one_is_odd() -> None:
    for who in ("who: alice, ", "", 'who: "*", '):
        text = warnings(f"grants: [{{name: a, {who}allow: {{pty: true}}}}, {{name: b, {who}allow: {{pty: true}}}}]")
        assert text == "b gives nothing that a at p.yaml:8 does not give to the same people"


def test_a_key_of_two_people_of_different_accounts() -> None:
    people = f'version: 1\nusers:\n  alice: {{keys: "{KEYS[0]}"}}\n  bob: {{keys: "{KEYS[0]}"}}\n'
    [warning] = loaded("", people).warnings
    assert "of bob is also a key of alice at p.yaml:3" in warning.message


def test_a_person_who_can_not_log_in() -> None:
    assert warnings("", "version: 1\nusers:\n  alice: {accounts: git}\n") == (
        "alice has neither keys nor a password, and can not log in"
    )


BOB_ALONE = "grants: [{who: bob, allow: {pty: true}}]\n"
OPS_ALONE = "grants: [{who: group:ops, allow: {pty: true}}]\n"


@pytest.mark.parametrize(
    ("login", "grants", "why"),
    [
        ("{who: bob, methods: password}", BOB_ALONE, "p.yaml:8 asks for password"),
        ("{who: bob, methods: [publickey+publickey, password]}", BOB_ALONE,
         "p.yaml:8 asks for publickey+publickey or password"),
        ("{who: group:ops, methods: publickey+password}", OPS_ALONE, "p.yaml:8 asks for publickey+password"),
        ("{who: bob, refuse: true}", BOB_ALONE, "p.yaml:8 refuses"),
        ("{who: bob, refuse: true}, {methods: publickey}", OPS_ALONE, ""),
        ("{who: bob, from: 10.0.0.0/8, refuse: true}", BOB_ALONE, "p.yaml:8 refuses, no login entry matches"),
        ("{who: alice, methods: publickey}", BOB_ALONE, "no login entry matches"),
        ("{who: alice, methods: publickey}", OPS_ALONE, "no login entry matches"),
        ("{who: alice, methods: publickey}", "grants: [{allow: {pty: true}}]\n", ""),
        ("{who: alice, methods: publickey}", "grants: [{who: bob, deny: {pty: true}}]\n", ""),
        ("{who: bob, from: 10.0.0.0/8, methods: publickey}", BOB_ALONE, ""),
        ("{who: bob, methods: [password, publickey]}", BOB_ALONE, ""),
        ("{who: bob, from: 10.0.0.0/8, refuse: true}, {methods: publickey}", BOB_ALONE, ""),
    ],
)  # fmt: skip
def test_a_person_whom_no_login_entry_admits(login: str, grants: str, why: str) -> None:
    found = load_text(f"{PEOPLE}login: [{login}]\n{grants}", "p.yaml", language=True).warnings
    said = f"bob can never log in, though a grant names them: {why}"
    assert [one.message for one in found if "never log in" in one.message] == ([said] if why else [])


def test_a_login_by_key_as_somebody_else_and_never_by_password() -> None:
    people = PEOPLE.replace("accounts: [carol, git]", "accounts: git")
    grants = "grants: [{who: carol, allow: {pty: true}}]\n"
    assert "carol can never log in" in warnings(f"login: [{{methods: password}}]\n{grants}", people)
    assert warnings(f"login: [{{methods: publickey+password}}]\n{grants}", people) == ""


@pytest.mark.parametrize(
    "section",
    [
        "sources: [{system: {min_uid: 1000}, password: system}]\nserver: {accounts: system}\n",
        f'authorities: {{ca: {{keys: ["{KEYS[1]}"]}}}}\n',
    ],
)
def test_whom_the_host_or_a_certificate_could_let_in_is_not_told_of(section: str) -> None:
    text = f"{PEOPLE}{section}login: [{{who: bob, methods: password}}]\n{BOB_ALONE}"
    found = load_text(text, "p.yaml", language=True).warnings
    assert not [one for one in found if "never log in" in one.message]


def test_nothing_to_say_of_a_good_policy() -> None:
    assert warnings('grants: [{who: "*", allow: {shell: true, exec: any, pty: true, confined: true}}]') == ""
