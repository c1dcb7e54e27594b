"""Bounds add up, and those of a decision are of every allow that permits it and every bound that matches."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.bounds import LIMITS, NO_BOUNDS, Bounds, Limit, Record
from pysshd.policy.load import Loaded, load_text
from pysshd.policy.model_bounds import UseLimitsModel
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import UNKNOWN, Exec, Shell, Unknown
from pysshd.policy.ruleset import Effect, Ruleset, ruleset_of
from tests.policy.support import PEOPLE, ask, load

SOME_LIMITS = st.builds(
    Limit, st.sampled_from(["idle", "lifetime", "bandwidth"]), st.integers(1, 9), st.sampled_from(["grant", "all"])
)
BOUNDS = st.builds(Bounds, st.frozensets(SOME_LIMITS, max_size=4), st.sampled_from(Record))


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


def judged(more: str) -> Loaded:
    """A document that is good, though the daemon does not serve all of it."""
    return load_text(PEOPLE + more, "p.yaml", language=True)


BOUNDED = """
roles: {r: {exec: any, shell: true, confined: true}}
grants:
  - {name: ops, who: "*", roles: r, limits: [{bandwidth: 50MiB/s, idle: 5m}, {bandwidth: 1GB/s, per: all}], record: on}
  - {name: ls, who: alice, allow: {exec: ls, confined: true}, limits: {lifetime: 8h, sessions: 3}}
  - {name: office, unless: {from: 10.0.0.0/8}, bound: {record: required, limits: {file_size: 1GiB, files: 9}}}
