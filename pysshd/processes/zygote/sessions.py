"""The sessions that end with the monitor: every process group that it has not released."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from pysshd.processes.boundary.groups import HUP_AFTER, KILL_AFTER, TERM_AFTER, ProcessGroup
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class _Held:
    group: ProcessGroup
    pidfd: int

    def close(self) -> None:
        self.group.close()
        os.close(self.pidfd)


class Sessions:
    """Holds a pidfd for each, by the monitor's number; so no process is ever hit that is none of them."""

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, number: int, pid: int, pidfd: int) -> None:
        """Hold a session; takes `pidfd` over."""
        self.release(number)
        self._held[number] = _Held(ProcessGroup(pid, pidfd), pidfd)

    def release(self, number: int) -> None:
        """Let go of a session, where it is known."""
        held = self._held.pop(number, None)
        if held is not None:
            held.close()

    def close(self) -> None:
        """Let go of all of them."""
        for number in list(self._held):
            self.release(number)

    def sweep(self) -> None:
        """End all of them: SIGHUP to each process group, then SIGTERM, then SIGKILL; returns when none is left.

        SIGHUP not at once: terminals are hung up meanwhile, for the workers lose the monitor too.
        """
        start = time.monotonic()
        steps = ((0, HUP_AFTER), (signal.SIGHUP, TERM_AFTER), (signal.SIGTERM, KILL_AFTER), (signal.SIGKILL, None))
        for number, until in steps:
            self._signal(number)
            for _ in _pauses(None if until is None else start + until):
                self._signal(0)
                if not self._held:
                    return
        self.close()

    def _signal(self, number: int) -> None:
        for key, held in list(self._held.items()):
            if not held.group.signal(number):
                self.release(key)
            elif number:
                # A stopped process reads no signal but SIGKILL until it goes on.
                held.group.signal(signal.SIGCONT)


def _pauses(until: float | None) -> Iterator[None]:
    """Turns of growing length up to `until`, a few short ones where that is None."""
    pause = 0.005
    end = time.monotonic() + 0.5 if until is None else until
    while (left := end - time.monotonic()) > 0:
        with contextlib.suppress(InterruptedError):
            time.sleep(min(pause, left))
        pause = min(2 * pause, 0.1)
        yield
