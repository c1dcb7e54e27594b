"""Warnings about roles, grants and people."""

import pytest

from tests.policy.support import KEYS, loaded, warnings


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
    assert warnings(f"grants: [{{name: g, {entry}}}]") == ("g matches nobody" if empty else "")


@pytest.mark.parametrize(
    ("wide", "narrow", "shadowed"),
    [
        ("allow: {pty: true}", "who: alice, from: 10.0.0.1, allow: {pty: true}", True),
        ("who: [alice, bob], allow: {pty: true}", "who: bob, allow: {pty: true}", True),
        ("who: group:ops, allow: {pty: true, env: {accept: LANG}}", "who: group:ops, allow: {pty: true}", True),
        ("who: group:ops, allow: {pty: true}", "who: bob, allow: {pty: true, env: {accept: LANG}}", False),
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


def test_nothing_to_say_of_a_good_policy() -> None:
    assert warnings('grants: [{who: "*", allow: {exec: any, pty: true, confined: true}}]') == ""
