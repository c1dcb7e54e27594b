"""The descriptors between a program and the worker that serves its channel: three pipes, or a pseudo-terminal."""

import os

from pysshd.processes.boundary.calls.requests import Streams
from pysshd.processes.boundary.pipes import widen
from pysshd.processes.monitor.terminal import PtyRequest, open_terminal
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ends of a session's streams, the holder's to close; `tty` is the slave's path, None for pipes."""

    kind: Streams
    program: tuple[int, ...]
    worker: tuple[int, ...]
    tty: str | None

    def close(self) -> None:
        """Let go of both ends: the program and the worker have copies of theirs."""
        for descriptor in (*self.program, *self.worker):
            os.close(descriptor)


def open_streams(pty: PtyRequest | None) -> Pair:
    """Open what a program needs: the slave of a terminal, or standard input, output and error."""
    if pty is not None:
        master, slave, path = open_terminal(pty)
        return Pair(Streams.PTY, (slave,), (master,), path)
    opened: list[int] = []
    try:
        for _ in range(3):
            opened += os.pipe2(os.O_CLOEXEC)
    except BaseException:
        for descriptor in opened:
            os.close(descriptor)
        raise
    (in_read, in_write), (out_read, out_write), (err_read, err_write) = opened[:2], opened[2:4], opened[4:]
    if os.geteuid() == 0:
        # Complaints are few, for those the usual size will do.
        widen(in_write)
        widen(out_write)
    return Pair(Streams.PIPES, (in_read, out_write, err_write), (in_write, out_read, err_read), None)
