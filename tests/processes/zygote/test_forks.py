"""What the zygote forks, and what is left when it has ended: nothing."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pysshd.errors import StartupError
from pysshd.processes.boundary.calls.zygote import SessionSpec
from pysshd.processes.boundary.socket import MAX_MESSAGE, Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.processes.monitor.launcher import LaunchError
from pysshd.version import __version__
from tests.processes.zygote.house import (
    ACCOUNT,
    IS_ROOT,
    NOBODY,
    PATH,
    TOY,
    House,
    children,
    heard,
    house,
    in_house,
    is_running,
    no_descriptor_more,
    status_of,
    until,
    zygote_pid,
)


def test_a_worker_echoes_bytes_and_descriptors_from_inside_its_sandbox() -> None:
    async def test(house: House) -> None:
        child, end = await house.worker()
        status = status_of(child.pid)
        assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapEff"], 16)) == ("1", "2", 0)
        assert status["Uid"].split() == [str(NOBODY if IS_ROOT else os.getuid())] * 4
        assert status["PPid"] == str(os.getpid())
        reader, writer = os.pipe()
        end.send(b"x" * MAX_MESSAGE, [writer])
        os.close(writer)
        received = end.recv()
        assert received is not None
        assert received.message == b"x" * MAX_MESSAGE
        os.write(received.fds[0], b"through the worker")
        os.close(received.fds[0])
        assert os.read(reader, 100) == b"through the worker"
        os.close(reader)
        end.close()
        assert await child.wait() == ExitStatus(3)

    in_house(test)


@pytest.mark.root
@pytest.mark.security("S113")
def test_a_worker_of_root_has_no_group_but_its_own() -> None:
    async def test(house: House) -> None:
        child, _ = await house.worker()
        status = status_of(child.pid)
        assert status["Gid"].split() == [str(NOBODY)] * 4
        assert status["Groups"] in ("", str(NOBODY))
        await child.end()

    in_house(test)


@pytest.mark.security("S46")
def test_two_hundred_forks_have_distinct_randomness() -> None:
    async def test(house: House) -> None:
        async def draw() -> bytes:
            helper = await house.launcher.helper("chance")
            with helper.endpoint:
                drawn = await heard(helper.endpoint)
            assert await helper.child.wait() == ExitStatus(0), helper.child.last_words.decode()
            assert drawn is not None
            return drawn

        drawn = [value for _ in range(10) for value in await asyncio.gather(*(draw() for _ in range(20)))]
        for source in range(4):
            assert len({value[32 * source : 32 * source + 32] for value in drawn}) == 200

    in_house(test)


@pytest.mark.security("S115")
def test_a_fork_holds_nothing_but_its_socket_and_its_last_words() -> None:
    async def test(house: House) -> None:
        await house.worker()
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        helper = await house.launcher.helper("descriptors")
        os.close(reader)
        os.close(writer)
        with helper.endpoint:
            # The last one is of the listing itself.
            assert await heard(helper.endpoint) == b"0,1,2,3,4"
        await helper.child.wait()

    in_house(test)


@pytest.mark.security("S115")
def test_the_zygote_inherits_neither_descriptors_nor_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSSHD_SECRET", "canary")
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)

    async def test(house: House) -> None:
        pid = zygote_pid()
        assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2", "3"]
        assert os.getsid(pid) == pid

    # An ordinary user can not look into a process that is not dumpable, and that is as it should be.
    if IS_ROOT:
        in_house(test)
    os.close(reader)
    os.close(writer)


@pytest.mark.ordinary_user
@pytest.mark.security("S117")
def test_the_zygote_is_closed_to_processes_of_the_same_user() -> None:
    async def test(house: House) -> None:
        with pytest.raises(PermissionError):
            os.listdir(f"/proc/{zygote_pid()}/fd")

    in_house(test)


@pytest.mark.security("S116")
def test_three_hundred_forks_leave_no_zombie_and_no_descriptor() -> None:
    times: list[float] = []

    async def test(house: House) -> None:
        async def one() -> None:
            start = time.perf_counter()
            child, end = await house.worker()
            times.append(time.perf_counter() - start)
            end.close()
            await child.wait()

        await one()
        held = len(os.listdir(f"/proc/{zygote_pid()}/fdinfo")) if IS_ROOT else None
        with no_descriptor_more():
            for _ in range(100):
                await one()
            await asyncio.gather(*(one() for _ in range(100)))
            for number in range(100):
                child, streams = await house.shell(f"exit {number}")
                assert await child.wait() == ExitStatus(number)
                child.close()
                streams.close()
        assert children() == [zygote_pid()]
        if held is not None:
            await until(lambda: len(os.listdir(f"/proc/{zygote_pid()}/fdinfo")) == held)

    in_house(test)
    assert children() == []
    print(f"fork to ready in the sandbox: median {1000 * statistics.median(times[1:101]):.2f} ms")


def test_a_child_that_another_part_started_and_forgot_hides_no_orphan() -> None:
    """As a server of somebody's own may do."""
    forgotten = subprocess.Popen(["true"])
    os.waitid(os.P_PID, forgotten.pid, os.WEXITED | os.WNOWAIT)

    async def test(house: House) -> None:
        child, streams = await house.shell("for i in 1 2 3; do (setsid sleep 0.1 >&- 2>&- &) ; done; echo started")
        assert await streams.read() == "started\n"
        await child.wait()
        child.close()
        await until(lambda: children() == [zygote_pid()])

    in_house(test)
    # Its status is for whoever started it.
    assert forgotten.wait() == 0


