"""A few workers that serve many connections each (`isolation: shared`).

Each connection keeps a socket to the monitor of its own, so what is asked on one can never pass for another's. A worker
that breaks the rules on any of them dies with all of its connections; another one takes its place.
"""

import asyncio
import os
from collections.abc import Callable
from signal import SIGKILL
from typing import ClassVar, Final

from pysshd.audit.sinks import AuditLog
from pysshd.errors import BoundaryError, PysshdError
from pysshd.processes.boundary.calls.connection import Here, Knock, TakeSeat
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.pool import Worker, fork_worker
from pysshd.records import dataclass

CONNECTIONS_PER_WORKER: Final = 4000
"""After so many connections a worker takes no more and ends with its last one: what it leaked goes with it."""

OWN_DESCRIPTORS: Final = 32
"""Descriptors of a worker that belong to no connection, and those that are closed a moment late."""

END_WITHIN: Final = 10.0
"""Seconds that a worker may take to let go of a connection that is over: it may be busy with others."""

LOOK_EVERY: Final = 10.0
"""Seconds between two looks at the workers that have connections, at which each is asked whether it is there."""

MISSED_MOST: Final = 3
"""So many looks in a row without an answer, and a worker hangs. They are counted, not timed: a machine that slept, or a
monitor that was stopped, has missed one look at the most."""

_KNOCK: Final = Knock().encode()
_HERE: Final = Here().encode()


def descriptors_of(sessions: int) -> int:
    """How many descriptors one connection may hold in its worker: two sockets, and three for each session."""
    return 2 + 3 * sessions


@dataclass(frozen=True, slots=True)
class Seat(Worker):
    """A worker as one of its connections has it; `endpoint` is the connection's own."""

    theirs: Endpoint
    crew: "Crew"
    leave: Callable[["Crew"], None]
    is_shared: ClassVar[bool] = True
    patience: ClassVar[float] = 10.0

    def begin(self, assign: bytes, client: int) -> None:
        """As of any worker, but by the socket that the worker was forked with."""
        with self.theirs:
            self.crew.worker.endpoint.send(TakeSeat(assign).encode(), (self.theirs.fileno(), client))

    def drop(self) -> None:
        """The worker ends the connection when it reads the end of its socket, and serves the others."""

    def overdue(self) -> None:
        """It is stuck, or does not do as it is told."""
        self.child.signal(SIGKILL)

    async def left(self, reason: str | None) -> ExitStatus | None:
        """The connection is over. How the worker ended where nothing else was the `reason`; None where it goes on."""
        try:
            if reason is not None:
                return None
            # The connection's socket ended without a word: so did the worker, or it is about to.
            async with asyncio.timeout(END_WITHIN):
                return await self.child.wait()
        except TimeoutError:
            self.child.signal(SIGKILL)
            return await self.child.wait()
        finally:
            self.theirs.close()
            self.leave(self.crew)


