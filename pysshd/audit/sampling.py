"""How often one kind of line is written: all while they are few, a sample and a count once they come in a storm."""

from collections.abc import Callable


class Sampler:
    """Admits up to `burst` lines at once and `per_second` after that; `now` tells monotonic seconds.

    What is not admitted is counted, and the count goes with the next line that is: whoever causes lines does not fill
    the log, and nothing is lost without a number.
    """

    def __init__(self, burst: int, per_second: float, now: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = per_second
        self._now = now
        self._lines = float(burst)
        self._at = now()
        self._unwritten = 0

    def admit(self) -> int | None:
        """Return how many lines were left out since the last one, or None: leave this one out too."""
        now = self._now()
        self._lines = min(self._burst, self._lines + (now - self._at) * self._rate)
        self._at = now
        if self._lines < 1:
            self._unwritten += 1
            return None
        self._lines -= 1
        left_out, self._unwritten = self._unwritten, 0
        return left_out
