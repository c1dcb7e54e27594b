"""Bounds add up, and those of a decision are of every allow that permits it and every bound that matches."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.bounds import NO_BOUNDS, Bounds, Limit, Record
from pysshd.policy.query import UNKNOWN, Exec, Shell, Unknown
from pysshd.policy.ruleset import Effect, Ruleset, ruleset_of
from tests.policy.support import ask, load

LIMITS = st.builds(
    Limit, st.sampled_from(["idle", "lifetime", "bandwidth"]), st.integers(1, 9), st.sampled_from(["grant", "all"])
)
BOUNDS = st.builds(Bounds, st.frozensets(LIMITS, max_size=4), st.sampled_from(Record))


@given(BOUNDS, BOUNDS, BOUNDS)
def test_bounds_add_up(a: Bounds, b: Bounds, c: Bounds) -> None:
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | a == a
    assert a | NO_BOUNDS == NO_BOUNDS | a == a


@given(BOUNDS, BOUNDS, st.sampled_from(["idle", "lifetime", "bandwidth"]))
def test_a_bound_never_loosens(a: Bounds, b: Bounds, name: str) -> None:
    both, alone = (a | b).amount(name), a.amount(name)
    assert alone is None or (both is not None and both <= alone)
    assert (a | b).record >= a.record


def bounded(*bounds: Bounds) -> Ruleset:
    """Two allows, one of which permits only a shell, and a `bound` for the office; each with its bounds."""
    ruleset = load(
        "grants:\n"
        "  - {name: any, who: alice, allow: {exec: any, shell: true, confined: true}}\n"
        "  - {name: ls, who: alice, allow: {exec: ls, confined: true}}\n"
        "  - {name: office, who: alice, from: 10.0.0.0/8, deny: all}\n"
    )
    grants = [replace(grant, bounds=some) for grant, some in zip(ruleset.grants, bounds, strict=True)]
    grants[2] = replace(grants[2], effect=Effect.BOUND, everything=False)
    return ruleset_of(ruleset.settings, ruleset.people.values(), ruleset.login, grants)


def test_which_bounds_a_request_carries() -> None:
    any_, ls = Bounds(frozenset([Limit("idle", 60)])), Bounds(frozenset([Limit("idle", 30)]), Record.ON)
    office = Bounds(record=Record.REQUIRED)
    ruleset = bounded(any_, ls, office)
    outside = "192.0.2.1"
    assert ask(ruleset, Shell(), source=outside).bounds == any_
    assert ask(ruleset, Exec(b"ls"), source=outside).bounds == any_ | ls
    assert ask(ruleset, Exec(b"ls")).bounds == any_ | ls | office
    unknown: Unknown = UNKNOWN
    assert ask(ruleset, Shell(), source=unknown).bounds == any_ | office
    refused = ask(ruleset, Exec(b"\0"))
    assert (refused.allowed, refused.bounds) == (False, NO_BOUNDS)
