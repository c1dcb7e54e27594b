"""What is between a program and its worker."""

import fcntl
import os
from pathlib import Path

from pysshd.processes.boundary.calls.requests import Streams
from pysshd.processes.monitor.streams import open_streams


def sizes() -> list[int]:
    """What the pipes of a program hold."""
    pair = open_streams(None)
    try:
        assert pair.kind is Streams.PIPES
        return [fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) for descriptor in pair.program]
    finally:
        pair.close()


def test_pipes_hold_what_the_kernel_gives() -> None:
    reading, writing = os.pipe()
    usual = fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
    os.close(reading)
    os.close(writing)
    assert sizes() == [usual] * 3


def test_no_descriptor_is_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    sizes()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
