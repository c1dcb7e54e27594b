"""A stream between a hook and the client's channel: one end of a socket pair, which several threads may use at once.

The number of a descriptor that one thread closes may be another file's a moment later, so an end is closed by the last
thread that is inside it, and whoever waits in it is woken first.
"""

import select
import socket
import threading
from collections.abc import Callable
from typing import Final

BUFFER: Final = 256 * 1024
"""Bytes that one direction holds before its writer waits; the kernel gives as much of it as the host allows."""

_CHUNK: Final = 64 * 1024


class Stream:
    """Our end of one stream; `home` is the thread of the event loop, which must never wait here."""

    def __init__(self, timeout: float | None, home: int | None) -> None:
        self._ours, self._peer = _pair()
        self._home = home
        self._lock = threading.Lock()
        self._users = 0
        self._over = False
        self._closed = False
        self._left = b""
        self._ours.settimeout(timeout)

    def take_peer(self) -> socket.socket | None:
        """The far end, once: the caller's to close."""
        with self._lock:
            peer, self._peer = self._peer, None
            return peer

    def fileno(self) -> int:
        """The descriptor of our end, -1 once it is closed."""
        return self._ours.fileno()

    def settimeout(self, timeout: float | None) -> None:
        """How many seconds reading and writing wait."""
        with self._lock:
            if not self._closed:
                self._ours.settimeout(timeout)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end, and once it is over, after what had come before."""
        with self._lock:
            if self._closed:
                data, self._left = self._left[:size], self._left[size:]
                return data
            self._users += 1
        try:
            return self._ours.recv(size, self._flags(select.POLLIN))
        except ConnectionResetError:
            return b""
        finally:
            self._leave()

    def send(self, data: bytes | memoryview) -> int:
        """Send some of it; OSError once it is over."""
        with self._lock:
            if self._over:
                raise OSError("channel is closed")
            self._users += 1
        try:
            return self._ours.send(data, self._flags(select.POLLOUT))
        finally:
            self._leave()

    def ready(self, event: int) -> bool:
        """Whether `recv` (POLLIN: there are data) or `send` (POLLOUT) would not wait."""
        with self._lock:
            if self._closed:
                return bool(self._left) and event == select.POLLIN
            if event == select.POLLIN:
                return _peek(self._ours) not in (None, b"")
            return not self._over and _polled(self._ours, event)

    def shutdown(self, how: int) -> None:
        """As `socket.shutdown`; that it was done before, or the far end is gone, is no error."""
        with self._lock:
            if not self._closed:
                _shutdown(self._ours, how)

    def end(self, *, keep: bool) -> None:
        """No more of it. `keep`: what has come and was not read can still be; what was written is the far end's."""
        with self._lock:
            if self._over:
                return
            self._over = True
            _shutdown(self._ours, socket.SHUT_RDWR)
            if not keep:
                _drain(self._ours)
            if not self._users:
                self._close()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._over and not self._users:
                self._close()

    def _close(self) -> None:
        # A socket that is closed over unread data resets the other direction too.
        self._left = _drain(self._ours)
        self._closed = True
        self._ours.close()

    def _flags(self, event: int) -> int:
        if threading.get_ident() != self._home:
            return 0
        if not _polled(self._ours, event):
            raise BlockingIOError("channel would keep the daemon's event loop waiting: serve it in a thread")
        return socket.MSG_DONTWAIT


def _pair() -> tuple[socket.socket, socket.socket | None]:
    # Each direction has a pair, for each ends by itself; sockets, for whoever waits in a pipe of his own is not woken.
    ours, peer = socket.socketpair()
    for end in (ours, peer):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return ours, peer


def _polled(end: socket.socket, event: int) -> bool:
    poll = select.poll()
    poll.register(end, event)
    return bool(poll.poll(0))


def _peek(end: socket.socket) -> bytes | None:
    """The next byte, empty at the end, None where there is nothing yet."""
    return _tried(lambda: end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)) if _polled(end, select.POLLIN) else None


def _drain(end: socket.socket) -> bytes:
    parts = []
    while data := _peek(end) and _tried(lambda: end.recv(_CHUNK, socket.MSG_DONTWAIT)):
        parts.append(data)
    return b"".join(parts)


def _tried(receive: Callable[[], bytes]) -> bytes | None:
    try:
        return receive()
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _shutdown(end: socket.socket, how: int) -> None:
    try:
        end.shutdown(how)
    except OSError:
        pass
