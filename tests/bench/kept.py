"""A program under a keeper, as the benchmarks see it."""

import json
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.errors import TroubleError

ROOT = Path(__file__).resolve().parents[2]
ANSWER_WITHIN = 30.0


class Kept:
    """A running server: what it uses, all of its processes counted. Made by `keeping`."""

    def __init__(self, keeper: "subprocess.Popen[bytes]") -> None:
        self._keeper = keeper
        self._asked = 0
        self._came = b""
        said = self._answer()
        self.pid = int(said["pid"])
        self.started: float = said["started"]
        """When its program was executed, in seconds of the monotonic clock."""

    def cpu(self) -> float:
        """CPU seconds until now."""
        return float(self._ask("cpu")["cpu"])

    def settled_cpu(self) -> float:
        """CPU seconds until now, once nothing of the server is at work any more."""
        return float(self._ask("settle")["cpu"])

    def memory(self) -> int | None:
        """Bytes of proportional memory; None where this user may not know."""
        found = self._ask("memory")["bytes"]
        return None if found is None else int(found)

    def processes(self) -> int:
        """How many processes it is."""
        return int(self._ask("cpu")["processes"])

    def stop(self) -> tuple[int, float]:
        """End it; how many processes it left behind (they are ended too), and the CPU seconds of all that ever ran."""
        said = self._ask("stop")
        return int(said["left"]), float(said["cpu"])

    def _ask(self, word: str) -> Mapping[str, Any]:
        assert self._keeper.stdin is not None
        self._asked += 1
        try:
            self._keeper.stdin.write(f"{self._asked}:{word}\n".encode())
        except OSError:
            raise TroubleError("the keeper of a server is gone: it was ended from outside") from None
        # What was asked before an interruption may still be answered; nobody waits for that any more.
        while (said := self._answer())["number"] != self._asked:
            pass
        return said

    def _answer(self) -> Mapping[str, Any]:
        assert self._keeper.stdout is not None
        while b"\n" not in self._came:
            ready, _, _ = select.select([self._keeper.stdout], [], [], ANSWER_WITHIN)
            piece = self._keeper.stdout.read(65536) if ready else b""
            if not piece:
                raise TroubleError(f"the keeper of a server gave no answer within {ANSWER_WITHIN:.0f} s")
            self._came += piece
        line, _, self._came = self._came.partition(b"\n")
        said: Mapping[str, Any] = json.loads(line)
        return said


@contextmanager
def keeping(words: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Iterator[Kept]:
    """Run a program below a keeper, its output in `log`; nothing of it is left at the end of the block."""
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            # A session of its own: Ctrl-C is for the benchmark, which ends its servers in its own order.
            [sys.executable, "-E", "-s", "-m", "tests.bench.keeper", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            bufsize=0,
            cwd=ROOT,
            env=dict(environment),
            start_new_session=True,
        )
    with keeper:
        try:
            yield Kept(keeper)
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()
            keeper.wait(20)
