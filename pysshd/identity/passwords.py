"""Password hashes of the policy file, checked by helpers: one helper for each CPU."""

from collections.abc import Callable, Hashable
from typing import Final

from pysshd.identity import verify
from pysshd.identity.queue import LATENCY_GUESS, QUEUE_MAX, HelperQueue, RunHelper
from pysshd.server.ports import Clock

__all__ = ["DEADLINE", "LATENCY_GUESS", "QUEUE_MAX", "PasswordQueue", "RunHelper"]

DEADLINE: Final = 20.0
"""Seconds that one helper may take."""


class PasswordQueue:
    """Runs password checks, at most `helpers` at once.

    Every outcome but a clear yes of the helper is a no: a full queue, a deadline, a helper that fails.
    """

    def __init__(
        self,
        run_helper: RunHelper,
        clock: Clock,
        helpers: int,
        waiting: int = QUEUE_MAX,
        deadline: float = DEADLINE,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._complain = complain
        self._queue = HelperQueue("password", run_helper, clock, helpers, deadline, waiting, complain)

    @property
    def waiting(self) -> int:
        """How many checks wait for a helper."""
        return self._queue.waiting

    async def check(self, phc: str, password: bytes, peer: Hashable = None) -> bool:
        """Whether `password` is the one of the hash; `peer` is whose turn it takes.

        The password must be acceptable (`hashing.acceptable`). Cancelling it gives its place up.
        """
        answered = await self._queue.ask(verify.question(phc, password), peer)
        if answered is None:
            return False
        if answered not in (verify.MATCHES, verify.DIFFERS):
            self._complain("password helper could not check a hash; refused")
        return verify.matched(answered)
