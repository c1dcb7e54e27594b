"""Pipes that are made to hold more, as far as the host lets us."""

import fcntl
import os
import pty
import socket
from collections.abc import Iterator

import pytest

from pysshd.processes.boundary import pipes
from pysshd.processes.boundary.pipes import WIDE, widen

KIB = 1024


@pytest.fixture
def pipe() -> Iterator[int]:
    """The end to write to of a pipe that holds 64 KiB."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 64 * KIB)
    yield writing
    os.close(reading)
    os.close(writing)


def holds(descriptor: int) -> int:
    return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)


def test_once(pipe: int) -> None:
    assert widen(pipe)
    assert holds(pipe) == WIDE
    assert not widen(pipe)


def test_one_that_holds_more_keeps_it(pipe: int) -> None:
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 2 * WIDE)
    assert not widen(pipe)
    assert holds(pipe) == 2 * WIDE


def test_what_waits_in_it_stays(pipe: int) -> None:
    os.set_blocking(pipe, False)
    assert os.write(pipe, bytes(1 << 20)) == 64 * KIB
    assert widen(pipe)
    assert os.write(pipe, bytes(1 << 20)) == WIDE - 64 * KIB


@pytest.mark.parametrize(("allowed", "found"), [(256, 256), (128, 128), (100, 64), (64, 64), (0, 64)])
def test_a_host_that_allows_less(pipe: int, allowed: int, found: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.fcntl

    def strict(descriptor: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETPIPE_SZ and argument > allowed * KIB:
            raise PermissionError(1, os.strerror(1))
        return real(descriptor, command, argument)

    monkeypatch.setattr(pipes.fcntl, "fcntl", strict)  # type: ignore[attr-defined]
    assert widen(pipe) == (found > 64)
    assert holds(pipe) == found * KIB


def test_what_is_no_pipe() -> None:
    ours, theirs = socket.socketpair()
    master, slave = pty.openpty()
    try:
        assert not any(widen(descriptor) for descriptor in (ours.fileno(), master, slave))
    finally:
        ours.close()
        theirs.close()
        os.close(master)
        os.close(slave)
