"""Takes the status of every child of the monitor: of its own by their pidfds, of orphans that fell to a subreaper."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from pysshd.processes.monitor.zygote_link import ZygoteLink

_LOOK_AGAIN: Final = 0.02


class Reaped(Protocol):
    """A child that takes its own status."""

    def reap(self) -> None:
        """Take it, if there is one."""
        ...


class Links:
    """All that are asked for forks, now."""

    def __init__(self, *kinds: Iterable[ZygoteLink]) -> None:
        self._kinds = kinds

    def __iter__(self) -> Iterator[ZygoteLink]:
        return chain(*self._kinds)


class Reaper:
    """Owns SIGCHLD of the running loop.

    A zombie that nobody knows is an orphan, unless a fork that was asked for before it was seen is still unanswered:
    then it may be the very child that the answer is about to name. It is also left alone where it is of the monitor's
    own session: no orphan of a zygote's family can be, so another part of this process started it and waits for it,
    or does not: the others are looked for behind it.
    """

    def __init__(self, known: Mapping[int, Reaped], links: Iterable[ZygoteLink]) -> None:
        self._known = known
        self._links = links
        self._suspects: dict[int, list[tuple[ZygoteLink, int]]] = {}
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self.reaped = 0

    def start(self) -> None:
        """Listen to SIGCHLD."""
        self._loop.add_signal_handler(signal.SIGCHLD, self.reap)

    def stop(self) -> None:
        """Leave SIGCHLD alone."""
        self._loop.remove_signal_handler(signal.SIGCHLD)
        if self._again is not None:
            self._again.cancel()

    def reap(self) -> None:
        """Take every status that may be taken now."""
        foreign: set[int] = set()
        while (pid := _first_zombie(foreign)) is not None:
            mine = next(
                (link for link in self._links if link.pid == pid and not link.is_reaped), None
            ) or self._known.get(pid)
            if mine is not None:
                mine.reap()
            elif not _is_of_another_session(pid):
                foreign.add(pid)
            elif self._is_orphan(pid):
                os.waitpid(pid, 0)
                self.reaped += 1
            else:
                if self._again is None or self._again.when() <= self._loop.time():
                    self._again = self._loop.call_later(_LOOK_AGAIN, self.reap)
                return
        self._suspects.clear()

    async def bury(self, within: float) -> None:
        """Wait until no child is left but those of the monitor's own session; `within` seconds at most.

        What was released goes on, and is waited for in vain.
        """
        end = self._loop.time() + within
        while any(map(_is_of_another_session, _children())) and self._loop.time() < end:
            self.reap()
            await asyncio.sleep(_LOOK_AGAIN)

    def _is_orphan(self, pid: int) -> bool:
        if pid not in self._suspects:
            self._suspects[pid] = [(link, link.sent) for link in self._links]
        if any(link.answered < sent and not link.is_lost for link, sent in self._suspects[pid]):
            return False
        del self._suspects[pid]
        return True


def _is_of_another_session(pid: int) -> bool:
    try:
        return os.getsid(pid) != os.getsid(0)
    except ProcessLookupError:
        return False


def _first_zombie(foreign: Set[int]) -> int | None:
    """Any child that has ended, but for these; its status stays where it is."""
    found = _ended(os.P_ALL, 0)
    if found not in foreign:
        return found
    return next((pid for pid in _children() if pid not in foreign and _ended(os.P_PID, pid) is not None), None)


def _ended(kind: int, number: int) -> int | None:
    try:
        found = os.waitid(kind, number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _children() -> list[int]:
    """Every child of this process; none where the kernel does not say (CONFIG_PROC_CHILDREN)."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/self/task"):
            # A thread may end while it is looked at.
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/self/task/{task}/children").read_bytes().split())
    return found
