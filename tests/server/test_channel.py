"""The channel given to hooks works over its socket pair, and is the hook's from its first use on."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable

import pytest

from pysshd.server.channel import Channel
from pysshd.server.transport import Transport


class Peer:
    """The daemon's ends of a channel."""

    def __init__(self, channel: Channel) -> None:
        taken = [stream.take_peer() for stream in channel.streams()]
        self.input, self.output, self.errors = (end for end in taken if end is not None)
        for end in (self.input, self.output, self.errors):
            end.settimeout(10)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.input, self.output, self.errors):
            end.close()

    def send(self, data: bytes) -> None:
        self.input.sendall(data)

    def recv(self, size: int = 1000) -> bytes:
        return self.output.recv(size)

    def read(self) -> bytes:
        with self.output.makefile("rb") as file:
            return file.read()


def peer_of(channel: Channel) -> Peer:
    return Peer(channel)


def test_a_channel_that_no_hook_touched_is_the_daemons() -> None:
    channel = Channel(7, "session", ("192.0.2.1", 5))
    assert (channel.get_id(), channel.chanid, channel.kind) == (7, 7, "session")
    assert channel.get_name() == "7"
    channel.set_name("mine")
    assert channel.get_name() == "mine"
    assert channel.origin_addr == channel.getpeername() == ("192.0.2.1", 5)
    assert channel.gettimeout() is None
    channel.settimeout(3)
    assert not channel.taken
    assert channel.claim()
    for use in (channel.recv_ready, channel.fileno, channel.close, channel.shutdown_write, lambda: channel.send(b"x")):
        with pytest.raises(OSError, match="the daemon runs"):
            use()
    channel.discard()
    assert channel.closed


def test_what_was_written_before_is_kept_in_order() -> None:
    channel = Channel(0)
    channel.sendall(b"one ")
    assert channel.send("two ") == 4
    assert channel.taken
    with peer_of(channel) as peer:
        channel.sendall("three")
        channel.close()
        assert peer.read() == b"one two three"
    channel.discard()
    assert channel.streams()[1].take_peer() is None


def test_reading_and_its_end() -> None:
    channel = Channel(0)
    assert not channel.recv_ready()
    with peer_of(channel) as peer:
        peer.send(b"hello")
        assert select.select([channel], [], [], 10)[0] == [channel]
        assert channel.recv_ready()
        assert channel.recv(3) == b"hel"
        assert channel.recv(30) == b"lo"
        peer.input.shutdown(socket.SHUT_WR)
        assert channel.recv(30) == b""
        assert channel.eof_received
    channel.discard()


def test_stderr_goes_apart_or_along() -> None:
    channel = Channel(0)
    channel.sendall_stderr(b"trouble")
    assert channel.send_stderr("!") == 1
    assert channel.set_combine_stderr(True) is False
    channel.sendall_stderr(b"along")
    assert not channel.recv_stderr_ready()
    with peer_of(channel) as peer:
        assert peer.errors.recv(100) == b"trouble!"
        assert peer.recv(100) == b"along"
    channel.set_combine_stderr(False)
    channel.discard()


def test_timeouts() -> None:
    channel = Channel(0)
    channel.settimeout(0.01)
    with pytest.raises(TimeoutError):
        channel.recv(1)
    channel.setblocking(False)
    with pytest.raises(BlockingIOError):
        channel.recv(1)
    channel.setblocking(True)
    assert channel.gettimeout() is None
    channel.discard()


def test_shutdown_shows_the_end() -> None:
    channel = Channel(0)
    with peer_of_used(channel) as peer:
        channel.shutdown_write()
        assert channel.eof_sent
        assert peer.recv(1) == b""
        peer.send(b"x")
        assert channel.recv(1) == b"x"
        channel.shutdown_read()
    channel.shutdown(2)
    with pytest.raises(ValueError, match="expected 0, 1 or 2"):
        channel.shutdown(3)
    channel.discard()


