"""What a process does to itself: the change of user, the death signal, the descriptors."""

import os
import signal
import time
from pathlib import Path

import pytest

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import process
from pysshd.processes.sandbox.kernel import call
from tests.processes.sandbox.forks import GID, UID, as_ordinary_user, in_child, outcomes, status_of_self

NO_CAPABILITIES = "0" * 16


@pytest.mark.root
@pytest.mark.security("S113")
@pytest.mark.security("S114")
def test_the_change_of_user_is_complete_and_for_good() -> None:
    def work() -> object:
        process.become_user(1234, 2345, (3456, 4567))
        ways_back = {
            "uid": lambda: os.setuid(0),
            "euid": lambda: os.seteuid(0),
            "gid": lambda: os.setgid(0),
            "groups": lambda: os.setgroups([0]),
        }
        return status_of_self(), outcomes(ways_back)

    status, ways_back = in_child(work)
    assert status["Uid"].split() == ["1234"] * 4
    assert status["Gid"].split() == ["2345"] * 4
    assert set(status["Groups"].split()) == {"3456", "4567"}
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {NO_CAPABILITIES}
    assert set(ways_back.values()) == {"PermissionError 1"}


@pytest.mark.root
def test_a_capability_that_could_undo_the_change_is_dropped() -> None:
    def work() -> object:
        call("prctl", 8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        process.become_user(1234, 1234)
        return status_of_self()["CapPrm"]

    assert in_child(work) == NO_CAPABILITIES


def test_an_ordinary_user_can_become_nobody_else() -> None:
    def work() -> object:
        groups = tuple(os.getgroups())
        same = {"itself": lambda: process.become_user(UID, GID, groups)}
        others = {
            "uid": lambda: process.become_user(UID + 1, GID, groups),
            "gid": lambda: process.become_user(UID, GID + 1, groups),
            "group": lambda: process.become_user(UID, GID, (*groups, 12345)),
            "root": lambda: process.become_user(0, 0, ()),
        }
        return outcomes(same), outcomes(others)

    same, others = as_ordinary_user(work)
    assert same == {"itself": "done"}
    assert set(others.values()) == {"SandboxError None"}


@pytest.mark.parametrize("uid", [-1, 2**32 - 1, 2**32])
def test_ids_that_mean_no_change_are_refused(uid: int) -> None:
    with pytest.raises(SandboxError, match=f"uid is {uid}, expected 0 to 4294967294"):
        process.become_user(uid, 1)
    with pytest.raises(SandboxError, match=f"gid is {uid}"):
        process.become_user(1, uid)
    with pytest.raises(SandboxError, match=f"group is {uid}"):
        process.become_user(1, 1, (uid,))


def test_the_death_of_the_parent_ends_a_process_that_blocks_every_signal() -> None:
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        parent = os.getpid()
        if os.fork() == 0:
            process.set_parent_death_signal(signal.SIGKILL, parent)
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            os.write(writer, b"ready")
            while True:
                time.sleep(60)
        time.sleep(60)
    os.close(writer)
    assert os.read(reader, 5) == b"ready"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    # The end of the pipe: the child, which held the last writer, is dead.
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_parent_that_has_died_already_is_noticed() -> None:
    def work() -> None:
        process.set_parent_death_signal(signal.SIGKILL, os.getpid() + 1_000_000)

    with pytest.raises(AssertionError, match="SandboxError: parent-death signal: parent is"):
        in_child(work)


def test_a_subreaper_gets_orphans() -> None:
    def work() -> object:
        process.become_subreaper()
        reader, writer = os.pipe()
        if os.fork() == 0:
            if (orphan := os.fork()) == 0:
                time.sleep(60)
            os.write(writer, b"%d" % orphan)
            os._exit(0)
        os.wait()
        orphan = int(os.read(reader, 20))
        os.kill(orphan, signal.SIGTERM)
        return os.waitpid(orphan, 0) == (orphan, signal.SIGTERM)

    assert in_child(work) is True


def test_dumpable_and_back() -> None:
    def work() -> object:
        found = []
        for change in (process.set_non_dumpable, process.set_dumpable):
            change()
            found.append(process.is_dumpable())
        return found

    assert in_child(work) == [False, True]


def test_the_name_is_cut_where_the_kernel_cuts() -> None:
    def work() -> object:
        process.set_process_name("pysshd: a long name")
        return status_of_self()["Name"]

    assert in_child(work) == "pysshd: a long "


@pytest.mark.root
def test_the_bounding_set_is_dropped_by_root_alone() -> None:
    assert in_child(lambda: (process.drop_capability_bounding_set(), status_of_self()["CapBnd"])) == [
        True,
        NO_CAPABILITIES,
    ]
    assert as_ordinary_user(process.drop_capability_bounding_set) is False


@pytest.mark.security("S115")
@pytest.mark.parametrize("first", [0, 3])
def test_descriptors_are_closed_but_for_those_kept(first: int) -> None:
    def work() -> object:
        keep = {first, 5, os.dup(2), os.open("/", os.O_RDONLY)}
        os.dup2(2, first)
        os.dup2(2, 5)
        os.dup2(2, 200)
        # The answer goes through the pipe of `in_child`, whichever number that has.
        pipes = {fd for fd in map(int, os.listdir("/proc/self/fd")) if _is_pipe(fd)}
        process.close_all_except(keep | pipes)
        left = {fd for fd in range(300) if _is_open(fd)}
        return sorted(left - pipes) == sorted(keep - pipes) and not _is_open(200)

    assert in_child(work) is True


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_pipe(descriptor: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
    except OSError:
        return False


def test_short_turns_are_inherited_and_change_no_share() -> None:
    """As the kernel shows them in /proc/PID/sched, where it does: `se.slice` in nanoseconds, and the weight of nice."""

    def seen() -> tuple[int | None, int]:
        try:
            text = Path("/proc/self/sched").read_text()
        except OSError:
            return None, os.getpriority(os.PRIO_PROCESS, 0)
        slices = [int(line.split(":")[1]) for line in text.splitlines() if line.startswith("se.slice")]
        return (slices[0] if slices else None), os.getpriority(os.PRIO_PROCESS, 0)

    def work() -> object:
        os.nice(3)
        heard = process.take_short_turns()
        return heard, seen(), in_child(seen)

    before = os.getpriority(os.PRIO_PROCESS, 0)
    heard, own, inherited = in_child(work)
    assert heard
    assert own == inherited
    assert own[1] == min(before + 3, 19)
    if own[0] is not None and tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 12):
        assert own[0] == 300_000


def test_a_policy_that_somebody_set_is_kept() -> None:
    def work() -> object:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        return process.take_short_turns(), os.sched_getscheduler(0)

    assert in_child(work) == [False, os.SCHED_BATCH]
