"""What was measured, round by round, and what it comes to."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.bench.benchmarks import BENCHMARKS
from tests.bench.measures.base import Benchmark, Figure, Taken
from tests.bench.servers.registry import ENGINE, OURS, REFERENCE
from tests.bench.targets import Target, distance, target_of


@dataclass(frozen=True, slots=True)
class Key:
    """Whose figure of which benchmark."""

    benchmark: str
    figure: str
    server: str


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, and the least and the most of them."""

    median: float
    least: float
    most: float


@dataclass(slots=True)
class Results:
    """Every round of every figure.

    `unknown` are figures that this user or this machine can not know; `trouble` is what failed and why, in order.
    """

    rounds: dict[Key, list[float]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)

    def add(self, benchmark: Benchmark, server: str, taken: Taken) -> None:
        """Note what one round of one benchmark found."""
        for figure in benchmark.figures:
            found = taken[figure.name]
            if found is None:
                self.unknown.add(f"{benchmark.name}, {figure.name}")
            else:
                self.rounds.setdefault(Key(benchmark.name, figure.name, server), []).append(found)

    def spread(self, benchmark: str, figure: str, server: str) -> Spread | None:
        """What the rounds of a figure come to; None where it was not measured."""
        return spread_of(self.rounds.get(Key(benchmark, figure, server), []))


def spread_of(rounds: Iterable[float]) -> Spread | None:
    """Median, least and most; None where there is nothing."""
    found = sorted(rounds)
    return Spread(statistics.median(found), found[0], found[-1]) if found else None


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one of our servers, or of ENGINE, beside the same of the others."""

    benchmark: Benchmark
    figure: Figure
    server: str
    ours: Spread
    others: dict[str, Spread]
    ratio: float | None
    """Our median divided by OpenSSH's."""

    target: Target | None
    bound: float | None
    distance: float | None
    """From the target: 1.0 is on it, more is worse; None without a target or without what it refers to."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.distance is None else self.distance <= 1.0


def rows(results: Results) -> list[Row]:
    """Every figure of our servers, the worst first; those without a target behind, in the order of the benchmarks."""
    found = [
        row
        for benchmark in BENCHMARKS.values()
        for figure in benchmark.figures
        for server in ((ENGINE,) if benchmark.alone else OURS)
        if (row := _row(results, benchmark, figure, server)) is not None
    ]
    return sorted(found, key=lambda row: (row.distance is None, -(row.distance or 0.0)))


def _row(results: Results, benchmark: Benchmark, figure: Figure, server: str) -> Row | None:
    ours = results.spread(benchmark.name, figure.name, server)
    if ours is None:
        return None
    names = {key.server for key in results.rounds} - set(OURS)
    others = {name: s for name in names if (s := results.spread(benchmark.name, figure.name, name)) is not None}
    reference = others[REFERENCE].median if REFERENCE in others else None
    ratio = ours.median / reference if reference else None
    found = target_of(benchmark.name, figure.name, server)
    if found is None:
        return Row(benchmark, figure, server, ours, others, ratio, None, None, None)
    target, bound = found
    far = distance(figure, target, bound, ours.median, reference)
    return Row(benchmark, figure, server, ours, others, ratio, target, bound, far)
