"""Connections of one source come in a few at a time; the others wait in front, where they cost a descriptor (pure).

A handshake costs the server more than the client, so whoever opens connections without end would have all of it. A
source has `at_once` connections that have not logged in, and a bucket of `per_second` that each of them takes from
and a login gives back to: who logs in is never slowed down, who does not comes in at that rate.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import field
from ipaddress import ip_address

from pysshd.patterns.hosts import unmapped
from pysshd.records import dataclass

WAITING_MAX = 100
"""Connections of one source that wait; one more is refused."""

ALL_WAITING_MAX = 1000
"""Connections of all sources that wait."""

SOURCES_MAX = 10_000
"""Sources that are remembered; of more, those that were quiet longest are forgotten."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after so many seconds."""


def source_of(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 of an IPv6 address; else the text itself."""
    try:
        found = unmapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return address
    return str(found) if found.version == 4 else f"{found.exploded[:19]}::/64"


@dataclass(slots=True)
class _Source:
    tokens: float
    at: float
    inside: int = 0
    waiting: deque[tuple[Callable[["Passage"], None], Callable[[], None]]] = field(default_factory=deque)
    called: bool = False
    """It will be looked at again when a token is due."""


class Turnstile:
    """Lets the connections of each source in by turns. `at_once` of them may be without a login."""

    def __init__(self, at_once: int, per_second: int, now: Callable[[], float], later: Later) -> None:
        self._at_once = at_once
        self._rate = float(per_second)
        self._now = now
        self._later = later
        self._sources: dict[str, _Source] = {}
        self.waiting = 0

    def arrive(self, source: str, enter: Callable[["Passage"], None], drop: Callable[[], None]) -> str | None:
        """Call `enter` when it is this connection's turn, maybe at once; return why not where it is refused.

        `drop` is called instead where `clear` comes first.
        """
        found = self._sources.pop(source, None)
        if found is None:
            found = _Source(self._rate, self._now())
            self._forget_quiet()
        # The order of the table is that of the last arrival.
        self._sources[source] = found
        if len(found.waiting) >= WAITING_MAX:
            return f"{len(found.waiting)} connections of {source} wait, {WAITING_MAX} may"
        found.waiting.append((enter, drop))
        self.waiting += 1
        self._admit(found)
        if found.waiting and self.waiting > ALL_WAITING_MAX:
            # Only now: whoever need not wait comes in, however many others do.
            found.waiting.pop()
            self.waiting -= 1
            return f"{self.waiting} connections wait, {ALL_WAITING_MAX} may"
        return None

    def change(self, at_once: int, per_second: int) -> None:
        """Let so many in from now on."""
        self._at_once, self._rate = at_once, float(per_second)
        for source in list(self._sources.values()):
            self._admit(source)

    def clear(self) -> None:
        """Drop whoever waits."""
        for source in self._sources.values():
            while source.waiting:
                source.waiting.popleft()[1]()
        self.waiting = 0

    def _admit(self, source: _Source) -> None:
        while source.waiting and source.inside < self._at_once:
            self._refill(source)
            if source.tokens < 1:
                self._look_again(source)
                return
            source.tokens -= 1
            source.inside += 1
            self.waiting -= 1
            enter, _ = source.waiting.popleft()
            enter(Passage(self, source))

    def _refill(self, source: _Source) -> None:
        now = self._now()
        source.tokens = min(self._rate, source.tokens + (now - source.at) * self._rate)
        source.at = now

    def _look_again(self, source: _Source) -> None:
        if source.called:
            return
        source.called = True

        def look() -> None:
            source.called = False
            self._admit(source)

        # A moment more than is due, so that rounding asks for no second look.
        self._later((1 - source.tokens) / self._rate + 0.001, look)

    def left(self, source: _Source, tokens: int) -> None:
        """A connection that was inside has logged in, or is gone."""
        source.inside -= 1
        source.tokens = min(self._rate, source.tokens + tokens)
        self._admit(source)

    def _forget_quiet(self) -> None:
        if len(self._sources) < SOURCES_MAX:
            return
        # One goes for each that comes, and those that were quiet longest stand first, so the look is short.
        quiet = (name for name, source in self._sources.items() if not source.inside and not source.waiting)
        if (name := next(quiet, None)) is not None:
            del self._sources[name]


class Passage:
    """One connection that came in; the first of its two ends counts."""

    __slots__ = ("_inside", "_source", "_turnstile")

    def __init__(self, turnstile: Turnstile, source: _Source) -> None:
        self._turnstile = turnstile
        self._source = source
        self._inside = True

    def logged_in(self) -> None:
        """It has logged in: it is no longer one of those that may be few, and cost its source nothing."""
        self._end(1)

    def leave(self) -> None:
        """It is gone."""
        self._end(0)

    def _end(self, tokens: int) -> None:
        if self._inside:
            self._inside = False
            self._turnstile.left(self._source, tokens)
