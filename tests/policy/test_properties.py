"""What must hold of every document that is accepted (policy.md, "Why so")."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.patterns.ports import ports_left
from pysshd.policy.decide import decide, first_methods
from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import UNKNOWN, Login, Query
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways_net import ListenWay
from tests.policy.documents import DOCUMENTS, QUERIES, Entry, but_clashes, document, entries, is_whole

many = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=30)
ASKED = st.lists(QUERIES, min_size=10, max_size=20)


def accepted(login: str, grants: list[Entry]) -> Ruleset:
    """The ruleset, where the document is accepted."""
    try:
        return load_text(document(login, grants), language=True).ruleset
    except PolicyError:
        assume(False)
        raise


def outcome(found: Decision) -> tuple[object, ...]:
    return found.allowed, found.way, found.bounds, found.valid_until


@many
@given(DOCUMENTS, ASKED)
def test_every_query_gets_a_decision_and_no_request_clashes(drawn: tuple[str, list[Entry]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in asked:
        found = decide(ruleset, query)
        assert found.decided_by != "a clash" or not is_whole(ruleset, query.facts)
        assert found.allowed is (found.way is not None)
        assert found.reason
        assert found.decided_by
        assert found.reason.isprintable()
        traced = decide(ruleset, query, trace=True)
        assert replace(traced, trace=()) == found
        assert found.valid_until is None or found.valid_until > query.facts.now
        assert set(first_methods(ruleset, query.facts)) <= {"publickey", "password"}


@many
@given(DOCUMENTS, ASKED, st.randoms())
def test_order_and_names_of_grants_never_matter(
    drawn: tuple[str, list[Entry]], asked: list[Query], random: object
) -> None:
    login, grants = drawn
    first = accepted(login, grants)
    shuffled = [replace(entry, name=f"renamed{index}") for index, entry in enumerate(grants)]
    shuffled.reverse()
    second = accepted(login, shuffled)
    for query in asked:
        assert outcome(decide(first, query)) == outcome(decide(second, query))


@many
@given(DOCUMENTS, entries(("deny",)), ASKED)
def test_adding_a_deny_never_grants(drawn: tuple[str, list[Entry]], deny: Entry, asked: list[Query]) -> None:
    login, grants = drawn
    before, after = accepted(login, grants), accepted(login, [*grants, replace(deny, name="the-deny")])
    for query in asked:
        one, two = decide(before, query), decide(after, query)
        assert one.allowed or not two.allowed
        if isinstance(one.way, ListenWay) and isinstance(two.way, ListenWay):
            # Of any free port the denied ones are left out.
            assert ports_left(one.way.ports + two.way.ports, ()) == one.way.ports
            assert one.way.addresses == two.way.addresses
        elif two.allowed:
            assert one.way == two.way


@many
@given(DOCUMENTS, ASKED, st.integers(0, 4))
def test_removing_an_allow_never_grants(drawn: tuple[str, list[Entry]], asked: list[Query], index: int) -> None:
    login, grants = drawn
    assume(index < len(grants) and grants[index].effect == "allow")
    before, after = accepted(login, grants), accepted(login, grants[:index] + grants[index + 1 :])
    for query in but_clashes(before, asked):
        assert decide(before, query).allowed or not decide(after, query).allowed


@many
@given(DOCUMENTS, ASKED)
def test_a_fact_that_is_unknown_never_grants(drawn: tuple[str, list[Entry]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in but_clashes(ruleset, asked):
        for facts in (replace(query.facts, source=UNKNOWN), replace(query.facts, own_addresses=UNKNOWN)):
            found = decide(ruleset, Query(facts, query.request))
            if found.allowed and not isinstance(query.request, Login):
                assert decide(ruleset, query).allowed


@many
@given(DOCUMENTS, ASKED)
def test_until_valid_until_nothing_changes(drawn: tuple[str, list[Entry]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in asked:
        found = decide(ruleset, query)
        for later in {other.facts.now for other in asked if other.facts.now > query.facts.now}:
            if found.valid_until is None or later < found.valid_until:
                again = decide(ruleset, Query(replace(query.facts, now=later), query.request))
                assert (again.allowed, again.way) == (found.allowed, found.way)


def test_removing_an_allow_from_the_documents_that_are_drawn_does_refuse() -> None:
    """The properties are about something: of the documents drawn, some are accepted and some requests allowed."""
    allowed: list[bool] = []

    # What is drawn is held to here, not the code: the same each time, or chance alone would fail it.
    @settings(max_examples=100, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS, ASKED)
    def draw(drawn: tuple[str, list[Entry]], asked: list[Query]) -> None:
        ruleset = accepted(*drawn)
        allowed.extend(decide(ruleset, query).allowed for query in asked)

    draw()
    assert sum(allowed) > 25
    assert len(allowed) - sum(allowed) > 25
