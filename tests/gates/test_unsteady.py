"""Who gets a second look: a few tests of what depends on the machine, and only all of what failed in a run."""

import pytest

from tests.gates.results import Outcome
from tests.gates.unsteady import FEW, candidates

STEADY = ("tests/ssh", "tests/policy")


def failed(node: str) -> Outcome:
    return Outcome(node, "failed", node=node)


def test_a_few_of_live_daemons_get_one() -> None:
    nodes = [f"tests/live/test_kills.py::test_{number}" for number in range(FEW)]
    outcomes = [Outcome("a", "passed"), *map(failed, nodes), Outcome("b", "skipped", "needs root")]
    assert candidates(outcomes, STEADY) == nodes


@pytest.mark.parametrize(
    "outcomes",
    [
        [Outcome("a", "passed")],
        [failed("tests/live/test_kills.py::test_a"), failed("tests/ssh/crypto/test_macs.py::test_b")],
        [failed(f"tests/live/test_kills.py::test_{number}") for number in range(FEW + 1)],
        [Outcome("a", "failed")],
    ],
    ids=["none that failed", "a pure room", "too many", "one without a name"],
)
def test_others_get_none(outcomes: list[Outcome]) -> None:
    assert candidates(outcomes, STEADY) == []


def test_a_room_is_not_meant_by_the_beginning_of_its_name() -> None:
    node = "tests/ssh_other/test_a.py::test_b"
    assert candidates([failed(node)], STEADY) == [node]
