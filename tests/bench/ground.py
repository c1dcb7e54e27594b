"""From a fresh clone to a run: finds or makes an environment, and runs the benchmarks in it. Standard library only."""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.bench import needs
from tests.bench.options import parse
from tests.gates import show
from tests.gates.environments import NEWEST, ROOT, build, build_wheel, install_wheel
from tests.gates.interpreters import started_on
from tests.gates.main import only_one
from tests.gates.programs import NotReadyError, begin, clean_environment

INTERRUPTED, NOT_READY = 130, 2
LONGEST = 6 * 3600.0
"""Seconds after which a run is ended, whatever it does."""

_HAS_ALL = "import pysshd, asyncssh, cryptography, yaml"


def ready_here() -> bool:
    """Whether the interpreter that this was started with is of a virtual environment that has all that is needed."""
    if sys.prefix == sys.base_prefix:
        return False
    # -I: an environment that has pysshd, not a folder that has it.
    return subprocess.run([sys.executable, "-I", "-c", _HAS_ALL], capture_output=True, check=False).returncode == 0


def make_ready(work: Path) -> Path:
    """Make, or find, the environment of the tests, put this checkout's pysshd into it, and return its interpreter."""
    started = started_on()
    if started is None or not started.has_pip:
        raise NotReadyError("this Python cannot make virtual environments: install python3-venv")
    made = build(started, NEWEST, ROOT)
    show.note("installing pysshd into it, as it stands in this checkout")
    install_wheel(made, build_wheel(made, work))
    return made.python


def run(python: Path, arguments: list[str]) -> int:
    """Run the benchmarks to their end; returns their exit status."""
    command: list[str | Path] = [python, "-s", "-m", "tests.bench.run", *arguments]
    ended = begin(command, cwd=Path.cwd(), env=clean_environment() | {"PYTHONPATH": str(ROOT)}).finish(LONGEST)
    return INTERRUPTED if ended.status is None or ended.status < 0 else ended.status


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """The benchmark command; returns its exit status."""
    options = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupted)
    work = Path(tempfile.mkdtemp(prefix="pysshd-bench-ground-"))
    try:
        if not options.list:
            needs.see_to()
        if ready_here():
            show.note(f"measuring the pysshd of {sys.prefix}")
            return run(Path(sys.executable), arguments)
        # Held to the end: a run of the tests would put another pysshd into the environment meanwhile.
        with only_one(ROOT / ".venv-tests.lock"):
            return run(make_ready(work), arguments)
    except NotReadyError as stopped:
        show.say(show.paint(f"the benchmarks cannot start: {stopped}", show.RED))
        return NOT_READY
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        shutil.rmtree(work, ignore_errors=True)
