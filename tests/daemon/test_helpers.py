"""Helpers that stand by: one process answers many questions, and another one takes its place when it can not."""

import asyncio
import os
import pwd
import signal
from collections.abc import Awaitable, Callable

import pytest

from pysshd.daemon import helpers
from pysshd.daemon.helpers import STANDING_MAX, StandingHelpers
from pysshd.errors import BoundaryError
from pysshd.identity.host.calls import ACCOUNTS, Found, LookUp
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.zygote_start import COMMAND
from tests.processes.zygote.house import children, house, is_running, until

ME = pwd.getpwuid(os.geteuid()).pw_name
QUESTION = LookUp((ME,), (), 0, (), (), "").encode()


def with_helpers(test: Callable[[Launcher, StandingHelpers], Awaitable[None]]) -> None:
    async def run() -> None:
        # A house ends as it began: whoever stays a subreaper has other tests' orphans fall to this process.
        async with house(command=COMMAND) as stands:
            standing = StandingHelpers(stands.launcher, ACCOUNTS)
            await test(stands.launcher, standing)
            standing.close()

    asyncio.run(run())


async def ask(standing: StandingHelpers) -> None:
    found = Found.decode(await standing.ask(QUESTION))
    assert [account.name for account in found.accounts] == [ME]


def helper_of(standing: StandingHelpers) -> int:
    (one,) = standing._idle
    return one.helper.child.pid


def test_one_process_answers_one_question_after_the_other() -> None:
    async def test(launcher: Launcher, standing: StandingHelpers) -> None:
        await ask(standing)
        first = helper_of(standing)
        for _ in range(20):
            await ask(standing)
            assert helper_of(standing) == first

    with_helpers(test)


def test_questions_at_once_are_answered_by_as_many_of_which_few_stay() -> None:
    async def test(launcher: Launcher, standing: StandingHelpers) -> None:
        before = len(children())
        await asyncio.gather(*(ask(standing) for _ in range(6)))
        assert len(standing._idle) == STANDING_MAX
        await until(lambda: len(children()) == before + STANDING_MAX)

    with_helpers(test)


def test_one_that_was_killed_is_replaced() -> None:
    async def test(launcher: Launcher, standing: StandingHelpers) -> None:
        await ask(standing)
        pid = helper_of(standing)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not is_running(pid))
        await ask(standing)
        assert helper_of(standing) != pid

    with_helpers(test)


def test_one_that_can_not_read_the_question_is_not_asked_again() -> None:
    async def test(launcher: Launcher, standing: StandingHelpers) -> None:
        with pytest.raises(BoundaryError, match="ended without an answer"):
            await standing.ask(b"?")
        assert not standing._idle
        await ask(standing)

    with_helpers(test)


def test_one_whose_answer_nobody_waits_for_is_killed() -> None:
    async def test(launcher: Launcher, standing: StandingHelpers) -> None:
        await ask(standing)
        pid = helper_of(standing)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await standing.ask(QUESTION)
        await until(lambda: not is_running(pid))
        await ask(standing)

    with_helpers(test)


def test_one_leaves_when_nobody_asks_it_and_after_many_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(launcher: Launcher, standing: StandingHelpers) -> None:
        monkeypatch.setattr(helpers, "STANDING_SECONDS", 0.05)
        await ask(standing)
        pid = helper_of(standing)
        await until(lambda: not standing._idle and not is_running(pid))
        monkeypatch.setattr(helpers, "ANSWERS_MAX", 2)
        await ask(standing)
        await ask(standing)
        assert not standing._idle

    with_helpers(test)
