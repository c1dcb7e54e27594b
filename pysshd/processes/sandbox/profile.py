"""The confinement of a worker: one call, everything in the order that the kernel needs."""

import functools
import os
import traceback
from collections.abc import Mapping
from signal import SIGKILL
from typing import Literal

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import landlock, limits, process, seccomp
from pysshd.processes.sandbox.bpf import build_filter, pack
from pysshd.processes.sandbox.filters import REFUSE, worker_rules
from pysshd.processes.sandbox.kernel import call, machine
from pysshd.processes.sandbox.limits import WorkerLimits
from pysshd.records import dataclass

Level = Literal["require", "best_effort"]
"""`require` refuses to go on where Landlock's file system part is missing; the rest is required at either level."""

_PR_GET_SECCOMP = 21

_SOME_PID = 0x7FFF_FFA5
"""More than any process id is (PID_MAX_LIMIT of the kernel), and nothing else in the filter."""


@dataclass(frozen=True, slots=True)
class SandboxReport:
    """What holds for a confined worker. `landlock_abi` is 0 where the kernel has no Landlock."""

    level: Level
    uid: int
    landlock_abi: int
    bounding_set_empty: bool
    limits: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """The report for the start-up log, one fact a line."""
        return _lines_of(self)


@functools.cache
def _lines_of(report: SandboxReport) -> tuple[str, ...]:
    bounding = "" if report.bounding_set_empty else " (the bounding set stays, and grants nothing any more)"
    return (
        f"worker: uid {report.uid}, no capabilities{bounding}, no_new_privs, non-dumpable, seccomp allow-list",
        f"worker: limits: {', '.join(report.limits)}",
        *_landlock_lines(report.level, report.landlock_abi),
    )


def prepare() -> None:
    """Run once, and thereby import, everything that `confine_worker` and a traceback after it use.

    The zygote calls it before it forks; it changes nothing.
    """
    _filter_for(1)
    landlock.abi_version()
    try:
        raise NameError("name 'landlok' is not defined", name="landlok")
    except NameError as error:
        # The spelling suggestions of a NameError and the reading of source lines import modules of their own.
        "".join(traceback.format_exception(error))


@dataclass(frozen=True, slots=True)
class Settled:
    """What `settle` has made of a process and of all that it forks, and all that `seal` needs to do the rest quickly.

    `report` is what will hold then.
    """

    report: SandboxReport
    limits: Mapping[str, tuple[int, int]]
    landlock: bytes


def settle(
    level: Level,
    *,
    uid: int | None,
    gid: int | None,
    worker_limits: WorkerLimits | None = None,
    words_in_file: bool | None = None,
) -> Settled:
    """The half of `confine_worker` that forks inherit: user, capabilities, no_new_privs, dumpable flag, most limits.

    The process can still fork, and each fork must `seal` itself. `words_in_file` is of `limits.closing`. Other
    arguments and errors as of `confine_worker`.
    """
    if (uid is None) != (gid is None):
        raise SandboxError("worker: a uid without a gid, or the reverse: expected both or none")
    if uid == 0 or gid == 0 or (uid is None and 0 in os.getresuid()):
        raise SandboxError("worker: it would run as root, expected another user: name one as server.worker_user")
    if not _is_alone():
        raise SandboxError("worker: the process has threads, which would stay free, expected none")
    landlock_abi = landlock.abi_version()
    _check_landlock(level, landlock_abi)
    # While still root: afterwards it may not.
    limits.make_room()
    bounding_set_empty = process.drop_capability_bounding_set()
    if uid is not None and gid is not None:
        process.become_user(uid, gid)
    process.clear_capabilities()
    process.set_no_new_privs()
    # After the change of user, which undoes it.
    process.set_non_dumpable()
    wanted = worker_limits or WorkerLimits()
    inherited, closing = limits.inherit(wanted), limits.closing(wanted, words_in_file=words_in_file)
    words = limits.in_words({**inherited, **{name: value for name, (_, value) in closing.items()}})
    report = SandboxReport(level, os.getuid(), landlock_abi, bounding_set_empty, words)
    return Settled(report, closing, landlock.everything(landlock_abi))


