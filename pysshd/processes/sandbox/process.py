"""What a process does to itself before it does anything else: who it is, what it keeps, when it dies.

Every function acts on the calling process, raises SandboxError where the kernel refuses, and leaves the caller one
thing to do then: exit. Order matters between them: a change of user clears the parent-death signal and the dumpable
flag.
"""

import contextlib
import ctypes
import os
import struct
from collections.abc import Callable, Collection, Iterator

from pysshd.errors import SandboxError
from pysshd.processes.sandbox.kernel import call

_PR_SET_PDEATHSIG = 1
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_CAPABILITY_VERSION_3 = 0x20080522
_LAST_POSSIBLE_CAPABILITY = 63

_SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""struct sched_attr: size, policy, flags, nice, priority, runtime, deadline and period (sched_setattr(2))."""

_TURN = 300_000
"""Nanoseconds: what a keystroke takes a worker where caches are cold, with the look for its answer.

With less, the program that it wakes has the CPU in the middle of it, and everybody else before it comes again.
"""

_HIGHEST_ID = 0xFFFF_FFFE
_LAST_DESCRIPTOR = 0x7FFF_FFFF


@contextlib.contextmanager
def refusal(what: str) -> Iterator[None]:
    """Turn the kernel's refusal in the block into a SandboxError that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise SandboxError(f"{what}: the kernel refused {error.filename or 'it'}: {error.strerror}") from error


def set_no_new_privs() -> None:
    """From now on no program that this process starts gains a right by set-user-id bits or file capabilities."""
    with refusal("no_new_privs"):
        call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def set_non_dumpable() -> None:
    """Processes of the same uid can no longer trace this one, read its memory or open its descriptors; no core dump."""
    with refusal("non-dumpable"):
        call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def set_dumpable() -> None:
    """Undo `set_non_dumpable`, as a process must while it writes its own id maps: its /proc files are root's before."""
    with refusal("dumpable"):
        call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def is_dumpable() -> bool:
    """Whether processes of the same uid may trace this one."""
    return call("prctl", _PR_GET_DUMPABLE, 0, 0, 0, 0) == 1


def set_parent_death_signal(signal: int, expected_parent: int) -> None:
    """Have the kernel send `signal` when the parent dies, and make sure that `expected_parent` is that parent.

    Call it after the change of user, which clears it, and after this process has become the child of `expected_parent`:
    a helper fork in between must have exited, or its exit is the death that is signalled. Raises SandboxError where the
    parent is another one, for then the death was missed and nobody would ever end this process. In another pid
    namespace than the parent's, the parent is 0.
    """
    with refusal("parent-death signal"):
        call("prctl", _PR_SET_PDEATHSIG, signal, 0, 0, 0)
    parent = os.getppid()
    if parent != expected_parent:
        raise SandboxError(f"parent-death signal: parent is {parent}, expected {expected_parent}, which has died")


def become_subreaper() -> None:
    """Orphaned descendants become children of this process from now on, instead of children of init."""
    with refusal("subreaper"):
        call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def take_short_turns() -> bool:
    """Ask for short turns on a CPU, for this process and what it forks; whether the kernel heard.

    A process of shorter turns that has just become ready goes before one that has had its share (EEVDF, Linux 6.12): a
    keystroke need not wait for the end of somebody's bulk transfer. The share of the CPU stays the same. Kernels before
    that take the call and do nothing; a process whose scheduling an administrator has set keeps it.
    """
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_OTHER, 0, nice, 0, _TURN, 0, 0)
    try:
        call("sched_setattr", 0, attributes, 0)
    except OSError:
        return False
    return True


def set_process_name(name: str) -> None:
    """Set the name that `ps -o comm` and `top` show; the kernel keeps its first 15 bytes."""
    with refusal("process name"):
        call("prctl", _PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def drop_capability_bounding_set() -> bool:
    """Take every capability from the bounding set, so that no later program can hold one.

    Returns whether the set is empty now: without CAP_SETPCAP it stays, which harms nothing under no_new_privs.
    """
    for capability in range(_LAST_POSSIBLE_CAPABILITY + 1):
        try:
            call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
        except PermissionError:
            return not any(map(_is_in_bounding_set, range(_LAST_POSSIBLE_CAPABILITY + 1)))
        except OSError:
            # EINVAL: the kernel knows none from here on.
            break
    return True


def _is_in_bounding_set(capability: int) -> bool:
    try:
        return call("prctl", _PR_CAPBSET_READ, capability, 0, 0, 0) == 1
    except OSError:
        return False


def clear_capabilities() -> None:
    """Empty the ambient, inheritable, permitted and effective sets of capabilities (capabilities(7))."""
    header = _CAPABILITY_VERSION_3.to_bytes(4, "little") + bytes(4)
    with refusal("capabilities"):
        # The header goes as a mutable buffer: the kernel writes its own version there when it knows another one.
        call("capset", ctypes.create_string_buffer(header, len(header)), bytes(24))
        with contextlib.suppress(OSError):
            # Kernels before 4.3 have no ambient set. Where there is one it is empty already, for it follows the others.
            call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def become_user(uid: int, gid: int, groups: Collection[int] = ()) -> None:
    """Become `uid` and `gid` with exactly the supplementary `groups`, for good: groups, then gid, then uid.

    All three user ids and all three group ids change, every capability goes with them (the bounding set stays: a login
    shell may run sudo), and every way back is tried and must fail. A process that may not change ids passes only where
    it is that user already, supplementary groups included. Raises SandboxError; the caller must then exit.
    """
    for name, number in (("uid", uid), ("gid", gid), *(("group", group) for group in groups)):
        if not 0 <= number <= _HIGHEST_ID:
            raise SandboxError(f"change of user: {name} is {number}, expected 0 to {_HIGHEST_ID}")
    if not _is(uid, gid, groups):
        with refusal(f"change of user to uid {uid}, gid {gid}"):
            os.setgroups(list(groups))
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
    if uid != 0:
        clear_capabilities()
    if not _is(uid, gid, groups):
        raise SandboxError(f"change of user: ids are {os.getresuid()}, {os.getresgid()}, expected {uid}, {gid}")
    if uid != 0:
        _prove_no_way_back(uid, gid)


def _is(uid: int, gid: int, groups: Collection[int]) -> bool:
    # The kernel lists the primary group among the supplementary ones only where it was set so; it grants nothing more.
    return (
        os.getresuid() == (uid, uid, uid)
        and os.getresgid() == (gid, gid, gid)
        and set(os.getgroups()) | {gid} == {*groups, gid}
    )


def _prove_no_way_back(uid: int, gid: int) -> None:
    attempts: list[tuple[str, Callable[[], None]]] = [
        ("uid 0", lambda: os.setresuid(0, 0, 0)),
        ("euid 0", lambda: os.seteuid(0)),
    ]
    if gid != 0:
        attempts.append(("gid 0", lambda: os.setresgid(0, 0, 0)))
    attempts.append(("other groups", lambda: os.setgroups([0])))
    for what, attempt in attempts:
        try:
            attempt()
        except OSError:
            # EPERM, or EINVAL in a user namespace that does not know the id.
            continue
        raise SandboxError(f"change of user: after the change to uid {uid} the process could take {what} again")


def close_all_except(keep: Collection[int]) -> None:
    """Close every file descriptor but those in `keep`."""
    low = 0
    for descriptor in sorted(keep):
        if low < descriptor:
            # An empty range is not harmless: closerange(0, 0) closes every descriptor.
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, _LAST_DESCRIPTOR)
