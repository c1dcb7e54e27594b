"""One reload at a time, shared by all who ask meanwhile; whatever fails leaves what is in force."""

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from pysshd.audit.sinks import AuditLog
from pysshd.daemon.clock import SystemClock
from pysshd.daemon.reloading import InForce, Outcome, Reloader
from pysshd.errors import StartupError
from pysshd.policy.load import load_text
from tests.processes.monitor.house import Memory


class House:
    """A reloader whose file is what a test makes of it."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.loads = 0
        self.applied: list[int] = []
        self.go = threading.Event()
        self.go.set()
        self.fault: Callable[[], Any] = lambda: None
        self.apply_fault: Callable[[], Any] = lambda: None
        log = AuditLog((self.memory,), SystemClock().wall)
        self.reloader = Reloader(Path("policy.yaml"), self.load, self.apply, InForce("first"), log)

    def load(self) -> int:
        self.loads += 1
        number = self.loads
        assert self.go.wait(20)
        assert threading.current_thread() is not threading.main_thread()
        self.fault()
        return number

    async def apply(self, number: int) -> InForce:
        self.apply_fault()
        self.applied.append(number)
        return InForce(f"v{number}", ("server.state",))


def in_house(test: Callable[[House], Coroutine[Any, Any, None]]) -> House:
    async def run() -> House:
        house = House()
        await test(house)
        await house.reloader.close()
        return house

    return asyncio.run(run())


def test_what_was_read_is_put_in_force() -> None:
    async def test(house: House) -> None:
        assert await house.reloader.request() == Outcome(True, InForce("v1", ("server.state",)))
        assert house.reloader.in_force.rules == "v1"

    house = in_house(test)
    assert house.memory.names == ["reload.accepted", "reload.waits"]
    assert gc.isenabled()


def test_the_loop_goes_on_while_a_file_is_read() -> None:
    async def test(house: House) -> None:
        house.go.clear()
        asked = house.reloader.request()
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert not asked.done()
        assert house.reloader.in_force.rules == "first"
        house.go.set()
        assert (await asked).accepted

    in_house(test)


def test_whoever_asks_meanwhile_shares_the_next_one() -> None:
    async def test(house: House) -> None:
        house.go.clear()
        first = house.reloader.request()
        await asyncio.sleep(0.05)
        others = [house.reloader.request() for _ in range(100)]
        house.go.set()
        assert (await first).in_force.rules == "v1"
        assert {(await other).in_force.rules for other in others} == {"v2"}
        assert house.loads == 2

    in_house(test)


def bad() -> None:
    load_text("version: 1\nnonsense: 1\nmore: 2\n")


def broken() -> None:
    raise ZeroDivisionError("a secret")


def missing() -> None:
    raise StartupError("host keys: none of them can do that")


@pytest.mark.parametrize("where", ["fault", "apply_fault"])
@pytest.mark.parametrize(
    ("fault", "problems"),
    [(bad, 2), (missing, 1), (broken, 1)],
)
def test_what_fails_changes_nothing(where: str, fault: Callable[[], None], problems: int) -> None:
    async def test(house: House) -> None:
        assert (await house.reloader.request()).accepted
        setattr(house, where, fault)
        outcome = await house.reloader.request()
        assert not outcome.accepted
        assert outcome.in_force == house.reloader.in_force == InForce("v1", ("server.state",))
        assert len(outcome.problems) == problems
        assert "a secret" not in str(outcome)
        setattr(house, where, lambda: None)
        assert (await house.reloader.request()).accepted

    house = in_house(test)
    assert house.memory.names.count("reload.problem") == problems
    assert house.memory.the("reload.refused")["rules"] == "v1"


def test_an_end_in_the_middle_waits_for_no_file() -> None:
    async def test(house: House) -> None:
        house.go.clear()
        asked, more = house.reloader.request(), None
        await asyncio.sleep(0.02)
        more = house.reloader.request()
        await house.reloader.close()
        assert asked.cancelled()
        assert more.cancelled()

    house = in_house(test)
    house.go.set()
    assert house.applied == []
