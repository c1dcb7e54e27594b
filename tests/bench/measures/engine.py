"""The policy engine, which needs no server: loading large documents, deciding, and the worst of patterns."""

import json
import subprocess
import sys
from functools import partial

from tests.bench.errors import TroubleError
from tests.bench.kept import ROOT
from tests.bench.measures.base import Benchmark, Figure, Sizes, Taken
from tests.bench.place import ENVIRONMENT

CPU = Figure("cpu", "CPU s")
MEMORY = Figure("memory", "MB")
PROCESS = Figure("process", "MB")
MEDIAN = Figure("median", "µs")
SLOWEST = Figure("slowest kind", "µs")
PATTERNS = tuple(Figure(name, "ms") for name in ("glob", "regex", "path", "host", "command"))

LONGEST = 300.0
"""Seconds after which a measurement is given up."""


def _run(*words: object) -> Taken:
    """What a fresh process measures (`tests.bench.engine.program`)."""
    command = [sys.executable, "-P", "-m", "tests.bench.engine.program", *map(str, words)]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=True)
    except subprocess.CalledProcessError as error:
        raise TroubleError(f"it ended with {error.returncode}: {error.stderr[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise TroubleError(f"it took more than {LONGEST:.0f} s") from error
    found: dict[str, float] = json.loads(done.stdout)
    return found


def load(people: int, grants: int, _: Sizes) -> Taken:
    """Read and compile a document."""
    return _run("load", people, grants)


def decide(sizes: Sizes) -> Taken:
    """Decide requests of every kind, by a thousand grants."""
    return _run("decisions", 1000, 1000, sizes.decisions)


def patterns(sizes: Sizes) -> Taken:
    """Ask the worst patterns."""
    return _run("patterns", sizes.decisions)


ITSELF = "none"

ENGINE = (
    Benchmark("policy-load", "1,000 people and 1,000 grants, read and compiled", ITSELF, (CPU,),
              alone=partial(load, 1000, 1000)),
    Benchmark("policy-load-large", "10,000 people, read and compiled", ITSELF, (CPU, MEMORY, PROCESS),
              alone=partial(load, 10_000, 10)),
    Benchmark("policy-decide", "one decision of 1,000 people and 1,000 grants", ITSELF, (MEDIAN, SLOWEST),
              alone=decide),
    Benchmark("policy-patterns", "the worst patterns that we know, on 1 kB", ITSELF, PATTERNS, alone=patterns),
)  # fmt: skip
