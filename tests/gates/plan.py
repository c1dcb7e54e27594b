"""Which gates run, on which interpreter, as whom."""

import os
from dataclasses import dataclass

from tests.gates.environments import LOWEST, NEWEST
from tests.gates.interpreters import SHOWN, Interpreter, partner_of, started_on
from tests.gates.options import BY_NAME, GATES, LINTS, PYTEST_LOWEST, PYTEST_NEWEST, PYTEST_USER, Options
from tests.gates.programs import NotReadyError
from tests.gates.shares import PARTS


@dataclass(frozen=True, slots=True)
class Plan:
    """The gates in order, and the interpreters: the lints run where the newest cryptography is."""

    started: Interpreter
    newest: Interpreter
    lowest: Interpreter
    gates: tuple[str, ...]
    not_shown: tuple[str, ...]

    @property
    def environments(self) -> list[tuple[Interpreter, str]]:
        """What has to be built in the checkout, the starter's interpreter first: it has a pip to lend."""
        wanted = []
        if any(gate in (*LINTS, *BY_NAME, PYTEST_NEWEST, PYTEST_USER) for gate in self.gates):
            wanted.append((self.newest, NEWEST))
        if PYTEST_LOWEST in self.gates:
            wanted.append((self.lowest, LOWEST))
        return sorted(wanted, key=lambda pair: pair[0] != self.started)


def make_plan(options: Options) -> Plan:
    """Decide; raises `NotReadyError` where this machine cannot do what was asked for."""
    started = started_on()
    if started is None:
        raise NotReadyError(
            "this Python cannot make virtual environments: start the tests with a CPython, 3.11 or newer"
        )
    root = os.geteuid() == 0
    wanted = options.gates or (GATES if not options.fast else (*LINTS, PYTEST_NEWEST))
    if PYTEST_USER in options.gates and not root:
        raise NotReadyError(
            f"{PYTEST_USER} makes an ordinary user, for which it needs root; as who you are: {PYTEST_NEWEST}"
        )
    gates = tuple(gate for gate in (*GATES, *BY_NAME) if gate in wanted and (gate != PYTEST_USER or root))
    if {PYTEST_NEWEST, PYTEST_LOWEST} <= {*gates} and not options.pytest:
        gates += tuple(PARTS)
    # Two interpreters and two versions of cryptography are paired, so that two runs show all four.
    partner = partner_of(started) if PYTEST_LOWEST in gates and not options.fast else None
    lowest, newest = sorted([started, partner or started], key=lambda each: each.version)
    if not started.has_pip:
        raise NotReadyError(f"{started} ({started.path}) has no ensurepip: install python3-venv")
    return Plan(started, newest, lowest, gates, _not_shown(options, gates, started, partner, root))


def _not_shown(
    options: Options, gates: tuple[str, ...], started: Interpreter, partner: Interpreter | None, root: bool
) -> tuple[str, ...]:
    """What this run cannot say, for the end of it."""
    lines = []
    left_out = [gate for gate in GATES if gate not in gates and (gate != PYTEST_USER or root)]
    if left_out:
        lines.append(f"gates that were not asked for: {', '.join(left_out)}")
    if options.pytest:
        lines.append(f"tests that {' '.join(options.pytest)} leaves out")
    runs = [each.series for each in (started, partner) if each is not None]
    for series in SHOWN:
        if series not in runs:
            why = "none was found" if PYTEST_LOWEST in gates and not options.fast else "not asked for"
            lines.append(f"the tests on Python {series[0]}.{series[1]} ({why})")
    if not root:
        lines.append("the tests as root: start this as root, for example in a container, to run them too")
    return tuple(lines)
