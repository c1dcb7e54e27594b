"""The arithmetic of admission: caps, the random early drop, and places that count once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pysshd.daemon.admission import Admission, Place
from pysshd.policy.settings import Limits, Startups

STARTUPS = st.builds(
    lambda start, more, rate: Startups(start, rate, start + more),
    st.integers(1, 50), st.integers(0, 50), st.integers(0, 100),
)  # fmt: skip


def admission(startups: Startups, chance: float, connections: int = 10_000, starting: int = 0) -> Admission:
    made = Admission(Limits(startups=startups, connections=connections), lambda: chance)
    for _ in range(starting):
        made.enter()
    return made


def drop(startups: Startups, starting: int) -> int:
    """Of a hundred evenly spread chances, how many are refused."""
    return sum(admission(startups, n / 100, starting=starting).refusal() is not None for n in range(100))


@given(STARTUPS, st.floats(0, 1, exclude_max=True), st.data())
def test_below_the_start_nobody_is_refused_and_at_full_everybody(startups: Startups, chance: float, data: Any) -> None:
    below = data.draw(st.integers(0, startups.start - 1))
    assert admission(startups, chance, starting=below).refusal() is None
    above = data.draw(st.integers(startups.full, startups.full + 5))
    refusal = admission(startups, chance, starting=above).refusal()
    assert refusal is not None
    assert f"limits.startups allows {startups.full}" in refusal


@given(STARTUPS)
def test_between_them_the_rate_rises_from_rate_to_all(startups: Startups) -> None:
    rates = [drop(startups, starting) for starting in range(startups.start, startups.full)]
    assert rates == sorted(rates)
    for at, rate in enumerate(rates):
        exact = startups.rate + (100 - startups.rate) * at / (startups.full - startups.start)
        assert abs(rate - exact) <= 1


@given(STARTUPS, st.integers(1, 30))
def test_the_cap_counts_those_that_are_in_too(startups: Startups, connections: int) -> None:
    made = Admission(Limits(startups=startups, connections=connections), lambda: 0.999999)
    for _ in range(connections):
        assert made.open == connections or made.refusal() is None or made.starting >= startups.start
        made.enter().logged_in()
    refusal = made.refusal()
    assert refusal is not None
    assert f"limits.connections allows {connections}" in refusal
    assert made.starting == 0


class Places(RuleBasedStateMachine):
    """Every end may be told twice, in any order; the counts are those of a model."""

    def __init__(self) -> None:
        super().__init__()
        self.made = Admission(Limits(), lambda: 0.5)
        self.places: list[tuple[Place, set[str]]] = []

    @rule()
    def enter(self) -> None:
        self.places.append((self.made.enter(), set()))

    @precondition(lambda self: self.places)
    @rule(data=st.data(), what=st.sampled_from(["logged_in", "leave"]))
    def end(self, data: Any, what: str) -> None:
        place, done = data.draw(st.sampled_from(self.places))
        getattr(place, what)()
        done.add(what)

    @invariant()
    def counts(self) -> None:
        assert self.made.open == sum("leave" not in done for _, done in self.places)
        assert self.made.starting == sum(not done for _, done in self.places)


TestPlaces = Places.TestCase
