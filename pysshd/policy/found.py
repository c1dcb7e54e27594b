"""What the grants come to for one request, before it is a decision."""

from typing import Final

from pysshd.policy.ruleset import Grant
from pysshd.policy.ways import Way
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """How a request is answered, by which grants, and why."""

    way: Way | None
    grants: tuple[Grant, ...]
    decided_by: str
    reason: str


REFUSED: Final = Found(None, (), "no grant", "no grant allows it")
CLASH: Final = Found(None, (), "a clash", "two permissions would run it in two ways")
