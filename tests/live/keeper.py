"""Starts a program, and says how it ended and what it left behind. Run as `python -I keeper.py PROGRAM WORD...`.

It is a subreaper: whatever the program forks and does not bury becomes a child of this process, however often it
forked. It writes two lines of JSON: `{"pid": N}`, and at the end `{"status": N, "left": ["PID (NAME) STATE", ...]}`.
When its standard input ends, it ends everything.
"""

import contextlib
import ctypes
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SETTLE = 3.0
"""Seconds for what is dying already: it dies once it has the CPU, which others use too."""


def children() -> list[int]:
    """The process ids of all children of this process, zombies too."""
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def describe(pid: int) -> str:
    """Process id, name and state, for a person."""
    try:
        head, _, tail = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return f"{pid} gone"
    return f"{head}) {tail.split()[0]} {command}"


def left() -> list[str]:
    """What is not buried, after a moment for what is dying; a zombie stays one here, so it counts."""
    end = time.monotonic() + SETTLE
    while any(not describe(pid).split(")")[-1].startswith(" Z") for pid in children()) and time.monotonic() < end:
        time.sleep(0.01)
    return [describe(pid) for pid in children()]


def kill_all() -> None:
    """End every descendant: one that is killed hands its children to this process."""
    while pids := children():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def cover_start_up_files(libc: ctypes.CDLL) -> None:
    """Let shells of sessions, which are root's where the daemon is, find none of this host's own start-up files.

    They may do anything (some take locks, and wait for them). Where this may not be done they are simply run.
    """
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS) != 0:
        return
    libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    for name in (".bashrc", ".bash_profile", ".bash_login", ".profile"):
        path = Path(pwd.getpwuid(0).pw_dir) / name
        if path.exists():
            libc.mount(b"/dev/null", bytes(path), None, MS_BIND, None)
    for source, target in json.loads(os.environ.pop("KEEPER_MOUNTS", "[]")):
        if libc.mount(source.encode(), target.encode(), None, MS_BIND, None) != 0:
            sys.exit(f"{source} can not be bound to {target}")


def main() -> None:
    """Keep one program."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    cover_start_up_files(libc)
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    print(json.dumps({"pid": program.pid}), flush=True)
    pidfd = os.pidfd_open(program.pid)
    while True:
        ready, _, _ = select.select([0, pidfd], [], [])
        if pidfd in ready:
            break
        if not os.read(0, 1):
            kill_all()
            return
    status = program.wait()
    print(json.dumps({"status": status, "left": left()}), flush=True)
    kill_all()


main()
