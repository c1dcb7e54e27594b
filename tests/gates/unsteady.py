"""A second look at tests that failed in a run: alone, on a machine that does nothing else.

A test of a whole daemon can be late where two runs share two CPUs of a machine that is shared itself. One that fails
there and then passes several times alone is unsteady: it is shown with all that it said, by name in the summary too,
for it is a defect of the test or of pysshd that is still to be found, but it does not keep everything else out. What
never depends on the machine gets no second look, nor does a run in which many failed.
"""

from collections.abc import Iterable, Sequence

from tests.gates.results import FAILED, Outcome

TIMES = 3
"""How often each has to pass alone."""

FEW = 5
"""Tests of one run that may be unsteady; where more fail, something is broken."""


def candidates(outcomes: Iterable[Outcome], steady: Sequence[str]) -> list[str]:
    """The nodes that get a second look: all that failed in one run, or none. Those below `steady` never do."""
    nodes = [outcome.node for outcome in outcomes if outcome.result == FAILED]
    if len(nodes) > FEW or not all(nodes) or any(node.startswith(f"{path}/") for node in nodes for path in steady):
        return []
    return nodes
