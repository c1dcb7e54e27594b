"""What a forked worker runs: into the sandbox, ready, one connection or many, the end.

The worker is forked in advance and holds no policy and no socket while it waits; both come with the connection. One
that serves many has a socket to the monitor for each: who a connection is, is known by the socket that it asks on.
"""

import contextlib
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Protocol

from pysshd.errors import BoundaryError, PeerGoneError
from pysshd.processes.boundary.calls.call import decode
from pysshd.processes.boundary.calls.connection import Assign, Here, Knock, Ready, TakeSeat
from pysshd.processes.boundary.calls.table import TO_SHARED, TO_WORKER
from pysshd.processes.boundary.socket import Endpoint, Received
from pysshd.processes.worker.driver import Driver
from pysshd.processes.worker.loop import READ, Loop
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.stack import Stack, StackSettings
from pysshd.ssh.transport.scratch import Scratch
from pysshd.ssh.transport.settings import TransportSettings
from pysshd.ssh.userauth.settings import UserauthSettings

EXTENSIONS = {"ping@openssh.com": b"0", "publickey-hostbound@openssh.com": b"0"}
"""What clients are told that they may use (OpenSSH's PROTOCOL §1.9, §3.1)."""


class Report(Protocol):
    """What holds for this process from now on."""

    def lines(self) -> Iterable[str]:
        """For the start-up log, one fact a line."""
        ...


def run(monitor: Endpoint, confine: Callable[[], Report], *, shared: bool = False) -> int:
    """Serve one connection that comes over `monitor`, or any number of them; returns the exit status of this process.

    `confine` closes the sandbox, once the event loop is made.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop = Loop()
    report = confine()
    try:
        monitor.send(Ready(tuple(line.encode() for line in report.lines())).encode())
        return serve_many(monitor, loop) if shared else serve_one(monitor, loop)
    except PeerGoneError:
        return 0
    except Exception:
        # Whatever it is, a monitor that breaks its own table too: it ends the connection, so the log has to know.
        traceback.print_exc()
        return 70


def serve_one(monitor: Endpoint, loop: Loop) -> int:
    """Serve the one connection that comes over `monitor`, until it is over."""
    received = monitor.recv()
    if received is None:
        return 0
    settings = settings_in(received.message)
    if len(received.fds) != 1:
        raise BoundaryError(f"Assign came with {len(received.fds)} descriptors, expected one")
    client = socket.socket(fileno=received.fds[0])
    stack = Stack(settings, SystemEntropy(), time.monotonic(), Scratch())
    Driver(client, monitor, stack, loop, over=loop.stop)
    loop.run()
    return 0


def serve_many(control: Endpoint, loop: Loop) -> int:
    """Serve every connection that comes over `control`; once that has ended, return when the last one is over."""
    Seats(control, loop)
    loop.run()
    return 0


@lru_cache(maxsize=4)
def settings_in(assign: bytes) -> StackSettings:
    """As `stack_settings`, of an encoded `Assign`; once for all connections that are told the same."""
    decoded = decode(assign, TO_WORKER)
    if not isinstance(decoded, Assign):
        raise BoundaryError(f"first call of the monitor is {type(decoded).__name__}, expected Assign")
    return stack_settings(decoded)


class Seats:
    """The connections of a worker that serves many. What goes wrong in one ends that one alone."""

    def __init__(self, control: Endpoint, loop: Loop) -> None:
        self._control = control
        self._loop = loop
        self._taken: set[Seat] = set()
        self.scratch = Scratch()
        self._closing = False
        control.set_blocking(False)
        loop.watch(control.fileno(), READ, self._heard)

    def left(self, seat: "Seat") -> None:
        """A connection is over."""
        self._taken.discard(seat)
        if self._closing and not self._taken:
            self._loop.stop()

    def _heard(self, _: int) -> None:
        try:
            while (received := self._control.recv()) is not None:
                self._take(received)
        except BlockingIOError:
            return
        self._closing = True
        self._loop.watch(self._control.fileno(), 0, self._heard)
        if not self._taken:
            self._loop.stop()

    def _take(self, received: Received) -> None:
        call = decode(received.message, TO_SHARED)
        if isinstance(call, Knock):
            # Where the monitor has just let go of this worker, the end comes next.
            with contextlib.suppress(PeerGoneError):
                self._control.send(Here().encode())
            return
        if not isinstance(call, TakeSeat) or len(received.fds) != 2:
            raise BoundaryError(f"{type(call).__name__} came with {len(received.fds)} descriptors, expected two")
        monitor, client = Endpoint.from_fd(received.fds[0]), socket.socket(fileno=received.fds[1])
        seat = Seat(monitor, self)
        self._taken.add(seat)
        seat.begin(client, settings_in(call.assign), self._loop.lane(seat.failed))


class Seat:
    """One connection of many: its own socket to the monitor, its own lane of the loop."""

    __slots__ = ("_driver", "_monitor", "_seats")

    def __init__(self, monitor: Endpoint, seats: Seats) -> None:
        self._monitor = monitor
        self._seats = seats
        self._driver: Driver | None = None

    def begin(self, client: socket.socket, settings: StackSettings, lane: Loop) -> None:
        """Serve `client` until it is over."""
        try:
            stack = Stack(settings, SystemEntropy(), time.monotonic(), self._seats.scratch)
            self._driver = Driver(client, self._monitor, stack, lane, over=self._over)
            lane.settle()
        except Exception as error:
            lane.forget()
            client.close()
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """A defect of ours, or the monitor has ended this connection while it was being told something."""
        if self._driver is not None:
            self._driver.abort(error)
        else:
            self._over()

    def _over(self) -> None:
        self._monitor.close()
        self._seats.left(self)
        # The loop knows this lane until the last of its deadlines has passed, minutes later: it is to hold no stack.
        self._driver = None


def stack_settings(assign: Assign) -> StackSettings:
    """What the protocol is told of the policy: lists, limits and public keys, nothing secret."""
    return StackSettings(
        transport=TransportSettings(
            identification=assign.identification,
            kex=assign.kex,
            host_keys=dict(assign.host_keys),
            ciphers=assign.ciphers,
            macs=assign.macs,
            compression=assign.compression,
            server_sig_algs=assign.user_key_algorithms,
            extensions=EXTENSIONS,
            require_strict_kex=assign.require_strict_kex,
            rekey_bytes=assign.rekey_bytes,
            rekey_seconds=assign.rekey_seconds,
        ),
        userauth=UserauthSettings(max_failures=assign.auth_attempts, key_algorithms=assign.user_key_algorithms),
        connection=ConnectionSettings(
            max_channels=assign.sessions,
            host_keys=assign.announced,
            keepalive_interval=assign.keepalive_seconds or None,
            keepalive_count=assign.keepalive_count,
        ),
    )
