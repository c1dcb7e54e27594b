"""Workers forked in advance, so that no client waits for one: sandboxed, holding nothing, ready for a connection."""

import asyncio
from collections import deque
from collections.abc import Callable
from signal import SIGKILL
from typing import ClassVar, Protocol

from pysshd.errors import BoundaryError, PysshdError
from pysshd.processes.boundary.calls.call import decode
from pysshd.processes.boundary.calls.connection import Ready
from pysshd.processes.boundary.calls.table import TO_MONITOR
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.processes.monitor.hearing import hear
from pysshd.processes.monitor.launcher import Launcher
from pysshd.records import dataclass

READY_WITHIN = 20.0
"""Seconds that a worker may take from its fork into its sandbox."""


END_WITHIN = 10.0
"""Seconds that a worker may take to end when its connection is over: it lingers for one, and a machine may be busy."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A ready worker: its process, our end of its socket, and what it says of its sandbox."""

    child: Child
    endpoint: Endpoint
    holds: tuple[str, ...]
    is_shared: ClassVar[bool] = False
    patience: ClassVar[float] = 2.0
    """Seconds between telling a worker to disconnect its client and giving it up."""

    def begin(self, assign: bytes, client: int) -> None:
        """Hand the client's socket over, with all that the worker has to know; the errors of `Endpoint.send`."""
        self.endpoint.send(assign, (client,))

    def drop(self) -> None:
        """Its connection is of no use any more, through no fault of the worker; its socket is closed next."""
        self.child.signal(SIGKILL)

    def overdue(self) -> None:
        """It was told to end its connection, and did not in time: its socket is closed next, which ends it."""

    async def left(self, reason: str | None) -> ExitStatus | None:
        """Its connection is over, for `reason` as far as that is known: how the process ended.

        None for one that serves others and goes on.
        """
        try:
            async with asyncio.timeout(END_WITHIN):
                return await self.child.wait()
        except TimeoutError:
            await self.child.end()
            return await self.child.wait()


class Workers(Protocol):
    """Where the daemon takes workers for its connections from."""

    async def start(self) -> tuple[str, ...]:
        """Return what the first worker says of its sandbox, once there is one; BoundaryError where none can be had."""
        ...

    async def take(self) -> Worker:
        """Return a worker for a connection; BoundaryError where none can be had."""
        ...

    async def close(self) -> None:
        """End the workers that are left."""
        ...


class Pool:
    """Keeps `size` workers ready, each for one connection; whoever takes one starts the next."""

    def __init__(self, launcher: Launcher, size: int, complain: Callable[[str], None]) -> None:
        self._launcher = launcher
        self._size = size
        self._complain = complain
        self._ready: deque[Worker] = deque()
        self._starting: set[asyncio.Task[None]] = set()
        self._pause = 0.0
        self._closed = False

    async def start(self) -> tuple[str, ...]:
        """Wait for the first worker, and return what it says of its sandbox; BoundaryError where there is none."""
        worker = await fork_worker(self._launcher, at_once=True)
        self._ready.append(worker)
        self.fill()
        return worker.holds

    async def take(self) -> Worker:
        """Return a ready worker, forking one where none is waiting; LaunchError or BoundaryError where that fails."""
        while self._ready:
            worker = self._ready.popleft()
            self.fill()
            if worker.child.exit is None and worker.child.generation == self._launcher.generation:
                return worker
            # It has died, or shares the address layout of a zygote that was replaced for good reason: its end follows.
            worker.endpoint.close()
        worker = await self._fork()
        self.fill()
        return worker

    def fill(self) -> None:
        """Start as many workers as are missing."""
        # A task that is done stays among them until the loop's next turn, and what it started is ready by then.
        starting = sum(not task.done() for task in self._starting)
        for _ in range(0 if self._closed else self._size - len(self._ready) - starting):
            task = asyncio.create_task(self._add())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def close(self) -> None:
        """End the workers that wait."""
        self._closed = True
        for task in list(self._starting):
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        while self._ready:
            worker = self._ready.popleft()
            worker.endpoint.close()
            await worker.child.end()

    async def _add(self) -> None:
        await asyncio.sleep(self._pause)
        try:
            worker = await self._fork()
        except (PysshdError, OSError) as error:
            # A fault that lasts must not become a storm of forks.
            self._pause = min(5.0, self._pause * 2 or 0.1)
            self._complain(f"worker could not be started: {error}")
            return
        self._pause = 0.0
        self._ready.append(worker)

    async def _fork(self) -> Worker:
        return await fork_worker(self._launcher)


async def fork_worker(launcher: Launcher, *, at_once: bool = False) -> Worker:
    """Fork a worker and wait until it stands in its sandbox; LaunchError or BoundaryError where that fails.

    `at_once`: without waiting for what makes the forks of many cheap.
    """
    ours, theirs = Endpoint.pair()
    try:
        child = await launcher.worker(theirs, at_once=at_once)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    try:
        async with asyncio.timeout(READY_WITHIN):
            holds = await _ready(ours, child)
    except asyncio.CancelledError:
        # The worker follows when it reads the end.
        ours.close()
        raise
    except (TimeoutError, BoundaryError) as error:
        ours.close()
        await child.end()
        detail = child.last_words.decode("utf-8", "backslashreplace").strip().splitlines()
        raise BoundaryError(f"worker {child.pid} did not become ready: {detail[-1] if detail else error}") from None
    return Worker(child, ours, holds)


async def _ready(endpoint: Endpoint, child: Child) -> tuple[str, ...]:
    call = decode(await hear(endpoint, f"worker {child.pid}"), TO_MONITOR)
    if not isinstance(call, Ready):
        raise BoundaryError(f"worker {child.pid} sent {type(call).__name__}, expected Ready")
    return tuple(line.decode("utf-8", "replace") for line in call.holds)
