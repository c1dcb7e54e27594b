"""From a fresh clone to a run: finds or makes an environment, and judges the mutants in it. Standard library only."""

import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from tests.gates import show
from tests.gates.environments import NEWEST, ROOT, build
from tests.gates.interpreters import started_on
from tests.gates.main import only_one
from tests.gates.programs import NotReadyError, begin, clean_environment
from tests.mutation.options import parse

INTERRUPTED, NOT_READY = 130, 2
LONGEST = 7 * 24 * 3600.0
"""Seconds after which a run is ended, whatever it does."""

_HAS_ALL = "import coverage, hypothesis, jsonschema, pydantic, pytest_timeout, yaml, cryptography"


def ready_here() -> bool:
    """Whether the interpreter that this was started with is of a virtual environment that has all that is needed."""
    if sys.prefix == sys.base_prefix:
        return False
    return subprocess.run([sys.executable, "-I", "-c", _HAS_ALL], capture_output=True, check=False).returncode == 0


def run(python: Path, arguments: list[str]) -> int:
    """Judge the mutants of this checkout, to the end; returns the exit status."""
    command: list[str | Path] = [python, "-s", "-m", "tests.mutation.run", *arguments]
    # The checkout, not the pysshd that the environment may hold: that is what is changed.
    env = clean_environment() | {"PYTHONPATH": str(ROOT)}
    ended = begin(command, cwd=Path.cwd(), env=env).finish(LONGEST)
    return INTERRUPTED if ended.status is None or ended.status < 0 else ended.status


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """The mutation command; returns its exit status."""
    parse(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupted)
    try:
        if ready_here():
            return run(Path(sys.executable), arguments)
        # Held to the end: a run of the tests might make the environment anew meanwhile.
        with only_one(ROOT / ".venv-tests.lock"):
            started = started_on()
            if started is None or not started.has_pip:
                raise NotReadyError("this Python cannot make virtual environments: install python3-venv")
            return run(build(started, NEWEST, ROOT).python, arguments)
    except NotReadyError as stopped:
        show.say(show.paint(f"the mutants cannot start: {stopped}", show.RED))
        return NOT_READY
    except KeyboardInterrupt:
        return INTERRUPTED
