"""What is between a program and its worker."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.processes.boundary.calls.requests import Streams
from pysshd.processes.boundary.pipes import WIDE
from pysshd.processes.monitor.streams import open_streams


def sizes() -> list[int]:
    """What the pipes of a program hold."""
    pair = open_streams(None)
    try:
        assert pair.kind is Streams.PIPES
        return [fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) for descriptor in pair.program]
    finally:
        pair.close()


@pytest.fixture
def usual() -> Iterator[int]:
    """What a pipe holds that nobody has changed."""
    reading, writing = os.pipe()
    yield fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
    os.close(reading)
    os.close(writing)


@pytest.mark.root
def test_pipes_of_root_hold_what_a_turn_of_a_worker_moves(usual: int) -> None:
    assert sizes() == [WIDE, WIDE, usual]


def test_pipes_of_anybody_else_hold_what_the_kernel_gives(usual: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert sizes() == [usual] * 3


def test_no_descriptor_is_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    sizes()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
