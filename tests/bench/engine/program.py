"""What the measurements of the engine run in a process of its own: `python -m tests.bench.engine.program WHAT …`.

It prints one line of JSON, figure → number. CPU time is measured, and the least of several times is taken, so that a
machine that is busy with other things adds little.
"""

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time, process_time_ns

from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from pysshd.policy.query import Query
from pysshd.policy.ruleset import Ruleset
from tests.bench.engine.documents import document
from tests.bench.engine.questions import queries
from tests.bench.engine.worst import WORST

TEXT = 1000
"""Characters of the text that patterns are asked about."""

OF_EACH_KIND = 40
IN_ONE_GO = 16
"""Times that a decision is taken between two looks at the clock, which cost as much as a tenth of one."""


def _memory(field: str) -> float:
    """MB of `VmRSS` (resident now) or `VmHWM` (the most that was resident) of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1e3


def load(people: int, grants: int) -> dict[str, float]:
    """Read and compile a document: CPU seconds, and by how many MB the process grows at most."""
    load_text(document(2, 2), language=True)  # models are built with the first one
    text = document(people, grants)
    before, started = _memory("VmRSS"), process_time()
    loaded = load_text(text, language=True)
    cpu = process_time() - started
    assert len(loaded.ruleset.people) == people
    return {"cpu": cpu, "memory": _memory("VmHWM") - before, "process": _memory("VmHWM")}


def _least(act: Callable[[], object], times: int, rounds: int) -> float:
    """The least time of one of several rounds, in µs for one of `times` acts."""
    found = []
    for _ in range(rounds):
        started = process_time_ns()
        for _ in range(times):
            act()
        found.append((process_time_ns() - started) / times / 1e3)
    return min(found)


def decisions(people: int, grants: int, rounds: int) -> dict[str, float]:
    """Decide requests of every kind: the median over all, and that of the kind that takes longest (µs)."""
    ruleset = load_text(document(people, grants), language=True).ruleset
    kinds = [
        [_decision(ruleset, query, rounds) for query in some] for some in queries(ruleset, OF_EACH_KIND).values()
    ]  # fmt: skip
    every = [time for kind in kinds for time in kind]
    return {"median": statistics.median(every), "slowest kind": max(map(statistics.median, kinds))}


def _decision(ruleset: Ruleset, query: Query, rounds: int) -> float:
    return _least(lambda: decide(ruleset, query), IN_ONE_GO, rounds)


def patterns(rounds: int) -> dict[str, float]:
    """Ask the worst patterns about 1 kB of text (ms)."""
    return {
        name: max(_least(lambda one=one: one.matches(one.text(TEXT)), 1, rounds) / 1e3 for one in some)  # type: ignore[misc]
        for name, some in WORST.items()
    }


MEASURES: dict[str, Callable[..., dict[str, float]]] = {"load": load, "decisions": decisions, "patterns": patterns}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](*map(int, sys.argv[2:]))))
