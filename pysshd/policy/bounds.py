"""Bounds: what a request is held to once it is allowed. They add up; none ever loosens another."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, TypeAlias

from pysshd.policy.values import written_duration, written_size

Unit: TypeAlias = Literal["bytes/s", "bytes", "seconds", "count"]

GRANT: Final = "grant"
"""Where nothing else is said: what one user does by one grant is counted together."""

_ANY: Final = frozenset(["channel", "connection", "source", "all"])
_BEYOND_A_CHANNEL: Final = _ANY - {"channel"}
_NONE: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class LimitKind:
    """What one kind of limit counts: its unit, and whose use may be counted together by `per`."""

    unit: Unit
    scopes: frozenset[str]
    meaning: str


LIMITS: Final = {
    "bandwidth": LimitKind("bytes/s", _ANY, "bytes of channels in a second, both ways together"),
    "bytes": LimitKind("bytes", _ANY, "bytes of channels, both ways together"),
    "lifetime": LimitKind("seconds", _NONE, "time from the login until the connection is closed"),
    "idle": LimitKind("seconds", _NONE, "time without a byte after which a channel is closed"),
    "connections": LimitKind("count", frozenset(["source", "all"]), "connections at a time"),
    "channels": LimitKind("count", _BEYOND_A_CHANNEL, "open channels at a time, of every kind"),
    "sessions": LimitKind("count", _BEYOND_A_CHANNEL, "channels with a session at a time"),
    "forwards": LimitKind("count", _BEYOND_A_CHANNEL, "forwarded connections and listeners at a time"),
    "files": LimitKind("count", _ANY, "files that are written by SFTP and scp"),
    "file_size": LimitKind("bytes", _NONE, "bytes of one file that is written by SFTP or scp"),
}
"""Every kind of limit by its key."""

_WRITTEN: Final[dict[Unit, Callable[[float], str]]] = {
    "bytes/s": lambda amount: f"{written_size(amount)}/s",
    "bytes": written_size,
    "seconds": written_duration,
    "count": lambda amount: str(int(amount)),
}


class Record(IntEnum):
    """How strongly a session is to be recorded; a greater value is stronger."""

    OFF = 0
    ON = 1
    REQUIRED = 2


@dataclass(frozen=True, slots=True, order=True)
class Limit:
    """One limit of one grant.

    name: what is limited, a key of `LIMITS`.
    amount: bytes per second, bytes, seconds or a count, as its kind says: the smaller is the stricter.
    per: whose use is counted together: `grant` (per user and grant), `channel`, `connection`, `source`, `all`.
    grant: the name of the grant that it comes from; use is charged to each.
    """

    name: str
    amount: float
    per: str = GRANT
    grant: str = ""

    def __str__(self) -> str:
        per = f" per {self.per}" if self.per != GRANT else ""
        return f"{self.name}: {self.written}{per}"

    @property
    def written(self) -> str:
        """The amount, as the language writes it."""
        return _WRITTEN[LIMITS[self.name].unit](self.amount)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one request: every limit that it is charged to, and the strongest record."""

    limits: frozenset[Limit] = frozenset()
    record: Record = Record.OFF

    def __or__(self, other: "Bounds") -> "Bounds":
        """Both together."""
        if other is NO_BOUNDS or self == other:
            return self
        return Bounds(self.limits | other.limits, max(self.record, other.record))

    def amount(self, name: str) -> float | None:
        """The smallest amount among the limits of this name, or None where there is none."""
        return min((limit.amount for limit in self.limits if limit.name == name), default=None)

    def __str__(self) -> str:
        """The limits by name, and the record where there is one; "none" without any."""
        words = [str(limit) for limit in sorted(self.limits)]
        words += [f"record: {self.record.name.lower()}"] if self.record is not Record.OFF else []
        return ", ".join(dict.fromkeys(words)) or "none"


NO_BOUNDS = Bounds()