def test_orphans_that_fall_to_the_monitor_are_reaped() -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell("for i in 1 2 3 4 5; do (setsid sleep 0.2 >&- 2>&- &) ; done; echo started")
        assert await streams.read() == "started\n"
        await child.wait()
        child.close()
        await until(lambda: children() == [zygote_pid()])

    in_house(test)


def test_a_child_that_the_launcher_does_not_know_keeps_its_status() -> None:
    async def test(house: House) -> None:
        mine = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 9"], {})
        child, _ = await house.shell("exit 4")
        assert await child.wait() == ExitStatus(4)
        child.close()
        await asyncio.sleep(0.1)
        assert os.waitstatus_to_exitcode(os.waitpid(mine, 0)[1]) == 9

    in_house(test)


def test_a_worker_that_fails_leaves_its_last_words() -> None:
    async def test(house: House) -> None:
        child, end = await house.worker()
        end.send(b"raise")
        assert await child.wait() == ExitStatus(70)
        assert b"RuntimeError: told to fail" in child.last_words
        assert child.generation == house.launcher.generation

    in_house(test)


def test_a_worker_that_dies_by_a_fault_has_the_zygote_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.processes.monitor.zygote_keeper.SETTLED", 0.1)

    async def test(house: House) -> None:
        old = zygote_pid()
        session, streams = await house.shell("read line; sleep 1000")
        child, end = await house.worker()
        end.send(b"fault")
        status = await child.wait()
        assert (status.signal, status.is_fault) == (signal.SIGSEGV, True)
        await until(lambda: not is_running(old))
        assert house.launcher.generation == 2
        # The old zygote's end was no end of its session; the new one has adopted it, which its own end shows.
        await asyncio.sleep(0.1)
        assert session.exit is None
        await house.launcher.close()
        assert await session.wait() == ExitStatus(None, signal.SIGHUP)
        streams.close()

    in_house(test)


def test_a_zygote_is_changed_after_so_many_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.processes.monitor.zygote_keeper.SETTLED", 0.1)

    async def test() -> None:
        async with house(forks_per_zygote=20) as standing:
            generations: set[int] = set()
            start = time.monotonic()
            while len(generations) < 3:
                assert time.monotonic() - start < 20
                child, end = await standing.worker()
                generations.add(child.generation)
                end.close()
                await child.wait()
            assert standing.complaints == []
        assert children() == []

    asyncio.run(test())


def test_a_restarted_zygote_adopts_more_sessions_than_one_message_carries() -> None:
    async def test(house: House) -> None:
        sessions = [await house.shell("exec sleep 1000") for _ in range(40)]
        os.kill(zygote_pid(), signal.SIGKILL)
        await house.worker()
        await house.launcher.close()
        for child, _ in sessions:
            assert await child.wait() == ExitStatus(None, signal.SIGHUP)

    in_house(test)


