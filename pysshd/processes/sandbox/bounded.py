"""Runs a program that answers one question: bounded in its time and its output, and gone with all that it started.

What it starts may leave its process group and its session, and may outlive it. So this process becomes the parent of
whatever is orphaned below it, and ends children until it has none: nothing of the program is left when `run` returns.
"""

import contextlib
import math
import os
import resource
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from pysshd.errors import SandboxError
from pysshd.processes.sandbox.limits import set_limit
from pysshd.processes.sandbox.process import (
    become_subreaper,
    become_user,
    close_all_except,
    set_no_new_privs,
    set_parent_death_signal,
)
from pysshd.records import dataclass

SAID_MAX: Final = 2048
"""Bytes of standard error that are kept, from its beginning; the rest is read and dropped."""

DESCRIPTORS: Final = 1024
"""Open files of the program: what programs that use select(2) rely on."""

SWEEP_SECONDS: Final = 2.0
"""How long children are ended that go on forking; what is left then is the next subreaper's."""

_EXIT_FAILED: Final = 127
_PIECE: Final = 65536


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it. fault: why its output is of no use; empty where the program ended with status 0.

    said: what it wrote to its standard error, cut.
    """

    output: bytes = b""
    said: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A program: its words, as whom it runs, and its bounds: seconds of the clock, bytes of output."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    uid: int
    gid: int
    groups: tuple[int, ...]
    seconds: float
    output: int


def run(task: Task, hangup: int) -> Ran:
    """Run it to its end, to its bounds, or until the peer of the socket `hangup` is gone.

    This process must have no child before, and has none after. Its own parent-death signal is taken away: whoever
    sweeps must not be killed before it has; the socket says when the parent is gone.
    """
    become_subreaper()
    set_parent_death_signal(0, os.getppid())
    output, output_in = os.pipe()
    said, said_in = os.pipe()
    failed, failed_in = os.pipe()
    me = os.getpid()
    try:
        leader = os.fork()
        if leader == 0:
            _become_program(task, me, (output_in, said_in, failed_in))
        for descriptor in (output_in, said_in, failed_in):
            os.close(descriptor)
        return _watch(task, leader, (output, said, failed), hangup)
    finally:
        sweep()
        for descriptor in (output, said, failed):
            os.close(descriptor)


def _become_program(task: Task, parent: int, pipes: tuple[int, int, int]) -> NoReturn:
    """In the fork: everything up to the program. What fails is told on the last pipe, which a program never sees."""
    output, said, failed = pipes
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for number, descriptor in enumerate((null, output, said)):
            os.dup2(descriptor, number, inheritable=True)
        os.set_inheritable(failed, False)
        close_all_except((0, 1, 2, failed))
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        set_limit("core", resource.RLIMIT_CORE, 0)
        set_limit("CPU", resource.RLIMIT_CPU, math.ceil(task.seconds) + 1)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
        os.umask(0o022)
        set_no_new_privs()
        become_user(task.uid, task.gid, task.groups)
        set_parent_death_signal(signal.SIGKILL, parent)
        os.chdir("/")
        os.execve(task.argv[0], list(task.argv), dict(task.environment))
    except SandboxError as error:
        os.write(failed, str(error).encode("utf-8", "backslashreplace")[:SAID_MAX])
    except OSError as error:
        os.write(failed, f"could not be executed: {error.strerror}".encode("utf-8", "backslashreplace")[:SAID_MAX])
    finally:
        os._exit(_EXIT_FAILED)


def _watch(task: Task, leader: int, pipes: tuple[int, int, int], hangup: int) -> Ran:
    output, said, failed = pipes
    kept: dict[int, bytes] = {output: b"", said: b"", failed: b""}
    most = {output: task.output, said: SAID_MAX, failed: SAID_MAX}
    until = time.monotonic() + task.seconds
    pidfd = os.pidfd_open(leader)
    watched = select.poll()
    for descriptor in (*pipes, pidfd):
        watched.register(descriptor, select.POLLIN)
    watched.register(hangup, select.POLLRDHUP)
    try:
        while (left := until - time.monotonic()) > 0:
            ready = {descriptor for descriptor, _ in watched.poll(math.ceil(left * 1000))}
            if hangup in ready:
                return Ran(fault="was ended, for nobody waits for it")
            for descriptor in ready & kept.keys():
                piece = os.read(descriptor, _PIECE)
                kept[descriptor] = (kept[descriptor] + piece)[: most[descriptor] + 1]
                if not piece:
                    watched.unregister(descriptor)
            if len(kept[output]) > task.output:
                return Ran(said=kept[said][:SAID_MAX], fault=f"printed more than {task.output} bytes")
            if pidfd in ready:
                return _ended(task, leader, kept, pipes)
        return Ran(said=kept[said][:SAID_MAX], fault=f"took more than {task.seconds:g} s")
    finally:
        os.close(pidfd)


def _ended(task: Task, leader: int, kept: dict[int, bytes], pipes: tuple[int, int, int]) -> Ran:
    """The program has ended: what it started ends too, and then the pipes hold no more than was written."""
    status = os.waitstatus_to_exitcode(os.waitpid(leader, 0)[1])
    sweep()
    output, said, failed = (kept[one] + _rest(one, task.output + 1 - len(kept[one])) for one in pipes)
    said = said[:SAID_MAX]
    if failed:
        return Ran(said=said, fault=failed.decode("utf-8", "replace"))
    if status < 0:
        return Ran(said=said, fault=f"was ended by {_signal_name(-status)}")
    if status:
        return Ran(said=said, fault=f"exited with status {status}")
    if len(output) > task.output:
        return Ran(said=said, fault=f"printed more than {task.output} bytes")
    return Ran(output, said)


def _rest(descriptor: int, most: int) -> bytes:
    """What is in a pipe now. Somebody whom the sweep could not reach may hold it open, and is not waited for."""
    os.set_blocking(descriptor, False)
    found = b""
    try:
        while len(found) < most and (piece := os.read(descriptor, most - len(found))):
            found += piece
    except BlockingIOError:
        pass
    return found


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def sweep() -> None:
    """Kill every child, and whatever becomes one by that, until there is none."""
    until = time.monotonic() + SWEEP_SECONDS
    while True:
        for pid in _children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        if time.monotonic() > until:
            return
        time.sleep(0.002)


def _children() -> list[int]:
    """Every child of this process, which has one thread."""
    own = os.getpid()
    try:
        # As bytes: the codec of a text could be one that has to be loaded, and a helper may be kept from its file.
        return list(map(int, Path(f"/proc/self/task/{own}/children").read_bytes().split()))
    except OSError:
        # A kernel without CONFIG_PROC_CHILDREN.
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _parent_of(pid) == own]


def _parent_of(pid: int) -> int | None:
    try:
        # The name, in parentheses, may hold anything; behind it come the state and the parent (proc(5)).
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None
