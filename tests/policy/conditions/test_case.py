"""What a case says of itself, where the host was asked and where it was not."""

import pytest

from pysshd.policy.conditions import FALSE, TRUE, UNSURE, Case, Truth, Who
from pysshd.policy.login import case_of
from pysshd.policy.people import Person
from pysshd.policy.query import UNKNOWN, Step, UnixFacts
from tests.policy.support import NOON, facts

ALICE = Person("alice", accounts=("alice",))


def case(person: Person | None, unix: UnixFacts | None = None) -> Case:
    return Case(person, "alice", None, "127.0.0.1:2222", NOON, unix=unix)


@pytest.mark.parametrize(
    ("unix", "root", "anyone"),
    [
        # With accounts: service no session is another account of the host, and nobody asks.
        (None, FALSE, TRUE),
        (UnixFacts("alice", 1000), FALSE, TRUE),
        (UnixFacts("alice", 0), TRUE, FALSE),
        (UnixFacts("alice", UNKNOWN), UNSURE, UNSURE),
    ],
)
def test_everyone_but_root(unix: UnixFacts | None, root: Truth, anyone: Truth) -> None:
    assert case(ALICE, unix).is_root is root
    assert Who("", anyone=True, but_root=True).test(case(ALICE, unix)) is anyone
    assert Who("", anyone=True).test(case(ALICE, unix)) is TRUE


def test_where_nobody_is_identified_nobody_is_meant() -> None:
    """Not by `*`, and not by a group of the host's account either: a login before its first step proves nothing."""
    host = UnixFacts("alice", 1000, groups=frozenset(["wheel"]))
    named = Who("", people=frozenset(["alice"])), Who("", system_groups=frozenset(["wheel"]))
    for who in (Who("", anyone=True), *named):
        assert who.test(case(None, host)) is FALSE
        assert who.test(case(ALICE, host)) is TRUE


def test_a_step_without_a_fingerprint_names_no_key() -> None:
    steps = (Step("publickey"), Step("publickey", "SHA256:x"), Step("password"))
    found = case_of(ALICE, "alice", facts(), steps)
    assert found.fingerprints == frozenset(["SHA256:x"])
    assert found.methods == ("publickey", "publickey", "password")
    assert case_of(None, "alice", facts(), steps).fingerprints == frozenset()
