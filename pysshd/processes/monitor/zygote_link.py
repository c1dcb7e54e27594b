"""The monitor's end of one zygote or nursery: asked in turn, lost at most once."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from pysshd.errors import BoundaryError, StartupError
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.zygote import FROM_ZYGOTE, Forked, Greet, Hello, ZygoteCall
from pysshd.processes.boundary.groups import signal_process
from pysshd.processes.boundary.socket import Received
from pysshd.processes.monitor.zygote_start import Started
from pysshd.records import dataclass
from pysshd.version import __version__

START_WITHIN: Final = 30.0
"""Seconds until a new zygote has said Hello, on a slow machine with cold caches too."""

ANSWER_WITHIN: Final = 10.0
"""Seconds for any other answer; a zygote that owes one for longer is stuck, and is killed."""

Answered = Callable[[Call, int | None], None]
"""Called with the answer, and the pidfd that came with it, which it takes over."""


class ZygoteLostError(BoundaryError):
    """The zygote has ended, or broke the rules and was ended; what it was asked did not happen."""


@dataclass(slots=True)
class _Question:
    message: bytes
    fds: Sequence[int]
    answer: "asyncio.Future[None] | None"
    answered: Answered | None
    within: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def fail(self, reason: str) -> None:
        """No answer will come, for a reason that begins with whose it was."""
        self.stop_clock()
        if self.answer is None:
            _close_all(self.fds)
        elif not self.answer.done():
            self.answer.set_exception(ZygoteLostError(reason))

    def stop_clock(self) -> None:
        """The answer is here, or will never be."""
        if self.timer is not None:
            self.timer.cancel()


class ZygoteLink:
    """One zygote or nursery, as `name` says, from its start to its end.

    `sent` and `answered` count the questions that have an answer; an answer is handled before the next one is read.
    """

    def __init__(
        self, started: Started, generation: int, lost: Callable[["ZygoteLink", str], None], name: str = "zygote"
    ) -> None:
        self._name = name
        self.generation: Final = generation
        self.sent = 0
        self.answered = 0
        self.is_lost = False
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[_Question] = deque()
        self._owed: deque[_Question] = deque()
        self._endpoint = started.endpoint
        self._endpoint.set_blocking(False)
        self._ended = asyncio.Event()
        self._writing = False
        self._broken = False
        self._fault = ""
        self.pid: Final = started.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self.reap)
        self._loop.add_reader(self._endpoint.fileno(), self._read)

    async def greet(self) -> None:
        """Exchange versions; StartupError where the zygote has another one, ZygoteLostError where it does not speak."""
        found: list[Hello] = []

        def heard(answer: Call, _: int | None) -> None:
            if not isinstance(answer, Hello):
                raise BoundaryError(f"first call of the {self._name} is {type(answer).__name__}, expected Hello")
            found.append(answer)

        await self.ask(Greet(__version__, os.getpid()), (), heard, within=START_WITHIN)
        if found[0].version != __version__:
            self.kill("it has another version")
            raise StartupError(
                f"{self._name} has version {found[0].version!r}, expected {__version__!r}: the package was changed "
                "while the daemon ran, restart it"
            )

    async def ask(self, call: ZygoteCall, fds: Sequence[int], answered: Answered, within: float | None = None) -> None:
        """Send `call` with copies of `fds`, and have `answered` called with the answer, also if the caller gives up.

        A caller that gives up before the call was sent has it dropped. ZygoteLostError where no answer will come.
        """
        if self.is_lost:
            raise ZygoteLostError(f"{self._name} is gone")
        answer: asyncio.Future[None] = self._loop.create_future()
        self._outbox.append(_Question(call.encode(), fds, answer, answered, within or ANSWER_WITHIN))
        self._write()
        await answer

    def tell(self, call: ZygoteCall, fds: Sequence[int] = ()) -> None:
        """Send a `call` that has no answer; takes `fds` over."""
        if self.is_lost:
            _close_all(fds)
            return
        self._outbox.append(_Question(call.encode(), fds, None, None))
        self._write()

    async def drained(self) -> None:
        """Wait until no answer is owed and nothing waits to be sent."""
        while not self.is_lost and (self._owed or self._outbox):
            await asyncio.sleep(0.01)

    def kill(self, reason: str) -> None:
        """End a zygote that is stuck or not wanted; all that it did not answer fails when it has ended."""
        self._fault = self._fault or reason
        if self._pidfd >= 0:
            signal_process(self._pidfd, signal.SIGKILL)

    def hang_up(self) -> None:
        """Close its socket, whereupon it ends what it has to, and then itself."""
        if not self.is_lost:
            self._lose("it was let go")

    @property
    def is_reaped(self) -> bool:
        """Whether it has ended and its number may be another's."""
        return self._pidfd < 0

    async def ended(self) -> None:
        """Wait for its end."""
        await self._ended.wait()

    def reap(self) -> None:
        """Take its status, if it has ended; the launcher calls it too."""
        if self._pidfd < 0:
            return
        how = "in a way that somebody else was told"
        try:
            found = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            pass
        else:
            if found is None:
                return
            how = f"with {'status' if found.si_code == os.CLD_EXITED else 'signal'} {found.si_status}"
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if not self.is_lost:
            # What it had answered before its end counts: those children run.
            self._read()
            self._lose(self._fault or f"it ended {how}")
        self._ended.set()

    def _write(self) -> None:
        while self._outbox:
            question = self._outbox[0]
            if question.answer is not None and question.answer.cancelled():
                # Its descriptors may be closed by now, and their numbers be somebody else's.
                self._outbox.popleft()
                continue
            try:
                self._endpoint.send(question.message, question.fds)
            except BlockingIOError:
                if not self._writing:
                    self._loop.add_writer(self._endpoint.fileno(), self._write)
                    self._writing = True
                return
            except BoundaryError:
                # It has ended, or closed its socket, which its reader will see.
                return
            self._outbox.popleft()
            if question.answer is None:
                _close_all(question.fds)
                continue
            self.sent += 1
            late = f"no answer in {question.within:.0f} s"
            question.timer = self._loop.call_later(question.within, self.kill, late)
            self._owed.append(question)
        if self._writing:
            self._loop.remove_writer(self._endpoint.fileno())
            self._writing = False

    def _read(self) -> None:
        while self._endpoint.fileno() >= 0 and not self._broken:
            try:
                received = self._endpoint.recv()
                if received is not None:
                    self._take(received)
                    continue
            except BlockingIOError:
                return
            except BoundaryError as error:
                self._fault = self._fault or str(error)
            self._broken = True
            self._loop.remove_reader(self._endpoint.fileno())
            if self._pidfd >= 0:
                # Where it has ended by itself this comes too late to change its status, which says why.
                signal_process(self._pidfd, signal.SIGKILL)

    def _take(self, received: Received) -> None:
        fds = list(received.fds)
        try:
            call = decode(received.message, FROM_ZYGOTE)
            if len(fds) != isinstance(call, Forked):
                raise BoundaryError(f"{type(call).__name__} came with {len(fds)} descriptors")
            if not self._owed:
                raise BoundaryError(f"{type(call).__name__} came unasked")
            question = self._owed.popleft()
            question.stop_clock()
            assert question.answered is not None
            assert question.answer is not None
            try:
                question.answered(call, fds.pop() if fds else None)
            except BoundaryError as error:
                question.fail(f"{self._name} is gone: {error}")
                raise
            self.answered += 1
            if not question.answer.done():
                question.answer.set_result(None)
        finally:
            _close_all(fds)

    def _lose(self, reason: str) -> None:
        self.is_lost = True
        self._close_endpoint()
        for question in (*self._owed, *self._outbox):
            question.fail(f"{self._name} is gone: {reason}")
        self._owed.clear()
        self._outbox.clear()
        self._lost(self, reason)

    def _close_endpoint(self) -> None:
        descriptor = self._endpoint.fileno()
        if descriptor >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            self._endpoint.close()


def _close_all(fds: Sequence[int]) -> None:
    for descriptor in fds:
        os.close(descriptor)
