"""Memory that the connections of a process share, so that an idle one holds none of it.

What lives no longer than one turn of one connection (a read from its socket, the packets that were opened of it, the
data of a program before they are sealed) is in one place for all; what has to stay longer is lent in blocks.
"""

from collections.abc import Callable

BLOCK_SIZE = 512 << 10
"""Bytes of a block: more than a turn makes, or leaves behind."""

SMALL_SIZE = 2048
"""Bytes of a small buffer: a few short packets."""

_FULL_PACKET = (32 << 10) + 36
"""Bytes of a packet with 32 KiB of channel data, under AES-GCM or ChaCha20-Poly1305: what most clients send much in."""

INPUT_SIZE = 8 * _FULL_PACKET
"""Bytes of the room for one read from a socket. One that ends within a packet costs a copy of the part that came."""

SLOT_SIZE = 32 << 10
"""Bytes of channel data in one slot."""

SLOT_COUNT = 15
"""Slots, and so packets, of one turn."""

SLOT_HEAD = 32
"""Bytes in front of a slot's data, for whatever stands before them in their packet."""

_SLOT_TAIL = 256
"""Bytes behind them, for padding."""

STRIDE = SLOT_HEAD + SLOT_SIZE + _SLOT_TAIL
"""Bytes from one slot to the next."""

_INPUT_SMALL = 16 << 10
_POOL_SIZE = 1024
_KEPT = 4
_NOTHING = memoryview(b"")


class Blocks:
    """Blocks of one size that go from hand to hand; a few that nobody needs are kept, and one small buffer."""

    __slots__ = ("_small", "free")

    def __init__(self) -> None:
        self.free: list[memoryview] = []
        """Those that nobody needs."""

        self._small: memoryview | None = None

    def take(self) -> memoryview:
        """A block; what it holds is anything."""
        return self.free.pop() if self.free else memoryview(bytearray(BLOCK_SIZE))

    def take_small(self) -> memoryview:
        """A buffer of `SMALL_SIZE` bytes: whoever types needs one for each keystroke, and gives it back at once."""
        small, self._small = self._small, None
        return memoryview(bytearray(SMALL_SIZE)) if small is None else small

    def give(self, buffer: memoryview) -> None:
        """Whoever had `buffer` needs it no more; a buffer of another size is left to the garbage collection."""
        size = len(buffer)
        if size == SMALL_SIZE:
            self._small = buffer
        elif size == BLOCK_SIZE and len(self.free) < _KEPT:
            self.free.append(buffer)

    def release(self) -> None:
        """Keep none."""
        self.free.clear()

    def __len__(self) -> int:
        return len(self.free)


class Arena:
    """Room for opened packets; views live until `at` is 0 again. A full arena is replaced, and its views stay valid."""

    __slots__ = ("at", "buffer", "size")

    def __init__(self) -> None:
        self.buffer = _NOTHING
        self.size = 0
        self.at = 0
        """Where the next room begins."""

    def room(self, size: int) -> memoryview:
        """The next `size` bytes."""
        start = self.at
        end = start + size
        if end > self.size:
            self._replace(size, end)
            start, end = 0, size
        self.at = end
        return self.buffer[start:end]

    def _replace(self, size: int, wanted: int) -> None:
        grown = max(self.size, SMALL_SIZE)
        while grown < wanted:
            grown *= 2
        self.size = min(grown, max(size, self.SIZE_MAX))
        self.buffer = memoryview(bytearray(self.size))

    def release(self) -> None:
        """Drop the memory."""
        self.buffer = _NOTHING
        self.size = self.at = 0

    SIZE_MAX = 512 << 10
    """Bytes; it holds what a generous read from a socket comes to, and what was left of the one before."""


class Slots:
    """Where a program's output is read to: pieces of a packet's size, with room around each for the rest of it."""

    __slots__ = ("_size", "_views", "buffer", "count", "packet")

    def __init__(self) -> None:
        self.buffer = _NOTHING
        """All of them: the data of the first are at `SLOT_HEAD`, those of the next a `STRIDE` further on."""

        self.count = 0
        """How many slots there is memory for; whoever needs more than one gets all."""

        self.packet = SLOT_SIZE
        """Bytes that were asked for to a slot."""

        self._size = 0
        self._views: list[memoryview] = []

    def views(self, size: int, packet: int) -> list[memoryview]:
        """Room for `size` bytes, or for as many as there is room for, `packet` to a slot; until the next call."""
        packet = min(packet, SLOT_SIZE)
        if size == self._size and packet == self.packet:
            return self._views
        self._size, self.packet = size, packet
        if not self.count or (self.count == 1 and size > packet):
            self.count = SLOT_COUNT if size > packet else 1
            self.buffer = memoryview(bytearray(STRIDE * self.count))
        starts = range(SLOT_HEAD, STRIDE * SLOT_COUNT, STRIDE)
        self._views = [self.buffer[at : at + packet] for at in starts[: size // packet]]
        rest = size - packet * len(self._views)
        if len(self._views) < SLOT_COUNT and rest:
            at = starts[len(self._views)]
            self._views.append(self.buffer[at : at + rest])
        return self._views

    def data(self, number: int, size: int) -> memoryview:
        """The first `size` bytes of the data of one slot."""
        at = SLOT_HEAD + STRIDE * number
        return self.buffer[at : at + size]

    def release(self) -> None:
        """Drop the memory."""
        self.buffer, self._views = _NOTHING, []
        self.count = self._size = 0

    def __len__(self) -> int:
        return len(self.buffer)


class Scratch:
    """All of it; one for each process."""

    __slots__ = ("_plain", "_pool", "_pool_at", "arena", "blocks", "input", "slots")

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.arena = Arena()
        self.slots = Slots()
        self.input = _NOTHING
        """Room for one read from a socket; see `widen_input`."""

        self._plain = _NOTHING
        self._pool = b""
        self._pool_at = 0
        self.release()

    def plain(self, size: int) -> memoryview:
        """Where one packet of `size` bytes is put together; until the next call."""
        if size > len(self._plain):
            self._plain = memoryview(bytearray(size + SMALL_SIZE))
        return self._plain

    def random(self, size: int, octets: Callable[[int], bytes]) -> bytes:
        """`size` random bytes, each given out once, of a supply that `octets` fills: for padding, no more than that."""
        at = self._pool_at
        if at + size > len(self._pool):
            self._pool, at = octets(_POOL_SIZE), 0
        self._pool_at = at + size
        return self._pool[at : at + size]

    def widen_input(self) -> None:
        """A read filled the room for it: the next ones get more."""
        if len(self.input) < INPUT_SIZE:
            self.input = memoryview(bytearray(INPUT_SIZE))

    @property
    def is_large(self) -> bool:
        """Something large went through since the last `release`."""
        return self.slots.count > 1 or bool(self.blocks.free) or len(self.input) > _INPUT_SMALL

    @property
    def size(self) -> int:
        """Bytes that are kept for whoever needs them next; a few thousand where nothing large went through lately."""
        return BLOCK_SIZE * len(self.blocks) + self.arena.size + len(self.slots) + len(self.input) + len(self._plain)

    def release(self) -> None:
        """Be small again. Views that were handed out stay valid, but nobody else sees what is written there."""
        self.blocks.release()
        self.arena.release()
        self.slots.release()
        self.input = memoryview(bytearray(_INPUT_SMALL))
        self._plain = _NOTHING
