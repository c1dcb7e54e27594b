"""The table that a person reads."""

from collections.abc import Sequence

from tests.bench.results import Results, Row, Spread, rows
from tests.bench.servers.pysshd import PYSSHD_SHARED
from tests.bench.servers.registry import ENGINE, OTHER, REFERENCE
from tests.gates.show import BOLD, DIM, GREEN, RED, paint

HEADS = ("", "", "isolation", "pysshd", "OpenSSH", "AsyncSSH", "ratio", "target", "")
LEFT = (0, 1, 2)
"""Columns that begin at the left; the others end at the right."""

GAP = "  "
NOTHING = "–"


def number(value: float) -> str:
    """A figure with three digits that say something."""
    for digits, limit in ((3, 1), (2, 10), (1, 100)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def spread(found: Spread | None) -> str:
    """The median, and what the rounds lay between where there are several."""
    if found is None:
        return NOTHING
    if found.least == found.most:
        return number(found.median)
    return f"{number(found.median)} ({number(found.least)}–{number(found.most)})"


def _cells(row: Row) -> list[str]:
    target = NOTHING
    if row.target is not None and row.bound is not None:
        sign = "≥" if row.figure.more else "≤"
        unit = "×" if row.target.relative else f" {row.figure.unit}"
        target = f"{sign} {row.bound:g}{unit}"
    return [
        row.benchmark.name,
        f"{row.figure.name}, {row.figure.unit}" if row.figure.unit else row.figure.name,
        {PYSSHD_SHARED.name: "shared", ENGINE: NOTHING}.get(row.server, "connection"),
        spread(row.ours),
        spread(row.others.get(REFERENCE)),
        spread(row.others.get(OTHER)),
        NOTHING if row.ratio is None else f"{row.ratio:.2f}×",
        target,
        {True: "met", False: "not met", None: ""}[row.met],
    ]


def lines(results: Results) -> list[str]:
    """The table, worst first."""
    found = rows(results)
    cells = [_cells(row) for row in found]
    widths = [max(len(line[column]) for line in (HEADS, *cells)) for column in range(len(HEADS))]
    made = [paint(_line(HEADS, widths), BOLD)]
    for row, line in zip(found, cells, strict=True):
        made.append(paint(_line(line, widths), _colour(row)))
    return made


def _colour(row: Row) -> str:
    return {True: GREEN, False: RED, None: DIM}[row.met]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    placed = [
        cell.ljust(width) if column in LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return GAP.join(placed).rstrip()


def verdict(results: Results) -> str:
    """How many targets are met, in one sentence."""
    judged = [row.met for row in rows(results) if row.met is not None]
    if not judged:
        return "nothing was measured that has a target"
    missed = judged.count(False)
    said = f"{judged.count(True)} of {len(judged)} targets met"
    return paint(said, GREEN if not missed else RED)
