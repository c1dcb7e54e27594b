"""One byte to a `cat` and back: what a person who types waits for, alone and beside a bulk download.

That is one of the same pace for every server, and another as fast as the server can.
"""

import os
import select
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.bench.errors import TroubleError
from tests.bench.hands import Hands
from tests.bench.measures import paced
from tests.bench.measures.base import Benchmark, Figure, Sizes, Taken
from tests.bench.place import Place
from tests.bench.servers.base import Running
from tests.bench.ssh_client import Connection, connected

P50 = Figure("p50", "ms")
P99 = Figure("p99", "ms")
LOAD = Figure("bulk beside it", "MB/s", more=True)
WARM_UP = 5
PAUSE = 0.003
"""Seconds between two bytes: they must not answer each other."""

ANSWER_WITHIN = 20.0
LOAD_SETTLES = 0.4
LEAST_LOAD = 1.0
"""MB/s below which there was no load."""

MEGA = 1e6

Load = Callable[[Place], str]
"""The command of a program that is downloaded from."""

LOADS: Mapping[str, tuple[str, Load]] = {
    "-paced": (f"{paced.RATE / MEGA:.0f} MB/s", paced.command),
    "": ("all speed", lambda _: "dd if=/dev/zero bs=128k status=none"),
}
"""Ending of a benchmark's name → how fast its load is, and the load."""


def idle(server: Running, _: Hands, sizes: Sizes) -> Taken:
    """On a connection that does nothing else."""
    with connected(server) as connection:
        return _percentiles(echoes(connection, sizes.echoes))


def beside(server: Running, _: Hands, sizes: Sizes, *, load: Load) -> Taken:
    """On a connection that carries a download on another channel."""
    with connected(server) as connection:
        return _under_load(connection, connection, load(server.place), sizes)


def across(server: Running, _: Hands, sizes: Sizes, *, load: Load) -> Taken:
    """While another connection carries a download."""
    with connected(server) as connection, connected(server) as other:
        return _under_load(connection, other, load(server.place), sizes)


def _under_load(connection: Connection, loaded: Connection, program: str, sizes: Sizes) -> Taken:
    with loaded.started(program):
        time.sleep(LOAD_SETTLES)
        before, started = written(loaded.pid), time.monotonic()
        taken = _percentiles(echoes(connection, sizes.echoes_under_load))
        speed = (written(loaded.pid) - before) / (time.monotonic() - started) / MEGA
    if speed < LEAST_LOAD:
        raise TroubleError(f"the load beside it was {speed:.1f} MB/s, expected more: its program did not run")
    return {**taken, LOAD.name: speed}


def echoes(connection: Connection, count: int) -> list[float]:
    """Seconds of `count` bytes to a `cat` and back, each sent when the one before has come."""
    found = []
    with connection.started("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        sending, receiving = process.stdin.fileno(), process.stdout.fileno()
        for _ in range(WARM_UP + count):
            started = time.perf_counter()
            os.write(sending, b"x")
            ready, _, _ = select.select([receiving], [], [], ANSWER_WITHIN)
            if not ready or not os.read(receiving, 1):
                raise TroubleError(f"a byte did not come back within {ANSWER_WITHIN:.0f} s")
            found.append(time.perf_counter() - started)
            time.sleep(PAUSE)
    return found[WARM_UP:]


def written(pid: int) -> int:
    """Bytes that a process has written so far: of a client that downloads, what it has downloaded."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    return 0


def _percentiles(seconds: list[float]) -> dict[str, float | None]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {P50.name: cuts[49] * 1e3, P99.name: cuts[98] * 1e3}


def _loaded(name: str, where: str, measure: Callable[..., Taken]) -> tuple[Benchmark, ...]:
    return tuple(
        Benchmark(
            f"{name}{ending}",
            f"the same, with a download of {pace} on {where}",
            "OpenSSH's ssh",
            (P50, P99, LOAD),
            partial(measure, load=load),
        )
        for ending, (pace, load) in LOADS.items()
    )


ECHO = (
    Benchmark("echo-idle", "one byte there and back", "OpenSSH's ssh", (P50, P99), idle),
    *_loaded("echo-beside", "the same connection", beside),
    *_loaded("echo-across", "another connection", across),
)
