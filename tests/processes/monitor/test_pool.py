"""Workers that wait: taken in order, never one that died or is of an old zygote, and all gone at the end."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.connection import Bye, Ready
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor import pool as pools
from pysshd.processes.monitor.children import ExitStatus
from pysshd.processes.monitor.launcher import Launcher, LaunchError
from pysshd.processes.monitor.pool import Pool
from tests.processes.monitor.house import FakeChild


class Nursery:
    """Forks workers that say what a test wants; it holds their ends."""

    def __init__(self, size: int = 2) -> None:
        self.generation = 1
        self.says: list[bytes] = [Ready((b"all",)).encode()]
        self.fds: tuple[int, ...] = ()
        self.fails: Exception | None = None
        self.children: list[FakeChild] = []
        self.complaints: list[str] = []
        self._ends: list[Endpoint] = []
        self.pool = Pool(cast(Launcher, self), size, self.complaints.append)

    async def worker(self, end: Endpoint, *, at_once: bool = False) -> FakeChild:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        mine = Endpoint.from_fd(os.dup(end.fileno()))
        self._ends.append(mine)
        for message in self.says:
            mine.send(message, self.fds)
        child = FakeChild(100 + len(self.children))
        child.generation = self.generation
        self.children.append(child)
        return child

    async def settled(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0.001)

    def close(self) -> None:
        for end in self._ends:
            end.close()


def in_nursery(test: Callable[[Nursery], Coroutine[Any, Any, None]], size: int = 2) -> None:
    async def run() -> None:
        with contextlib.closing(Nursery(size)) as nursery:
            await test(nursery)
            await nursery.pool.close()
            await nursery.settled()

    before = sorted(os.listdir("/proc/self/fd"))
    asyncio.run(run())
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_whoever_takes_one_starts_the_next() -> None:
    async def run(nursery: Nursery) -> None:
        for number in range(4):
            worker = await nursery.pool.take()
            assert worker.child.pid == 100 + number
            assert worker.holds == ("all",)
            worker.endpoint.close()
            await nursery.settled()
            assert len(nursery.children) == number + 3

    in_nursery(run)


@pytest.mark.parametrize("ticks", range(24))
def test_as_many_wait_as_are_wanted_whenever_the_next_is_taken(ticks: int) -> None:
    """Also when that is in the moment in which another one becomes ready."""

    async def run(nursery: Nursery) -> None:
        for _ in range(2):
            (await nursery.pool.take()).endpoint.close()
            for _ in range(ticks):
                await asyncio.sleep(0)
        await nursery.settled()
        assert len(nursery.children) == 4

    in_nursery(run)


def test_a_worker_that_died_or_is_of_an_old_zygote_is_nobodys() -> None:
    async def run(nursery: Nursery) -> None:
        (await nursery.pool.take()).endpoint.close()
        await nursery.settled()
        nursery.children[1].exits(ExitStatus(1))
        nursery.generation = 2
        worker = await nursery.pool.take()
        assert worker.child.generation == 2
        worker.endpoint.close()

    in_nursery(run)


@pytest.mark.security("S112")
@pytest.mark.parametrize(
    ("says", "fds", "said"),
    [
        ([], 0, "ended without an answer"), ([b"\xff"], 0, "number 255"), ([Bye("x").encode()], 0, "sent Bye"),
        ([Ready((b"all",)).encode()], 3, "sent descriptors"),
    ],
)  # fmt: skip
def test_a_worker_that_is_not_ready_is_ended(says: list[bytes], fds: int, said: str) -> None:
    async def run(nursery: Nursery) -> None:
        nursery.says, nursery.fds = says, (2,) * fds
        if not says:
            nursery._ends = _Closing()
        with pytest.raises(BoundaryError, match=said):
            await nursery.pool.take()
        assert [child.ends for child in nursery.children] == [1]

    in_nursery(run)


class _Closing(list[Endpoint]):
    """Closes what it is given, as a process that ends."""

    def append(self, end: Endpoint) -> None:
        end.close()


def test_a_worker_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "READY_WITHIN", 0.05)

    async def run(nursery: Nursery) -> None:
        nursery.says = []
        with pytest.raises(BoundaryError, match="did not become ready"):
            await nursery.pool.take()
        assert nursery.children[0].ends == 1

    in_nursery(run)


def test_a_fault_that_lasts_is_no_storm_of_forks() -> None:
    async def run(nursery: Nursery) -> None:
        nursery.fails = LaunchError("no zygote")
        nursery.pool.fill()
        await nursery.settled()
        assert nursery.complaints == ["worker could not be started: no zygote"] * 2
        with pytest.raises(LaunchError):
            await nursery.pool.take()
        nursery.fails = None
        worker = await nursery.pool.take()
        worker.endpoint.close()

    in_nursery(run)


def test_workers_that_are_just_starting_end_with_the_pool() -> None:
    async def run(nursery: Nursery) -> None:
        nursery.says = []
        nursery.pool.fill()
        await nursery.settled()
        assert len(nursery.children) == 2

    in_nursery(run)
