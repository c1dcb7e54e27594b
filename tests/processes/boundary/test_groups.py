"""Signals by pidfd reach a group and nobody else, on a new kernel and in the way of an old one."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from pysshd.processes.boundary import groups
from pysshd.processes.boundary.groups import ProcessGroup, has_ended, signal_process

Spawn = Callable[[str], int]


@pytest.fixture(params=["new kernel", "old kernel"])
def _kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "old kernel":
        # An unknown flag is refused as the known one is by a kernel before 6.9.
        monkeypatch.setattr(groups, "_PIDFD_SIGNAL_PROCESS_GROUP", 1 << 30)


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    started: list[int] = []

    def start(script: str) -> int:
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ, setsid=True)
        started.append(pid)
        return pid

    yield start
    for pid in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


@contextlib.contextmanager
def group_of(pid: int) -> Iterator[tuple[ProcessGroup, int]]:
    pidfd = os.pidfd_open(pid)
    group = ProcessGroup(pid, pidfd)
    try:
        yield group, pidfd
    finally:
        group.close()
        os.close(pidfd)


def members(pid: int) -> list[int]:
    return groups._members_of(pid)


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.usefixtures("_kernel")
def test_a_signal_reaches_every_member(spawn: Spawn) -> None:
    pid = spawn("sleep 1000 & sleep 1000 & wait")
    eventually(lambda: len(members(pid)) == 3)
    with group_of(pid) as (group, pidfd):
        assert group.signal(signal.SIGTERM)
        eventually(lambda: members(pid) == [])
        assert has_ended(pidfd)
        os.waitpid(pid, 0)
        eventually(lambda: not group.signal(0))


@pytest.mark.usefixtures("_kernel")
def test_a_group_outlives_its_leader(spawn: Spawn) -> None:
    pid = spawn("sleep 1000 & exit 0")
    with group_of(pid) as (group, pidfd):
        eventually(lambda: has_ended(pidfd))
        assert group.signal(0)
        os.waitpid(pid, 0)
        assert group.signal(signal.SIGTERM)
        eventually(lambda: members(pid) == [])
        # Until somebody has reaped it the last member still counts.
        eventually(lambda: not group.signal(signal.SIGTERM))


@pytest.mark.usefixtures("_kernel")
def test_a_process_outside_is_not_hit(spawn: Spawn) -> None:
    other = spawn("sleep 1000")
    pid = spawn("exec sleep 1000")
    with group_of(pid) as (group, _), group_of(other) as (other_group, other_pidfd):
        assert group.signal(signal.SIGKILL)
        os.waitpid(pid, 0)
        assert not group.signal(signal.SIGKILL)
        assert not has_ended(other_pidfd)
        assert other_group.signal(0)


def test_a_number_that_is_not_the_leaders_is_not_looked_up(spawn: Spawn) -> None:
    first = spawn("exit 0")
    other = spawn("exec sleep 1000")
    pidfd = os.pidfd_open(first)
    os.waitpid(first, 0)
    # As if the number of the first had gone to the other.
    group = ProcessGroup(other, pidfd)
    assert not group.signal_members(signal.SIGKILL)
    time.sleep(0.05)
    assert members(other) == [other]
    os.close(pidfd)


def test_a_process_that_has_ended_can_not_be_signalled(spawn: Spawn) -> None:
    pid = spawn("exit 0")
    with group_of(pid) as (_, pidfd):
        eventually(lambda: has_ended(pidfd))
        os.waitpid(pid, 0)
        assert not signal_process(pidfd, signal.SIGTERM)
