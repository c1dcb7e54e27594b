"""Threads of hooks: bounded, and neither slow ones nor those that never return keep others waiting."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from pysshd.processes.monitor.hook_threads import HookThreads
from pysshd.processes.monitor.hooks import Hooks
from pysshd.server import answers
from pysshd.server.interface import ServerInterface
from pysshd.ssh.events.userauth import Outcome
from tests.processes.monitor.house import threads


def run(test: Callable[[HookThreads], Awaitable[None]], **options: float) -> None:
    async def main() -> None:
        with threads(**options) as pool:
            await test(pool)

    asyncio.run(main())


def ignore() -> None:
    pass


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is the case."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def ours() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "pysshd-hook"}


def test_threads_are_used_again_and_are_no_more_than_their_places() -> None:
    seen: set[int] = set()

    def work() -> None:
        seen.add(threading.get_ident())
        time.sleep(0.001)

    async def test(pool: HookThreads) -> None:
        await asyncio.gather(*(pool.run("x", work, (), ignore) for _ in range(200)))
        assert len(seen) <= 3

    run(test, places=3, slow_after=5.0)


def test_threads_end_with_the_pool() -> None:
    made: set[threading.Thread] = set()

    async def test(pool: HookThreads) -> None:
        before = ours()
        await pool.run("x", time.time, (), ignore)
        made.update(ours() - before)

    run(test)
    assert len(made) == 1
    for thread in made:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.security("S130")
def test_slow_ones_give_up_their_places() -> None:
    done = threading.Event()

    async def test(pool: HookThreads) -> None:
        slow = [asyncio.create_task(pool.run("slow", done.wait, (50,), ignore)) for _ in range(10)]
        await asyncio.sleep(0)
        # Ten slow ones at two places: the quick one waits until the fifth pair has been slow for a while.
        assert await pool.run("quick", lambda: 7, (), ignore) == (7, None)
        assert await pool.run("quick", lambda: 8, (), ignore) == (8, None)
        assert not any(task.done() for task in slow)
        done.set()
        assert await asyncio.gather(*slow) == [(True, None)] * 10

    run(test, places=2, slow_after=0.05)


def test_there_is_a_most_and_who_waits_has_a_turn() -> None:
    done = threading.Event()

    async def test(pool: HookThreads) -> None:
        before = ours()
        slow = [asyncio.create_task(pool.run("slow", done.wait, (10,), ignore)) for _ in range(6)]
        await until(lambda: len(ours() - before) == 4)
        await asyncio.sleep(0.1)
        assert len(ours() - before) == 4
        done.set()
        assert await asyncio.gather(*slow) == [(True, None)] * 6

    run(test, places=2, most=4, slow_after=0.01)


@pytest.mark.security("S130")
def test_those_that_hang_are_counted_by_name_and_in_the_end_nobody_is_let_in() -> None:
    done = threading.Event()

    async def test(pool: HookThreads) -> None:
        tasks = [asyncio.create_task(pool.run(name, done.wait, (10,), ignore)) for name in ("one", "two", "two")]
        await asyncio.sleep(0.01)
        assert pool.refusal() is None
        for task in tasks:
            task.cancel()
        await until(lambda: sum(dict(pool.stuck()).values()) == 3)
        assert dict(pool.stuck()) == {"one": 1, "two": 2}
        assert pool.refusal() == "3 hooks of the server interface hang: two 2 times, one 1 times"
        done.set()
        await until(lambda: not pool.stuck())
        assert pool.refusal() is None

    run(test, deadline=0.05, stuck_most=3)


@pytest.mark.security("S130")
def test_a_late_answer_is_dropped_and_until_it_comes_no_other_hook_is_asked() -> None:
    done = threading.Event()
    asked: list[str] = []

    class Hangs(ServerInterface):
        def check_auth_none(self, username: str) -> int:
            asked.append(username)
            done.wait(10)
            return 0

    complaints: list[str] = []

    async def test(pool: HookThreads) -> None:
        hooks = Hooks(Hangs(), pool, lambda hook, detail: complaints.append(detail), 0.5)
        assert await hooks.ask("check_auth_none", answers.auth_outcome, "first") is Outcome.FAILURE
        assert await hooks.ask("check_auth_none", answers.auth_outcome, "second") is Outcome.FAILURE
        assert complaints == ["took longer than 0.5 s", "was not asked, for check_auth_none has not returned yet"]
        done.set()
        async with asyncio.timeout(20):
            # The first thread returns in its own time.
            while await hooks.ask("check_auth_none", answers.auth_outcome, "third") is Outcome.FAILURE:
                await asyncio.sleep(0.005)
        assert asked == ["first", "third"]

    run(test)


def test_whoever_leaves_the_queue_was_never_asked() -> None:
    done = threading.Event()
    over: list[str] = []

    async def test(pool: HookThreads) -> None:
        first = asyncio.create_task(pool.run("first", done.wait, (10,), lambda: over.append("first")))
        second = asyncio.create_task(pool.run("second", done.wait, (10,), lambda: over.append("second")))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.sleep(0.01)
        assert over == ["second"]
        done.set()
        await first
        assert over == ["second", "first"]

    run(test, places=1, slow_after=5.0)


@pytest.mark.security("S130")
def test_an_async_hook_that_holds_on_when_it_is_cancelled_has_refused_all_the_same() -> None:
    class Stubborn(ServerInterface):
        async def check_auth_none(self, username: str) -> int:
            while not over.is_set():
                try:
                    await over.wait()
                except asyncio.CancelledError:
                    pass
            return 0

    async def test(pool: HookThreads) -> None:
        hooks = Hooks(Stubborn(), pool, lambda hook, detail: None, 0.05)
        assert await hooks.ask("check_auth_none", answers.auth_outcome, "x") is Outcome.FAILURE
        over.set()

    over = asyncio.Event()
    run(test)


def test_a_hook_runs_where_the_class_that_wrote_it_says() -> None:
    where: dict[str, bool] = {}

    class Base(ServerInterface):
        inline = True

        def check_auth_none(self, username: str) -> int:
            where["none"] = threading.current_thread() is threading.main_thread()
            return 0

    class Own(Base):
        def check_auth_password(self, username: str, password: str | bytes) -> int:
            where["password"] = threading.current_thread() is threading.main_thread()
            return super().check_auth_none(username)

    async def test(pool: HookThreads) -> None:
        hooks = Hooks(Own(), pool, lambda hook, detail: None)
        assert await hooks.ask("check_auth_none", answers.auth_outcome, "x") is Outcome.SUCCESS
        assert where == {"none": True}
        assert await hooks.ask("check_auth_password", answers.auth_outcome, "x", "y") is Outcome.SUCCESS
        assert where == {"none": False, "password": False}

    run(test)
