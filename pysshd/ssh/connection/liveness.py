"""When a peer is dead and when a connection is of no use: deadlines, without a clock of their own (S97)."""

from enum import Enum, auto

from pysshd.records import dataclass
from pysshd.ssh.connection.settings import ConnectionSettings


class Due(Enum):
    """What a look at the clock came to."""

    NOTHING = auto()
    KEEPALIVE = auto()
    DEAD = auto()
    UNUSED = auto()


@dataclass(slots=True)
class _State:
    quiet_since: float
    """Since when the peer owes a sign of life: it said something, or was asked for one."""
    unanswered: int = 0
    unused_since: float | None = None


class Liveness:
    """Times are seconds of one clock that never goes back.

    Messages come without a time, so silence is counted from the look at the clock that follows the last of them: a
    keepalive goes out after one to two intervals of silence, and an unused connection lives for one to two timeouts.
    """

    def __init__(self, settings: ConnectionSettings, now: float) -> None:
        self._interval = settings.keepalive_interval or 0.0
        self._count = settings.keepalive_count
        self._timeout = settings.unused_timeout or 0.0
        self._now = now
        self._state = _State(quiet_since=now, unused_since=now)
        self.heard = False
        """A message came since the last look, whatever it was."""

    def used(self) -> None:
        """A channel was given up: if it was the last, being unused begins anew."""
        self._state.unused_since = None

    def look(self, now: float, channels: int) -> Due:
        """What is due at `now`, with so many channels; a keepalive that is due counts as sent."""
        state, self._now = self._state, now
        if channels:
            state.unused_since = None
        elif state.unused_since is None:
            state.unused_since = now
        if self.heard:
            self.heard, state.quiet_since, state.unanswered = False, now, 0
        if self._timeout and state.unused_since is not None and now - state.unused_since >= self._timeout:
            return Due.UNUSED
        if not self._interval or now < self._next_keepalive():
            return Due.NOTHING
        if state.unanswered >= self._count:
            return Due.DEAD
        state.unanswered += 1
        state.quiet_since = now
        return Due.KEEPALIVE

    def deadline(self, channels: int) -> float | None:
        """When to look next, or None where nothing can become due."""
        nearest = self._next_keepalive() if self._interval else None
        if self._timeout and not channels:
            since = self._state.unused_since
            unused = (self._now if since is None else since) + self._timeout
            return unused if nearest is None else min(nearest, unused)
        return nearest

    def _next_keepalive(self) -> float:
        return self._state.quiet_since + self._interval
