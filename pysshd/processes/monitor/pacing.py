"""A token bucket: so many at once, so many a second after that; whoever comes too often waits and is not refused."""

from collections.abc import Callable


class TokenBucket:
    """Holds up to `burst` tokens and gains `per_second`; `now` tells monotonic seconds."""

    def __init__(self, burst: int, per_second: float, now: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = per_second
        self._now = now
        self._tokens = float(burst)
        self._at = now()

    def take(self) -> float:
        """Take a token, on credit where none is left; return the seconds to wait before using it."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1.0
        self._at = now
        return max(0.0, -self._tokens / self._rate)
