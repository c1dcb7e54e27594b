"""The socket between two of our processes: whole messages (SOCK_SEQPACKET), and descriptors beside them (SCM_RIGHTS).

An `Endpoint` works blocking or not; in a loop its number goes to `add_reader` or to an epoll. Every descriptor that it
makes or receives is close-on-exec.
"""

import array
import contextlib
import os
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from pysshd.errors import BoundaryError, PeerGoneError

MAX_MESSAGE = 64 * 1024
"""Bytes of one message; nothing longer is sent, and one that arrives breaks the rules."""

MAX_DESCRIPTORS = 16
"""Descriptors beside one message."""

_INT_SIZE = array.array("i").itemsize
# As plain numbers: those of `socket` are flags of `enum`, of which each "and" makes an object.
_TRUNCATED: Final = int(socket.MSG_TRUNC)
_CUT: Final = int(socket.MSG_CTRUNC)

_ANCILLARY = socket.CMSG_SPACE(MAX_DESCRIPTORS * _INT_SIZE)
_SEND_BUFFER = 4 * MAX_MESSAGE


class Received(NamedTuple):
    """One message, and the descriptors that came with it: the receiver's own now, so it must close them."""

    message: bytes
    fds: tuple[int, ...]


class Endpoint:
    """One end of a socket pair. Not for two threads at once."""

    __slots__ = ("_socket",)

    def __init__(self, connected: socket.socket) -> None:
        if connected.family != socket.AF_UNIX or connected.type != socket.SOCK_SEQPACKET:
            raise BoundaryError(
                f"endpoint: socket is {connected.family!r}, {connected.type!r}, expected unix seqpacket"
            )
        self._socket = connected

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Two connected ends, both blocking, neither inheritable."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            # The kernel bounds it by net.core.wmem_max; its default takes a message of full size as well.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        return cls(ours), cls(theirs)

    @classmethod
    def from_fd(cls, descriptor: int) -> Self:
        """Take over an inherited or received descriptor; BoundaryError where it is no such socket."""
        try:
            adopted = socket.socket(fileno=descriptor)
        except OSError as error:
            raise BoundaryError(f"endpoint: descriptor {descriptor} is no socket: {error.strerror}") from error
        try:
            made = cls(adopted)
        except BoundaryError:
            adopted.detach()
            raise
        adopted.set_inheritable(False)
        return made

    def fileno(self) -> int:
        """The descriptor, -1 once closed."""
        return self._socket.fileno()

    def set_blocking(self, blocking: bool) -> None:
        """Whether `send` and `recv` wait, or raise BlockingIOError where they would have to."""
        self._socket.setblocking(blocking)

    def set_timeout(self, seconds: float | None) -> None:
        """Let `send` and `recv` wait so long, and raise TimeoutError then."""
        self._socket.settimeout(seconds)

    def send(self, message: bytes | bytearray | memoryview, fds: Sequence[int] = ()) -> None:
        """Send one message of 1 to 64 KiB, and copies of `fds`, which stay the caller's.

        BlockingIOError where a socket that does not block is full; PeerGoneError where the other end is gone.
        """
        size = memoryview(message).nbytes
        if not 0 < size <= MAX_MESSAGE:
            # An empty one could not be told from the end.
            raise BoundaryError(f"message to send has {size} bytes, expected 1 to {MAX_MESSAGE}")
        if len(fds) > MAX_DESCRIPTORS:
            raise BoundaryError(f"message to send has {len(fds)} descriptors, expected at most {MAX_DESCRIPTORS}")
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self._socket.sendmsg([message], ancillary, socket.MSG_NOSIGNAL)
        except (BlockingIOError, TimeoutError):
            raise
        except OSError as error:
            kind = PeerGoneError if isinstance(error, ConnectionError) else BoundaryError
            raise kind(f"message can not be sent: {error.strerror}") from error

    def recv(self) -> Received | None:
        """The next message, None at the end: the other side has closed, and all that it sent was read.

        BlockingIOError where a socket that does not block has nothing. BoundaryError where the message, or the number
        or kind of what came beside it, breaks the rules; its descriptors are closed then.
        """
        try:
            data, ancillary, flags, _ = self._receive()
        except (BlockingIOError, TimeoutError):
            raise
        except OSError as error:
            raise BoundaryError(f"message can not be received: {error.strerror}") from error
        fds, foreign = _descriptors(ancillary)
        fault = _fault(data, flags, foreign)
        if fault is None and not data and fds:
            fault = "is empty, but has descriptors"
        if fault is not None:
            _close_all(fds)
            raise BoundaryError(f"message received {fault}")
        return Received(data, fds) if data else None

    def _receive(self) -> tuple[bytes, list[tuple[int, int, bytes]], int, object]:
        size = MAX_MESSAGE + 1
        try:
            return self._socket.recvmsg(size, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            # The other end closed with messages of ours unread. The kernel says so once, and before it hands out what
            # the other end had sent; the second time it hands that out.
            return self._socket.recvmsg(size, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)

    def detach(self) -> int:
        """Give the descriptor away: the caller's to close."""
        return self._socket.detach()

    def close(self) -> None:
        """Close it; once more is harmless."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> tuple[tuple[int, ...], bool]:
    """The descriptors that were received, and whether anything else was."""
    fds = array.array("i")
    foreign = False
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % _INT_SIZE])
        else:
            foreign = True
    return tuple(fds), foreign


def _fault(data: bytes, flags: int, foreign: bool) -> str | None:
    if flags & _TRUNCATED or len(data) > MAX_MESSAGE:
        return f"is longer than {MAX_MESSAGE} bytes"
    if flags & _CUT:
        return f"had more than {MAX_DESCRIPTORS} descriptors, or more than this process may still open"
    if foreign:
        return "came with something other than descriptors"
    return None


def _close_all(fds: Sequence[int]) -> None:
    for descriptor in fds:
        with contextlib.suppress(OSError):
            os.close(descriptor)
