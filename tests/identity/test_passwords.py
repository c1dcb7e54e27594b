"""The queue before the helpers: bounded, fair, with a deadline, and every doubt a no."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pysshd.identity import verify
from pysshd.identity.passwords import PasswordQueue, RunHelper

PHC = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"


class Machine:
    """The clock of the machine."""

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Helpers:
    """Stands for helper processes: each takes a while, and knows one password."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.running = 0
        self.most = 0
        self.asked: list[bytes] = []
        self.cancelled = 0

    async def run(self, asked: bytes) -> bytes:
        self.running += 1
        self.most = max(self.most, self.running)
        self.asked.append(asked.rpartition(b"\0")[2][1:])
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return verify.MATCHES if asked.endswith(b"right") else verify.DIFFERS


def queue(run: RunHelper, said: list[str] | None = None, **more: Any) -> PasswordQueue:
    return PasswordQueue(
        run, Machine(), more.pop("helpers", 2), complain=(said if said is not None else []).append, **more
    )


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(test(), 30)

    asyncio.run(whole())


@pytest.mark.parametrize("place", [0, 10, 20])
def test_the_right_one_of_twenty_one_is_in_wherever_it_stands(place: int) -> None:
    async def test() -> None:
        helpers = Helpers(0.01)
        line = queue(helpers.run)
        passwords = [b"wrong"] * 20
        passwords.insert(place, b"right")
        asked: list[int] = []

        async def one(password: bytes) -> bool:
            matches = await line.check(PHC, password)
            if matches:
                asked.append(len(helpers.asked))
            return matches

        found = await asyncio.gather(*map(one, passwords))
        assert found == [password == b"right" for password in passwords]
        assert helpers.most == 2
        # Whoever came before, itself, and what the other helper took meanwhile.
        assert asked[0] <= place + 3
        assert line.waiting == 0

    run(test)


def test_first_come_first_served() -> None:
    async def test() -> None:
        helpers = Helpers(0.001)
        line = queue(helpers.run, helpers=1)
        await asyncio.gather(*(line.check(PHC, b"%02d" % i) for i in range(20)))
        assert helpers.asked == [b"%02d" % i for i in range(20)]

    run(test)


def test_peers_take_turns() -> None:
    async def test() -> None:
        helpers = Helpers(0.001)
        line = queue(helpers.run, helpers=1)
        greedy = [line.check(PHC, b"greedy", "a") for _ in range(50)]
        others = [line.check(PHC, b"other%d" % i, i) for i in range(3)]
        await asyncio.gather(*greedy, *others)
        assert [asked.startswith(b"other") for asked in helpers.asked[:6]].count(True) == 3

    run(test)


@pytest.mark.security("S70")
def test_a_full_queue_refuses_after_as_long_as_a_check_takes() -> None:
    async def test() -> None:
        said: list[str] = []
        helpers = Helpers(0.1)
        line = queue(helpers.run, said, helpers=1, waiting=2)
        assert await line.check(PHC, b"right")
        checks = [asyncio.create_task(line.check(PHC, b"wrong")) for _ in range(3)]
        await asyncio.sleep(0)
        assert line.waiting == 2
        started = time.monotonic()
        assert not await line.check(PHC, b"right")
        assert time.monotonic() - started > 0.08
        await asyncio.gather(*checks)
        assert helpers.asked.count(b"right") == 1
        assert said == ["password queue is full; a password was refused unseen"]

    run(test)


@pytest.mark.security("S70")
def test_one_peer_that_fills_the_queue_keeps_nobody_out() -> None:
    async def test() -> None:
        said: list[str] = []
        helpers = Helpers(0.01)
        line = queue(helpers.run, said, helpers=1, waiting=6)
        greedy = [asyncio.create_task(line.check(PHC, b"wrong", "greedy")) for _ in range(9)]
        await asyncio.sleep(0)
        assert line.waiting == 6
        others = [asyncio.create_task(line.check(PHC, b"right", peer)) for peer in ("a", "b", "a", "b")]
        await asyncio.sleep(0)
        assert line.waiting == 6
        # Everybody has two by now, so that nobody's place is anybody else's.
        assert not await line.check(PHC, b"right", "b")
        assert await asyncio.gather(*others) == [True] * 4
        assert await asyncio.gather(*greedy) == [False] * 9
        assert helpers.asked.count(b"wrong") == 3
        assert len(said) == 7
        assert line.waiting == 0
        assert await line.check(PHC, b"right")

    run(test)


