"""The end of a connection, from either side: everybody is told, and the worker ends."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.errors import DisconnectReason
from pysshd.processes.boundary.calls.call import decode
from pysshd.processes.boundary.calls.connection import Bye, EndConnection, Ready, Report
from pysshd.processes.boundary.calls.login import BeginAuth
from pysshd.processes.boundary.calls.table import TO_MONITOR
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.worker import program
from pysshd.processes.worker.driver import LINGER, LINGER_BYTES
from pysshd.processes.worker.loop import READ, WRITE, Loop
from pysshd.ssh.wire.messages.transport import Disconnect, ServiceRequest
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.processes.worker.house import ASSIGN, House, house


@pytest.fixture
def home() -> Iterator[House]:
    with house() as made:
        yield made


def last(home: House) -> Disconnect:
    return Disconnect.decode(next(p for p in home.came if p[0] == N.DISCONNECT))


def test_the_log_is_told_what_was_agreed(home: House) -> None:
    home.to_open()
    report = home.the(Report)
    assert report.event == "negotiated"
    assert dict(report.fields) == {
        "client": b"SSH-2.0-raw", "kex": b"curve25519-sha256", "host_key": b"ssh-ed25519",
        "cipher": b"chacha20-poly1305@openssh.com", "strict": b"yes",
    }  # fmt: skip
    begun = home.the(BeginAuth)
    assert (begun.user, begun.service, begun.client) == (b"alice", "ssh-connection", b"SSH-2.0-raw")


def test_a_client_that_goes_away(home: House) -> None:
    program_ = home.to_program()
    home.socket.close()
    home.until(lambda: home.ended)
    home.reads = False
    home.turn()
    assert home.the(Bye).reason == "the client went away"
    assert program_.read() == b""


def test_a_client_that_disconnects(home: House) -> None:
    home.to_open()
    home.send(Disconnect(11, b"so \x1blong").encode())
    home.socket.shutdown(socket.SHUT_WR)
    home.until(lambda: home.ended)
    home.turn()
    assert home.the(Bye).reason == "the client disconnected"
    (report,) = [call for call in home.told if isinstance(call, Report) and call.event == "disconnected"]
    assert dict(report.fields)["text"] == b"so \x1blong"


@pytest.mark.security("S121")
def test_a_fault_of_the_client_is_told_to_both(home: House) -> None:
    home.to_open()
    home.send(ServiceRequest("ssh-userauth").encode())
    home.until(lambda: N.DISCONNECT in home.numbers())
    assert last(home).reason == DisconnectReason.PROTOCOL_ERROR
    assert last(home).description == b"protocol error"
    home.until(lambda: home.ended, within=3)
    home.turn()
    (report,) = [call for call in home.told if isinstance(call, Report) and call.event == "failed"]
    assert dict(report.fields)["reason"] == b"protocol_error"
    assert home.the(Bye).reason == "protocol failure protocol_error"


def test_the_monitor_ends_it(home: House) -> None:
    home.to_open()
    home.say(EndConnection(DisconnectReason.BY_APPLICATION, "the server is shutting down"))
    home.until(lambda: N.DISCONNECT in home.numbers())
    assert (last(home).reason, last(home).description) == (11, b"the server is shutting down")
    home.socket.shutdown(socket.SHUT_WR)
    home.until(lambda: home.ended)
    home.turn()
    assert home.the(Bye).reason == "the server is shutting down"


def test_the_last_message_arrives_over_a_full_queue_and_unread_input(home: House) -> None:
    program_ = home.to_program()
    home.reads = False
    for _ in range(40):
        program_.write(b"x" * 65536)
        home.turn()
    assert home.stack.output.waiting > 0
    home.socket.setblocking(False)
    home.say(EndConnection(DisconnectReason.BY_APPLICATION, "enough"))
    home.settle(3)
    home.reads = True
    home.until(lambda: N.DISCONNECT in home.numbers())
    assert last(home).description == b"enough"
    home.until(lambda: home.ended)


def test_a_client_that_does_not_read_is_not_waited_for(home: House) -> None:
    program_ = home.to_program()
    home.reads = False
    for _ in range(40):
        program_.write(b"x" * 65536)
        home.turn()
    home.say(EndConnection(DisconnectReason.BY_APPLICATION, "enough"))
    home.until(lambda: home.ended)


def test_a_client_that_floods_its_own_end_is_not_read_for_long(home: House) -> None:
    home.to_open()
    home.say(EndConnection(DisconnectReason.BY_APPLICATION, "enough"))
    home.until(lambda: N.DISCONNECT in home.numbers())
    home.socket.setblocking(False)
    taken = 0
    while not home.ended and taken < 64 * LINGER_BYTES:
        try:
            taken += home.socket.send(bytes(65536))
        except BlockingIOError:
            home.turn()
        except OSError:
            break
    home.until(lambda: home.ended, within=0.5)
    assert taken < 16 * LINGER_BYTES


def test_a_monitor_that_is_gone_ends_the_connection(home: House) -> None:
    home.to_open()
    home.end.close()
    home._run()
    assert home.ended
    assert home.socket.recv(65536) == b""


def test_program_ends_when_the_monitor_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the fork to the end, without a sandbox, which this process would not come out of."""

    class Holds:
        def lines(self) -> list[str]:
            return ["nothing"]

    monkeypatch.setattr("pysshd.processes.worker.program.signal.signal", lambda *_: None)
    # What breaks the table is loud: the monitor logs a worker that did not end with 0.
    for message, status in ((None, 0), (ASSIGN.encode(), 0), (EndConnection(1, "x").encode(), 70), (b"junk", 70)):
        ours, theirs = Endpoint.pair()
        with ours, theirs:
            if message is not None:
                client, far = socket.socketpair()
                with client, far:
                    ours.send(message, (client.fileno(),) if message == ASSIGN.encode() else ())
            duplicate = Endpoint.from_fd(os.dup(theirs.fileno()))
            ours_fd = ours.detach()
            os_socket = socket.socket(fileno=ours_fd)
            os_socket.shutdown(socket.SHUT_WR)
            with duplicate:
                assert program.run(duplicate, Holds) == status
            assert decode(os_socket.recv(1 << 17), TO_MONITOR) == Ready((b"nothing",))
            os_socket.close()


