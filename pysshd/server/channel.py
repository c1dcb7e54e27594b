"""The channel that a hook is given: who it is, and I/O for a hook that serves it itself.

The first use of any I/O makes socket pairs; from then on the channel is the hook's. The other ends are taken by the
daemon, which joins them to the client's channel, so what was written before the request's reply is kept, in order.
"""

import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self, TypeAlias

from pysshd.server.channel_file import ChannelFile
from pysshd.server.stream import Stream
from pysshd.server.transport import Transport

Streams: TypeAlias = tuple[Stream, Stream, Stream]
"""What the client sends, what the hook sends, and its errors."""

Notice: TypeAlias = Literal["used", "ended"]
"""What the daemon is told of a channel: a hook has taken it; a hook is done with it."""


class Channel:
    """A session channel, with the names that server programs know.

    chanid: our number of the channel. Reading and writing block unless `settimeout` says otherwise (`TimeoutError`);
    on the daemon's event loop they never do (`BlockingIOError`), so an `async` hook serves a channel in a thread.

    The daemon gives `transport`, `notify`, which is called at a `Notice` by whatever thread caused it, and `home`, the
    identity of its event loop's thread.
    """

    def __init__(
        self,
        chanid: int,
        kind: str = "session",
        origin: tuple[str, int] | None = None,
        *,
        transport: Transport | None = None,
        notify: Callable[[Notice], None] | None = None,
        home: int | None = None,
    ) -> None:
        self.chanid = chanid
        self.kind = kind
        self.origin_addr = origin
        self.transport = transport or Transport()
        self.closed = False
        self.eof_sent = False
        self.eof_received = False
        self.exit_status: int | None = None
        self.status_event = threading.Event()
        self._name = str(chanid)
        self._lock = threading.Lock()
        self._notify = notify
        self._home = home
        self._timeout: float | None = None
        self._streams: Streams | None = None
        self._taken = False
        self._ended = False
        self._is_the_daemons = False
        self._combine = False

    def __repr__(self) -> str:
        return f"Channel({self.chanid}, {self.kind!r}, taken={self.taken}, closed={self.closed})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- who it is --------------------------------------------------------------------------------------------------

    def get_id(self) -> int:
        """The channel's number."""
        return self.chanid

    def get_name(self) -> str:
        """The name that `set_name` gave, by default the number."""
        return self._name

    def set_name(self, name: str) -> None:
        """Give the channel a name for logs."""
        self._name = name

    def get_transport(self) -> Transport:
        """The connection that the channel belongs to."""
        return self.transport

    def getpeername(self) -> tuple[str, int] | None:
        """The origin that came with the channel's opening, where it has one; else the client's address and port."""
        return self.origin_addr or self.transport.getpeername()

    @property
    def active(self) -> bool:
        """Whether the channel is open."""
        return not self.closed

    # --- the daemon's side ------------------------------------------------------------------------------------------

    @property
    def taken(self) -> bool:
        """Whether a hook has used the channel's I/O, so that the hook serves it."""
        return self._taken

    @property
    def ended(self) -> bool:
        """Whether the hook is done: it closed the channel, or gave an exit status and will write no more."""
        return self._ended

    def claim(self) -> bool:
        """Take the channel for a program of the daemon; False where a hook was first. From then on no hook may."""
        with self._lock:
            self._is_the_daemons = not self._taken
            return self._is_the_daemons

    def streams(self) -> Streams:
        """The three streams, made if there are none yet: the daemon joins the peer of each to the client's channel."""
        with self._lock:
            if self._streams is None:
                made = [Stream(self._timeout, self._home) for _ in range(3)]
                self._streams = made[0], made[1], made[2]
                if self.closed:
                    for stream in self._streams:
                        stream.end(keep=False)
            return self._streams

    def discard(self) -> None:
        """The channel is over for the daemon. What the client sent before can still be read."""
        self._close(keep=True)
        for stream in self._streams or ():
            if (peer := stream.take_peer()) is not None:
                peer.close()

    def _close(self, *, keep: bool) -> None:
        with self._lock:
            self.closed = True
            streams = self._streams
        for stream in streams or ():
            stream.end(keep=keep)
        self.status_event.set()

    # --- the hook's side --------------------------------------------------------------------------------------------

    def _use(self) -> None:
        """The hook takes the channel; OSError where the daemon has."""
        with self._lock:
            if self._is_the_daemons:
                raise OSError(f"channel {self.chanid} is the program's that the daemon runs on it")
            first, self._taken = not self._taken, True
        if first and self._notify is not None:
            self._notify("used")

    def _end(self) -> None:
        with self._lock:
            first, self._ended = not self._ended, True
        if first and self._notify is not None:
            self._notify("ended")

    def _served(self) -> Streams:
        """The streams, for the hook: from now on the channel is its own."""
        self._use()
        if self._never_opened:
            raise OSError(f"channel {self.chanid} is closed")
        return self.streams()

    def _input(self) -> Stream:
        return self._served()[0]

    def _output(self) -> Stream:
        return self._served()[1]

    def _errors(self) -> Stream:
        return self._served()[1 if self._combine else 2]

    @property
    def _never_opened(self) -> bool:
        """Whether it was closed before anything used it, so that there is nothing to read or write."""
        return self.closed and self._streams is None

    def recv(self, nbytes: int) -> bytes:
        """Up to `nbytes` of what the client sent; empty at its end."""
        data = b"" if self._never_opened else self._input().recv(nbytes)
        self.eof_received |= not data
        return data

    def recv_stderr(self, nbytes: int) -> bytes:
        """Empty, as at the end: a client has no second stream to send."""
        return b""

    def recv_ready(self) -> bool:
        """Whether `recv` would return at once with data."""
        return self._input().ready(select.POLLIN)

    def recv_stderr_ready(self) -> bool:
        """False: there are never such data."""
        return False

    def send_ready(self) -> bool:
        """Whether `send` would take something at once."""
        return self._output().ready(select.POLLOUT)

    def send(self, s: str | bytes) -> int:
        """Send some of the data; how many bytes."""
        return self._output().send(_bytes(s))

    def sendall(self, s: str | bytes) -> None:
        """Send all of the data; it may be with the client or on its way when this returns."""
        _send_all(self._output(), s)

    def send_stderr(self, s: str | bytes) -> int:
        """Send some of the data on the error stream; how many bytes."""
        return self._errors().send(_bytes(s))

    def sendall_stderr(self, s: str | bytes) -> None:
        """Send all of the data on the error stream."""
        _send_all(self._errors(), s)

    def set_combine_stderr(self, combine: bool) -> bool:
        """Whether the error stream goes with the normal one; returns what held before."""
        before, self._combine = self._combine, combine
        return before

    def send_exit_status(self, status: int) -> None:
        """The exit status to report (0 to 2**32 - 1).

        The client gets it behind all output, once the channel is closed or has no more to write (`shutdown_write`).
        """
        if not 0 <= status < 1 << 32:
            raise ValueError(f"exit status is {status}, expected 0 to 4294967295")
        self._use()
        self.exit_status = status
        if self.eof_sent:
            self._end()

    def exit_status_ready(self) -> bool:
        """Whether `recv_exit_status` would return at once."""
        return self.status_event.is_set()

    def recv_exit_status(self) -> int:
        """Wait until the channel is closed; -1, for a client reports no exit status."""
        self.status_event.wait()
        return -1

    def settimeout(self, timeout: float | None) -> None:
        """How many seconds I/O may block; None: for ever, 0: not at all."""
        with self._lock:
            self._timeout = timeout
            for stream in self._streams or ():
                stream.settimeout(timeout)

    def gettimeout(self) -> float | None:
        """The timeout in seconds."""
        return self._timeout

    def setblocking(self, blocking: bool) -> None:
        """True: block for ever; False: never."""
        self.settimeout(None if blocking else 0.0)

    def fileno(self) -> int:
        """A descriptor to wait for what the client sends, or its end, with `select`; -1 once closed."""
        return self._input().fileno()

    def makefile(self, mode: str = "r", bufsize: int = -1) -> ChannelFile:
        """A file over the channel; modes `r rb rU w wb rw` and a `+`. Writes go out at once, whatever `bufsize` is."""
        return ChannelFile(self.recv, self.sendall, mode)

    def makefile_stdin(self, mode: str = "r", bufsize: int = -1) -> ChannelFile:
        """As `makefile`: both directions of a channel are one stream."""
        return self.makefile(mode, bufsize)

    def makefile_stderr(self, mode: str = "r", bufsize: int = -1) -> ChannelFile:
        """A file over the error stream."""
        return ChannelFile(self.recv_stderr, self.sendall_stderr, mode)

    def shutdown(self, how: int) -> None:
        """0: no more reading, 1: no more writing, 2: neither."""
        if how not in (0, 1, 2):
            raise ValueError(f"shutdown is {how!r}, expected 0, 1 or 2")
        incoming, *outgoing = self._served()
        if how != 1:
            incoming.shutdown(socket.SHUT_RD)
        if how != 0:
            for stream in outgoing:
                stream.shutdown(socket.SHUT_WR)
            self.eof_sent = True
            if self.exit_status is not None:
                self._end()

    def shutdown_read(self) -> None:
        """No more reading."""
        self.shutdown(0)

    def shutdown_write(self) -> None:
        """No more writing: the client sees the end of the data."""
        self.shutdown(1)

    def close(self) -> None:
        """Be done with the channel. What was written before still reaches the client."""
        if not self.closed:
            self._use()
            self._close(keep=False)
            self._end()


def _send_all(stream: Stream, data: str | bytes) -> None:
    left = memoryview(_bytes(data))
    while left:
        left = left[stream.send(left) :]


def _bytes(data: str | bytes) -> bytes:
    return data.encode("utf-8") if isinstance(data, str) else data
