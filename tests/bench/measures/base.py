"""What a benchmark is: a name, the figures that it yields, and how they are taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.hands import Hands
from tests.bench.servers.base import Running

Taken = Mapping[str, float | None]
"""Figure → what was measured; None where this user or this machine can not know it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done in one round."""

    rounds: int
    bulk_bytes: int
    logins: int
    logins_at_once: int
    commands: int
    echoes: int
    echoes_under_load: int
    idle_connections: int
    decisions: int
    """Rounds of the policy engine, of which the least counts."""


QUICK = Sizes(3, 256_000_000, 24, 48, 5, 200, 60, 40, 5)
FULL = Sizes(5, 1_000_000_000, 40, 320, 20, 1000, 300, 200, 15)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its unit, and whether more of it is better (else less is)."""

    name: str
    unit: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One measurement, done once in each round. `client` is the client that was used.

    measure: of one server. alone: in its place, for what needs no server.
    """

    name: str
    about: str
    client: str
    figures: tuple[Figure, ...]
    measure: Callable[[Running, Hands, Sizes], Taken] | None = None
    alone: Callable[[Sizes], Taken] | None = None
