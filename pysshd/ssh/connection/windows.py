"""Flow control of one channel, one object per direction (RFC 4254 §5.2). Pure arithmetic, in bytes."""

from pysshd.errors import DisconnectReason, ProtocolError

WINDOW_MAX = 0xFFFFFFFF
"""The largest window that can exist."""

_EARLY = 4
"""Credit goes back as soon as it is this part of the window, so that the peer never has to wait for it."""


class ReceiveWindow:
    """What the peer may send. At any time `left + unread + credit` is the window that it was given."""

    __slots__ = ("_early", "_packet", "credit", "left", "unread")

    def __init__(self, size: int, packet: int) -> None:
        self._early = size // _EARLY
        self._packet = packet
        self.left = size
        self.unread = 0
        self.credit = 0

    def charge(self, size: int, largest: int | None = None) -> None:
        """Data came; `ProtocolError` where the peer exceeded the window or the packet size (S76).

        `largest` is what the largest of several messages carried; without it there was one.
        """
        if size > self.left or (size if largest is None else largest) > self._packet:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR,
                f"channel data have {size} bytes, expected at most {self.left} (window) and {self._packet} (packet)",
            )
        self.left -= size
        self.unread += size

    def consume(self, size: int) -> int:
        """Data went on their way; what to add to the peer's window now, or 0. `ValueError` past what had come."""
        if not 0 <= size <= self.unread:
            raise ValueError(f"consumed {size} bytes, expected at most the {self.unread} that came")
        self.unread -= size
        self.credit += size
        if not self.credit or self.credit < self._early:
            return 0
        adjust, self.credit = self.credit, 0
        self.left += adjust
        return adjust


class SendWindow:
    """What we may send."""

    __slots__ = ("_size", "left", "packet")

    def __init__(self, size: int, packet: int) -> None:
        self._size = size
        self.left = size
        self.packet = packet

    @property
    def unread(self) -> int:
        """What we sent and the peer did not make up for; below 0 where it made the window larger than it was."""
        return self._size - self.left

    @property
    def writable(self) -> int:
        """What one message may carry now."""
        return min(self.left, self.packet)

    def widen(self, size: int) -> None:
        """The peer added to the window; `ProtocolError` past what a window can be (S77)."""
        if size > WINDOW_MAX - self.left:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR,
                f"window of {self.left} bytes was widened by {size}, expected at most {WINDOW_MAX} in all",
            )
        self.left += size

    def charge(self, size: int) -> None:
        """We send; `ValueError` where one message may not carry that much now."""
        if not 0 < size <= self.writable:
            raise ValueError(f"message carries {size} bytes of channel data, expected 1 to {self.writable}")
        self.left -= size

    def charge_all(self, size: int) -> None:
        """We send, in as many messages as it takes; `ValueError` where the window has not so much left."""
        if not 0 < size <= self.left:
            raise ValueError(f"messages carry {size} bytes of channel data, expected 1 to {self.left}")
        self.left -= size
