"""A worker's driver in this process: a raw client on its socket, and the test on the monitor's end."""

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.channels import OpenAnswer, OpenChannel
from pysshd.processes.boundary.calls.connection import Assign
from pysshd.processes.boundary.calls.host_keys import Sign, SignAnswer
from pysshd.processes.boundary.calls.login import AuthAnswer, BeginAuth, Offer, OfferPassword
from pysshd.processes.boundary.calls.requests import (
    RequestAnswer,
    RequestBreak,
    RequestExec,
    RequestPty,
    RequestWindow,
    StartAnswer,
    Streams,
)
from pysshd.processes.boundary.calls.table import TO_MONITOR
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.worker.driver import Driver
from pysshd.processes.worker.loop import Loop
from pysshd.processes.worker.program import stack_settings
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.stack import Stack, StackSettings
from pysshd.ssh.wire.messages.connection import (
    ChannelClose,
    ChannelData,
    ChannelEof,
    ChannelExtendedData,
    ChannelOpen,
    ChannelRequest,
    ChannelWindowAdjust,
)
from pysshd.ssh.wire.messages.requests import Exec
from pysshd.ssh.wire.messages.transport import ServiceRequest
from pysshd.ssh.wire.messages.userauth import PasswordBody, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import HOST_KEY

ASSIGN = Assign(
    b"SSH-2.0-test", ("curve25519-sha256",), (("ssh-ed25519", HOST_KEY.public.blob),),
    ("chacha20-poly1305@openssh.com",), (), ("ssh-ed25519",), 1 << 30, 3600, 6, 10, 0, 3,
)  # fmt: skip
CHANNEL = 0
PEER = 7