def seal(settled: Settled, parent: int | None = None) -> SandboxReport:
    """The other half: parent death, the limits that end forking, Landlock, seccomp; each process its own.

    Landlock's scopes keep the processes of one domain from nothing among themselves, so that forks of one process must
    not share a domain. Arguments and errors as of `confine_worker`.
    """
    if parent is not None:
        # After the change of user, and after the fork, which undo it.
        process.set_parent_death_signal(SIGKILL, parent)
    limits.close(settled.limits)
    landlock.deny(settled.landlock)
    # Last, for it refuses every call above.
    seccomp.install_packed(_filter_for(os.getpid()))
    return settled.report


def confine_worker(
    level: Level,
    *,
    uid: int | None,
    gid: int | None,
    parent: int | None = None,
    worker_limits: WorkerLimits | None = None,
) -> SandboxReport:
    """Confine this process for good: user, capabilities, parent death (SIGKILL), limits, Landlock, seccomp.

    `uid` and `gid` are the worker's user where the caller is root, None where it stays who it is; uid 0 is refused in
    either case. `parent` is the process whose death must end this one (None: nobody's); it must be the parent already.
    Afterwards the process works with what it holds, descriptors that it is sent included, and gets nothing else: no
    file, socket, process, thread, module. Raises SandboxError where anything that `level` requires does not hold: the
    caller must then exit, for it is confined by half.
    """
    return seal(settle(level, uid=uid, gid=gid, worker_limits=worker_limits), parent)


def survey(level: Level) -> tuple[str, ...]:
    """What this kernel has for a worker, in words for the start-up log, without confining anyone.

    Raises SandboxError where `level` can not be had here.
    """
    machine()
    with process.refusal("seccomp"):
        call("prctl", _PR_GET_SECCOMP, 0, 0, 0, 0)
    abi = landlock.abi_version()
    _check_landlock(level, abi)
    return ("worker: no_new_privs, non-dumpable, resource limits, seccomp allow-list", *_landlock_lines(level, abi))


@functools.cache
def _worker_filter() -> bytes:
    """The filter of every worker but for its process id, in whose place `_SOME_PID` stands: built before the fork."""
    return pack(build_filter(machine(), worker_rules(_SOME_PID), rest=REFUSE))


def _filter_for(pid: int) -> bytes:
    before, pid_of_template, after = _worker_filter().partition(_SOME_PID.to_bytes(4, "little"))
    if not pid_of_template or pid_of_template in after:
        raise SandboxError("seccomp: the filter does not name the process id exactly once")
    return before + pid.to_bytes(4, "little") + after


def _check_landlock(level: Level, abi: int) -> None:
    if level == "require" and not abi:
        raise SandboxError(
            "landlock: this kernel has none, which `sandbox: require` needs: expected Linux 5.13 or later with "
            "landlock in its lsm= list; `sandbox: best_effort` starts without"
        )


def _landlock_lines(level: Level, abi: int) -> tuple[str, ...]:
    if not abi:
        return (f"worker: landlock is missing ({level}): seccomp alone keeps files and sockets away",)
    parts = (
        ("no file system", True),
        ("no TCP bind or connect", landlock.has_network(abi)),
        ("no signals or abstract sockets to others", landlock.has_scope(abi)),
    )
    held = ", ".join(text for text, holds in parts if holds)
    missing = ", ".join(text for text, holds in parts if not holds)
    left = f"; left to seccomp: {missing}" if missing else ""
    return (f"worker: landlock {abi} ({level}): {held}{left}",)


def _is_alone() -> bool:
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        # No /proc: then Landlock and seccomp are the caller's word alone, as fork leaves no other thread.
        return True
