"""Answers in the order of their requests (RFC 4254 §4, §5.4), however late or mixed up the verdicts come.

An answer names no request, so the peer can tell them apart by their order alone.
"""

from pysshd.errors import DisconnectReason, ProtocolError


class Slot:
    """The place of one answer in the order; `payload` is the message, None while there is no verdict."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes | None = None) -> None:
        self.payload = payload


class Replies:
    """The answers that one side of an order waits for: the connection's, or one channel's."""

    __slots__ = ("_most", "_out", "_slots")

    def __init__(self, out: list[bytes], most: int) -> None:
        self._out = out
        self._most = most
        self._slots: list[Slot] = []

    def __len__(self) -> int:
        return len(self._slots)

    def reserve(self, payload: bytes | None = None) -> Slot:
        """Take the next place, with its answer where that is known already; `ProtocolError` past the limit."""
        if len(self._slots) >= self._most:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR, f"requests behind one that is not answered are more than {self._most}"
            )
        slot = Slot(payload)
        self._slots.append(slot)
        if payload is not None:
            self._release()
        return slot

    def fill(self, slot: Slot, payload: bytes) -> None:
        """The answer of this place is known; it goes out as soon as all before it have gone."""
        slot.payload = payload
        self._release()

    def _release(self) -> None:
        slots = self._slots
        while slots and (payload := slots[0].payload) is not None:
            self._out.append(payload)
            del slots[0]
