"""What must hold of bounds in every document that is accepted: they only ever add up."""

import re
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.policy.bounds import Bounds
from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import UNKNOWN, Query
from pysshd.policy.ruleset import Ruleset
from tests.policy.documents import DOCUMENTS, QUERIES, Entry, but_clashes, document, entries

many = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=30)
ASKED = st.lists(QUERIES, min_size=10, max_size=20)
LIMITS = st.sampled_from(
    ["{idle: 5m}", "{idle: 1h, lifetime: 8h}", "[{bandwidth: 1MiB/s, per: all}, {bandwidth: 1MiB/s}]", "{sessions: 2}",
     "{sessions: 3, per: source}"]
)  # fmt: skip
BOUND = st.one_of(
    LIMITS.map(lambda limits: f"bound: {{limits: {limits}}}"),
    st.sampled_from(["bound: {record: on}", "bound: {record: required, limits: {idle: 1m}}"]),
)


@st.composite
def bounds(draw: st.DrawFn) -> Entry:
    """A grant with a `bound`."""
    entry = draw(entries(("deny",)))
    return replace(entry, body=re.sub(r"deny: .*", draw(BOUND), entry.body), effect="bound")


@st.composite
def bounded(draw: st.DrawFn) -> tuple[str, list[Entry]]:
    """A document with bounds beside its allows and of their own."""
    login, grants = draw(DOCUMENTS)
    found = [
        replace(entry, body=f"{entry.body}, limits: {draw(LIMITS)}, record: {draw(st.sampled_from(['on', 'off']))}")
        if entry.effect == "allow" and draw(st.booleans())
        else entry
        for entry in grants
    ]
    return login, found + draw(st.lists(bounds(), max_size=2, unique_by=lambda entry: entry.name))


def accepted(login: str, grants: list[Entry]) -> Ruleset:
    """The ruleset, where the document is good."""
    try:
        return load_text(document(login, grants), language=True).ruleset
    except PolicyError:
        assume(False)
        raise


def nameless(found: Bounds) -> object:
    """Bounds without the names of the grants that they come from."""
    return sorted((limit.name, limit.amount, limit.per) for limit in found.limits), found.record


@many
@given(bounded(), bounds(), ASKED)
def test_adding_a_bound_never_grants_or_loosens(
    drawn: tuple[str, list[Entry]], bound: Entry, asked: list[Query]
) -> None:
    login, grants = drawn
    before, after = accepted(login, grants), accepted(login, [*grants, replace(bound, name="the-bound")])
    for query in asked:
        one, two = decide(before, query), decide(after, query)
        assert (one.allowed, one.way) == (two.allowed, two.way)
        assert one.bounds | two.bounds == two.bounds


@many
@given(bounded(), entries(("deny",)), ASKED)
def test_adding_a_deny_never_loosens(drawn: tuple[str, list[Entry]], deny: Entry, asked: list[Query]) -> None:
    login, grants = drawn
    before, after = accepted(login, grants), accepted(login, [*grants, replace(deny, name="the-deny")])
    for query in asked:
        one, two = decide(before, query), decide(after, query)
        assert not two.allowed or one.bounds == two.bounds


@many
@given(bounded(), ASKED)
def test_what_a_bound_of_its_own_says_holds_whatever_else_is_granted(
    drawn: tuple[str, list[Entry]], asked: list[Query]
) -> None:
    """Without the allows' own bounds, and with one allow less, no bound of a `bound` is lost."""
    login, grants = drawn
    plain = [replace(entry, body=entry.body.partition(", limits:")[0]) if entry.effect == "allow" else entry
             for entry in grants]  # fmt: skip
    removed = next((entry for entry in plain if entry.effect == "allow"), None)
    assume(removed is not None)
    before, after = accepted(login, plain), accepted(login, [entry for entry in plain if entry is not removed])
    for query in but_clashes(before, asked):
        one, two = decide(before, query), decide(after, query)
        assert one.allowed or not two.allowed
        if two.allowed:
            assert nameless(one.bounds) == nameless(two.bounds)


@many
@given(bounded(), ASKED)
def test_order_and_names_of_bounds_never_matter(drawn: tuple[str, list[Entry]], asked: list[Query]) -> None:
    login, grants = drawn
    other = [replace(entry, name=f"renamed{index}") for index, entry in enumerate(grants)][::-1]
    first, second = accepted(login, grants), accepted(login, other)
    for query in asked:
        one, two = decide(first, query), decide(second, query)
        assert (one.allowed, one.way, one.valid_until) == (two.allowed, two.way, two.valid_until)
        assert nameless(one.bounds) == nameless(two.bounds)


@many
@given(bounded(), ASKED)
def test_a_fact_that_is_unknown_never_loosens(drawn: tuple[str, list[Entry]], asked: list[Query]) -> None:
    """A `bound` holds where it is not known whether it matches; an allow that does not match adds none."""
    login, grants = drawn
    plain = [replace(entry, body=entry.body.partition(", limits:")[0]) if entry.effect == "allow" else entry
             for entry in grants]  # fmt: skip
    ruleset = accepted(login, plain)
    for query in asked:
        unknown = decide(ruleset, Query(replace(query.facts, source=UNKNOWN), query.request))
        known = decide(ruleset, query)
        if unknown.allowed and known.allowed:
            assert known.bounds | unknown.bounds == unknown.bounds
