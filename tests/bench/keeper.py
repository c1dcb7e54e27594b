"""Starts a server and counts what it uses. Run as `python -m tests.bench.keeper PROGRAM WORD...`.

It is a subreaper: whatever the server forks and does not bury becomes a child of this process, is buried here and
counted, however often it forked. It writes `{"pid": N, "started": SECONDS}` and then one line of JSON for each line
that it reads: `NUMBER:WORD` with one of the words `cpu`, `settle` (answered when all is quiet), `memory`, `stop`. When
its standard input ends, it ends everything.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.processes import Used, below, proportional_bytes, used_below

PR_SET_CHILD_SUBREAPER = 36
SETTLE_WITHIN = 8.0
SETTLE_PAUSE = 0.05
SETTLE_SECONDS = 0.002
"""Less CPU than this in one pause, and the same processes: all is quiet."""

STOP_WITHIN = 10.0


def used() -> Used:
    """CPU seconds of everything below this process, of the living and of the dead whoever buried them."""
    bury()
    living = used_below(os.getpid())
    dead = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Used(living.seconds + dead.ru_utime + dead.ru_stime, living.pids)


def bury() -> None:
    """Take in what died: the server, and its orphans."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def cpu() -> dict[str, Any]:
    """What was used until now."""
    now = used()
    return {"cpu": now.seconds, "processes": len(now.pids)}


def settle() -> dict[str, Any]:
    """What was used until now, as soon as the processes stay the same and do next to nothing."""
    end = time.monotonic() + SETTLE_WITHIN
    last, quiet = used(), False
    while not quiet and time.monotonic() < end:
        time.sleep(SETTLE_PAUSE)
        now = used()
        quiet = now.pids == last.pids and now.seconds - last.seconds < SETTLE_SECONDS
        last = now
    return {"cpu": last.seconds, "processes": len(last.pids), "quiet": quiet}


def memory() -> dict[str, Any]:
    """Bytes of proportional memory of everything below, null where this user may not know."""
    pids = used().pids
    return {"bytes": proportional_bytes(pids), "processes": len(pids)}


def stop() -> dict[str, Any]:
    """End the server as a service manager would, then what it left behind, which is counted; and what all used."""
    end = time.monotonic() + STOP_WITHIN
    with contextlib.suppress(ProcessLookupError):
        os.kill(SERVER.pid, signal.SIGTERM)
    while any(process.pid == SERVER.pid for process in below(os.getpid())) and time.monotonic() < end:
        bury()
        time.sleep(0.01)
    time.sleep(SETTLE_PAUSE)
    bury()
    left = len(below(os.getpid()))
    kill_all()
    return {"left": left, "cpu": used().seconds}


def kill_all() -> None:
    """End every descendant: one that is killed hands its children to this process."""
    while pids := [process.pid for process in below(os.getpid())]:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
        bury()


COMMANDS: dict[str, Callable[[], dict[str, Any]]] = {"cpu": cpu, "settle": settle, "memory": memory, "stop": stop}


def serve() -> None:
    """Answer until standard input ends; the dead are buried as they come."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing)
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
            bury()
        if 0 in ready:
            asked = os.read(0, 4096)
            if not asked:
                return
            for line in asked.decode().split():
                number, _, word = line.partition(":")
                print(json.dumps({**COMMANDS[word](), "number": int(number)}), flush=True)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        started = time.monotonic()
        SERVER = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr, cwd="/")
        print(json.dumps({"pid": SERVER.pid, "started": started}), flush=True)
        serve()
    finally:
        kill_all()