def peer_of_used(channel: Channel) -> Peer:
    channel.fileno()
    return peer_of(channel)


def test_exit_status_is_checked_and_kept() -> None:
    channel = Channel(0)
    with pytest.raises(ValueError, match="-1"):
        channel.send_exit_status(-1)
    channel.send_exit_status(7)
    assert channel.exit_status == 7
    assert channel.taken
    channel.discard()


def test_a_closed_channel_takes_nothing_more() -> None:
    with Channel(0) as channel:
        pass
    assert channel.closed
    assert channel.taken
    assert channel.recv(1) == b""
    for send in (channel.send, channel.send_stderr):
        with pytest.raises(OSError, match="closed"):
            send(b"x")


def test_two_threads_make_one_pair() -> None:
    channel = Channel(0)
    barrier = threading.Barrier(8)
    numbers: list[int] = []

    def use() -> None:
        barrier.wait(10)
        numbers.append(channel.fileno())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(numbers)) == 1
    channel.discard()


def test_discarding_leaves_no_descriptor() -> None:
    channel = Channel(0)
    channel.send(b"x")
    channel.send_stderr(b"x")
    before = len(os.listdir("/proc/self/fd"))
    channel.discard()
    assert len(os.listdir("/proc/self/fd")) == before - 6
    assert [stream.take_peer() for stream in channel.streams()] == [None] * 3
    assert channel.fileno() == -1


def test_a_file_reads_lines_and_blocks() -> None:
    channel = Channel(0)
    reader = channel.makefile("rU")
    with peer_of_used(channel) as peer:
        peer.send(b"one\r\ntwo\nthree\xff\nfour")
        peer.input.shutdown(socket.SHUT_WR)
        assert reader.readline() == "one\n"
        assert reader.readline(2) == "tw"
        assert reader.read(3) == "o\nt"
        assert reader.readlines() == ["hree\ufffd\n", "four"]
        assert reader.readline() == ""
        assert reader.read() == ""
    channel.discard()


def test_a_file_writes_at_once_and_takes_both() -> None:
    channel = Channel(0)
    with channel.makefile("w") as writer, peer_of_used(channel) as peer:
        writer.write("text ")
        writer.write(b"bytes")
        writer.writelines(["\n", b"more"])
        writer.flush()
        assert peer.recv(100) == b"text bytes\nmore"
        assert (writer.readable(), writer.writable()) == (False, True)
        with pytest.raises(OSError, match="not open for reading"):
            writer.read()
    with pytest.raises(OSError, match="closed"):
        writer.write("x")
    assert not channel.closed
    channel.discard()


@pytest.mark.parametrize("mode", ["r", "rb", "rU", "w", "wb", "rw", "r+", "rb+"])
def test_modes_that_are_known(mode: str) -> None:
    channel = Channel(0)
    opened = channel.makefile(mode)
    assert opened.readable() == ("r" in mode)
    assert opened.writable() == ("w" in mode or "+" in mode)
    assert channel.makefile_stderr(mode).readable() == ("r" in mode)
    channel.discard()


@pytest.mark.parametrize("mode", ["", "x", "ab"])
def test_modes_that_are_not(mode: str) -> None:
    with pytest.raises(ValueError, match="file mode"):
        Channel(0).makefile(mode)


def test_a_line_without_an_end_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from pysshd.server import channel_file

    monkeypatch.setattr(channel_file, "LINE_MAX", 10)
    channel = Channel(0)
    reader = channel.makefile("rb")
    with peer_of_used(channel) as peer:
        peer.send(b"x" * 25)
        peer.input.shutdown(socket.SHUT_WR)
        assert [len(line) for line in reader] == [10, 10, 5]
    channel.discard()


