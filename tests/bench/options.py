"""The command line of the benchmark command. Standard library only: it is read before anything is installed."""

import argparse
from dataclasses import dataclass
from pathlib import Path

SERVERS = ("pysshd", "pysshd-shared", "openssh", "asyncssh")
ACCOUNTS = ("system", "service")

_TEACHING = """\
What it does: starts pysshd (one worker for each connection, and shared workers), OpenSSH's sshd and an AsyncSSH
server side by side on loopback, with keys and settings of their own, and measures one after the other, round by round,
in another order each round. The table shows medians and what the rounds lay between, the worst first by its target;
most targets are relative to OpenSSH in the same run. docs/bench.md says how each figure is taken.

Started in a virtual environment that has pysshd and asyncssh it measures that; otherwise it makes an environment named
.venv-tests-* in the checkout, as python3 -m tests does. As root it also makes the user pysshd-tests, who logs in, and,
in a container, installs openssh-server with apt-get where it is missing; the system's own service is not started. What
cannot be measured is left out, and named.

examples:
  python3 -m tests.bench --quick                      a few minutes
  python3 -m tests.bench --json bench.json            in full, about half an hour, every round kept
  python3 -m tests.bench --quick --only login         the benchmarks that are, or begin with, login
  python3 -m tests.bench --quick --only 'down*-gcm' --only echo-idle
  python3 -m tests.bench --quick --server pysshd --server openssh
  python3 -m tests.bench --list                       the benchmarks by name

Let nothing else run meanwhile. Exit status: 0 measured, whether targets are met or not; 2 something could not be
measured that should have been; 130 interrupted (what was measured until then is shown).
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `rounds` None: as many as the size has; `accounts` None: as fits who runs this."""

    quick: bool
    rounds: int | None
    only: tuple[str, ...]
    servers: tuple[str, ...]
    accounts: str | None
    json: Path | None
    list: bool


def parse(arguments: list[str]) -> Options:
    """Read the command line; ends the program on --help and on a mistake."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.bench",
        description="Measure pysshd beside OpenSSH and AsyncSSH. Needs Python 3.11 with venv, and ssh.",
        epilog=_TEACHING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and three rounds: noisy, but soon done")
    parser.add_argument("--rounds", type=_positive, metavar="N", help="this many rounds (3 with --quick, else 5)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="these benchmarks; may be repeated")
    parser.add_argument(
        "--server", action="append", default=[], choices=SERVERS, help="these servers; may be repeated", metavar="NAME"
    )
    parser.add_argument(
        "--accounts", choices=ACCOUNTS, help="how pysshd runs sessions (absent: system as root, else service)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round and the machine to FILE")
    parser.add_argument("--list", action="store_true", help="show the benchmarks, and measure nothing")
    read = parser.parse_args(arguments)
    return Options(read.quick, read.rounds, tuple(read.only), tuple(read.server), read.accounts, read.json, read.list)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} rounds, expected at least one")
    return number
