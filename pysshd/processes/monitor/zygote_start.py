"""Starts a zygote, by `posix_spawn`. It imports little, for it comes before all else that a daemon imports."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from pysshd.processes.boundary.socket import Endpoint

DESCRIPTOR: Final = 3
"""Where the zygote finds its socket."""

COMMAND: Final = (sys.executable, "-I", "-m", "pysshd.processes.zygote")
"""A fresh interpreter, blind to the user's site folder and to PYTHON variables."""

ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class Started(NamedTuple):
    """A zygote that is on its way: its process id, and the monitor's end of its socket, whose end is its own."""

    pid: int
    endpoint: Endpoint


def start(command: Sequence[str] = COMMAND) -> Started:
    """Start one. OSError where there is no such program, or no room."""
    ours, theirs = Endpoint.pair()
    try:
        with theirs:
            return Started(_spawn(command, theirs.fileno()), ours)
    except OSError:
        ours.close()
        raise


def _spawn(command: Sequence[str], descriptor: int) -> int:
    """Start the zygote in a session of its own, so that the terminal's signals do not reach it; return its pid."""
    null = os.devnull
    return os.posix_spawn(
        command[0],
        list(command),
        ENVIRONMENT,
        file_actions=[
            # First, for the number of its socket may be one of those below. Standard error stays ours.
            (os.POSIX_SPAWN_DUP2, descriptor, DESCRIPTOR),
            (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)],
    )
