"""What we send, in order; while a key exchange is open, only the exchange itself (RFC 4253 §7.1)."""

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.transport.packet import PacketWriter

QUEUED_COST = 64
"""What a message that waits counts beside its bytes."""


class Outbox:
    """A writer with a bounded queue in front of it; the exchange's own messages go to the writer directly."""

    __slots__ = ("_max_queued", "_queue", "_queued", "_writer", "holding")

    def __init__(self, writer: PacketWriter, max_queued: int) -> None:
        self._writer = writer
        self._max_queued = max_queued
        self._queue: list[bytes] = []
        self._queued = 0
        self.holding = False
        """From our KEXINIT to our NEWKEYS."""

    def send(self, payload: bytes) -> None:
        """Send now, or after the key exchange; `ProtocolError` where too much waits for it already."""
        if not self.holding:
            self._writer.write(payload)
            return
        self._queued += len(payload) + QUEUED_COST
        if self._queued > self._max_queued:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR,
                f"replies of {self._queued} bytes wait for the peer to end its key exchange",
            )
        self._queue.append(payload)

    def hold(self) -> None:
        """Our KEXINIT is sent."""
        self.holding = True

    def release(self) -> None:
        """Our NEWKEYS is sent: all that waited follows."""
        self.holding = False
        queue, self._queue, self._queued = self._queue, [], 0
        for payload in queue:
            self._writer.write(payload)

    def clear(self) -> None:
        """Forget what waits."""
        self._queue.clear()
