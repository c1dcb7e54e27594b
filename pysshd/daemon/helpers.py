"""Questions to helper processes, and their answers: one process for each question, or one that stands by for more."""

import asyncio
import signal
from typing import Final

from pysshd.errors import PeerGoneError
from pysshd.identity.host.calls import ACCOUNTS, KEY_PROGRAM
from pysshd.processes.monitor.hearing import hear
from pysshd.processes.monitor.launcher import Helper, Launcher

PASSWORD = "password"
"""The kind of helper that checks a password hash."""


CONFINEMENT = "confinement"
"""The kind of helper that tries whether programs can be confined; it answers `CONFINEMENT_WORKS` or says why not."""

STANDING_MAX: Final = 2
"""Helpers of one kind that stand by while nobody asks."""

STANDING_SECONDS: Final = 30.0
"""How long one stands by for the next question."""

ANSWERS_MAX: Final = 1000
"""Answers of one helper; the next question goes to another one."""


async def ask_helper(launcher: Launcher, kind: str, question: bytes) -> bytes:
    """Fork a helper, ask it and return what it says; cancelled, or whatever goes wrong, the helper is killed."""
    helper = await launcher.helper(kind)
    try:
        return await _answer(helper, kind, question)
    finally:
        _end(helper)
        # Its status is taken by the launcher when it is gone; nobody waits for that here.
        await asyncio.sleep(0)


GONE_WITHIN: Final = 3.0
"""Seconds in which a helper that nobody waits for any more has ended what it started, and itself."""


async def ask_with_family(launcher: Launcher, kind: str, question: bytes) -> bytes:
    """As `ask_helper`, of one that starts programs: cancelled, it is told so, that it ends them before it goes."""
    helper = await launcher.helper(kind)
    try:
        answer = await _answer(helper, kind, question)
    except BaseException:
        helper.endpoint.close()
        try:
            async with asyncio.timeout(GONE_WITHIN):
                await helper.child.wait()
        finally:
            helper.child.signal(signal.SIGKILL)
        raise
    _end(helper)
    return answer


class StandingHelpers:
    """Helpers of one kind, each of which answers one question after the other.

    For questions that many logins ask and that hold no secret: forking a process for each would cost a login more than
    all the rest of it. One that fails, or is cancelled, is killed.
    """

    def __init__(self, launcher: Launcher, kind: str) -> None:
        self._launcher = launcher
        self._kind = kind
        self._idle: list[_Standing] = []

    async def ask(self, question: bytes) -> bytes:
        """Ask one that stands by, or a new one where none does."""
        while self._idle:
            standing = self._idle.pop()
            standing.leave.cancel()
            if standing.is_of(self._launcher.generation):
                try:
                    return await self._ask(standing.helper, standing.answers, question)
                except PeerGoneError:
                    # It has just ended, and nobody has seen that yet; it never read the question.
                    continue
            _end(standing.helper)
        return await self._ask(await self._launcher.helper(self._kind), 0, question)

    def close(self) -> None:
        """End those that stand by."""
        for standing in self._idle:
            standing.leave.cancel()
            _end(standing.helper)
        self._idle.clear()

    async def _ask(self, helper: Helper, answers: int, question: bytes) -> bytes:
        try:
            answer = await _answer(helper, self._kind, question)
        except BaseException:
            _end(helper)
            raise
        if answers + 1 < ANSWERS_MAX and len(self._idle) < STANDING_MAX:
            self._idle.append(_Standing(self._idle, helper, answers + 1))
        else:
            _end(helper)
        return answer


class Helpers:
    """Asks helpers of every kind."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._accounts = StandingHelpers(launcher, ACCOUNTS)

    async def ask(self, kind: str, question: bytes) -> bytes:
        """Ask a helper of this kind; whoever handles a secret ends with its answer."""
        if kind == ACCOUNTS:
            return await self._accounts.ask(question)
        ask = ask_with_family if kind == KEY_PROGRAM else ask_helper
        return await ask(self._launcher, kind, question)

    def close(self) -> None:
        """End those that stand by."""
        self._accounts.close()


class _Standing:
    """One that stands by, and leaves when nobody asks it."""

    def __init__(self, others: "list[_Standing]", helper: Helper, answers: int) -> None:
        self.helper = helper
        self.answers = answers
        self._others = others
        self.leave = asyncio.get_running_loop().call_later(STANDING_SECONDS, self._leave)

    def is_of(self, generation: int) -> bool:
        """Whether it is alive, and of the zygote that forks now."""
        return self.helper.child.exit is None and self.helper.child.generation == generation

    def _leave(self) -> None:
        self._others.remove(self)
        _end(self.helper)


async def _answer(helper: Helper, kind: str, question: bytes) -> bytes:
    helper.endpoint.set_blocking(False)
    helper.endpoint.send(question)
    return await hear(helper.endpoint, f"{kind} helper")


def _end(helper: Helper) -> None:
    helper.child.signal(signal.SIGKILL)
    helper.endpoint.close()
