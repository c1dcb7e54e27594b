"""When keys change: in time, within a time, and not too often (RFC 4253 §9; S10, S38)."""

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.transport.settings import TransportSettings

PACKET_SIZE_MIN = 16
"""Bytes of the smallest packet (RFC 4253 §6): so many times fewer packets than bytes can have been under one key."""

REST_SECONDS = 0.001

PREAUTH_COST = 10.0
"""What one key exchange that a peer asks for before it is authenticated counts for."""

_NEVER = 1 << 62


class RekeyBucket:
    """A bucket of key exchanges that fills at a steady rate."""

    __slots__ = ("_burst", "_left", "_rate", "_since")

    def __init__(self, burst: int, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._since = now

    def spend(self, now: float, cost: float = 1.0) -> float:
        """Take one, or what counts for as many as `cost`; the seconds that the peer has to wait for it."""
        self._left = min(self._burst, self._left + (now - self._since) * self._rate) - cost
        self._since = now
        return 0.0 if self._left >= 0 else -self._left / self._rate


class Pace:
    """The times of one connection's key exchanges."""

    __slots__ = ("_bucket", "_deadline", "_due_at", "_settings", "bytes_max", "not_before")

    def __init__(self, settings: TransportSettings, now: float) -> None:
        self._settings = settings
        self._bucket = RekeyBucket(settings.rekey_burst, settings.rekey_rate, now)
        self._deadline: float | None = None
        self._due_at: float | None = None
        self.not_before = now
        """Nothing more is read from the peer until then."""

        self.bytes_max = min(settings.rekey_bytes or _NEVER, settings.rekey_packets * PACKET_SIZE_MIN)
        """So many bytes under one key, and it is changed."""

    def begun(self, now: float) -> None:
        """Our KEXINIT is sent."""
        self._deadline = now + self._settings.kex_timeout

    def ended(self, now: float) -> None:
        """Both sides have new keys."""
        self._deadline = None
        self._due_at = now + self._settings.rekey_seconds if self._settings.rekey_seconds else None

    def asked(self, now: float, traffic: int, authenticated: bool) -> None:
        """The peer begins an exchange: one that its traffic under the last key does not explain waits for its turn.

        Before a login nothing explains one, and each counts for many: whoever is nobody yet gets little work done.
        """
        if not authenticated:
            self.not_before = now + self._bucket.spend(now, PREAUTH_COST)
        elif traffic < self._settings.rekey_worth:
            self.not_before = now + self._bucket.spend(now)

    def rest(self, now: float) -> None:
        """The peer made us do much at once: what it said before is dealt with first."""
        self.not_before = max(self.not_before, now + REST_SECONDS)

    def due(self, now: float) -> bool:
        """Keys are old enough to be changed."""
        return self._deadline is None and self._due_at is not None and now >= self._due_at

    def check(self, now: float) -> None:
        """`ProtocolError` where an exchange lasts too long."""
        if self._deadline is not None and now >= self._deadline:
            raise ProtocolError(
                DisconnectReason.KEY_EXCHANGE_FAILED,
                f"key exchange did not end within {self._settings.kex_timeout:g} seconds",
            )

    def next_deadline(self, now: float, may_begin: bool) -> float | None:
        """When there is something to do; only where we `may_begin` an exchange, that too."""
        nearest = self._deadline
        if may_begin and nearest is None:
            nearest = self._due_at
        if self.not_before > now and (nearest is None or self.not_before < nearest):
            return self.not_before
        return nearest
