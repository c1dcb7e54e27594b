"""One fork whose child is the monitor's, and runs nothing before the monitor was told of it.

The zygote forks siblings: with CLONE_PARENT (clone(2)) the new process is a child of the zygote's own parent, so there
is none in between that would have to be forked, to end and to be waited for. The new process then waits for a byte,
which the zygote sends last: so whatever the monitor does not hear of never ran, and may be asked for again.
"""

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any, Final

from pysshd.processes.sandbox.kernel import machine
from pysshd.processes.sandbox.syscalls import number_of
from pysshd.records import dataclass

_CLONE_PARENT: Final = 0x8000

# The interpreter's lock is held over the call: the new process goes on in this thread, which must own it there too.
_with_lock = ctypes.PyDLL(None, use_errno=True)
_syscall = _with_lock.syscall
_syscall.restype = ctypes.c_long
_before_fork: Callable[[], Any] = _with_lock.PyOS_BeforeFork
_after_fork_parent: Callable[[], Any] = _with_lock.PyOS_AfterFork_Parent
_after_fork_child: Callable[[], Any] = _with_lock.PyOS_AfterFork_Child
for _hook in (_with_lock.PyOS_BeforeFork, _with_lock.PyOS_AfterFork_Parent, _with_lock.PyOS_AfterFork_Child):
    _hook.restype = None


@dataclass(frozen=True, slots=True)
class Newborn:
    """A forked process that waits: its id, a pidfd, and the pipe on which it waits."""

    pid: int
    pidfd: int
    line: int

    def let_go(self) -> None:
        """Let it run."""
        try:
            os.write(self.line, b"!")
        except OSError:
            # It was killed while it waited, and the monitor will see that.
            pass
        self.close()

    def close(self) -> None:
        """Close both descriptors; a process that still waits ends."""
        os.close(self.pidfd)
        os.close(self.line)


def fork_sibling() -> Newborn | None:
    """Fork; return None in the new process, once it is let go. OSError where no process could be had."""
    theirs, ours = os.pipe()
    try:
        pid = _fork()
    except OSError:
        os.close(theirs)
        os.close(ours)
        raise
    if pid == 0:
        os.close(ours)
        if os.read(theirs, 1) != b"!":
            # The zygote died before it could tell anybody.
            os._exit(0)
        os.close(theirs)
        return None
    os.close(theirs)
    try:
        return Newborn(pid, os.pidfd_open(pid), ours)
    except OSError:
        os.close(ours)
        raise


def _fork() -> int:
    """As `os.fork`, but that the parent of the new process is this one's parent."""
    number = number_of(machine(), "clone") or 0
    flags = ctypes.c_ulong(_CLONE_PARENT | signal.SIGCHLD)
    none = ctypes.c_ulong(0)
    _before_fork()
    pid: int = _syscall(ctypes.c_long(number), flags, none, none, none, none)
    error = ctypes.get_errno()
    if pid == 0:
        _after_fork_child()
        return 0
    _after_fork_parent()
    if pid < 0:
        raise OSError(error, os.strerror(error))
    return pid