def tcp() -> tuple[socket.socket, socket.socket]:
    """A connection over loopback: the client's end, the server's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


class House:
    """The loop is turned by the test, a turn at a time; the client never blocks."""

    def __init__(
        self, settings: StackSettings | None = None, sockets: tuple[socket.socket, socket.socket] | None = None
    ) -> None:
        self.loop = Loop()
        self.end, worker = Endpoint.pair()
        self.end.set_timeout(5)
        self.worker = worker
        self.socket, theirs = sockets or socket.socketpair()
        self.socket.setblocking(False)
        self.stack = Stack(settings or stack_settings(ASSIGN), SystemEntropy(), time.monotonic())
        self.ended = False
        self.driver = Driver(theirs, worker, self.stack, self.loop, self._over)
        self.client = RawClient(host_keys=("ssh-ed25519",))
        self.reads = True
        self.came: list[bytes] = []
        self.told: list[Any] = []
        self.answers: dict[type[Call], Callable[[Any], None]] = {
            Sign: lambda call: self.say(SignAnswer(call.call, HOST_KEY.sign(call.algorithm, call.exchange_hash))),
            BeginAuth: lambda call: self.say(Offer(call.call, ("password",), "")),
            OfferPassword: lambda call: self.say(AuthAnswer(call.call, 0, ())),
            OpenChannel: lambda call: self.say(OpenAnswer(call.call, 0, "")),
            RequestWindow: lambda call: self.say(RequestAnswer(call.call, True)),
            RequestBreak: lambda call: self.say(RequestAnswer(call.call, True)),
            RequestPty: lambda call: self.say(RequestAnswer(call.call, True)),
        }
        self._left: list[int] = []

    def _over(self) -> None:
        self.ended = True
        self.loop.stop()

    # --- the monitor's side

    def say(self, call: Call, fds: tuple[int, ...] = ()) -> None:
        self.end.send(call.encode(), fds)

    def the(self, kind: Any) -> Any:
        """The one call of a kind that came."""
        (call,) = [call for call in self.told if isinstance(call, kind)]
        return call

    def pipes(self) -> "Program":
        """Pipes for a program; the test is the program."""
        (in_read, in_write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
        program = Program(in_read, out_write, err_write)
        self._left += [in_read, out_write, err_write]
        program.theirs = (in_write, out_read, err_read)
        return program

    def start(self, call: int, program: "Program") -> None:
        """Answer a start with the descriptors of a program."""
        kind = Streams.PIPES if len(program.theirs) == 3 else Streams.PTY
        self.say(StartAnswer(call, kind), program.theirs)
        for descriptor in program.theirs:
            os.close(descriptor)

    # --- turning

    def turn(self) -> None:
        """Whatever can happen at once: the driver's loop, the client, the monitor."""
        data = self.client.output()
        if data:
            self.socket.setblocking(True)
            self.socket.settimeout(0.05)
            while data:
                try:
                    data = data[self.socket.send(data) :]
                except TimeoutError:
                    self._run()
            self.socket.setblocking(False)
        self._run()
        if self.reads and not self.socket._closed:  # type: ignore[attr-defined]
            with contextlib.suppress(BlockingIOError, ConnectionError):
                while got := self.socket.recv(1 << 20):
                    self.came += self.client.receive(got)
        while select.select([self.end], [], [], 0)[0]:
            received = self.end.recv()
            if received is None:
                break
            call: Any = decode(received.message, TO_MONITOR)
            self.told.append(call)
            if (answer := self.answers.get(type(call))) is not None:
                answer(call)

    def _run(self) -> None:
        """One turn of the worker's loop, without waiting."""
        if self.ended:
            return
        deadline = _Stop(self.loop)
        self.loop.add_timed(deadline)
        self.loop._core.running = True
        self.loop.run()
        self.loop.remove_timed(deadline)
        self._look_again()

    def _look_again(self) -> None:
        """Whoever looks again at what is waited for finds it as it is, but that it may be waited for too soon."""
        if self.ended:
            return
        watched, due, waiting = self._watched(), self.driver.deadline, self.stack.output.waiting
        self.driver._settle()
        assert (self._watched(), self.stack.output.waiting) == (watched, waiting)
        if self.driver.deadline is not None:
            assert due is not None
            assert due <= self.driver.deadline

    def _watched(self) -> dict[int, int]:
        """What each descriptor is watched for, without those of programs that are not read for want of room."""
        paused = {number for one in self.driver._relays.values() if one.paused for number in one._outputs}
        known = self.loop._core.watched.items()
        return {number: entry.mask for number, entry in known if number not in paused}

    def until(self, condition: Callable[[], object], within: float = 20.0) -> None:
        """Turn until something is the case."""
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < within, "it did not come to be in time"
            self.turn()

    def settle(self, turns: int = 20) -> None:
        for _ in range(turns):
            self.turn()

    # --- the client's side

    def send(self, *payloads: bytes) -> None:
        self.client.send(*payloads)
        self.turn()

    def numbers(self) -> list[int]:
        return [payload[0] for payload in self.came]

    def to_open(self) -> "House":
        self.client.begin()
        self.until(lambda: self.client.exchanges)
        self.send(ServiceRequest("ssh-userauth").encode())
        body = PasswordBody(False, b"right").encode()
        self.send(UserauthRequest(b"alice", "ssh-connection", "password", body).encode())
        self.until(lambda: N.USERAUTH_SUCCESS in self.numbers())
        return self

    def to_channel(self, window: int = 1 << 30) -> "House":
        self.to_open()
        self.send(ChannelOpen("session", PEER, window, 32768).encode())
        self.until(lambda: N.CHANNEL_OPEN_CONFIRMATION in self.numbers())
        return self

    def ask_exec(self, reply: bool = True) -> int:
        """Ask for a program; the number of the call that comes of it."""
        before = len(self.told)
        self.send(ChannelRequest(CHANNEL, "exec", reply, Exec(b"program").encode()).encode())
        self.until(lambda: any(isinstance(call, RequestExec) for call in self.told[before:]))
        asked: RequestExec = next(call for call in self.told[before:] if isinstance(call, RequestExec))
        return asked.call

    def to_program(self, window: int = 1 << 30) -> "Program":
        """A program with pipes that runs."""
        self.to_channel(window)
        program = self.pipes()
        self.start(self.ask_exec(), program)
        self.until(lambda: N.CHANNEL_SUCCESS in self.numbers())
        return program

    def data(self, data: bytes) -> None:
        for at in range(0, len(data), 32768):
            self.send(ChannelData(CHANNEL, data[at : at + 32768]).encode())

    def eof(self) -> None:
        self.send(ChannelEof(CHANNEL).encode())

    def widen(self, size: int) -> None:
        self.send(ChannelWindowAdjust(CHANNEL, size).encode())

    def close_channel(self) -> None:
        self.send(ChannelClose(CHANNEL).encode())

    @property
    def output(self) -> bytes:
        return b"".join(ChannelData.decode(p).data for p in self.came if p[0] == N.CHANNEL_DATA)

    @property
    def size(self) -> int:
        """How many bytes of output came."""
        return sum(len(payload) - 9 for payload in self.came if payload[0] == N.CHANNEL_DATA)

    @property
    def errors(self) -> bytes:
        return b"".join(ChannelExtendedData.decode(p).data for p in self.came if p[0] == N.CHANNEL_EXTENDED_DATA)

    @property
    def credit(self) -> int:
        """What the window was widened by."""
        return sum(ChannelWindowAdjust.decode(p).bytes_to_add for p in self.came if p[0] == N.CHANNEL_WINDOW_ADJUST)

    def close(self) -> None:
        if not self.ended:
            self.driver._finish()
        self.end.close()
        self.worker.close()
        self.socket.close()
        self.loop.close()
        for descriptor in self._left:
            with contextlib.suppress(OSError):
                os.close(descriptor)


class _Stop:
    """Makes a loop return after what is ready now."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.deadline: float | None = 0.0

    def tick(self, now: float) -> None:
        self._loop.stop()


class Program:
    """The program's ends, in the hands of the test; none blocks."""

    def __init__(self, stdin: int, stdout: int, stderr: int) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.theirs: tuple[int, ...] = ()
        for descriptor in {stdin, stdout, stderr}:
            os.set_blocking(descriptor, False)

    def read(self) -> bytes | None:
        """What is there; None: nothing yet, empty: the end."""
        try:
            return os.read(self.stdin, 1 << 20)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> int:
        """How much the pipe took."""
        try:
            return os.write(self.stdout, data)
        except BlockingIOError:
            return 0


@contextlib.contextmanager
def house(settings: StackSettings | None = None) -> Iterator[House]:
    made = House(settings)
    try:
        yield made
    finally:
        made.close()


def small(**connection: Any) -> StackSettings:
    """Settings with small windows."""
    usual = stack_settings(ASSIGN)
    return StackSettings(usual.transport, usual.userauth, ConnectionSettings(**connection))
