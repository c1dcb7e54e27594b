"""When a client's socket is read in large pieces, and when not: over real TCP."""

import select
import socket
from collections.abc import Iterator

import pytest

from pysshd.processes.worker.gathering import AFTER, LEAST, MOMENT, WANTED, Gathering
from tests.processes.worker.house import tcp

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    client, server = tcp()
    with client, server:
        yield client, server


def mark(server: socket.socket) -> int:
    return server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)


def is_ready(server: socket.socket, within: float = 0.0) -> bool:
    return bool(select.select([server], [], [], within)[0])


def much(gathering: Gathering, now: float = 0.0) -> None:
    for _ in range(AFTER // LEAST):
        gathering.took(LEAST, True, now)


def test_after_much_the_kernel_waits_for_a_good_part_or_for_the_end(pair: Pair) -> None:
    client, server = pair
    gathering = Gathering(server)
    much(gathering, 5.0)
    assert (mark(server), gathering.until) == (WANTED, 5.0 + MOMENT)
    client.send(b"a little")
    assert not is_ready(server, 0.05)
    gathering.took(WANTED, True, 6.0)
    assert gathering.until == 6.0 + MOMENT
    gathering.over()
    assert is_ready(server, 1.0)
    assert mark(server) == 1


def test_the_end_of_a_stream_is_told_at_once(pair: Pair) -> None:
    client, server = pair
    much(Gathering(server))
    client.close()
    assert is_ready(server, 1.0)


def test_a_wait_in_vain_has_to_be_earned_again(pair: Pair) -> None:
    _, server = pair
    gathering = Gathering(server)
    much(gathering)
    gathering.over()
    for _ in range(AFTER // LEAST - 1):
        gathering.took(LEAST, True, 0.0)
    assert mark(server) == 1
    gathering.took(LEAST, True, 0.0)
    assert mark(server) == WANTED


def test_small_reads_never_count(pair: Pair) -> None:
    _, server = pair
    gathering = Gathering(server)
    for _ in range(4 * AFTER // LEAST):
        gathering.took(LEAST - 1, True, 0.0)
    assert (mark(server), gathering.until) == (1, None)


def test_nobody_waits_where_others_have_something_to_do(pair: Pair) -> None:
    _, server = pair
    gathering = Gathering(server)
    much(gathering)
    gathering.took(LEAST, False, 0.0)
    assert (mark(server), gathering.until) == (1, None)
    for _ in range(4 * AFTER // LEAST):
        gathering.took(LEAST, False, 0.0)
    assert mark(server) == 1
