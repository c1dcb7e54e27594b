"""A short look for the answer to what somebody typed, before the process goes to sleep.

A program that echoes has done so within microseconds. To be put to sleep and to be woken again takes longer than that,
on a virtual machine much longer, so whoever has just handed a few bytes to a program looks for a moment first. Where
nothing comes of it several times, it is not done for a while.
"""

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

Events = list[tuple[int, int]]


class Glance:
    """Whether to look now, by how it went before."""

    __slots__ = ("_resting", "_vain", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        """Something was handed to a program, and nothing was looked for since."""

        self._vain = self._resting = 0

    def handed(self, size: int) -> None:
        """So many bytes went to a program."""
        if size > FEW:
            return
        if self._resting:
            self._resting -= 1
        else:
            self.wanted = True

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
