"""`account`: the name that the client typed."""

from pysshd.policy.query import Pty
from tests.policy.support import ask, load


def test_account_apart_from_person() -> None:
    ruleset = load("grants: [{account: git, allow: {pty: true}}]")
    assert ask(ruleset, Pty("xterm"), person="alice", account="git").allowed
    assert ask(ruleset, Pty("xterm"), person="carol", account="git").allowed
    assert not ask(ruleset, Pty("xterm"), person="alice", account="alice").allowed


def test_an_account_that_is_not_the_persons_is_refused() -> None:
    ruleset = load("grants: [{allow: {pty: true}}]")
    found = ask(ruleset, Pty("xterm"), person="bob", account="git")
    assert not found.allowed
    assert found.decided_by == "p.yaml:6"


def test_names_are_compared_bytewise_and_odd_ones_refused() -> None:
    ruleset = load("grants: [{allow: {pty: true}}]")
    for name in ("Alice", "alice ", "../alice", "-alice", "alice\0", "аlice", "", "a" * 65, "alice\n"):
        assert not ask(ruleset, Pty("xterm"), person="alice", account=name or " ").allowed
