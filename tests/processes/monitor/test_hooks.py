"""Whatever a hook does but answer as documented is a refusal and a line for the log (S130)."""

import asyncio
import threading
import time
from typing import Any

import pytest

from pysshd.processes.monitor.hooks import Hooks
from pysshd.server import answers
from pysshd.server.interface import ServerInterface
from pysshd.server.plan import Plan
from pysshd.server.requests import Shell
from pysshd.ssh.events.userauth import Outcome
from tests.processes.monitor.house import threads

FORMS = ("inline", "async", "thread", "awaitable")


def server(form: str, act: Any) -> ServerInterface:
    """A server whose `check_auth_none` does `act`, in one of the forms that a hook may have."""

    class Plain(ServerInterface):
        def check_auth_none(self, username: str) -> Any:
            return act()

    class Inline(Plain):
        inline = True

    class Async(ServerInterface):
        async def check_auth_none(self, username: str) -> Any:
            await asyncio.sleep(0)
            return act()

    class Awaitable(ServerInterface):
        def check_auth_none(self, username: str) -> Any:
            async def later() -> Any:
                return act()

            return later()

    return {"inline": Inline, "async": Async, "thread": Plain, "awaitable": Awaitable}[form]()


def ask(interface: ServerInterface, deadline: float = 5.0) -> tuple[Outcome, list[tuple[str, str]]]:
    complaints: list[tuple[str, str]] = []

    async def run() -> Outcome:
        with threads() as pool:
            hooks = Hooks(interface, pool, lambda hook, detail: complaints.append((hook, detail)), deadline)
            return await hooks.ask("check_auth_none", answers.auth_outcome, "alice")

    return asyncio.run(run()), complaints


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_answers(form: str, outcome: Outcome) -> None:
    assert ask(server(form, lambda: int(outcome))) == (outcome, [])


class Odd(BaseException):
    """Nothing that `except Exception` takes."""


@pytest.mark.security("S130")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "error",
    [
        RuntimeError,
        StopIteration,
        StopAsyncIteration,
        TimeoutError,
        asyncio.CancelledError,
        SystemExit,
        Odd,
    ],
)
def test_a_hook_that_raises_has_refused(form: str, error: type[BaseException]) -> None:
    def act() -> int:
        raise error("secret")

    outcome, complaints = ask(server(form, act))
    assert outcome is Outcome.FAILURE
    ((hook, detail),) = complaints
    assert hook == "check_auth_none"
    assert detail.startswith("raised ")
    assert "secret" not in detail


@pytest.mark.security("S130")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("returned", [None, False, True, 7, -1, 0.0, "0", b"\0", object(), [0], (0,)])
def test_a_hook_that_returns_anything_else_has_refused(form: str, returned: object) -> None:
    outcome, complaints = ask(server(form, lambda: returned))
    assert outcome is Outcome.FAILURE
    ((hook, detail),) = complaints
    assert hook == "check_auth_none"
    assert "expected AUTH_SUCCESSFUL" in detail


@pytest.mark.security("S130")
def test_a_hook_that_hangs_has_refused() -> None:
    done = threading.Event()

    class Sleeps(ServerInterface):
        async def check_auth_none(self, username: str) -> int:
            await asyncio.sleep(60)
            return 0

    class Waits(ServerInterface):
        def check_auth_none(self, username: str) -> int:
            done.wait(1.0)
            return 0

    for interface in (Sleeps(), Waits()):
        started = time.monotonic()
        assert ask(interface, 0.05) == (Outcome.FAILURE, [("check_auth_none", "took longer than 0.05 s")])
        assert time.monotonic() - started < 5


def test_hooks_in_a_thread_come_one_at_a_time() -> None:
    running: list[int] = []
    most: list[int] = []

    class Counts(ServerInterface):
        def check_auth_none(self, username: str) -> int:
            running.append(1)
            most.append(len(running))
            time.sleep(0.02)
            running.pop()
            return 0

    async def run() -> None:
        with threads() as pool:
            hooks = Hooks(Counts(), pool, lambda *_: None)
            await asyncio.gather(*(hooks.ask("check_auth_none", answers.auth_outcome, "x") for _ in range(4)))

    asyncio.run(run())
    assert most == [1, 1, 1, 1]


def test_a_connection_that_is_cancelled_is_no_hook_that_failed() -> None:
    class Sleeps(ServerInterface):
        async def check_auth_none(self, username: str) -> int:
            await asyncio.sleep(60)
            return 0

    complaints: list[str] = []

    async def run() -> None:
        with threads() as pool:
            hooks = Hooks(Sleeps(), pool, lambda hook, detail: complaints.append(detail))
            task = asyncio.create_task(hooks.ask("check_auth_none", answers.auth_outcome, "x"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert complaints == []


@pytest.mark.security("S130")
@pytest.mark.parametrize("returned", [True, 0, "sh", object(), RuntimeError, SystemExit])
def test_a_plan_that_is_none(returned: Any) -> None:
    class Plans(ServerInterface):
        def plan(self, request: Any) -> Plan | None:
            if isinstance(returned, type):
                raise returned("secret")
            return returned  # type: ignore[no-any-return]

    complaints: list[str] = []

    async def run() -> None:
        with threads() as pool, pytest.raises(LookupError):
            await Hooks(Plans(), pool, lambda hook, detail: complaints.append(detail)).plan(Shell())

    asyncio.run(run())
    assert len(complaints) == 1
