"""A short look for the answer to what somebody typed, before the process goes to sleep.

A program that echoes has done so within microseconds. To be put to sleep and to be woken again takes longer than that,
on a virtual machine much longer, so whoever has just handed a few bytes to a program looks for a moment first. Where
nothing comes of it several times, it is not done for a while.

Whoever looks knows who has just typed, too, so that a bulk transfer beside them can take smaller turns meanwhile.
"""

import math
import time
from collections.abc import Callable
from typing import Final

MOMENT: Final = 80e-6
"""Seconds for which it is looked; as much CPU time as that is lost where nothing comes."""

FEW: Final = 256
"""Bytes up to which somebody may have typed them."""

PATIENCE: Final = 4
"""Looks in vain, one after the other, after which there is a rest."""

REST: Final = 64
"""Messages to a program for which it is not looked then."""

TYPING: Final = 0.1
"""Seconds after a few bytes to a program for which somebody is held to be typing."""

Events = list[tuple[int, int]]


class Glance:
    """Whether to look now, by how it went before, and whether somebody types."""

    __slots__ = ("_resting", "_typed", "_typist", "_vain", "now", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        """Something was handed to a program, and nothing was looked for since."""

        self.now = 0.0
        """When this turn of the loop began (monotonic seconds)."""

        self._vain = self._resting = 0
        self._typed = -math.inf
        self._typist = 0

    def handed(self, size: int, whose: int) -> None:
        """So many bytes went to a program, on a channel that is `whose` alone."""
        if size > FEW:
            return
        self._typed, self._typist = self.now, whose
        if self._resting:
            self._resting -= 1
        else:
            self.wanted = True

    def others_type(self, whose: int) -> bool:
        """Whether somebody typed of late, and not on this channel."""
        return self._typist != whose and self.now - self._typed < TYPING

    def look(self, poll: Callable[[float], Events], clock: Callable[[], float] = time.monotonic) -> Events:
        """What is ready within the moment; nothing where nothing is."""
        self.wanted = False
        until = clock() + MOMENT
        ready = poll(0)
        while not ready and clock() < until:
            ready = poll(0)
        if ready:
            self._vain = 0
        else:
            self._vain += 1
            if self._vain == PATIENCE:
                self._vain, self._resting = 0, REST
        return ready
