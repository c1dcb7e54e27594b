"""What a client sent and its program has not taken yet. The channel's window bounds it."""

import os
from collections import deque
from itertools import islice

from pysshd.ssh.transport.scratch import Blocks

_SMALL = 16 * 1024
_PIECES = 64
"""So many pieces to one write."""


class _Piece:
    """A buffer that is filled at its end, and emptied at its start."""

    __slots__ = ("buffer", "end", "start")

    def __init__(self, buffer: memoryview) -> None:
        self.buffer = buffer
        self.start = self.end = 0


class Backlog:
    """Bytes that wait for a descriptor; each is copied once, however often the descriptor takes a part.

    They stand close together, so that a client that sends single bytes costs us no more than it sends, in buffers that
    are lent: a program that is a little slower than its client makes one necessary in every turn.
    """

    __slots__ = ("_blocks", "_pieces", "size")

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._pieces: deque[_Piece] = deque()
        self.size = 0
        """How many bytes wait."""

    def __len__(self) -> int:
        return self.size

    def append(self, data: memoryview) -> None:
        """Keep a copy of `data`."""
        self.size += len(data)
        while data:
            if not self._pieces or self._pieces[-1].end == len(self._pieces[-1].buffer):
                small = not self._pieces and len(data) <= _SMALL
                self._pieces.append(_Piece(memoryview(bytearray(_SMALL)) if small else self._blocks.take()))
            piece = self._pieces[-1]
            size = min(len(data), len(piece.buffer) - piece.end)
            piece.buffer[piece.end : piece.end + size] = data[:size]
            piece.end += size
            data = data[size:]

    def write_to(self, descriptor: int) -> None:
        """Write what `descriptor` takes without waiting, and forget it. `OSError` where it is broken."""
        while self._pieces:
            batch = [piece.buffer[piece.start : piece.end] for piece in islice(self._pieces, _PIECES)]
            try:
                wrote = os.writev(descriptor, batch)
            except BlockingIOError:
                break
            self._take_off(wrote)
            if wrote < sum(map(len, batch)):
                break

    def clear(self) -> int:
        """Drop everything; returns how much that was."""
        size = self.size
        self._take_off(size)
        return size

    def _take_off(self, size: int) -> None:
        self.size -= size
        while size:
            piece = self._pieces[0]
            part = min(size, piece.end - piece.start)
            piece.start += part
            size -= part
            if piece.start == piece.end:
                self._blocks.give(self._pieces.popleft().buffer)
