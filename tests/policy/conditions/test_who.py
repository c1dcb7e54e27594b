"""`who`: people, groups, keys, everyone."""

from typing import Any

import pytest

from pysshd.policy.decide import decide
from pysshd.policy.query import UNKNOWN, Pty, Query, Step
from tests.policy.support import FINGERPRINTS, PASSWORD, ask, facts, load


def pty(who: str, **known: Any) -> bool:
    return ask(load(f"grants: [{{who: {who}, allow: {{pty: true}}}}]"), Pty("xterm"), **known).allowed


@pytest.mark.parametrize(
    ("who", "people"),
    [
        ("alice", {"alice"}),
        ("group:ops", {"alice", "bob"}),
        ("group:dba", {"alice"}),
        ("[bob, group:dba]", {"alice", "bob"}),
        ('"*"', {"alice", "bob", "carol"}),
        ('[alice, "*"]', {"alice", "bob", "carol"}),
    ],
)
def test_people_and_groups(who: str, people: set[str]) -> None:
    assert {name for name in ("alice", "bob", "carol") if pty(who, person=name)} == people


def test_absent_means_everyone() -> None:
    ruleset = load("grants: [{allow: {pty: true}}]")
    assert all(ask(ruleset, Pty("xterm"), person=name).allowed for name in ("alice", "bob", "carol"))


def test_key_by_name_is_the_key_that_was_used() -> None:
    laptop, other = Step("publickey", FINGERPRINTS[0]), Step("publickey", FINGERPRINTS[1])
    assert pty("key:laptop", methods=(laptop,))
    assert not pty("key:laptop", methods=(other,))
    assert pty("key:laptop", methods=(other, laptop))
    assert not pty("key:laptop", methods=(PASSWORD,))


def test_key_by_fingerprint() -> None:
    other = Step("publickey", FINGERPRINTS[1])
    assert pty(f"key:{FINGERPRINTS[1]}", methods=(other,))
    assert not pty(f"key:{FINGERPRINTS[1]}")
    assert not pty(f"key:{FINGERPRINTS[2]}")


def test_nobody_identified_matches_nothing() -> None:
    assert not pty('"*"', person=None)
    assert not pty('"*"', person="mallory")


def test_unknown_facts_of_others_do_not_matter() -> None:
    ruleset = load("grants: [{who: alice, allow: {pty: true}}]")
    known = facts(source=UNKNOWN)
    assert decide(ruleset, Query(known, Pty("xterm"))).allowed
