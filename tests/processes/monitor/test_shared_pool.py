"""Workers that serve many: who is given which place, what ends with a worker, and that no place is another's."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from pysshd.audit.sinks import AuditLog
from pysshd.daemon.clock import SystemClock
from pysshd.errors import BoundaryError, DisconnectReason
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.channels import OpenChannel
from pysshd.processes.boundary.calls.connection import Ready, TakeSeat
from pysshd.processes.boundary.calls.global_requests import RequestGlobal
from pysshd.processes.boundary.calls.host_keys import Sign
from pysshd.processes.boundary.calls.login import BeginAuth, Offer, OfferPassword
from pysshd.processes.boundary.calls.requests import RequestExec
from pysshd.processes.boundary.calls.table import TO_SHARED
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.processes.monitor.connection import GuardedConnection
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.pool import Worker
from pysshd.processes.monitor.shared_pool import Crew, Seat, SharedPool
from pysshd.processes.monitor.terms import Peer
from tests.processes.monitor.house import HASH, FakeChild, House, Memory, in_house


class Crowd:
    """A pool over workers that do nothing but keep the sockets that they are sent."""

    def __init__(self, size: int = 2, capacity: int = 3, most: int = 100, look_every: float = 100.0) -> None:
        self.generation = 1
        self.children: list[FakeChild] = []
        self.controls: list[Endpoint] = []
        self.seats: list[Worker] = []
        self.memory = Memory()
        log = AuditLog((self.memory,), SystemClock().wall)
        self.pool = SharedPool(cast(Launcher, self), size, capacity, log, most, look_every)

    async def worker(self, end: Endpoint, *, at_once: bool = False) -> FakeChild:
        await asyncio.sleep(0)
        mine = Endpoint.from_fd(os.dup(end.fileno()))
        mine.send(Ready((b"all",)).encode())
        self.controls.append(mine)
        child = FakeChild(100 + len(self.children))
        child.generation = self.generation
        self.children.append(child)
        return child

    async def take(self) -> Worker:
        seat = await self.pool.take()
        self.seats.append(seat)
        return seat

    def joined(self, worker: int) -> list[Endpoint]:
        """The sockets that a worker was sent, one for each connection."""
        control, found = self.controls[worker], []
        control.set_blocking(False)
        with contextlib.suppress(BlockingIOError):
            while (received := control.recv()) is not None:
                call = decode(received.message, TO_SHARED)
                assert isinstance(call, TakeSeat)
                assert call.assign == b"assign"
                monitor, client = received.fds
                os.close(client)
                found.append(Endpoint.from_fd(monitor))
        return found

    def is_let_go(self, worker: int) -> bool:
        """Whether the monitor has closed its end."""
        self.controls[worker].set_blocking(False)
        try:
            while (received := self.controls[worker].recv()) is not None:
                for descriptor in received.fds:
                    os.close(descriptor)
        except BlockingIOError:
            return False
        return True

    async def settled(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0.001)

    def close(self) -> None:
        for seat in self.seats:
            seat.endpoint.close()
            cast(Seat, seat).theirs.close()
        for end in self.controls:
            end.close()


def in_crowd(test: Callable[[Crowd], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def run() -> None:
        with contextlib.closing(Crowd(**options)) as crowd:
            assert await crowd.pool.start() == ("all",)
            await crowd.settled()
            await test(crowd)
            await crowd.pool.close()
            await crowd.settled()

    before = sorted(os.listdir("/proc/self/fd"))
    asyncio.run(run())
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_each_place_goes_to_who_has_the_fewest_and_has_a_socket_of_its_own() -> None:
    async def run(crowd: Crowd) -> None:
        seats = [await crowd.take() for _ in range(6)]
        assert len(crowd.children) == 2
        assert [seat.child.pid for seat in seats] == [100, 101] * 3
        for seat in seats:
            seat.begin(b"assign", 0)
        for worker in (0, 1):
            ends = crowd.joined(worker)
            for number, (end, seat) in enumerate(zip(ends, seats[worker::2], strict=True)):
                end.send(bytes([number + 1]))
                received = seat.endpoint.recv()
                assert received is not None
                assert received.message == bytes([number + 1])
                end.close()

    in_crowd(run)


def test_full_workers_refuse_and_a_place_that_is_left_is_given_again() -> None:
    async def run(crowd: Crowd) -> None:
        seats = [await crowd.take() for _ in range(6)]
        with pytest.raises(BoundaryError, match="every worker has 3 connections"):
            await crowd.take()
        assert await seats[2].left("it is over") is None
        assert (await crowd.take()).child.pid == seats[2].child.pid
        assert len(crowd.children) == 2

    in_crowd(run)


def test_workers_of_an_old_zygote_serve_whom_they_have_and_go() -> None:
    async def run(crowd: Crowd) -> None:
        old = await crowd.take()
        crowd.generation = 2
        new = await crowd.take()
        assert new.child.generation == 2
        await crowd.settled()
        assert not crowd.is_let_go(0)
        assert crowd.is_let_go(1)
        assert await old.left("it is over") is None
        assert crowd.is_let_go(0)
        assert not any(child.signals for child in crowd.children)

    in_crowd(run)


def test_a_worker_that_has_served_enough_is_replaced() -> None:
    async def run(crowd: Crowd) -> None:
        for _ in range(4):
            seat = await crowd.take()
            await seat.left("it is over")
            seat.endpoint.close()
        assert {seat.child.pid for seat in crowd.seats} == {100, 101}
        await crowd.take()
        await crowd.settled()
        assert crowd.is_let_go(0)
        assert crowd.seats[-1].child.pid > 101

    in_crowd(run, most=2)


@pytest.mark.security("S112")
def test_the_end_of_a_worker_is_that_of_its_connections_and_another_comes() -> None:
    async def run(crowd: Crowd) -> None:
        first, second = await crowd.take(), await crowd.take()
        crowd.children[0].exits(ExitStatus(None, signal.SIGSEGV))
        assert await first.left(None) == ExitStatus(None, signal.SIGSEGV)
        await crowd.settled()
        died = crowd.memory.the("worker.died")
        assert (died["pid"], died["status"]) == (100, "signal SIGSEGV")
        assert {(await crowd.take()).child.pid for _ in range(2)} == {101, 102}
        assert second.child.exit is None

    in_crowd(run)


@pytest.mark.security("S112")
def test_a_worker_that_speaks_on_its_own_socket_is_killed() -> None:
    async def run(crowd: Crowd) -> None:
        await crowd.take()
        crowd.controls[0].send(Ready((b"again",)).encode(), (0,))
        await crowd.settled()
        assert crowd.children[0].signals == [signal.SIGKILL]
        assert crowd.memory.the("worker.violation")["pid"] == 100

    in_crowd(run)


@pytest.mark.security("S112")
def test_a_connection_that_ended_without_a_word_is_the_end_of_a_worker_that_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pysshd.processes.monitor.shared_pool.END_WITHIN", 0.05)

    async def run(crowd: Crowd) -> None:
        seat = await crowd.take()
        assert await seat.left(None) == ExitStatus(None, signal.SIGKILL)

    in_crowd(run)


def test_a_worker_that_has_just_ended_a_connection_is_not_killed_for_it() -> None:
    """Its Bye and the end of the socket may be on their way when the monitor has something to tell."""

    async def run(house: House) -> None:
        child = cast(Child, FakeChild())
        left: list[Crew] = []
        control, of_worker = Endpoint.pair()
        with control, of_worker:
            crew = Crew(Worker(child, control, ()))
            seat = _seat(crew, left)
            connection = GuardedConnection(
                peer=Peer(("192.0.2.7", 4022), ("192.0.2.1", 22), "*:22"),
                worker=seat,
                services=house.services,
                terms=house.terms,
                name="connection",
                authenticated=lambda: None,
            )
            client, far = socket.socketpair()
            with client, far:
                connection.start(client)
            received = of_worker.recv()
            assert received is not None
            for descriptor in received.fds:
                os.close(descriptor)
            connection.end(DisconnectReason.BY_APPLICATION, "the server is shutting down")
            async with asyncio.timeout(5):
                await connection.over
        assert cast(FakeChild, child).signals == []
        assert left == [crew]

    in_house(run)


def _seat(crew: Crew, left: list[Crew]) -> Seat:
    ours, theirs = Endpoint.pair()
    return Seat(crew.worker.child, ours, (), theirs, crew, left.append)


# --- a captured worker, with the sockets of two connections


class Captured:
    """Two connections of one worker process: alice is in, the other has only just come."""

    def __init__(self, house: House) -> None:
        self.child = FakeChild()
        self.alice, self.other = (house.open(child=cast(Any, self.child)) for _ in range(2))

    async def begin(self) -> "Captured":
        await self.alice.to_open()
        await self.other.to_kex()
        return self


EVIL: tuple[tuple[type[Call], tuple[Any, ...]], ...] = (
    (OpenChannel, (0, "session")),
    (RequestExec, (0, b"id")),
    (OfferPassword, (b"right",)),
    (RequestGlobal, ("keepalive@openssh.com", b"")),
)


@pytest.mark.security("S112")
@pytest.mark.parametrize(("kind", "fields"), EVIL, ids=[kind.__name__ for kind, _ in EVIL])
def test_what_one_connection_may_do_can_not_be_asked_on_the_socket_of_another(
    kind: type[Call], fields: tuple[Any, ...]
) -> None:
    async def run(house: House) -> None:
        both = await Captured(house).begin()
        both.other.say(cast(Any, kind)(1, *fields))
        await both.other.over()
        assert both.child.signals[0] == signal.SIGKILL
        assert "in phase kex" in str(house.memory.the("worker.violation")["detail"])
        assert house.launcher.sessions == []
        assert house.servers[0].count("check_channel_exec_request") == 0
        _close(both)

    in_house(run)


@pytest.mark.security("S112")
def test_the_session_id_and_the_name_of_one_connection_are_nothing_on_another() -> None:
    async def run(house: House) -> None:
        both = await Captured(house).begin()
        await both.other.ask(Sign, "ssh-ed25519", b"o" * len(HASH))
        assert isinstance(await both.other.ask(BeginAuth, b"eve", "ssh-connection", b""), Offer)
        assert (await both.other.ask(OfferPassword, b"right")).outcome == 2
        assert (both.alice.logins, both.other.logins) == (1, 0)
        assert (await both.alice.ask(OpenChannel, 0, "session")).code == 0
        assert len(house.servers) == 2
        _close(both)

    in_house(run)


def _close(both: Captured) -> None:
    for wire in (both.alice, both.other):
        wire.close()
