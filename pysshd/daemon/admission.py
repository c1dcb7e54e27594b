"""Who may take up a connection: a cap on all of them, and on those that have not logged in (pure)."""

from collections.abc import Callable

from pysshd.policy.settings import Limits


class Admission:
    """Counts connections; `chance` returns a number from 0 to below 1.

    From `start` connections without a login on, a new one is refused with a probability that grows from `rate` percent
    to certainty at `full` (the random early drop that administrators know from other servers).
    """

    def __init__(self, limits: Limits, chance: Callable[[], float]) -> None:
        self.limits = limits
        self._chance = chance
        self.open = 0
        self.starting = 0

    def refusal(self) -> str | None:
        """Return why the next connection is refused, or None: it may come in and `enter` must be called."""
        if self.open >= self.limits.connections:
            return f"{self.open} connections are open, limits.connections allows {self.limits.connections}"
        startups = self.limits.startups
        if self.starting < startups.start:
            return None
        if self.starting >= startups.full:
            return f"{self.starting} connections have not logged in, limits.startups allows {startups.full}"
        over = (self.starting - startups.start) / max(1, startups.full - startups.start)
        percent = startups.rate + (100 - startups.rate) * over
        if self._chance() * 100 < percent:
            return f"{self.starting} connections have not logged in, limits.startups refuses {percent:.0f} % more"
        return None

    def enter(self) -> "Place":
        """Count a connection in."""
        self.open += 1
        self.starting += 1
        return Place(self)


class Place:
    """One connection's place; each of its ends counts once."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._starting = True
        self._open = True

    def logged_in(self) -> None:
        """The connection is no longer one of those that have not logged in."""
        if self._starting:
            self._starting = False
            self._admission.starting -= 1

    def leave(self) -> None:
        """The connection is gone."""
        self.logged_in()
        if self._open:
            self._open = False
            self._admission.open -= 1
