"""The zygote that is served with: its own programs, its user, its refusals."""

import asyncio
import os
import resource
import signal
from collections.abc import Collection
from dataclasses import replace

import pytest

from pysshd.errors import BoundaryError
from pysshd.identity import verify
from pysshd.processes.boundary.calls.call import decode
from pysshd.processes.boundary.calls.connection import Ready
from pysshd.processes.boundary.calls.table import TO_MONITOR
from pysshd.processes.boundary.calls.zygote import (
    FROM_ZYGOTE,
    Account,
    Failed,
    ForkWorker,
    Greet,
    Release,
    SessionSpec,
)
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.processes.monitor.launcher import Launcher, LaunchError
from pysshd.processes.monitor.zygote_start import COMMAND
from pysshd.processes.sandbox.process import become_user
from pysshd.processes.zygote.program import Zygote
from pysshd.ssh.crypto.catalogue import PROFILES
from pysshd.version import __version__
from tests.processes.sandbox.forks import in_child
from tests.processes.zygote.house import (
    IS_ROOT,
    NOBODY,
    PATH,
    TOY,
    WORKER,
    House,
    Streams,
    heard,
    house,
    in_house,
    status_of,
    zygote_pid,
)


def test_the_zygote_of_the_daemon_forks_workers_and_password_helpers() -> None:
    async def test(house: House) -> None:
        ours, theirs = Endpoint.pair()
        house.stack.enter_context(ours)
        with theirs:
            child = await house.launcher.worker(theirs)
        ready = await heard(ours)
        assert ready is not None, child.last_words.decode()
        assert isinstance(decode(ready, TO_MONITOR), Ready)
        ours.close()
        assert await child.wait() == ExitStatus(0), child.last_words.decode()
        helper = await house.launcher.helper("password")
        house.stack.enter_context(helper.endpoint)
        helper.endpoint.send(verify.question("no hash", b"secret"))
        assert await heard(helper.endpoint) == verify.FAULT
        assert await helper.child.wait() == ExitStatus(0)

    in_house(test, command=COMMAND)


def test_algorithms_are_warmed_up_once_and_before_a_worker_is_forked() -> None:
    warmed: list[tuple[str, ...]] = []

    def warm(names: Collection[str]) -> None:
        warmed.append(tuple(names))
        if "broken" in names:
            raise ImportError("there is no such thing")

    ours, theirs = Endpoint.pair()
    with ours:
        zygote = Zygote(theirs, (), warm)
        for names in (("a",), ("a",), (), ("b", "a"), ("a",)):
            zygote._warm_up(names)
        assert warmed == [("a",), ("b", "a")]
        # Without a fork, and with an answer that says why.
        pipe = os.pipe()
        assert zygote._serve(ForkWorker(algorithms=("broken",)), pipe) is None
        received = ours.recv()
        assert received is not None
        failed = decode(received.message, FROM_ZYGOTE)
        assert failed == Failed("algorithms do not work on this host: ImportError: there is no such thing")
        zygote.close()


@pytest.mark.parametrize("by_nursery", [False, True], ids=["zygote", "nursery"])
def test_a_worker_of_all_algorithms_is_ready(by_nursery: bool) -> None:
    async def test(house: House) -> None:
        names = (*PROFILES["compatible"].kex, "zlib@openssh.com")
        house.launcher.worker_is(ForkWorker(WORKER.level, WORKER.uid, WORKER.gid, names), by_nursery=by_nursery)
        ours, theirs = Endpoint.pair()
        house.stack.enter_context(ours)
        with theirs:
            child = await house.launcher.worker(theirs)
        ready = await heard(ours)
        assert ready is not None, child.last_words.decode()
        ours.close()
        assert await child.wait() == ExitStatus(0), child.last_words.decode()

    in_house(test, command=COMMAND)


