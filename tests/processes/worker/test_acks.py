"""A client that does not set TCP_NODELAY is not kept waiting for an ACK: over real TCP."""

import fcntl
import os
import socket
import struct
import termios
from collections.abc import Iterator

import pytest

from pysshd.processes.boundary.calls.channels import Exited
from pysshd.processes.boundary.calls.requests import RequestAnswer, RequestEnv
from pysshd.processes.worker.acks import acknowledge
from pysshd.ssh.wire.messages.connection import ChannelRequest
from pysshd.ssh.wire.messages.requests import Env
from pysshd.ssh.wire.messages.transport import Ignore
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.processes.worker.house import CHANNEL, House, tcp


def unacknowledged(client: socket.socket) -> int:
    """Bytes that were sent and whose ACK has not come (SIOCOUTQ, tcp(7))."""
    return int(struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, bytes(4)))[0])


def kept_back(pair: tuple[socket.socket, socket.socket]) -> socket.socket:
    """The server's end of a connection on which the ACK of a byte is being kept back."""
    client, server = pair
    for _ in range(3):  # who answers at once is held to do so again, and their ACKs wait
        client.send(b"?")
        server.recv(1)
        server.send(b"!")
        client.recv(1)
    client.send(b"x")
    server.recv(1)
    assert unacknowledged(client) == 1
    return server


def test_an_ack_that_is_kept_back_is_sent() -> None:
    client, server = pair = tcp()
    with client, server:
        acknowledge(kept_back(pair))
        assert unacknowledged(client) == 0


def test_what_is_no_tcp_has_none() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        acknowledge(ours)


class Watched(House):
    """Notes after every turn of the loop what the client has not had an ACK of, and whether the monitor was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bool]] = []
        super().__init__(sockets=tcp())

    def _run(self) -> None:
        super()._run()
        self.seen.append((unacknowledged(self.socket), bool(self.driver._questions.asked)))


@pytest.fixture
def home() -> Iterator[Watched]:
    home = Watched()
    try:
        yield home
    finally:
        home.close()


def test_a_client_that_logs_in_waits_for_no_ack(home: Watched) -> None:
    home.to_open()
    home.send(Ignore(b"nothing is owed for it").encode())
    assert {left for left, asked in home.seen if not asked} == {0}


def test_nor_does_one_that_ends_a_channel(home: Watched) -> None:
    """Its EOF and its CLOSE go before what opens the next."""
    program = home.to_program()
    home.seen.clear()
    home.eof()
    assert home.seen.pop() == (0, False)
    os.close(program.stdout)
    os.close(program.stderr)
    home._left = [program.stdin]
    home.say(Exited(CHANNEL, 0, "", False))
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
    home.seen.clear()
    home.close_channel()
    assert home.seen.pop() == (0, False)


def test_nor_does_one_whose_request_wants_no_reply(home: Watched) -> None:
    """A variable, and then a program: the ACK comes once the monitor has judged what nobody is told of."""
    home.to_channel()
    home.answers[RequestEnv] = lambda call: home.say(RequestAnswer(call.call, True))
    home.send(ChannelRequest(CHANNEL, "env", False, Env(b"NAME", b"value").encode()).encode())
    assert home.seen.pop()[1]
    home.until(lambda: not home.driver._questions.asked)
    assert home.seen.pop() == (0, False)