def test_the_first_use_takes_the_channel_and_is_told_once() -> None:
    told: list[str] = []
    channel = Channel(0, notify=told.append)
    assert told == []
    channel.settimeout(10)
    channel.get_transport()
    before = channel.taken
    channel.send(b"x")
    channel.send_stderr(b"x")
    assert (before, channel.taken, channel.claim()) == (False, True, False)
    assert told == ["used"]
    channel.close()
    channel.close()
    assert told == ["used", "ended"]
    assert channel.ended
    channel.discard()


@pytest.mark.parametrize("status_first", [True, False])
def test_a_status_and_no_more_to_write_is_the_end(status_first: bool) -> None:
    told: list[str] = []
    channel = Channel(0, notify=told.append)
    acts = [lambda: channel.send_exit_status(3), channel.shutdown_write]
    for act in acts if status_first else reversed(acts):
        assert told in ([], ["used"])
        act()
    assert told == ["used", "ended"]
    channel.discard()


def test_a_channel_closed_unused_shows_its_end() -> None:
    channel = Channel(0)
    channel.close()
    with peer_of(channel) as peer:
        assert (peer.recv(1), peer.errors.recv(1)) == (b"", b"")


def test_closing_over_unread_data_loses_nothing_that_was_written() -> None:
    channel = Channel(0)
    with peer_of(channel) as peer:
        peer.send(b"unread")
        channel.sendall(b"x" * 100_000)
        channel.close()
        assert peer.read() == b"x" * 100_000
    channel.discard()


def test_what_came_before_the_end_can_still_be_read() -> None:
    channel = Channel(0)
    with peer_of(channel) as peer:
        peer.send(b"last words")
    channel.discard()
    assert (channel.recv_ready(), channel.send_ready()) == (True, False)
    assert (channel.recv(4), channel.recv(100), channel.recv(100)) == (b"last", b" words", b"")
    with pytest.raises(OSError, match="closed"):
        channel.send(b"x")


@pytest.mark.parametrize("end", [Channel.close, Channel.discard])
@pytest.mark.parametrize("act", [lambda channel: channel.recv(1), lambda channel: channel.sendall(bytes(1 << 24))])
def test_whoever_waits_in_a_channel_is_woken_by_its_end(
    end: Callable[[Channel], None], act: Callable[[Channel], object]
) -> None:
    channel = Channel(0)
    came: list[object] = []

    def wait() -> None:
        try:
            came.append(act(channel))
        except OSError as error:
            came.append(type(error))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    end(channel)
    thread.join(10)
    assert not thread.is_alive()
    assert came[0] in (b"", BrokenPipeError, OSError)
    channel.discard()
    assert [stream.fileno() for stream in channel.streams()] == [-1, -1, -1]


def test_the_event_loop_never_waits() -> None:
    channel = Channel(0, home=threading.get_ident())
    channel.settimeout(5)
    started = time.monotonic()
    with pytest.raises(BlockingIOError, match="event loop"):
        channel.recv(1)
    with pytest.raises(BlockingIOError, match="event loop"):
        channel.sendall(bytes(1 << 24))
    assert time.monotonic() - started < 2
    with peer_of(channel) as peer:
        while not channel.send_ready():
            assert peer.recv(1 << 20)
        peer.send(b"now")
        assert channel.recv(10) == b"now"
        assert channel.send(b"x") == 1
    channel.discard()


def test_the_names_of_a_transport() -> None:
    ended: list[int] = []
    transport = Transport(("192.0.2.1", 5), "alice", "SSH-2.0-x", lambda: ended.append(1))
    channel = Channel(0, transport=transport)
    assert channel.get_transport() is channel.transport is transport
    assert channel.getpeername() == transport.getpeername() == ("192.0.2.1", 5)
    assert (transport.get_username(), transport.remote_version) == ("alice", "SSH-2.0-x")
    assert [transport.is_active(), transport.is_authenticated(), channel.active] == [True] * 3
    transport.close()
    assert ended == [1]
    states = [channel.exit_status_ready()]
    channel.discard()
    assert [*states, channel.exit_status_ready()] == [False, True]
    assert channel.recv_exit_status() == -1
