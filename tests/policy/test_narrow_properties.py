"""The law of keys and certificates: they narrow, and never widen (policy.md, Grants 5).

With a narrowing a request is allowed only where it would be without. Only where a command is forced another request is
judged than the one that was asked: then that one would be allowed without, in the same way and with the same bounds.
"""

from dataclasses import fields, replace
from datetime import UTC, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pysshd.patterns.key_options import KeyOptionsError, parse_options
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing
from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.narrow import Narrower, judged
from pysshd.policy.query import Login, Query, Step
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways import Forced
from tests.policy.documents import DOCUMENTS, NOON, QUERIES, RUNS, Entry, likely_facts
from tests.policy.test_properties import accepted, many

OPTIONS = st.sampled_from(
    [
        "restrict", "pty", "no-pty", "no-agent-forwarding", "no-x11-forwarding", "port-forwarding",
        "no-port-forwarding", 'from="10.0.0.0/8"', 'from="!10.1.*,*"', 'from="fd*:*"', 'permitopen="db1.corp:5432"',
        'permitopen="*:22"', 'permitopen="10.1.0.1:*"', 'permitlisten="9000"', 'permitlisten="local*:*"',
        'command="ls"', 'command="ls x"', 'command="serve alice"', 'command="a;b"', 'command="internal-sftp"',
        'command="borg serve"', 'command="scp -f x"', 'environment="A=z"', 'environment="Z=z"', "no-user-rc",
        'tunnel="any"', 'expiry-time="20261124Z"', 'expiry-time="20261125Z"', 'principals="a"',
    ]
)  # fmt: skip


def _narrowing(options: list[str]) -> Narrowing | None:
    try:
        return parse_options(",".join(options), UTC, "/keys:1") if options else NO_NARROWING
    except KeyOptionsError:
        return None  # command twice, or from


COMMANDS = st.sampled_from(["ls", "ls x", "serve", "serve alice", "a;b", "borg serve", "scp -f x"])
NARROWINGS = st.one_of(
    COMMANDS.map(lambda command: parse_options(f'command="{command}"', UTC, "/keys:1")),
    st.lists(OPTIONS, max_size=4, unique=True).map(_narrowing).filter(lambda found: found is not None),
)
SOME = st.one_of(QUERIES, st.builds(Query, likely_facts(), RUNS))
ASKED = st.lists(st.tuples(SOME, NARROWINGS, NARROWINGS), min_size=10, max_size=20)


def narrowed(query: Query, *by: Narrowing) -> Query | None:
    """The query with each of these on a key of its login; None where it has too few."""
    left = list(by)

    def one(step: Step) -> Step:
        return replace(step, narrowing=left.pop(0)) if step.method == "publickey" and left else step

    request = query.request
    if isinstance(request, Login):
        request = Login(tuple(map(one, request.done)), one(request.step))
        return None if left else Query(query.facts, request)
    facts = replace(query.facts, methods=tuple(map(one, query.facts.methods)))
    return None if left else Query(facts, request)


def same_way(found: Decision, plain: Decision) -> bool:
    """Whether it is answered alike, but for what is told of what was asked, and for variables of the key."""
    if isinstance(found.way, Forced) and isinstance(plain.way, Forced):
        return replace(found.way, original=b"") == replace(plain.way, original=b"")
    if type(found.way) is not type(plain.way):
        return False
    names = {field.name for field in fields(found.way)} - {"asked"}  # type: ignore[arg-type]
    return all(getattr(found.way, name) == getattr(plain.way, name) for name in names)


def law(ruleset: Ruleset, query: Query, narrowing: Narrowing) -> bool | None:
    """Whether the law holds for one query; None where it says nothing of it."""
    with_it = narrowed(query, narrowing)
    if with_it is None:
        return None
    found = decide(ruleset, with_it)
    assert replace(decide(ruleset, with_it, trace=True), trace=()) == found
    assert found.reason.isprintable()
    assert found.decided_by
    request = judged(query.request, (Narrower("k", "", narrowing),))
    plain = decide(ruleset, Query(query.facts, request))
    return not found.allowed or (plain.allowed and same_way(found, plain) and found.bounds == plain.bounds)


@many
@given(DOCUMENTS, ASKED)
def test_a_narrowing_never_grants(drawn: tuple[str, list[Entry]], asked: list[Any]) -> None:
    ruleset = accepted(*drawn)
    for query, narrowing, _ in asked:
        assert law(ruleset, query, narrowing) is not False


@many
@given(DOCUMENTS, ASKED)
def test_a_second_narrowing_never_grants_either_and_their_order_never_matters(
    drawn: tuple[str, list[Entry]], asked: list[Any]
) -> None:
    ruleset = accepted(*drawn)
    for query, first, second in asked:
        methods = (Step("publickey", "SHA256:a", "laptop"), *query.facts.methods)
        query = replace(query, facts=replace(query.facts, methods=methods))
        both, swapped = narrowed(query, first, second), narrowed(query, second, first)
        if both is None or swapped is None or isinstance(query.request, Login):
            continue
        found = decide(ruleset, both)
        assert found.allowed is decide(ruleset, swapped).allowed
        forces_more = second.command is not None and first.command is None
        if found.allowed and not forces_more:
            alone = narrowed(query, first)
            assert alone is not None
            assert decide(ruleset, alone).allowed


@many
@given(DOCUMENTS, ASKED)
def test_until_valid_until_nothing_changes(drawn: tuple[str, list[Entry]], asked: list[Any]) -> None:
    ruleset = accepted(*drawn)
    for query, narrowing, _ in asked:
        with_it = narrowed(query, narrowing)
        if with_it is None:
            continue
        found = decide(ruleset, with_it)
        assert found.valid_until is None or found.valid_until > query.facts.now
        for hours in (12, 30, 60):
            later = NOON + timedelta(hours=hours)
            if later > query.facts.now and (found.valid_until is None or later < found.valid_until):
                again = decide(ruleset, Query(replace(with_it.facts, now=later), with_it.request))
                assert (again.allowed, again.way) == (found.allowed, found.way)


def test_the_law_is_about_something() -> None:
    """Of what is drawn much is allowed with a narrowing, and much is refused only for one."""
    counts = {"allowed": 0, "narrowed": 0, "forced": 0}

    @settings(max_examples=80, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS, ASKED)
    def draw(drawn: tuple[str, list[Entry]], asked: list[Any]) -> None:
        ruleset = accepted(*drawn)
        for query, narrowing, _ in asked:
            with_it = narrowed(query, narrowing)
            if with_it is None:
                continue
            found, plain = decide(ruleset, with_it).allowed, decide(ruleset, query).allowed
            counts["allowed"] += found
            counts["narrowed"] += plain and not found
            counts["forced"] += found and judged(query.request, (Narrower("k", "", narrowing),)) != query.request

    draw()
    assert min(counts.values()) > 5, counts
