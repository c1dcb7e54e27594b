"""What every attack has to leave as it was: memory, the log, and the service to everybody else.

with unharmed(daemon):
    attack(daemon)
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.daemon import Daemon, children_of, until

GROWTH_MAX = 8 << 10
"""kB by which a process of the daemon may grow while it is attacked."""

EVERY = 0.05
"""Seconds between two looks at the processes."""


def sizes(pid: int) -> tuple[int, int] | None:
    """What a process holds in memory, and the most that it ever held, in kB; None where it is gone.

    Pages of files, such as the code of a library that a fork comes to use, are not held: the kernel drops them at will.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    found = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.strip()}
    if "VmHWM" not in found or "RssFile" not in found:
        return None
    files = int(found["RssFile"])
    return int(found["VmRSS"]) - files, int(found["VmHWM"]) - files


class Growth:
    """By how much the monitor and each of its children has grown since it was first seen."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._first: dict[int, int] = {}
        self.most = 0
        self._over = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self._look()

    def _look(self) -> None:
        daemon = self._daemon
        ours = [pid for pid in children_of(daemon.pid) if _name(pid) == "pysshd: worker"]
        for pid in (daemon.pid, *ours):
            if (found := sizes(pid)) is None:
                continue
            now, peak = found
            # Workers end with their connection, so their peak counts; that of the monitor may be from its start.
            first = self._first.setdefault(pid, now)
            self.most = max(self.most, (now if pid == daemon.pid else peak) - first)

    def end(self) -> int:
        """Look no more; the most that one has grown by."""
        self._over.set()
        self._thread.join()
        return self.most


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@contextmanager
def unharmed(daemon: Daemon) -> Iterator[None]:
    """Whatever happens in this block: no traceback, little memory, one line for the end of each connection.

    Afterwards somebody logs in, as before.
    """
    since = len(daemon.events())
    growth = Growth(daemon)
    try:
        yield
    finally:
        most = growth.end()
    assert most < GROWTH_MAX, f"a process has grown by {most} kB"

    def ended() -> bool:
        return ends(daemon, since)[0] == ends(daemon, since)[1]

    until(ended, what="one end in the log for each connection")
    opened, _ = ends(daemon, since)
    assert set(opened.values()) <= {1}
    assert daemon.ssh("exit 7").returncode == 7
    assert "Traceback" not in daemon.log


def least_times(names: Sequence[str], one: Callable[[str, int], float], ratio: float) -> dict[str, float]:
    """The least seconds that `one(name, turn)` measures for each name, in at least three turns.

    Others on this machine make some turns longer and none shorter, so with more turns each comes down to what it takes
    by itself. Where the times are further apart than `ratio` there are more turns; a real difference stays.
    """
    least = dict.fromkeys(names, float("inf"))
    for turn in range(16):
        for name in names:
            least[name] = min(least[name], one(name, turn))
        if turn >= 2 and max(least.values()) <= ratio * min(least.values()):
            break
    return least


def ends(daemon: Daemon, since: int) -> tuple[Counter[str], Counter[str]]:
    """Of the connections that were opened since so many events: how often they were, and how often they ended."""
    events = daemon.events()[since:]
    opened = Counter(event["connection"] for event in events if event["event"] == "connection.opened")
    closed = Counter(event["connection"] for event in events if event["event"] == "connection.closed")
    return opened, Counter({name: count for name, count in closed.items() if name in opened})
