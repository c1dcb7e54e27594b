"""A launcher on the loop of a test, its zygote forking toys; and how to look at processes."""

import asyncio
import contextlib
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pysshd.processes.boundary.calls.zygote import Account, ForkWorker, SessionSpec
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.sandbox.kernel import call

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
TOY = (sys.executable, "-I", str(Path(__file__).with_name("toy.py")))
WORKER = ForkWorker("best_effort", NOBODY, NOBODY) if IS_ROOT else ForkWorker("best_effort")
ACCOUNT = Account(NOBODY, NOBODY, (NOBODY,)) if IS_ROOT else None
PATH = ((b"PATH", b"/usr/bin:/bin"),)

_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class House:
    """A launcher, what it complained of, and what is closed at the end."""

    launcher: Launcher
    stack: contextlib.ExitStack
    complaints: list[str] = field(default_factory=list)

    async def worker(self) -> tuple[Child, Endpoint]:
        """A worker that is ready."""
        ours, theirs = Endpoint.pair()
        self.stack.enter_context(ours)
        with theirs:
            child = await self.launcher.worker(theirs)
        assert await heard(ours) == b"ready", child.last_words.decode()
        return child, ours

    async def shell(self, script: str, **options: object) -> tuple[Child, "Streams"]:
        """A session that runs `script`."""
        streams = Streams()
        self.stack.callback(streams.close)
        spec = SessionSpec("sh", b"/bin/sh", (b"sh", b"-c", script.encode()), PATH, account=ACCOUNT)
        for name, value in options.items():
            spec = replaced(spec, name, value)
        try:
            return await self.launcher.session(spec, streams.theirs), streams
        finally:
            streams.close_theirs()


def replaced(spec: SessionSpec, name: str, value: object) -> SessionSpec:
    """`spec` with another value for one field."""
    values = {slot.name: getattr(spec, slot.name) for slot in SessionSpec.LAYOUT}
    return SessionSpec(**{**values, name: value})


class Streams:
    """Pipes for a session's standard descriptors; standard error goes where output goes."""

    def __init__(self) -> None:
        entry, self.input = os.pipe()
        self.output, exit_ = os.pipe()
        self.theirs = (entry, exit_, exit_)

    def close_theirs(self) -> None:
        """Close the ends that the session holds."""
        for descriptor in set(self.theirs):
            os.close(descriptor)

    async def read(self) -> str:
        """All that the session says, up to its end."""
        with open(self.output, encoding="utf-8", closefd=False) as stream:
            return await asyncio.to_thread(stream.read)

    async def line(self) -> str:
        """One line that the session says, byte by byte."""
        data = b""
        while not data.endswith(b"\n"):
            part = await asyncio.to_thread(os.read, self.output, 1)
            assert part, f"the session ended after {data!r}"
            data += part
        return data.decode().strip()

    def close(self) -> None:
        """Close our ends; once more is harmless."""
        for descriptor in (self.input, self.output):
            if descriptor >= 0:
                os.close(descriptor)
        self.input = self.output = -1


@contextlib.asynccontextmanager
async def house(command: tuple[str, ...] = TOY, forks_per_zygote: int = 10_000) -> AsyncIterator[House]:
    """A house that stands; all its processes are gone afterwards."""
    complaints: list[str] = []
    _ELDER.clear()
    _ELDER.update(_all_children())
    launcher = Launcher(complaints.append, worker=WORKER, command=command, forks_per_zygote=forks_per_zygote)
    try:
        await launcher.start()
        with contextlib.ExitStack() as stack:
            yield House(launcher, stack, complaints)
    finally:
        await launcher.close()
        call("prctl", _PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def in_house(test: Callable[[House], Awaitable[None]], **options: object) -> None:
    """Run `test` in a house."""

    async def run() -> None:
        async with house(**options) as standing:  # type: ignore[arg-type]
            await test(standing)

    asyncio.run(run())


async def heard(endpoint: Endpoint) -> bytes | None:
    """The next message; None at the end."""
    received = await asyncio.to_thread(endpoint.recv)
    return None if received is None else received.message


def children() -> list[int]:
    """The process ids of all children of this process that came since the house began."""
    return [pid for pid in _all_children() if pid not in _ELDER]


def _all_children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        # A thread may end while it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return found


_ELDER: set[int] = set()
"""Children of other tests, such as daemons that many tests share."""


def zygote_pid() -> int:
    """The one child that is a zygote."""
    (pid,) = [pid for pid in children() if Path(f"/proc/{pid}/comm").read_text() == "pysshd: zygote\n"]
    return pid


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def status_of(pid: int) -> dict[str, str]:
    """/proc/PID/status by its names."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def until(condition: Callable[[], bool], within: float = 20.0) -> float:
    """Wait until `condition` holds; returns after how many seconds, and fails after `within`."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < within, "it did not come to be in time"
        await asyncio.sleep(0.005)
    return time.monotonic() - start


@contextlib.contextmanager
def no_descriptor_more() -> Iterator[None]:
    """The block leaves as many descriptors open as it found."""
    gc.collect()
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before