def test_a_level_that_is_unknown_ends_the_worker_before_it_does_anything() -> None:
    async def test(house: House) -> None:
        house.launcher.worker_is(ForkWorker("none at all", WORKER.uid, WORKER.gid))
        ours, theirs = Endpoint.pair()
        house.stack.enter_context(ours)
        with theirs:
            child = await house.launcher.worker(theirs)
        assert await child.wait() == ExitStatus(70)
        assert b"level is 'none at all', expected require or best_effort" in child.last_words

    in_house(test, command=COMMAND)


def test_a_nursery_that_can_not_be_is_an_error_and_not_the_end_of_the_zygote(capfd: pytest.CaptureFixture[str]) -> None:
    async def test(house: House) -> None:
        first = zygote_pid()
        ours, theirs = Endpoint.pair()
        with ours, theirs:
            house.launcher.worker_is(ForkWorker("none at all", WORKER.uid, WORKER.gid), by_nursery=True)
            with pytest.raises(LaunchError, match="nursery is gone: it ended with status 70"):
                await house.launcher.worker(theirs)
            house.launcher.worker_is(WORKER, by_nursery=True)
            child = await house.launcher.worker(theirs)
        assert await child.wait() == ExitStatus(0), child.last_words.decode()
        assert zygote_pid() == first
        await one_nursery(house.launcher)

    in_house(test, command=COMMAND)
    assert "pysshd: nursery: sandbox: level is 'none at all', expected require or" in capfd.readouterr().err


def test_one_nursery_forks_all_workers_of_a_kind_and_another_those_of_another() -> None:
    async def test(house: House) -> None:
        launcher, seen = house.launcher, []
        for descriptors in (64, 64, 65):
            launcher.worker_is(replace(WORKER, descriptors=descriptors), by_nursery=True)
            ours, theirs = Endpoint.pair()
            house.stack.enter_context(ours)
            with theirs:
                await launcher.worker(theirs)
            ready = await heard(ours)
            assert ready is not None
            assert f"descriptors {descriptors}".encode() in ready
            (pid,) = [link.pid for link in launcher._nurseries.links[-1:]]
            seen.append(pid)
        assert seen[0] == seen[1] != seen[2]
        await one_nursery(launcher)

    in_house(test, command=COMMAND)


def test_a_nursery_that_can_not_fork_is_left_for_another() -> None:
    """As where a process of the same user has lowered its limit, for good."""

    async def test(house: House) -> None:
        house.launcher.worker_is(WORKER, by_nursery=True)
        _, first = await worker_of_a_nursery(house)
        in_child(lambda: lower_limit(first))
        with pytest.raises(LaunchError, match="Resource temporarily unavailable"):
            await worker_of_a_nursery(house)
        _, second = await worker_of_a_nursery(house)
        assert second != first
        await one_nursery(house.launcher)

    in_house(test, command=COMMAND)


def test_signals_of_the_terminal_do_not_end_the_nursery_but_its_workers() -> None:
    async def test(house: House) -> None:
        house.launcher.worker_is(WORKER, by_nursery=True)
        _, pid = await worker_of_a_nursery(house)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.kill(pid, number)
        worker, same = await worker_of_a_nursery(house)
        assert same == pid
        os.kill(worker.pid, signal.SIGTERM)
        assert await worker.wait() == ExitStatus(None, signal.SIGTERM)

    in_house(test, command=COMMAND)


def test_a_nursery_whose_status_somebody_else_took_is_lost_and_no_more() -> None:
    """Otherwise the loop would be told of its end for ever."""

    async def test(house: House) -> None:
        house.launcher.worker_is(WORKER, by_nursery=True)
        _, pid = await worker_of_a_nursery(house)
        (link,) = house.launcher._nurseries.links
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        async with asyncio.timeout(5):
            await link.ended()
        assert link.is_lost
        _, other = await worker_of_a_nursery(house)
        assert other != pid

    in_house(test, command=COMMAND)


