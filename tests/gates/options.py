"""The command line of the test command."""

import argparse
from dataclasses import dataclass

LINTS = ("ruff", "format", "mypy", "imports")
PYTEST_NEWEST, PYTEST_LOWEST, PYTEST_USER = "pytest-newest", "pytest-lowest", "pytest-user"
GATES = (*LINTS, PYTEST_NEWEST, PYTEST_LOWEST, PYTEST_USER)
COVERAGE = "coverage"
BY_NAME = (COVERAGE,)
"""Gates that are passed where they are asked for by name: they take long, and show something of the tests."""

_TEACHING = """\
What it does: makes virtual environments named .venv-tests-* in the checkout, installs into them what requirements.lock
pins (by hash; the network is needed for this, once) and pysshd itself, then passes the gates:

  ruff            the linter
  format          the formatter, as a check
  mypy            types, strict
  imports         the layers of docs/architecture.md, by import-linter
  pytest-newest   the tests, on the newest cryptography of the lock
  pytest-lowest   the tests, on the lowest cryptography that pysshd supports (and on another Python, where one is found)
  pytest-user     only as root: the tests as an ordinary user
                  (all three at once: side by side, in parts named newest-rooms, newest-pure, lowest-pure, and none
                  repeats what another shows)
  coverage        only by its name: every branch of pysshd/policy is taken by a test that is the same each time

Started as an ordinary user it changes nothing outside the checkout, and lists at the end the tests that need root.
Started as root it also makes the user pysshd-tests and the folder /var/lib/pysshd-tests, and installs openssh-client
with apt-get where that is missing. The tests use loopback only.

examples:
  python3 -m tests                                  every gate: what has to pass before a change goes in
  python3 -m tests --fast                           the lints, and the tests once
  python3 -m tests --gate mypy --gate imports       these gates alone
  python3 -m tests --fast -- -k rekey -x            what stands after -- goes to pytest
  python3 -m tests --gate pytest-newest -- tests/ssh/crypto
  python3 -m tests --gate coverage                  which branches of pysshd/policy no test takes
  python3 -m tests --fast -- -m security            how many rows of the table of security properties hold
  python3 -m tests --fast -- --randomly-seed=1234   the order of an earlier run, by the seed that it printed

It ends with exit status 0 where every gate passes, 1 where one fails, 2 where it could not start, and its last line is
the sum over the runs of pytest: "N passed, N failed". docs/testing.md says more.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for: gates by name (none: all), `fast`, the deadline of a gate in seconds, pytest's arguments."""

    gates: tuple[str, ...]
    fast: bool
    deadline: float
    pytest: tuple[str, ...]


def parse(arguments: list[str]) -> Options:
    """Read the command line; ends the program on --help and on a mistake."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests",
        description="Build what the tests of pysshd need, and pass every gate. Needs Python 3.11 with venv, and ssh.",
        epilog=_TEACHING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="python3 -m tests [--fast] [--gate NAME]... [-- PYTEST ARGUMENTS]",
    )
    parser.add_argument("--fast", action="store_true", help="the lints and pytest-newest only, as who you are")
    named, again = (*GATES, *BY_NAME), "this gate only; may be repeated"
    parser.add_argument("--gate", action="append", default=[], choices=named, metavar="NAME", help=again)
    parser.add_argument(
        "--deadline", type=float, default=2400.0, metavar="SECONDS", help="stop a gate that takes longer (2400)"
    )
    ours, separator, theirs = arguments, [], []
    if "--" in arguments:
        place = arguments.index("--")
        ours, separator, theirs = arguments[:place], arguments[place : place + 1], arguments[place + 1 :]
    read = parser.parse_args(ours)
    if separator and read.gate and set(read.gate) <= {*LINTS}:
        parser.error("what stands after -- is for pytest, and none of the chosen gates is pytest")
    return Options(tuple(read.gate), read.fast, read.deadline, tuple(theirs))
