"""What is between a program and its worker."""

import fcntl
import os
from pathlib import Path

import pytest

from pysshd.processes.boundary.calls.requests import Streams
from pysshd.processes.monitor import streams
from pysshd.processes.monitor.streams import open_streams

KIB = 1024


def sizes() -> list[int]:
    """What the pipes of a program hold."""
    pair = open_streams(None)
    try:
        assert pair.kind is Streams.PIPES
        return [fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) for descriptor in pair.program]
    finally:
        pair.close()


@pytest.mark.root
def test_pipes_hold_what_a_turn_of_a_worker_moves() -> None:
    assert sizes() == [512 * KIB, 256 * KIB, 64 * KIB]


@pytest.mark.root
@pytest.mark.parametrize(("allowed", "found"), [(256, [256, 256, 64]), (128, [64, 128, 64]), (64, [64, 64, 64])])
def test_a_host_that_allows_less(allowed: int, found: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.fcntl

    def strict(descriptor: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETPIPE_SZ and argument > allowed * KIB:
            raise PermissionError(1, os.strerror(1))
        return real(descriptor, command, argument)

    monkeypatch.setattr(streams.fcntl, "fcntl", strict)  # type: ignore[attr-defined]
    assert sizes() == [size * KIB for size in found]


def test_no_descriptor_is_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    sizes()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
