"""Fewer and larger reads while a client sends much.

A worker that is faster than its client would read a packet at a time, and pay for a turn with each. So after some
megabytes the kernel is told to wake it for a good part of a read (SO_RCVLOWAT, socket(7)) or, where no so much comes,
after a moment, which ends it.
"""

import socket

from pysshd.ssh.transport.scratch import INPUT_SIZE

AFTER = 4 << 20
"""Bytes that have to come before, and again after every time that a wait was in vain: who sends and waits does not pay
with more than a moment for so many."""

LEAST = 32 << 10
"""Bytes that one read has to bring to count as one of many."""

WANTED = INPUT_SIZE
"""Bytes that a read is to find: as many as there is room for."""

MOMENT = 0.004
"""Seconds for which they are waited for: half of what a network of 1 Gbit/s brings in it is enough."""


class Gathering:
    """Whether one client's socket is read in large pieces just now."""

    __slots__ = ("_moved", "_socket", "until")

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self._moved = 0
        self.until: float | None = None
        """When to call `over`; None while every byte is told of at once."""

    def took(self, size: int, alone: bool, now: float) -> None:
        """So many bytes were read. Nobody waits where others have something to do (not `alone`)."""
        if not alone:
            if self.until is not None:
                self.over()
        elif self.until is not None:
            self.until = now + MOMENT
        elif size >= LEAST:
            self._moved += size
            if self._moved >= AFTER and self._set(WANTED):
                self.until = now + MOMENT

    def over(self) -> None:
        """Too little came in time: be told of every byte again."""
        self._set(1)
        self._moved = 0
        self.until = None

    def _set(self, size: int) -> bool:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
        except OSError:
            self._moved = 0
            return False
        return True
