"""One fork that was asked for: what its answer makes of it, also when the caller has given up."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

from pysshd.errors import BoundaryError, DecodeError
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.zygote import Done, Failed, Forked, SessionFailure
from pysshd.processes.monitor.children import Child, Kind

PROGRAM_WITHIN: Final = 20.0
"""Seconds from the fork of a session until its program runs."""

_FAILURE_MAX: Final = 4096


def refusal_in(answer: Call) -> str | None:
    """Why the zygote refused, or None where it did what it was asked."""
    if isinstance(answer, Failed):
        return answer.reason
    if isinstance(answer, Done | Forked):
        return None
    raise BoundaryError(f"zygote answered {type(answer).__name__}, expected Forked, Done or Failed")


def newborn_in(answer: Call, pidfd: int | None) -> tuple[int, int] | str:
    """The process id and pidfd of a fork that was asked for, or why the zygote refused.

    BoundaryError, with `pidfd` closed, where it says what can not be: an answer to something else, or a process that is
    no child of the monitor.
    """
    refused = refusal_in(answer)
    if refused is not None:
        return refused
    if pidfd is None or not isinstance(answer, Forked):
        raise BoundaryError(f"zygote answered {type(answer).__name__} to a fork")
    try:
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except OSError as error:
        os.close(pidfd)
        raise BoundaryError(f"zygote forked {answer.pid}, which is no child of the monitor") from error
    return answer.pid, pidfd


class Fork:
    """Turns the zygote's answer into a `Child`, or into the reason why there is none.

    It owns `words`, the pipe with a child's last words, until there is a child to own it. A child that is born after
    the caller gave up is known like any other, and killed.
    """

    def __init__(
        self,
        kind: Kind,
        words: int | None,
        *,
        born: Callable[[Child], None],
        on_end: Callable[[Child], None],
        on_release: Callable[[Child], None],
    ) -> None:
        self.kind: Final = kind
        self.generation = 0
        self.child: Child | None = None
        self.refused: str | None = None
        self._words = words
        self._abandoned = False
        self._born = born
        self._on_end = on_end
        self._on_release = on_release

    def answered(self, answer: Call, pidfd: int | None) -> None:
        """The zygote has answered; BoundaryError where it says what can not be."""
        newborn = newborn_in(answer, pidfd)
        if isinstance(newborn, str):
            self.refused = newborn
            return
        child = Child(
            self.kind,
            *newborn,
            generation=self.generation,
            words=self._words,
            on_end=self._on_end,
            on_release=self._on_release,
        )
        self._words = None
        self.child = child
        self._born(child)
        if self._abandoned:
            self.abandon()

    def abandon(self) -> None:
        """Nobody wants the child."""
        self._abandoned = True
        if self._words is not None:
            os.close(self._words)
            self._words = None
        if self.child is not None:
            self.child.kill()
            self.child.close()


async def failure_of(pipe: int) -> SessionFailure | None:
    """What a session wrote to `pipe` before it could run its program; None once the program runs.

    Raises TimeoutError where it does neither in time.
    """
    os.set_blocking(pipe, False)
    data = bytearray()
    async with asyncio.timeout(PROGRAM_WITHIN):
        while len(data) <= _FAILURE_MAX:
            await _readable(pipe)
            some = os.read(pipe, _FAILURE_MAX)
            if not some:
                break
            data += some
    if not data:
        return None
    try:
        return SessionFailure.decode(bytes(data))
    except DecodeError as error:
        raise BoundaryError(f"session's failure can not be read: {error}") from error


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