def test_a_fault_of_ours_is_a_status_and_a_trace(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Holds:
        def lines(self) -> list[str]:
            raise RuntimeError("ours")

    monkeypatch.setattr("pysshd.processes.worker.program.signal.signal", lambda *_: None)
    ours, theirs = Endpoint.pair()
    with ours, theirs:
        assert program.run(theirs, Holds) == 70
    assert "RuntimeError: ours" in capfd.readouterr().err


# --- the loop


def test_loop_serves_what_is_ready_and_what_is_due() -> None:
    loop = Loop()
    out, into = os.pipe()
    seen: list[object] = []

    class Clock:
        deadline: float | None = time.monotonic() + 0.02

        def tick(self, now: float) -> None:
            seen.append("tick")
            self.deadline = None
            os.write(into, b"x")

    def ready(mask: int) -> None:
        seen.append(mask)
        loop.stop()

    loop.add_timed(Clock())
    loop.watch(out, READ, ready)
    loop.run()
    assert seen == ["tick", READ]
    loop.close()
    os.close(out)
    os.close(into)


def test_loop_forgets_what_an_earlier_callback_closed() -> None:
    loop = Loop()
    pairs = [os.pipe(), os.pipe()]
    called: list[int] = []

    def ready(mask: int) -> None:
        called.append(mask)
        for out, _ in pairs:
            loop.watch(out, 0, ready)
        loop.stop()

    for out, into in pairs:
        os.write(into, b"x")
        loop.watch(out, READ, ready)
    loop.watch(pairs[0][0], 0, ready)
    loop.watch(pairs[0][0], READ, ready)
    loop.run()
    assert called == [READ]
    loop.close()
    for pair in pairs:
        for descriptor in pair:
            os.close(descriptor)


def test_loop_watches_for_another_mask() -> None:
    loop = Loop()
    ours, theirs = socket.socketpair()
    masks: list[int] = []

    def ready(mask: int) -> None:
        masks.append(mask)
        loop.stop()

    with ours, theirs:
        loop.watch(ours.fileno(), READ, ready)
        loop.watch(ours.fileno(), WRITE, ready)
        loop.run()
    assert masks == [WRITE]
    loop.close()


@pytest.mark.parametrize("busy", ["bulk before", "bulk just now", "nothing"])
def test_whoever_is_sent_away_has_a_second_to_read_why(home: House, busy: str) -> None:
    """What else has a time, such as the memory of bulk transfers, does not end it."""
    home.to_program()
    if busy != "nothing":
        home.stack.scratch.widen_input()
        home.data(b"x")
    if busy == "bulk just now":
        home.driver._gathering.until = time.monotonic() + 0.002
    else:
        time.sleep(0.5)
    began = time.monotonic()
    home.say(EndConnection(DisconnectReason.BY_APPLICATION, "enough"))
    while not home.ended:
        time.sleep(0.005)
        home._run()
        assert time.monotonic() - began < 5
    assert time.monotonic() - began > 0.95 * LINGER


def test_memory_of_a_transfer_goes_with_the_connection(home: House) -> None:
    """Others of the same process, who move little, would keep it for ever."""
    program = home.to_program()
    program.write(b"x" * 65536)
    home.until(lambda: home.size == 65536)
    assert home.stack.scratch.is_large
    home.socket.close()
    home.until(lambda: home.ended)
    assert not home.stack.scratch.is_large
