"""A worker that many connections share and that hangs is noticed, and ended as one that died."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from typing import Any, cast

import pytest

from pysshd.processes.boundary.calls.connection import Here, Knock
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import ExitStatus
from tests.processes.monitor.house import FakeChild
from tests.processes.monitor.test_shared_pool import Crowd, in_crowd
from tests.processes.worker.house import ASSIGN

LOOK_EVERY = 0.1

WORKER = """
import sys
from pysshd.processes.boundary.calls.connection import Ready
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.worker.loop import Loop
from pysshd.processes.worker.program import serve_many
monitor = Endpoint.from_fd(int(sys.argv[1]))
monitor.send(Ready((b"all",)).encode())
sys.exit(serve_many(monitor, Loop()))
"""


def knocks(crowd: Crowd, worker: int) -> int:
    """How often a worker was asked since the last time."""
    control, found = crowd.controls[worker], 0
    control.set_blocking(False)
    with contextlib.suppress(BlockingIOError):
        while (received := control.recv()) is not None:
            assert received.message == Knock().encode()
            found += 1
    return found


async def looks(count: float) -> None:
    await asyncio.sleep(count * LOOK_EVERY)


async def is_knocked(crowd: Crowd, worker: int) -> None:
    async with asyncio.timeout(5):
        while not knocks(crowd, worker):
            await asyncio.sleep(0.001)


async def answer(crowd: Crowd, worker: int) -> None:
    while True:
        if knocks(crowd, worker):
            crowd.controls[worker].send(Here().encode())
        await asyncio.sleep(0.005)


def test_only_workers_with_connections_are_asked_and_only_once_until_they_answer() -> None:
    async def run(crowd: Crowd) -> None:
        await looks(3)
        assert crowd.pool._looking is None
        seat = await crowd.take()
        for _ in range(3):
            await is_knocked(crowd, 0)
            await looks(1.5)
            assert knocks(crowd, 0) == 0
            crowd.controls[0].send(Here().encode())
        assert knocks(crowd, 1) == 0
        await seat.left("it is over")
        await is_knocked_no_more(crowd)
        assert not any(child.signals for child in crowd.children)

    in_crowd(run, look_every=LOOK_EVERY)


async def is_knocked_no_more(crowd: Crowd) -> None:
    async with asyncio.timeout(5):
        while crowd.pool._looking is not None:
            await asyncio.sleep(0.001)
    knocks(crowd, 0)
    await looks(3)
    assert knocks(crowd, 0) == 0


@pytest.mark.security("S112")
def test_who_does_not_answer_gets_connections_last_and_is_killed_in_the_end() -> None:
    async def run(crowd: Crowd) -> None:
        first, second = await crowd.take(), await crowd.take()
        hung, well = cast(list[Any], crowd.children)
        answering = asyncio.create_task(answer(crowd, 1))
        async with asyncio.timeout(5):
            while not crowd.pool._crews[0].missed:
                await asyncio.sleep(0.001)
            assert (await crowd.take()).child is second.child
            assert await first.left(None) == ExitStatus(None, signal.SIGKILL)
            while len(crowd.children) < 3:
                await asyncio.sleep(0.001)
            await crowd.settled()
        assert hung.signals == [signal.SIGKILL]
        assert well.signals == []
        said = crowd.memory.the("worker.hung")
        assert (said["pid"], said["source"]) == (hung.pid, "1 connections")
        assert crowd.memory.the("worker.died")["pid"] == hung.pid
        assert (await crowd.take()).child not in (hung, well)
        answering.cancel()

    in_crowd(run, look_every=LOOK_EVERY)


@pytest.mark.security("S112")
@pytest.mark.parametrize("asked", [False, True], ids=["unasked", "twice"])
def test_an_answer_that_is_not_owed_is_a_violation(asked: bool) -> None:
    async def run(crowd: Crowd) -> None:
        await crowd.take()
        if asked:
            await is_knocked(crowd, 0)
            crowd.controls[0].send(Here().encode())
        crowd.controls[0].send(Here().encode())
        await crowd.settled()
        assert crowd.children[0].signals == [signal.SIGKILL]
        assert crowd.memory.the("worker.violation")["pid"] == 100

    in_crowd(run, look_every=0.2)


@pytest.mark.security("S112")
def test_a_worker_that_reads_nothing_is_not_waited_for() -> None:
    """Its socket is full, so that it can not even be asked."""

    async def run(crowd: Crowd) -> None:
        seat = await crowd.take()
        control = crowd.pool._crews[0].worker.endpoint
        with contextlib.suppress(BlockingIOError):
            while True:
                control.send(bytes(1000))
        async with asyncio.timeout(5):
            assert await seat.child.wait() == ExitStatus(None, signal.SIGKILL)

    in_crowd(run, look_every=LOOK_EVERY)


# --- with real processes


class Process(FakeChild):
    """A worker's loop in a process of its own, without a sandbox."""

    def __init__(self, end: Endpoint) -> None:
        words = [sys.executable, "-c", WORKER, str(end.fileno())]
        self.process = subprocess.Popen(words, pass_fds=[end.fileno()])
        super().__init__(self.process.pid)

    def signal(self, number: int) -> bool:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(5)
        return super().signal(number)

    async def end(self, *, hung_up: bool = False) -> None:
        self.signal(signal.SIGKILL)


class RealCrowd(Crowd):
    """A pool over such processes."""

    async def worker(self, end: Endpoint, *, at_once: bool = False) -> Process:
        await asyncio.sleep(0)
        child = Process(end)
        self.children.append(child)
        return child


@pytest.mark.security("S112")
def test_a_stopped_worker_is_ended_with_its_connections_and_the_others_go_on() -> None:
    async def run() -> None:
        crowd = RealCrowd(look_every=0.5)
        with contextlib.closing(crowd):
            await crowd.pool.start()
            async with asyncio.timeout(20):
                while len(crowd.pool._crews) < 2:
                    await asyncio.sleep(0.01)
            clients = []
            for _ in range(4):
                client, served = socket.socketpair()
                clients.append(client)
                seat = await crowd.take()
                seat.begin(ASSIGN.encode(), served.fileno())
                served.close()
                client.settimeout(5)
                assert client.recv(100).startswith(b"SSH-2.0-test\r\n")
            hung, well = cast(list[Any], crowd.children)
            # Both answer, time after time.
            await asyncio.sleep(1.2)
            assert (hung.exit, well.exit) == (None, None)
            os.kill(hung.pid, signal.SIGSTOP)
            async with asyncio.timeout(10):
                assert await crowd.seats[0].left(None) == ExitStatus(None, signal.SIGKILL)
            await asyncio.sleep(0)
            assert crowd.memory.the("worker.hung")["source"] == "2 connections"
            for client, seat in zip(clients, crowd.seats, strict=True):
                if seat.child is hung:
                    while client.recv(65536):
                        pass
                else:
                    client.sendall(b"SSH-2.0-client\r\n")
            async with asyncio.timeout(20):
                while len(crowd.pool._crews) < 2:
                    await asyncio.sleep(0.01)
            new = await crowd.take()
            assert new.child not in (hung, well)
            await asyncio.sleep(0.5)
            assert well.exit is None
            for client in clients:
                client.close()
            await crowd.pool.close()

    asyncio.run(run())
