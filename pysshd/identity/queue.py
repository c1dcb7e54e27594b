"""The queue before the helpers of one kind: so many at once, first come first served between peers."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from pysshd.server.ports import Clock

RunHelper = Callable[[bytes], Awaitable[bytes]]
"""Starts one helper process, gives it the question, and brings its answer; filled by the daemon. Cancelled: killed."""

QUEUE_MAX: Final = 256
"""Questions that may wait. Of more, whoever has the most of them loses one; refused is as late as an answer comes."""

LATENCY_GUESS: Final = 0.25
"""Seconds that the first answer is taken to need, while none has been seen."""


class HelperQueue:
    """Asks helpers, at most `helpers` at once.

    Peers take turns: one that asks a hundred times waits behind its own questions, not before those of the others. Nor
    does it keep them out: in a full queue its newest question gives way to those of whoever has fewer.
    what: the kind of helper, for the log. deadline: seconds that one may take.
    """

    def __init__(
        self,
        what: str,
        run_helper: RunHelper,
        clock: Clock,
        helpers: int,
        deadline: float,
        waiting: int = QUEUE_MAX,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._what = what
        self._run_helper = run_helper
        self._clock = clock
        self._free = max(1, helpers)
        self._room = waiting
        self._deadline = deadline
        self._complain = complain
        self._latency = LATENCY_GUESS
        self._lines: OrderedDict[Hashable, deque[asyncio.Future[bool]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many questions wait for a helper."""
        return sum(map(len, self._lines.values()))

    async def ask(self, question: bytes, peer: Hashable = None) -> bytes | None:
        """What a helper says; `peer` is whose turn it takes. None: a full queue, a deadline, a helper that fails.

        Cancelling it gives its place up.
        """
        started = self._clock.monotonic()
        full = self._free == 0 and self.waiting >= self._room
        if (full and not self._make_room(peer)) or not await self._turn(peer):
            self._complain(f"{self._what} queue is full; a {self._what} was refused unseen")
            await asyncio.sleep(self._latency)
            return None
        try:
            async with asyncio.timeout(self._deadline):
                return await self._run_helper(question)
        except TimeoutError:
            self._complain(f"{self._what} helper took more than {self._deadline:g} seconds; refused")
        except Exception as error:
            self._complain(f"{self._what} helper failed with {type(error).__name__}; refused")
        finally:
            self._latency = self._clock.monotonic() - started
            self._release()
        return None

    def _make_room(self, peer: Hashable) -> bool:
        """Take the newest question of whoever has the most; not where this peer would then have no fewer."""
        longest = max(self._lines.values(), key=len, default=deque())
        if len(longest) <= len(self._lines.get(peer, ())) + 1:
            return False
        turn = longest.pop()
        if not turn.done():
            turn.set_result(False)
        return True

    async def _turn(self, peer: Hashable) -> bool:
        """Wait for a helper; False where the place was given to another peer."""
        if self._free:
            self._free -= 1
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(peer, deque())
        line.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                if turn.result():
                    self._release()  # the helper was ours already, so the next in line has it
            elif turn in line:
                line.remove(turn)
                if not line and self._lines.get(peer) is line:
                    del self._lines[peer]
            raise

    def _release(self) -> None:
        """Hand the helper on to the first of the peer whose turn it is."""
        while self._lines:
            peer, line = self._lines.popitem(last=False)
            turn = line.popleft()
            if line:
                self._lines[peer] = line  # its next question is behind everybody else's
            if not turn.done():
                turn.set_result(True)
                return
        self._free += 1
