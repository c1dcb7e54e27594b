"""Two light client processes, as the benchmarks see them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.bench.errors import TroubleError
from tests.bench.kept import ROOT
from tests.bench.place import ENVIRONMENT, Place

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Logins:
    """How long a number of logins took together, and what the client itself spent on them (seconds)."""

    count: int
    seconds: float
    client_cpu: float


class Hands:
    """Logs in by `count` connections of which `at_once` are under way. Made by `open_hands`."""

    def __init__(self, processes: "list[subprocess.Popen[str]]") -> None:
        self._processes = processes

    def logins(self, port: int, count: int, at_once: int) -> Logins:
        """Log in and hang up."""
        return self._all("logins", port, count, at_once)

    def hold(self, port: int, count: int) -> Logins:
        """Log in and stay, until `drop`."""
        return self._all("hold", port, count, 4)

    def drop(self) -> None:
        """Hang up what is held."""
        for process in self._processes:
            self._tell(process, {"do": "drop"})
        for process in self._processes:
            self._hear(process)

    def _all(self, what: str, port: int, count: int, at_once: int) -> Logins:
        used = self._processes[: min(at_once, len(self._processes))]
        for process in used:
            asked = {"do": what, "port": port, "count": count // len(used), "at_once": at_once // len(used)}
            self._tell(process, asked)
        said = [self._hear(process) for process in used]
        failed = [text for each in said for text in each["failed"]]
        if failed:
            raise TroubleError(f"{len(failed)} of {count} logins failed; the first: {failed[0]}")
        done = count // len(used) * len(used)
        return Logins(done, max(each["seconds"] for each in said), sum(each["cpu"] for each in said))

    def _tell(self, process: "subprocess.Popen[str]", asked: dict[str, Any]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
        except OSError:
            raise TroubleError("the light client is gone; what it said stands above") from None

    def _hear(self, process: "subprocess.Popen[str]") -> dict[str, Any]:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise TroubleError(f"the light client ended with status {process.wait(10)}")
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def open_hands(place: Place) -> Iterator[Hands]:
    """Start the client processes; they end with the block, and with this process."""
    words = [sys.executable, "-s", "-m", "tests.bench.light", place.user, str(place.key)]
    with ExitStack() as stack:
        processes = []
        for _ in range(PROCESSES):
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=ENVIRONMENT,
                start_new_session=True,
            )
            stack.callback(_end, process)
            processes.append(process)
        hands = Hands(processes)
        hands.drop()
        yield hands


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait(10)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
