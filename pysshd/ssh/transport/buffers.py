"""Byte buffers that are made once and used again; a connection holds large ones only while bytes wait in them.

None of them resizes a `bytearray` in place, for views on it may still be held.
"""

from pysshd.ssh.transport.scratch import BLOCK_SIZE, SMALL_SIZE, Blocks

_MEDIUM = 16 << 10
"""Up to here a connection has a buffer of its own; above, it borrows a block."""

_NOTHING = memoryview(b"")


def _room(blocks: Blocks, needed: int) -> memoryview:
    """A buffer of at least so many bytes."""
    if needed <= SMALL_SIZE:
        return blocks.take_small()
    if _MEDIUM < needed <= BLOCK_SIZE:
        return blocks.take()
    size = SMALL_SIZE
    while size < needed:
        size *= 2
    return memoryview(bytearray(size))


class Outgoing:
    """Bytes that wait to be sent: written at the end, taken from the front."""

    __slots__ = ("_blocks", "_buffer", "_end", "_size", "_start", "waiting")

    def __init__(self, blocks: Blocks) -> None:
        self.waiting = 0
        """How many bytes wait."""

        self._blocks = blocks
        self._buffer = _NOTHING
        self._size = 0
        self._start = self._end = 0

    def __len__(self) -> int:
        return self.waiting

    def room(self, size: int) -> memoryview:
        """The next `size` bytes, to be written now."""
        self.waiting += size
        start = self._end
        end = start + size
        if end > self._size:
            if self._size:
                self._make_room(size)
            else:
                self._buffer = _room(self._blocks, size)
                self._size = len(self._buffer)
            start = self._end
            end = start + size
        self._end = end
        return self._buffer[start:end]

    def view(self) -> memoryview:
        """All that waits; the view lasts until the next `room`."""
        return self._buffer[self._start : self._end]

    def sent(self, size: int) -> None:
        """Drop `size` bytes at the front; `ValueError` for more than there are."""
        if not 0 <= size <= self.waiting:
            raise ValueError(f"sent {size} bytes, expected at most the {self.waiting} that wait")
        self._start += size
        self.waiting -= size
        if self._start == self._end:
            self._start = self._end = 0
            self._blocks.give(self._buffer)
            self._buffer, self._size = _NOTHING, 0

    def _make_room(self, size: int) -> None:
        waiting = self._buffer[self._start : self._end]
        needed = len(waiting) + size
        old = self._buffer
        if needed * 2 > self._size:
            self._buffer = _room(self._blocks, needed)
            self._size = len(self._buffer)
        self._buffer[: len(waiting)] = waiting
        self._start, self._end = 0, len(waiting)
        if old is not self._buffer:
            self._blocks.give(old)


class Incoming:
    """Bytes that came and were not opened yet: what was left of earlier reads, then the read at hand, not copied."""

    __slots__ = ("_blocks", "_carry", "_carry_at", "_fed", "_fed_at", "_fed_end", "carry_end")

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._carry = _NOTHING
        self._carry_at = 0
        self.carry_end = 0
        """0 where nothing was kept of earlier reads, if the last thing was `keep`."""

        self._fed = _NOTHING
        self._fed_at = self._fed_end = 0

    def __len__(self) -> int:
        return self.carry_end - self._carry_at + self._fed_end - self._fed_at

    def feed(self, data: memoryview) -> None:
        """Bytes that came; they have to stay as they are until `keep`. What was fed before was kept."""
        self._fed, self._fed_at, self._fed_end = data, 0, len(data)

    @property
    def carried(self) -> int:
        """Bytes that were kept of earlier reads."""
        return self.carry_end - self._carry_at

    @property
    def fed(self) -> tuple[memoryview, int, int]:
        """The read at hand, where what was not opened of it begins, and where it ends, if that is all there is."""
        if self._carry_at == self.carry_end:
            return self._fed, self._fed_at, self._fed_end
        return _NOTHING, 0, 0

    def peek(self, size: int) -> memoryview | None:
        """The next `size` bytes in one piece, or None where there are not so many."""
        if self._carry_at == self.carry_end:
            end = self._fed_at + size
            return self._fed[self._fed_at : end] if end <= self._fed_end else None
        missing = size - (self.carry_end - self._carry_at)
        if missing > 0:
            if missing > self._fed_end - self._fed_at:
                return None
            self._move(missing)
        return self._carry[self._carry_at : self._carry_at + size]

    def skip(self, size: int) -> None:
        """The `size` bytes that were last looked at are done with."""
        if self._carry_at == self.carry_end:
            self._fed_at += size
        else:
            self._carry_at += size

    def keep(self) -> None:
        """Copy what is left of the read at hand, whose memory is somebody else's."""
        if self._fed_at < self._fed_end:
            self._move(self._fed_end - self._fed_at)
        elif self._carry_at == self.carry_end and self.carry_end:
            self._drop()
        self._fed = _NOTHING
        self._fed_at = self._fed_end = 0

    def clear(self) -> None:
        """Forget everything."""
        self._drop()
        self._fed = _NOTHING
        self._fed_at = self._fed_end = 0

    def _drop(self) -> None:
        self._blocks.give(self._carry)
        self._carry = _NOTHING
        self._carry_at = self.carry_end = 0

    def _move(self, size: int) -> None:
        """Move `size` bytes of the read at hand behind what is carried."""
        held = self.carry_end - self._carry_at
        if self.carry_end + size > len(self._carry):
            old, carried = self._carry, self._carry[self._carry_at : self.carry_end]
            if (held + size) * 2 > len(self._carry):
                self._carry = _room(self._blocks, held + size)
            self._carry[:held] = carried
            self._carry_at, self.carry_end = 0, held
            if old is not self._carry:
                self._blocks.give(old)
        self._carry[self.carry_end : self.carry_end + size] = self._fed[self._fed_at : self._fed_at + size]
        self.carry_end += size
        self._fed_at += size
