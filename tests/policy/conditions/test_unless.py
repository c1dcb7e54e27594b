"""`unless`: the entry does not match where all of its keys hold."""

import pytest

from pysshd.policy.query import Pty
from tests.policy.support import ask, key_step, load, login


@pytest.mark.parametrize(
    ("account", "source", "allowed"),
    [
        ("alice", "10.0.0.1", True),
        ("alice", "192.0.2.1", True),
        ("git", "10.0.0.1", False),
        ("git", "192.0.2.1", True),
    ],
)
def test_all_keys_must_hold(account: str, source: str, allowed: bool) -> None:
    ruleset = load("grants: [{who: alice, unless: {account: git, from: 10.0.0.0/8}, allow: {pty: true}}]")
    assert ask(ruleset, Pty("xterm"), account=account, source=source).allowed is allowed


def test_in_login() -> None:
    ruleset = load('login: [{who: "*", unless: {who: bob}, methods: publickey}]')
    assert login(ruleset, key_step("carol"), person="carol").allowed
    found = login(
        ruleset,
        key_step("bob"),
        person="bob",
    )
    assert not found.allowed
    assert found.decided_by == "no login entry"


def test_the_trace_names_the_clause() -> None:
    ruleset = load("grants: [{name: g, who: alice, unless: {from: 10.0.0.0/8}, allow: {pty: true}}]")
    [tried] = ask(ruleset, Pty("xterm"), trace=True).trace
    assert (tried.entry, tried.matched, tried.failed) == ("g", False, "unless: {from: 10.0.0.0/8}")
