"""The socket between our processes: whole messages with descriptors, and nothing beyond its limits."""

import array
import contextlib
import fcntl
import gc
import os
import socket
from collections.abc import Iterator

import pytest

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.socket import MAX_DESCRIPTORS, MAX_MESSAGE, Endpoint

Pair = tuple[Endpoint, Endpoint]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = Endpoint.pair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def raw() -> Iterator[tuple[Endpoint, socket.socket]]:
    """An endpoint, and a socket at its other end that keeps no rules."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with Endpoint(ours) as endpoint, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        yield endpoint, theirs


def open_descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [1, 2, 1000, MAX_MESSAGE])
def test_a_message_arrives_whole(pair: Pair, size: int) -> None:
    message = os.urandom(size)
    pair[0].send(message)
    pair[0].send(memoryview(b"next"))
    assert pair[1].recv() == (message, ())
    assert pair[1].recv() == (b"next", ())


@pytest.mark.parametrize("count", [1, 3, MAX_DESCRIPTORS])
def test_descriptors_arrive_close_on_exec(pair: Pair, count: int) -> None:
    reader, writer = os.pipe()
    pair[0].send(b"x", [writer] * count)
    os.close(writer)
    received = pair[1].recv()
    assert received is not None
    assert len(received.fds) == count
    for number, descriptor in enumerate(received.fds):
        assert fcntl.fcntl(descriptor, fcntl.F_GETFD) == fcntl.FD_CLOEXEC
        os.write(descriptor, b"%d" % (number % 10))
        os.close(descriptor)
    assert len(os.read(reader, 100)) == count
    os.close(reader)


@pytest.mark.parametrize("message", [b"", bytes(MAX_MESSAGE + 1)])
def test_no_message_of_another_size_is_sent(pair: Pair, message: bytes) -> None:
    with pytest.raises(BoundaryError, match=f"has {len(message)} bytes, expected 1 to 65536"):
        pair[0].send(message)


def test_no_more_descriptors_are_sent(pair: Pair) -> None:
    with pytest.raises(BoundaryError, match="has 17 descriptors, expected at most 16"):
        pair[0].send(b"x", [0] * (MAX_DESCRIPTORS + 1))


@pytest.mark.security("S112")
@pytest.mark.parametrize("size", [MAX_MESSAGE + 1, MAX_MESSAGE + 2, 3 * MAX_MESSAGE])
def test_a_longer_message_is_refused_and_its_descriptors_are_closed(
    raw: tuple[Endpoint, socket.socket], size: int
) -> None:
    endpoint, theirs = raw
    before = open_descriptors()
    socket.send_fds(theirs, [bytes(size)], [0, 1, 2])
    with pytest.raises(BoundaryError, match="longer than 65536 bytes"):
        endpoint.recv()
    assert open_descriptors() == before


@pytest.mark.security("S112")
@pytest.mark.parametrize("count", [MAX_DESCRIPTORS + 1, MAX_DESCRIPTORS + 2, 253])
def test_more_descriptors_are_refused_and_all_are_closed(raw: tuple[Endpoint, socket.socket], count: int) -> None:
    endpoint, theirs = raw
    before = open_descriptors()
    socket.send_fds(theirs, [b"x"], [0] * count)
    with pytest.raises(BoundaryError, match="had more than 16 descriptors"):
        endpoint.recv()
    assert open_descriptors() == before


@pytest.mark.security("S112")
def test_an_empty_message_with_descriptors_is_refused(raw: tuple[Endpoint, socket.socket]) -> None:
    endpoint, theirs = raw
    before = open_descriptors()
    theirs.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    with pytest.raises(BoundaryError, match="is empty, but has descriptors"):
        endpoint.recv()
    assert open_descriptors() == before


def test_something_other_than_descriptors_is_refused(raw: tuple[Endpoint, socket.socket]) -> None:
    endpoint, theirs = raw
    with socket.socket(fileno=os.dup(endpoint.fileno())) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    theirs.send(b"x")
    with pytest.raises(BoundaryError, match="other than descriptors"):
        endpoint.recv()


def test_the_end_is_none_after_all_that_was_sent(pair: Pair) -> None:
    ours, theirs = pair
    ours.send(b"last")
    ours.close()
    assert theirs.recv() == (b"last", ())
    assert theirs.recv() is None
    assert theirs.recv() is None


def test_the_end_is_none_also_where_the_other_side_left_messages_unread(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"never read")
    ours.send(b"first")
    ours.send(b"second")
    ours.close()
    assert theirs.recv() == (b"first", ())
    assert theirs.recv() == (b"second", ())
    assert theirs.recv() is None


def test_sending_to_nobody_is_an_error(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()
    with pytest.raises(BoundaryError, match="can not be sent: Broken pipe"):
        ours.send(b"x")


def test_an_endpoint_that_does_not_block_says_so(pair: Pair) -> None:
    ours, theirs = pair
    ours.set_blocking(False)
    with pytest.raises(BlockingIOError):
        ours.recv()
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 100_000:
            ours.send(b"x" * 1000)
            sent += 1
    assert 0 < sent < 100_000
    for _ in range(sent):
        assert theirs.recv() == (b"x" * 1000, ())
    ours.send(b"again")
    assert theirs.recv() == (b"again", ())


def test_an_endpoint_with_a_timeout_keeps_it(pair: Pair) -> None:
    pair[0].set_timeout(0.01)
    with pytest.raises(TimeoutError):
        pair[0].recv()


def test_only_a_seqpacket_socket_becomes_an_endpoint() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(BoundaryError, match="expected unix seqpacket"):
            Endpoint.from_fd(ours.fileno())
        # It is still the caller's.
        ours.send(b"x")
    reader, writer = os.pipe()
    with pytest.raises(BoundaryError, match="is no socket"):
        Endpoint.from_fd(reader)
    os.close(reader)
    os.close(writer)


def test_an_inherited_descriptor_is_taken_over(pair: Pair) -> None:
    descriptor = os.dup(pair[0].fileno())
    os.set_inheritable(descriptor, True)
    with Endpoint.from_fd(descriptor) as taken:
        assert not os.get_inheritable(descriptor)
        taken.send(b"x")
        assert pair[1].recv() == (b"x", ())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_detached_endpoint_leaves_its_descriptor_open(pair: Pair) -> None:
    descriptor = pair[0].detach()
    assert pair[0].fileno() == -1
    os.close(descriptor)