def test_a_newcomer_takes_the_place_of_the_newest() -> None:
    async def test() -> None:
        helpers = Helpers(0.01)
        line = queue(helpers.run, helpers=1, waiting=3)
        names = [b"running", b"first", b"second", b"third"]
        tasks = [asyncio.create_task(line.check(PHC, name, "greedy")) for name in names]
        await asyncio.sleep(0)
        await line.check(PHC, b"other", "other")
        await asyncio.gather(*tasks)
        assert sorted(helpers.asked) == sorted([*names[:3], b"other"])

    run(test)


def test_no_room_at_all() -> None:
    async def test() -> None:
        line = queue(Helpers(0.01).run, helpers=1, waiting=0)
        found = await asyncio.gather(*(line.check(PHC, b"right", peer) for peer in range(3)))
        assert found == [True, False, False]

    run(test)


@pytest.mark.parametrize("late", [False, True])
def test_leaving_while_ones_place_is_given_away(late: bool) -> None:
    async def test() -> None:
        helpers = Helpers(0.01)
        line = queue(helpers.run, helpers=1, waiting=2)
        tasks = [asyncio.create_task(line.check(PHC, b"right", "greedy")) for _ in range(3)]
        await asyncio.sleep(0)
        other = asyncio.create_task(line.check(PHC, b"right", "other"))
        if late:
            asyncio.get_running_loop().call_soon(tasks[2].cancel)
        else:
            tasks[2].cancel()
        found = await asyncio.gather(*tasks, other, return_exceptions=True)
        assert [one is True for one in found] == [True, True, False, True]
        assert line.waiting == 0
        # No helper was lost, and none made up.
        helpers.most = 0
        assert all(await asyncio.gather(*(line.check(PHC, b"right", peer) for peer in "ab")))
        assert helpers.most == 1

    run(test)


def test_a_helper_that_hangs_is_ended_and_its_place_is_free_again() -> None:
    async def test() -> None:
        said: list[str] = []
        helpers = Helpers(60)
        line = queue(helpers.run, said, helpers=1, deadline=0.05)
        assert not await line.check(PHC, b"right")
        assert helpers.cancelled == 1
        helpers.seconds = 0
        assert await line.check(PHC, b"right")
        assert len(said) == 1
        assert "more than 0.05 seconds" in said[0]

    run(test)


@pytest.mark.parametrize("answered", [b"", b"\x02", b"\x01\x01", b"1", OSError("gone"), RuntimeError("secret")])
def test_every_doubt_is_a_no(answered: bytes | Exception) -> None:
    async def test() -> None:
        said: list[str] = []

        async def odd(_: bytes) -> bytes:
            if isinstance(answered, Exception):
                raise answered
            return answered

        line = queue(odd, said, helpers=1)
        for _ in range(3):
            assert not await line.check(PHC, b"right")
        assert len(said) == 3
        assert "secret" not in said[0]

    run(test)


def test_whoever_leaves_gives_the_place_up() -> None:
    async def test() -> None:
        helpers = Helpers(0.02)
        line = queue(helpers.run, helpers=1)
        tasks = [asyncio.create_task(line.check(PHC, b"right", i % 3)) for i in range(9)]
        while not helpers.running:
            await asyncio.sleep(0)
        for task in (tasks[0], tasks[4], tasks[8]):
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each is True for each in found] == [i not in (0, 4, 8) for i in range(9)]
        assert line.waiting == 0
        assert await line.check(PHC, b"right")

    run(test)


def test_leaving_just_when_it_is_ones_turn_loses_no_helper() -> None:
    async def test() -> None:
        tasks: list[asyncio.Task[bool]] = []
        answered = verify.FAULT

        async def helper(_: bytes) -> bytes:
            await asyncio.sleep(0.01)
            return answered

        # The complaint about the first comes after the second was given its turn, and before it could take it.
        def complain(_: str) -> None:
            tasks[1].cancel()

        line = PasswordQueue(helper, Machine(), 1, complain=complain)
        tasks += [asyncio.create_task(line.check(PHC, b"x")) for _ in range(2)]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert tasks[1].cancelled()
        answered = verify.MATCHES
        assert await asyncio.wait_for(line.check(PHC, b"x"), 5)

    run(test)