def test_a_released_session_is_left_alone() -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell("sleep 1000 & echo $!")
        job = int(await streams.line())
        await child.wait()
        child.close()
        await house.launcher.close()
        assert is_running(job)
        os.kill(job, signal.SIGKILL)
        os.waitpid(job, 0)

    in_house(test)


def test_a_fork_that_nobody_is_told_of_any_more_is_buried() -> None:
    async def test(house: House) -> None:
        zygote = zygote_pid()
        os.kill(zygote, signal.SIGSTOP)
        asked = asyncio.create_task(house.worker())
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(house.launcher.close())
        await asyncio.sleep(0.05)
        os.kill(zygote, signal.SIGCONT)
        await closing
        assert children() == []
        with pytest.raises(LaunchError):
            await asked

    in_house(test, command=(*TOY, "reluctant"))


def test_a_session_nobody_waits_for_any_more_is_killed() -> None:
    async def test(house: House) -> None:
        os.kill(zygote_pid(), signal.SIGSTOP)
        with no_descriptor_more():
            asked = asyncio.create_task(house.shell("sleep 1000"))
            unsent = [asyncio.create_task(house.shell("sleep 1000")) for _ in range(30)]
            await asyncio.sleep(0.05)
            for task in (asked, *unsent):
                task.cancel()
            results = await asyncio.gather(asked, *unsent, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
            house.stack.close()
            os.kill(zygote_pid(), signal.SIGCONT)
            child, end = await house.worker()
            await child.end()
            end.close()
            await until(lambda: children() == [zygote_pid()])

    in_house(test)


def test_a_helper_of_an_unknown_kind_is_refused() -> None:
    async def test(house: House) -> None:
        with pytest.raises(LaunchError, match="there is no helper of kind 'other'"):
            await house.launcher.helper("other")

    with no_descriptor_more():
        in_house(test)


def test_a_zygote_of_another_version_is_refused() -> None:
    async def test() -> None:
        async with house(command=(*TOY, "0.0.1")):
            pass

    with (
        no_descriptor_more(),
        pytest.raises(StartupError, match=rf"version '0\.0\.1', expected '{__version__}'.*restart"),
    ):
        asyncio.run(test())
    assert children() == []


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("/nonexistent/python",), "No such file"),
        ((sys.executable, "-I", "-c", "import sys; sys.exit(5)"), "it ended with status 5"),
        ((sys.executable, "-I", "-c", "import socket; socket.socket(fileno=3).send(b'\\xff')"), "has number 255"),
    ],
)
def test_a_zygote_that_can_not_be_is_one_clear_error(command: tuple[str, ...], reason: str) -> None:
    async def test() -> None:
        async with house(command=command):
            pass

    with no_descriptor_more(), pytest.raises(StartupError, match=reason):
        asyncio.run(test())
    assert children() == []


def test_what_is_too_long_for_a_message_is_refused_before_it_is_sent() -> None:
    async def test(house: House) -> None:
        with pytest.raises(LaunchError, match="expected at most 65536"):
            await house.shell("x" * MAX_MESSAGE)
        spec = SessionSpec("sh", b"/bin/sh", (b"sh",), PATH, account=ACCOUNT)
        with pytest.raises(LaunchError, match="has 1 descriptors, expected 3"):
            await house.launcher.session(spec, (0,))
        child, _ = await house.worker()
        await child.end()

    in_house(test)


def test_an_ended_child_can_not_be_signalled() -> None:
    async def test(house: House) -> None:
        worker, end = await house.worker()
        end.close()
        await worker.wait()
        assert not worker.signal(signal.SIGTERM)
        session, _ = await house.shell("exit 0")
        await session.wait()
        assert not session.signal(signal.SIGTERM)
        assert not session.signal_group(signal.SIGTERM)
        session.close()
        session.close()
        assert session.pidfd == -1

    in_house(test)


def test_many_may_wait_for_one_child() -> None:
    async def test(house: House) -> None:
        child: Child
        child, end = await house.worker()
        waiting = [asyncio.create_task(child.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        end.close()
        assert await waiting[1] == await waiting[2] == ExitStatus(3)

    in_house(test)


def test_a_worker_end_stays_the_callers() -> None:
    async def test(house: House) -> None:
        ours, theirs = Endpoint.pair()
        with ours, theirs:
            child = await house.launcher.worker(theirs)
            assert theirs.fileno() >= 0
            await child.end()

    in_house(test)
