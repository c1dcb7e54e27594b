"""Every process of the house killed with SIGKILL: who goes with it, and who does not."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pysshd.processes.monitor.children import ExitStatus
from tests.processes.zygote.house import House, heard, in_house, is_running, until, zygote_pid

MONITOR = (sys.executable, str(Path(__file__).with_name("tiny_monitor.py")))


def test_a_killed_worker_ends_alone() -> None:
    async def test(house: House) -> None:
        (first, first_end), (second, second_end) = await house.worker(), await house.worker()
        os.kill(first.pid, signal.SIGKILL)
        assert await first.wait() == ExitStatus(None, signal.SIGKILL)
        assert await heard(first_end) is None
        second_end.send(b"still here")
        assert await heard(second_end) == b"still here"
        await second.end()
        assert house.complaints == []

    in_house(test)


def test_a_killed_zygote_ends_nobody_and_the_next_fork_works() -> None:
    async def test(house: House) -> None:
        worker, end = await house.worker()
        session, streams = await house.shell("read line; echo got $line")
        killed = zygote_pid()
        os.kill(killed, signal.SIGKILL)
        other, _ = await house.worker()
        assert other.generation == worker.generation + 1
        assert zygote_pid() != killed
        end.send(b"still here")
        assert await heard(end) == b"still here"
        os.write(streams.input, b"it\n")
        assert await streams.read() == "got it\n"
        assert await session.wait() == ExitStatus(0)
        session.close()
        await worker.end()
        await other.end()
        assert house.complaints == [f"{killed} is gone: it ended with signal 9; another one is started"]

    in_house(test)


def test_forks_that_were_asked_of_a_killed_zygote_are_asked_again() -> None:
    async def test(house: House) -> None:
        pid = zygote_pid()
        os.kill(pid, signal.SIGSTOP)
        asked = [asyncio.create_task(house.worker()) for _ in range(20)]
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        workers = [await task for task in asked]
        assert len({child.pid for child, _ in workers}) == 20
        for child, _ in workers:
            await child.end()

    in_house(test)


def test_a_stopped_zygote_is_killed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(house: House) -> None:
        monkeypatch.setattr("pysshd.processes.monitor.zygote_link.ANSWER_WITHIN", 1.0)
        pid = zygote_pid()
        os.kill(pid, signal.SIGSTOP)
        worker, _ = await house.worker()
        assert zygote_pid() != pid
        await worker.end()

    in_house(test)


@contextmanager
def monitor() -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A small monitor of its own process, and the process ids of all that it started."""
    with subprocess.Popen(MONITOR, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            assert all(map(is_running, started.values()))
            yield process, started
        finally:
            process.kill()


def test_a_monitor_ends_everybody_killed_or_in_order() -> None:
    """Both at once, for each has somebody who is deaf, and has to be waited for."""
    with monitor() as (orderly, in_order), monitor() as (process, started):
        orderly.terminate()
        kill_and_watch(process, started)
        assert orderly.wait(20) == 0
        assert not any(map(is_running, in_order.values()))


def kill_and_watch(process: "subprocess.Popen[str]", started: dict[str, int]) -> None:
    """Everybody ends with a monitor that is killed, each in their time."""
    deaf = started.pop("deaf")
    process.kill()
    killed = time.monotonic()
    ended: dict[str, float] = {}
    while len(ended) < len(started) and time.monotonic() - killed < 20:
        for name, pid in started.items():
            if name not in ended and not is_running(pid):
                ended[name] = time.monotonic() - killed
        time.sleep(0.002)
    print({name: round(after, 3) for name, after in ended.items()})
    assert ended.keys() == started.keys()
    # SIGTERM comes half a second after the SIGHUP that these do not heed, and long before what nobody can ignore.
    assert max(ended.values()) < 4
    assert is_running(deaf)
    while is_running(deaf):
        assert time.monotonic() - killed < 20
        time.sleep(0.05)
    # The one that heeds neither gets its five seconds.
    assert time.monotonic() - killed > 4.5


async def _killed_in_turn(house: House) -> None:
    for _ in range(3):
        os.kill(zygote_pid(), signal.SIGKILL)
        worker, _ = await house.worker()
        await worker.end()
    await until(lambda: len(house.complaints) == 3)


def test_a_zygote_may_be_killed_again_and_again() -> None:
    in_house(_killed_in_turn)
