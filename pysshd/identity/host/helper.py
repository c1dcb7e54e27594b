"""What the helpers of this room have in common: their limits, and how a question comes in."""

import resource
import signal
import socket
from typing import Final

MESSAGE_MAX: Final = 64 * 1024
"""Bytes of a question and of an answer, as every socket between our processes has it."""

_MEMORY_MAX = 1 << 30


def limit(cpu: int, seconds: int) -> None:
    """Let the kernel end this process after so many seconds of CPU or of the clock, and keep its memory bounded."""
    for kind, value in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, 4 * _MEMORY_MAX),
    ):
        _, hard = resource.getrlimit(kind)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, wanted))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)


def receive(end: socket.socket) -> bytes:
    """The next question; EOFError where there is none any more, OSError where it is too long."""
    asked = end.recv(MESSAGE_MAX + 1)
    if not asked:
        raise EOFError("no question came")
    if len(asked) > MESSAGE_MAX:
        raise OSError("question is too long")
    return asked
