"""The command line of the mutation command. Standard library only: it is read before anything is installed."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

_TEACHING = """\
What it does: changes pysshd in one small way at a time (a comparison, a condition, a constant, an argument, a statement
that is left out) and runs the tests that run that line, the cheapest first, until one fails. A mutant that no test
notices survives: either it is the same program in other words, or a test is missing.

A run of everything takes many hours. --sample N draws N mutants from all of them, and the share that is killed among
them is an estimate of the whole: of 300, within 3 in 100 or so. --json keeps what was found; a run with the same file
goes on where the last one ended, and judges again what the code or the tests have changed since only where it is asked
to by --again. What hypothesis draws is left out, so that a mutant is killed by a test that is the same each time.

examples:
  python3 -m tests.mutation --sample 300 --seed 1 --json mutants.json
  python3 -m tests.mutation --files 'pysshd/policy/decide*.py' --kind comparison --kind condition
  python3 -m tests.mutation --json mutants.json --again survived      the survivors once more, with new tests
  python3 -m tests.mutation --files pysshd/policy/text.py --list

Exit status: 0 enough of them were killed (--least), 1 too few, 2 it could not start, 130 interrupted.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `sample` None: every mutant. again: verdicts that are asked for once more."""

    files: tuple[str, ...]
    kinds: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int | None
    seed: int
    least: float
    jobs: int
    json: Path | None
    covering: Path | None
    again: tuple[str, ...]
    drawn: bool
    called: bool
    list: bool


def parse(arguments: list[str]) -> Options:
    """Read the command line; ends the program on --help and on a mistake."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.mutation",
        description="Show what the tests of the policy would not notice. Needs Python 3.11 with venv.",
        epilog=_TEACHING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", action="append", default=[], metavar="PATTERN",
                        help="files below the checkout (pysshd/policy/*.py); may be repeated")  # fmt: skip
    parser.add_argument("--kind", action="append", default=[], help="mutants of this kind; may be repeated")
    parser.add_argument("--tests", action="append", default=[], metavar="PATH",
                        help="tests that are to notice (tests/policy, tests/patterns); may be repeated")  # fmt: skip
    parser.add_argument("--sample", type=_positive, metavar="N", help="this many, drawn from all (absent: every one)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="draw the same ones again (0)")
    parser.add_argument("--least", type=float, default=95.0, metavar="PERCENT", help="to be killed (95)")
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, metavar="N", help="at a time (CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every verdict in FILE, and go on from there")
    parser.add_argument("--covering", type=Path, metavar="FILE",
                        help="keep which test runs which line in FILE; begin it anew when code changes")  # fmt: skip
    parser.add_argument("--again", action="append", default=[], metavar="VERDICT",
                        help="judge those of --json with this verdict again; may be repeated")  # fmt: skip
    parser.add_argument("--drawn", action="store_true", help="with what hypothesis draws too, the same in each run")
    parser.add_argument("--called", action="store_true", help="of functions alone, not of what an import runs: fast")
    parser.add_argument("--list", action="store_true", help="show the mutants, and judge none")
    read = parser.parse_args(arguments)
    return Options(
        tuple(read.files) or ("pysshd/policy/*.py",),
        tuple(read.kind),
        tuple(read.tests) or ("tests/policy", "tests/patterns"),
        read.sample,
        read.seed,
        read.least,
        read.jobs,
        read.json,
        read.covering,
        tuple(read.again),
        read.drawn,
        read.called,
        read.list,
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}, expected at least one")
    return number