class Crew:
    """One worker, and how many connections it has and had."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.seated = 0
        self.served = 0
        self.owes = False
        """It was asked whether it is there, and has not answered."""

        self.missed = 0
        """Looks in a row at which it had not."""

    @property
    def is_alive(self) -> bool:
        """Whether it may be asked."""
        return self.worker.child.exit is None and self.worker.endpoint.fileno() >= 0

    def ask(self) -> None:
        """Count a missed look where it owes an answer, else ask for one."""
        if self.owes:
            self.missed += 1
            return
        try:
            self.worker.endpoint.send(_KNOCK)
        except BlockingIOError:
            # It reads nothing of what it is sent.
            self.missed += 1
        except BoundaryError:
            # It is gone, and its end is on its way.
            return
        else:
            self.owes = True

    def answers(self, message: bytes) -> bool:
        """It said `message`; whether that is the answer that it owes."""
        if not self.owes or message != _HERE:
            return False
        self.owes, self.missed = False, 0
        return True


class SharedPool:
    """Keeps `size` workers at work, and gives each connection to the one that has the fewest.

    `capacity` is how many connections one worker has the descriptors for.
    """

    def __init__(
        self,
        launcher: Launcher,
        size: int,
        capacity: int,
        log: AuditLog,
        connections_per_worker: int = CONNECTIONS_PER_WORKER,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._launcher = launcher
        self._size = size
        self._capacity = capacity
        self._log = log
        self._most = connections_per_worker
        self._look_every = look_every
        self._looking: asyncio.TimerHandle | None = None
        self._crews: list[Crew] = []
        self._leaving: set[Crew] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._pause = 0.0
        self._closed = False

    async def start(self) -> tuple[str, ...]:
        """Fork the first worker, and return what it says of its sandbox; BoundaryError where there is none."""
        crew = self._enlist(await fork_worker(self._launcher))
        self._fill()
        return crew.worker.holds

    async def take(self) -> Worker:
        """Return a place in a worker; BoundaryError where all are full, or none can be had."""
        self._dismiss_old()
        crew = min((crew for crew in self._crews if crew.is_alive), key=_burden, default=None)
        if crew is None:
            crew = self._enlist(await fork_worker(self._launcher))
        if crew.seated >= self._capacity:
            raise BoundaryError(f"every worker has {self._capacity} connections, as many as it may hold open")
        self._fill()
        return self._seat(crew)

    async def close(self) -> None:
        """End every worker."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        for task in (*self._starting, *self._watching):
            task.cancel()
        await asyncio.gather(*self._starting, *self._watching, return_exceptions=True)
        for crew in (*self._crews, *self._leaving):
            self._let_go(crew)
            await crew.worker.child.end()

    def _seat(self, crew: Crew) -> Seat:
        ours, theirs = Endpoint.pair()
        crew.seated += 1
        crew.served += 1
        self._look_later()
        return Seat(crew.worker.child, ours, crew.worker.holds, theirs, crew, self._leave)

    def _leave(self, crew: Crew) -> None:
        crew.seated -= 1
        if not crew.seated and crew in self._leaving:
            self._let_go(crew)

    def _look_later(self) -> None:
        """As long as anybody is seated: a daemon without connections does nothing."""
        if self._looking is None and not self._closed:
            self._looking = self._loop.call_later(self._look_every, self._look)

    def _look(self) -> None:
        """Ask each worker that has connections whether it is there, and give up who did not answer too often.

        Only a worker that many share needs it: one that hangs alone holds up nobody but its client, and is killed when
        that is to go.
        """
        self._looking = None
        for crew in (*self._crews, *self._leaving):
            if not crew.seated or not crew.is_alive:
                continue
            self._look_later()
            crew.ask()
            if crew.missed >= MISSED_MOST:
                seconds = round(crew.missed * self._look_every)
                self._log.write("worker.hung", source=_source(crew), pid=crew.worker.child.pid, seconds=seconds)
                self._give_up(crew)

    def _enlist(self, worker: Worker) -> Crew:
        crew = Crew(worker)
        self._crews.append(crew)
        self._loop.add_reader(worker.endpoint.fileno(), self._heard, crew)
        task = asyncio.create_task(self._bury(crew))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return crew

    def _dismiss_old(self) -> None:
        """Workers of a zygote that was replaced share the address layout of one that failed; old ones have served."""
        generation = self._launcher.generation
        for crew in list(self._crews):
            if crew.worker.child.generation != generation or crew.served >= self._most:
                self._crews.remove(crew)
                self._leaving.add(crew)
                if not crew.seated:
                    self._let_go(crew)

    def _let_go(self, crew: Crew) -> None:
        """Close its socket, whereupon it ends as soon as it serves nobody."""
        if (descriptor := crew.worker.endpoint.fileno()) >= 0:
            self._loop.remove_reader(descriptor)
            crew.worker.endpoint.close()

    def _heard(self, crew: Crew) -> None:
        """A worker says on its own socket that it is there when it is asked; else this is its end, or a violation."""
        try:
            received = crew.worker.endpoint.recv()
        except BlockingIOError:
            return
        except BoundaryError:
            received = None
        if received is not None and not received.fds and crew.answers(received.message):
            return
        if received is not None:
            for descriptor in received.fds:
                os.close(descriptor)
            self._log.write("worker.violation", source="-", detail="it spoke unasked", pid=crew.worker.child.pid)
        self._give_up(crew)

    def _give_up(self, crew: Crew) -> None:
        crew.worker.child.signal(SIGKILL)
        self._let_go(crew)

    async def _bury(self, crew: Crew) -> None:
        child: Child = crew.worker.child
        status = await child.wait()
        self._let_go(crew)
        if status.signal is not None or status.status:
            words = child.last_words.decode("utf-8", "backslashreplace").strip()[-2048:]
            self._log.write("worker.died", source=_source(crew), pid=child.pid, status=str(status), detail=words)
        self._leaving.discard(crew)
        if crew in self._crews:
            self._crews.remove(crew)
            self._fill()

    def _fill(self) -> None:
        while not self._closed and len(self._crews) + len(self._starting) < self._size:
            task = asyncio.create_task(self._add())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _add(self) -> None:
        await asyncio.sleep(self._pause)
        try:
            self._enlist(await fork_worker(self._launcher))
        except (PysshdError, OSError) as error:
            # A fault that lasts must not become a storm of forks.
            self._pause = min(5.0, self._pause * 2 or 0.1)
            self._log.write("daemon.error", detail=f"worker could not be started: {error}")
            return
        self._pause = 0.0


def _burden(crew: Crew) -> tuple[bool, int]:
    """Who does not answer is given a connection last."""
    return crew.missed > 0, crew.seated


def _source(crew: Crew) -> str:
    return f"{crew.seated} connections"
