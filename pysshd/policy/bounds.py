"""Bounds: what a request is held to once it is allowed. They add up; none ever loosens another."""

from dataclasses import dataclass
from enum import IntEnum


class Record(IntEnum):
    """How strongly a session is to be recorded; a greater value is stronger."""

    OFF = 0
    ON = 1
    REQUIRED = 2


@dataclass(frozen=True, slots=True, order=True)
class Limit:
    """One limit of one grant.

    name: what is limited (`bandwidth`, `lifetime`, `idle`, …).
    amount: bytes per second, seconds, a count: the smaller is the stricter.
    per: whose use is counted together: `grant` (per user and grant), `channel`, `connection`, `source`, `all`.
    grant: the grant that it comes from; use is charged to each.
    """

    name: str
    amount: float
    per: str = "grant"
    grant: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one request: every limit that it is charged to, and the strongest record."""

    limits: frozenset[Limit] = frozenset()
    record: Record = Record.OFF

    def __or__(self, other: "Bounds") -> "Bounds":
        """Both together."""
        if other is NO_BOUNDS or self == other:
            return self
        return Bounds(self.limits | other.limits, max(self.record, other.record))

    def amount(self, name: str) -> float | None:
        """The smallest amount among the limits of this name, or None where there is none."""
        return min((limit.amount for limit in self.limits if limit.name == name), default=None)


NO_BOUNDS = Bounds()
