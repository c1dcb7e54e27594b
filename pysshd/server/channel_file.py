"""A file over a channel: lines and blocks out of a stream that is only received and sent."""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

CHUNK = 32_768

LINE_MAX = 1 << 20
"""Bytes of a line without an end: more is handed out in pieces, so that a client cannot make us hold it."""


class ChannelFile:
    """A file in the sense of `for line in file`: bytes with `b` in the mode, else text in UTF-8.

    Writes go out at once and take text and bytes alike. Closing the file leaves the channel open.
    """

    def __init__(self, receive: Callable[[int], bytes], send: Callable[[bytes], None], mode: str) -> None:
        if not mode or set(mode) - set("rwbU+"):
            raise ValueError(f"file mode is {mode!r}, expected letters of r w b U +")
        self._receive = receive
        self._send = send
        self._reads = "r" in mode or "+" in mode
        self._writes = "w" in mode or "+" in mode
        self._binary = "b" in mode
        self._universal = "U" in mode
        self._buffer = b""
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[str | bytes]:
        while line := self.readline():
            yield line

    def readable(self) -> bool:
        """Whether the mode lets one read."""
        return self._reads

    def writable(self) -> bool:
        """Whether the mode lets one write."""
        return self._writes

    def close(self) -> None:
        """No more use of this file."""
        self.closed = True

    def flush(self) -> None:
        """Nothing: no write waits."""

    def read(self, size: int | None = None) -> str | bytes:
        """`size` bytes, fewer only at the end; all there is without a size."""
        self._check(self._reads, "reading")
        parts = [self._buffer]
        have = len(self._buffer)
        while size is None or size < 0 or have < size:
            data = self._receive(CHUNK)
            if not data:
                break
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        cut = have if size is None or size < 0 else size
        self._buffer = whole[cut:]
        return self._given(whole[:cut])

    def readline(self, size: int | None = None) -> str | bytes:
        """The next line with its end; empty at the end of the data."""
        self._check(self._reads, "reading")
        limit = LINE_MAX if size is None or size < 0 else min(size, LINE_MAX)
        searched = 0
        while (found := self._buffer.find(b"\n", searched)) < 0 and len(self._buffer) < limit:
            searched = len(self._buffer)
            data = self._receive(CHUNK)
            if not data:
                break
            self._buffer += data
        cut = min(limit, found + 1 if found >= 0 else len(self._buffer))
        line, self._buffer = self._buffer[:cut], self._buffer[cut:]
        if self._universal and line.endswith(b"\r\n"):
            line = line[:-2] + b"\n"
        return self._given(line)

    def readlines(self) -> list[str | bytes]:
        """All lines that are left."""
        return list(self)

    def write(self, data: str | bytes) -> None:
        """Send the data, all of it, now."""
        self._check(self._writes, "writing")
        self._send(data.encode("utf-8") if isinstance(data, str) else data)

    def writelines(self, lines: Iterable[str | bytes]) -> None:
        """Send each of the lines."""
        for line in lines:
            self.write(line)

    def _check(self, allowed: bool, what: str) -> None:
        if self.closed or not allowed:
            raise OSError(f"channel file is {'closed' if self.closed else f'not open for {what}'}")

    def _given(self, data: bytes) -> str | bytes:
        return data if self._binary else data.decode("utf-8", "replace")
