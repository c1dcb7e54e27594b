"""What /proc says of a process of the daemon."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.live.daemon import WITHIN, Daemon, children_of

CHUNK = 1 << 24


def status(pid: int) -> dict[str, str]:
    """The lines of /proc/PID/status by their names."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def title(pid: int) -> str:
    """The command line of a process, as `ps` shows it; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def named(daemon: Daemon, *words: str) -> list[int]:
    """The processes below the monitor, whose command line has one of these words."""
    return [pid for pid in daemon.processes() if any(word in title(pid) for word in words)]


def zygote(daemon: Daemon) -> int:
    """The zygote of a daemon."""
    return _the_one(daemon, "pysshd: zygote")


def nursery(daemon: Daemon) -> int:
    """The nursery of a daemon whose workers serve one connection each."""
    # The kernel keeps 15 bytes of a name.
    return _the_one(daemon, "pysshd: nursery"[:15])


def _the_one(daemon: Daemon, name: str) -> int:
    """The child of the monitor of this name. What such a one has just forked bears it too, until it knows better."""
    end = time.monotonic() + WITHIN
    while len(found := [pid for pid in children_of(daemon.pid) if name_of(pid) == name]) != 1:
        assert time.monotonic() < end, f"{found} are called {name}, expected one"
        time.sleep(0.01)
    return found[0]


def workers(daemon: Daemon) -> list[int]:
    """Every worker, those that wait too."""
    return [pid for pid in children_of(daemon.pid) if name_of(pid) == "pysshd: worker"]


def name_of(pid: int) -> str:
    """The kernel's name of a process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def descriptors(pid: int) -> dict[int, str]:
    """What the descriptors of a process are; the reader must be root, for the process is not dumpable."""
    found = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        # One may be closed between the two looks.
        with suppress(FileNotFoundError):
            found[int(entry.name)] = os.readlink(entry)
    return found


def memory(pid: int) -> Iterator[bytes]:
    """Everything that a process has in memory and may read, in pieces that overlap a little."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as source:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, modes, *rest = line.split()
            if "r" not in modes or rest[-1].startswith("[vv"):
                continue
            at, end = (int(number, 16) for number in place.split("-"))
            while at < end:
                source.seek(at)
                try:
                    piece = source.read(min(CHUNK, end - at))
                except OSError:
                    break
                if not piece:
                    break
                yield piece
                at += len(piece) if len(piece) <= 256 or at + len(piece) >= end else len(piece) - 256


def is_dumpable(pid: int) -> bool:
    """Whether the files of a process in /proc are its user's: root's they are where it may not be traced."""
    found = os.stat(f"/proc/{pid}/environ")
    return found.st_uid == int(status(pid)["Uid"].split()[1]) and stat.S_ISREG(found.st_mode)
