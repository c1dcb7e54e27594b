"""Signals to a process or its process group through a pidfd, so that no recycled number is ever hit."""

import contextlib
import errno
import os
import select
import signal

HUP_AFTER = 0.2
TERM_AFTER = 0.5
KILL_AFTER = 5.0
"""Seconds in which a session that has to end gets SIGHUP, SIGTERM and SIGKILL, from when its terminal is hung up.

SIGHUP not at once, for the kernel has sent one: bash passes a hang-up on to its jobs, unless a second one meets it at
that. Then it ends and leaves them running.
"""

_PIDFD_SIGNAL_PROCESS_GROUP = 1 << 2
"""Flag of pidfd_send_signal(2) since Linux 6.9."""


def signal_process(pidfd: int, number: int) -> bool:
    """Send signal `number` to the process; False where it has ended, or may not be signalled."""
    try:
        signal.pidfd_send_signal(pidfd, number)
    except OSError as error:
        if error.errno in (errno.ESRCH, errno.EPERM):
            return False
        raise
    return True


def has_ended(pidfd: int) -> bool:
    """Whether the process has ended, reaped or not."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


class ProcessGroup:
    """The process group that the process `pid` behind `pidfd` leads; the descriptor stays the caller's.

    A kernel since 6.9 signals the group through the pidfd itself, also after its leader was reaped. On an older one the
    group's members are looked up in /proc and held by pidfds of their own, again for every signal: as long as a known
    one lives, or the leader is not reaped, the group's number can not have been used again.
    """

    __slots__ = ("_members", "_pidfd", "pid")

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._members: dict[int, int] = {}

    def signal(self, number: int) -> bool:
        """Send signal `number` (0: none, only try) to every member; False where there is none that may be signalled."""
        try:
            signal.pidfd_send_signal(self._pidfd, number, None, _PIDFD_SIGNAL_PROCESS_GROUP)
        except OSError as error:
            if error.errno in (errno.ESRCH, errno.EPERM):
                return False
            if error.errno != errno.EINVAL:
                raise
            return self.signal_members(number)
        return True

    def signal_members(self, number: int) -> bool:
        """As `signal`, by way of /proc; 0 before the leader is reaped takes hold of the members for later."""
        self._find_members()
        return sum(signal_process(member, number) for member in self._members.values()) > 0

    def close(self) -> None:
        """Forget the members that were looked up."""
        for member in self._members.values():
            os.close(member)
        self._members.clear()

    def _find_members(self) -> None:
        for pid in [pid for pid, member in self._members.items() if has_ended(member)]:
            os.close(self._members.pop(pid))
        if not self._members and not self._owns_number():
            return
        for pid in _members_of(self.pid):
            if pid not in self._members:
                with contextlib.suppress(OSError):
                    self._members[pid] = os.pidfd_open(pid)

    def _owns_number(self) -> bool:
        """Whether the number is still the leader's, or at least nobody else's."""
        try:
            with open(f"/proc/self/fdinfo/{self._pidfd}", "rb") as file:
                fields = dict(line.split(b":", 1) for line in file)
        except (OSError, ValueError):
            return False
        if int(fields.get(b"Pid", b"-1")) == self.pid:
            return True
        return not os.path.exists(f"/proc/{self.pid}")


def _members_of(group: int) -> list[int]:
    members = []
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            # The name of the program stands in parentheses and may hold anything: what counts follows the last one.
            state, _, its_group = file.read().rpartition(b")")[2].split()[:3]
            if int(its_group) == group and state not in (b"Z", b"X"):
                members.append(int(name))
    return members