"""


def test_bounds_of_a_document() -> None:
    ruleset = judged(BOUNDED).ruleset
    shell = ask(ruleset, Shell())
    assert shell.bounds == Bounds(
        frozenset(
            [Limit("bandwidth", 50 << 20, "grant", "ops"), Limit("idle", 300, "grant", "ops"),
             Limit("bandwidth", 10**9, "all", "ops")]
        ), Record.ON)  # fmt: skip
    assert str(shell.bounds) == "bandwidth: 50MiB/s, bandwidth: 1GB/s per all, idle: 5m, record: on"
    command = ask(ruleset, Exec(b"ls"))
    assert command.bounds.limits - shell.bounds.limits == {
        Limit("lifetime", 28800, "grant", "ls"),
        Limit("sessions", 3, "grant", "ls"),
    }
    away = ask(ruleset, Shell(), source="192.0.2.1")
    assert away.bounds.record is Record.REQUIRED
    assert away.bounds.amount("files") == 9
    assert ask(ruleset, Shell(), source=UNKNOWN).bounds == away.bounds
    assert str(NO_BOUNDS) == "none"
    assert ask(ruleset, Exec(b"ls"), person="mallory").bounds == NO_BOUNDS


def test_the_daemon_serves_no_bounds_yet() -> None:
    found = [(p.line, p.message) for p in judged(BOUNDED).warnings if p.severity == "unserved"]
    assert [message.partition(" is")[0] for _, message in found] == [
        "key 'limits'", "key 'record'", "key 'limits'", "key 'bound'",
    ]  # fmt: skip
    with pytest.raises(PolicyError):
        load_text(PEOPLE + BOUNDED)


def test_every_kind_of_limit_has_a_key() -> None:
    keys = set(UseLimitsModel.key_names()) - {"per"}
    assert keys == set(LIMITS)
    amounts = {"bytes/s": "1kB/s", "bytes": "1kB", "seconds": "1m", "count": "2"}
    for name, kind in LIMITS.items():
        for per in ("", *sorted(kind.scopes)):
            more = f", per: {per}" if per else ""
            text = f"grants: [{{who: alice, allow: {{pty: true}}, limits: {{{name}: {amounts[kind.unit]}{more}}}}}]"
            [limit] = judged(text).ruleset.grants[0].bounds.limits
            assert (limit.name, limit.per) == (name, per or "grant")


def told(*grants: str) -> str:
    """The warnings about bounds."""
    warnings = judged("grants:\n" + "".join(f"  - {{{grant}}}\n" for grant in grants)).warnings
    return "\n".join(problem.message for problem in warnings if problem.severity == "warning")


ALLOW = "name: a, who: group:ops, allow: {pty: true}"


IDLE = "idle: 5m of {} never matters: {} at p.yaml:{} holds the same people to idle: {}"


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ([ALLOW, "name: b, who: alice, bound: {limits: {idle: 5m}}", "name: c, who: '*', bound: {limits: {idle: 1m}}"],
         [IDLE.format("b", "c", 11, "1m")]),
        ([ALLOW, "name: c, who: '*', bound: {limits: {idle: 1m}}", "name: b, who: alice, bound: {limits: {idle: 5m}}"],
         [IDLE.format("b", "c", 10, "1m")]),
        ([f"{ALLOW}, limits: {{idle: 5m}}", "name: c, bound: {limits: {idle: 5m}}"], [IDLE.format("a", "c", 10, "5m")]),
        (["name: c, bound: {limits: {idle: 5m}}", f"{ALLOW}, limits: {{idle: 5m}}"], [IDLE.format("a", "c", 9, "5m")]),
        # Of two that say the same of the same people the later one is odd, else the one of fewer people.
        ([ALLOW, "name: b, who: bob, bound: {limits: {idle: 5m}}", "name: c, who: bob, bound: {limits: {idle: 5m}}"],
         [IDLE.format("c", "b", 10, "5m")]),
        ([ALLOW, "name: b, bound: {limits: {idle: 5m}}", "name: c, bound: {limits: {idle: 5m}}"],
         [IDLE.format("c", "b", 10, "5m")]),
        ([ALLOW, "name: b, who: bob, bound: {limits: {idle: 5m}}",
          "name: c, who: [bob, alice], bound: {limits: {idle: 5m}}"], [IDLE.format("b", "c", 11, "5m")]),
        ([ALLOW, "name: b, who: [alice, bob], bound: {limits: {idle: 5m}}",
          "name: c, who: bob, bound: {limits: {idle: 5m}}"], [IDLE.format("c", "b", 10, "5m")]),
        ([ALLOW, "name: b, who: alice, from: 10.0.0.0/8, bound: {limits: {idle: 5m}}",
          "name: c, who: alice, bound: {limits: {idle: 5m}}"], [IDLE.format("b", "c", 11, "5m")]),
        ([ALLOW, "name: b, who: alice, bound: {record: on}", "name: c, who: [alice, bob], bound: {record: required}"],
         ["record: on of b never matters: c at p.yaml:11 holds the same people to record: required"]),
        ([ALLOW, "name: b, bound: {record: on}", "name: c, bound: {record: on}"],
         ["record: on of c never matters: b at p.yaml:10 holds the same people to record: on"]),
        ([ALLOW, "name: b, who: alice, bound: {record: required, limits: [{idle: 5m}, {bytes: 5kB, per: all}]}",
          "name: c, bound: {record: on, limits: [{idle: 5m}, {bytes: 4kB, per: all}]}"],
         ["bytes: 5kB per all of b never matters: c at p.yaml:11 holds the same people to bytes: 4kB per all",
          IDLE.format("b", "c", 11, "5m")]),
        ([f"{ALLOW}, record: off"],
         ["record: off never matters: the strongest counts, and nothing is recorded where nobody asks for it"]),
        ([ALLOW, "name: b, who: alice, bound: {record: off}"],
         ["record: off never matters: the strongest counts, and nothing is recorded where nobody asks for it"]),
        ([ALLOW, "name: b, who: carol, bound: {record: on}"],
         ["b bounds nothing: nobody whom it means is allowed anything while it holds"]),
        (["name: a, who: alice, from: 10.0.0.0/8, allow: {pty: true}", "name: b, from: 192.0.2.1, bound: {record: on}"],
         ["b bounds nothing: nobody whom it means is allowed anything while it holds"]),
    ],
)  # fmt: skip
def test_bounds_that_never_matter(grants: list[str], said: list[str]) -> None:
    assert told(*grants).splitlines() == said


@pytest.mark.parametrize(
    "grants",
    [
        [ALLOW, "who: alice, bound: {limits: {idle: 1m}}", "who: '*', bound: {limits: {idle: 5m}}"],
        [ALLOW, "who: '*', bound: {limits: {idle: 5m}}", "who: alice, from: 10.0.0.0/8, bound: {limits: {idle: 1m}}"],
        [ALLOW, "who: alice, bound: {limits: {bytes: 5kB}}", "bound: {limits: {bytes: 1kB, per: all}}"],
        [ALLOW, "who: '*', bound: {limits: {idle: 5m}}",
         "who: alice, unless: {from: 10.0.0.0/8}, bound: {limits: {idle: 1m}}"],
        [f"{ALLOW}, limits: {{idle: 5m}}", "who: alice, bound: {limits: {idle: 1m}}"],
        # What an allow, or a bound under conditions, holds to is no measure for others.
        ["who: '*', allow: {pty: true}, limits: {idle: 1m}", "who: alice, bound: {limits: {idle: 5m}}"],
        [ALLOW, "who: '*', from: 10.0.0.0/8, bound: {limits: {idle: 1m}}", "who: alice, bound: {limits: {idle: 5m}}"],
        [ALLOW, "who: '*', unless: {from: 10.0.0.0/8}, bound: {limits: {idle: 1m}}",
         "who: alice, bound: {limits: {idle: 5m}}"],
        [ALLOW, "who: alice, bound: {limits: {idle: 1m}}", "bound: {limits: {idle: 5m}}"],
        [ALLOW, "who: alice, bound: {limits: {idle: 1m}}", "who: [alice, bob], bound: {limits: {idle: 5m}}"],
        [ALLOW, "who: alice, bound: {record: on}", "bound: {record: on}, who: bob"],
    ],
)  # fmt: skip
def test_bounds_that_do(grants: list[str]) -> None:
    assert told(*grants) == ""


def test_of_a_bound_for_a_group_of_nobody_no_more_is_said() -> None:
    people = PEOPLE.replace("groups: [ops, dba]\n", "groups: [ops, dba, later]\n", 1)
    text = f"{people}grants: [{{{ALLOW}}}, {{name: b, who: group:later, bound: {{record: on}}}}]\n"
    found = load_text(text, "p.yaml", language=True).warnings
    assert [one.message for one in found if one.severity == "warning"] == ["b matches nobody"]
