"""What a tree of processes has used and holds, read from /proc: CPU seconds and proportional memory."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds of one unit of the times in /proc/PID/stat."""

RETRIES = 50


@dataclass(frozen=True, slots=True)
class Process:
    """One process, a zombie too: who its parent is, and what its buried children had used (seconds)."""

    pid: int
    parent: int
    started: int
    buried: float


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds of a tree since it began, and the ids of its processes."""

    seconds: float
    pids: frozenset[int]


def read_process(pid: int) -> Process | None:
    """What /proc/PID/stat says; None where the process is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # Field 3 of proc(5) is the first behind the name: ppid is 4, cutime 16, cstime 17, starttime 22.
    return Process(pid, int(fields[1]), int(fields[19]), (int(fields[13]) + int(fields[14])) * TICK)


def below(root: int) -> list[Process]:
    """Every process below `root`, without it."""
    by_parent: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := read_process(int(name))) is not None:
            by_parent.setdefault(found.parent, []).append(found)
    found_below: list[Process] = []
    look = [root]
    while look:
        children = by_parent.get(look.pop(), [])
        found_below += children
        look += [child.pid for child in children]
    return found_below


def own_seconds(pid: int) -> float:
    """User and system time of all threads of a process, those that ended too, by its CPU clock; 0.0 where it is gone.

    /proc/PID/stat has the same sum, cut to units of 10 ms. The id of the clock is what clock_getcpuclockid(3) makes.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def used_below(root: int) -> Used:
    """CPU seconds of the living below `root`, and of their dead that they have buried.

    A process that is buried between two readings would be counted twice or not at all, so that a reading counts only
    when the processes and what each had buried are the same after it as before.
    """
    before = below(root)
    for _ in range(RETRIES):
        seconds = sum(own_seconds(process.pid) + process.buried for process in before)
        after = below(root)
        if sorted(after, key=lambda each: each.pid) == sorted(before, key=lambda each: each.pid):
            break
        before = after
    return Used(seconds, frozenset(process.pid for process in before))


def proportional_bytes(pids: Iterable[int]) -> int | None:
    """Memory of processes, shared pages divided by their holders (PSS); None where one of them may not be read."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            return None
        total += sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))
    return total