def lower_limit(pid: int) -> None:
    """Take new processes from another process of the workers' user, as that user may."""
    if IS_ROOT:
        become_user(NOBODY, NOBODY)
    resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))


async def worker_of_a_nursery(house: House) -> tuple[Child, int]:
    """A worker that is ready, and the number of the nursery that was asked for it."""
    ours, theirs = Endpoint.pair()
    house.stack.enter_context(ours)
    with theirs:
        child = await house.launcher.worker(theirs)
    assert await heard(ours) is not None, child.last_words.decode()
    current = house.launcher._nurseries._current
    assert current is not None
    return child, current[1].pid


async def one_nursery(launcher: Launcher) -> None:
    """Those that are not asked any more go."""
    async with asyncio.timeout(5):
        while len(launcher._nurseries.links) > 1:
            await asyncio.sleep(0.01)


def test_signals_of_the_terminal_do_not_end_the_zygote() -> None:
    async def test(house: House) -> None:
        pid = zygote_pid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.kill(pid, number)
        worker, _ = await house.worker()
        assert zygote_pid() == pid
        # And what it forks does not inherit its deafness.
        os.kill(worker.pid, signal.SIGTERM)
        assert await worker.wait() == ExitStatus(None, signal.SIGTERM)

    in_house(test)


@pytest.mark.root
@pytest.mark.security("S114")
def test_the_zygote_becomes_whom_the_monitor_becomes() -> None:
    async def become() -> list[str]:
        async with house(command=TOY) as standing:
            launcher = standing.launcher
            await launcher.become(Account(NOBODY, NOBODY, ()))
            become_user(NOBODY, NOBODY)
            status = status_of(zygote_pid())
            launcher.worker_is(ForkWorker("best_effort"))
            worker, _ = await standing.worker()
            streams = Streams()
            spec = SessionSpec("id", b"/usr/bin/id", (b"id", b"-u"), PATH)
            child = await launcher.session(spec, streams.theirs)
            streams.close_theirs()
            said = await streams.read()
            await child.wait()
            with pytest.raises(LaunchError, match="could not change its user"):
                await launcher.become(Account(0, 0, ()))
            return [status["Uid"], status["Gid"], status["CapEff"], status_of(worker.pid)["Uid"], said]

    uids = "\t".join([str(NOBODY)] * 4)
    assert in_child(lambda: asyncio.run(become())) == [uids, uids, "0" * 16, uids, f"{NOBODY}\n"]


def _served(*messages: bytes, fds: tuple[int, ...] = ()) -> str:
    """What a zygote in this process, whose monitor sends `messages` and hangs up, ends with."""
    ours, theirs = Endpoint.pair()
    with ours, theirs:
        for message in messages:
            ours.send(message, fds)
        ours.close()
        zygote = Zygote(theirs, ())
        try:
            assert zygote.run() is None
        except BoundaryError as error:
            return str(error)
        finally:
            zygote.close()
    return ""


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((), ""),
        ((Greet(__version__, os.getppid()).encode(),), ""),
        ((Release(1).encode(),), "first call of the monitor is Release, expected Greet"),
        ((Greet("0.0.1", os.getppid()).encode(),), "monitor has version '0.0.1', expected"),
        ((Greet(__version__, 1_000_000).encode(),), "monitor says that it is process 1000000"),
        ((b"\xff",), "number 255"),
        ((Greet(__version__, os.getppid()).encode(), b"\x02junk"), "ForkWorker can not be read"),
        ((Greet(__version__, os.getppid()).encode(), WORKER.encode()), "ForkWorker came with 0 descriptors"),
        ((Greet(__version__, os.getppid()).encode(),) * 2, "Greet came with 0 descriptors, or out of turn"),
    ],
)
@pytest.mark.security("S112")
def test_a_zygote_serves_no_monitor_that_breaks_the_rules(messages: tuple[bytes, ...], reason: str) -> None:
    answer = _served(*messages)
    assert reason in answer
    assert bool(reason) == bool(answer)
