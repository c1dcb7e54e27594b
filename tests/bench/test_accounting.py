"""What a server uses is counted: its own, its children's, and that of orphans that nobody but the keeper buries."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.bench.kept import Kept, keeping
from tests.bench.place import ENVIRONMENT
from tests.bench.processes import below, proportional_bytes, read_process

BURNT = 0.3

BURN = f"""
import os, time
def burn(seconds={BURNT}):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
"""
ITSELF = "burn(); time.sleep(60)"
THREAD = "import threading; t = threading.Thread(target=burn); t.start(); t.join(); time.sleep(60)"
CHILD_BURIED = """
if os.fork() == 0: burn(); os._exit(0)
os.wait(); time.sleep(60)
"""
CHILD_ALIVE = """
if os.fork() == 0: burn(); time.sleep(60)
time.sleep(60)
"""
ZOMBIE = """
if os.fork() == 0: burn(); os._exit(0)
time.sleep(60)
"""
ORPHAN = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(0.2); burn(); os._exit(0)
    os._exit(0)
os.wait(); time.sleep(60)
"""
ORPHAN_OF_ORPHANS = """
if os.fork() == 0:
    if os.fork() == 0:
        if os.fork() == 0: burn(); os._exit(0)
        os.wait(); os._exit(0)
    os._exit(0)
time.sleep(60)
"""
WAYS = {
    "itself": ITSELF,
    "a thread that ended": THREAD,
    "a child that was buried": CHILD_BURIED,
    "a child that lives": CHILD_ALIVE,
    "a zombie": ZOMBIE,
    "an orphan": ORPHAN,
    "the child of an orphan": ORPHAN_OF_ORPHANS,
}


def used_by(kept: Kept, at_least: float) -> float:
    """What is used once it is enough and all is quiet again."""
    end = time.monotonic() + 20
    # The kernel cuts each sum to a unit of its clock, so that it may never be quite enough.
    while kept.cpu() < at_least - 0.05 and time.monotonic() < end:
        time.sleep(0.02)
    return kept.settled_cpu()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_is_burnt_is_counted_once(way: str, tmp_path: Path) -> None:
    start = [sys.executable, "-I", "-S", "-c", BURN + "time.sleep(60)"]
    with keeping(start, ENVIRONMENT, tmp_path / "log") as kept:
        alone = used_by(kept, 0.0)
    with keeping([*start[:-1], BURN + way], ENVIRONMENT, tmp_path / "log") as kept:
        used = used_by(kept, BURNT)
        _, all_of_it = kept.stop()
    # A unit of the kernel's clock for each of the sums that it cuts, and what forks and starts cost.
    assert BURNT - 0.05 < used - alone < BURNT + 0.15
    assert used - 0.05 < all_of_it < used + 0.15


def test_what_a_program_leaves_behind_is_counted_and_ended(tmp_path: Path) -> None:
    before = {process.pid for process in below(os.getpid())}
    leaves = BURN + "os.fork() or (os.setsid(), time.sleep(60)); time.sleep(60)"
    with keeping([sys.executable, "-I", "-S", "-c", leaves], ENVIRONMENT, tmp_path / "log") as kept:
        end = time.monotonic() + 10
        while kept.processes() < 2 and time.monotonic() < end:
            time.sleep(0.02)
        pids = [process.pid for process in below(os.getpid()) if process.pid not in before]
        left, _ = kept.stop()
    assert left == 1
    assert len(pids) == 3
    assert all(read_process(pid) is None for pid in pids)


def fail_beside_a_tree(log: Path, pids: list[int]) -> None:
    before = {process.pid for process in below(os.getpid())}
    with keeping([sys.executable, "-I", "-S", "-c", BURN + CHILD_ALIVE], ENVIRONMENT, log) as kept:
        used_by(kept, BURNT)
        pids += [process.pid for process in below(os.getpid()) if process.pid not in before]
        raise ZeroDivisionError


def test_an_exception_ends_everything(tmp_path: Path) -> None:
    pids: list[int] = []
    with pytest.raises(ZeroDivisionError):
        fail_beside_a_tree(tmp_path / "log", pids)
    assert len(pids) == 3
    assert all(read_process(pid) is None for pid in pids)


def test_an_answer_that_nobody_waited_for_is_passed_over(tmp_path: Path) -> None:
    with keeping([sys.executable, "-I", "-S", "-c", BURN + ITSELF], ENVIRONMENT, tmp_path / "log") as kept:
        keeper = kept._keeper
        assert keeper.stdin is not None
        keeper.stdin.write(b"0:cpu\n0:settle\n")
        assert kept.processes() == 1
        left, _ = kept.stop()
    assert left == 0


def test_memory_is_that_of_the_whole_tree(tmp_path: Path) -> None:
    holds = "import os, time; os.fork(); held = b'x' * 30_000_000; time.sleep(60)"
    with keeping([sys.executable, "-I", "-S", "-c", holds], ENVIRONMENT, tmp_path / "log") as kept:
        end = time.monotonic() + 10
        while (found := kept.memory() or 0) < 60_000_000 and time.monotonic() < end:
            time.sleep(0.02)
        kept.stop()
    assert 60_000_000 < found < 100_000_000


@pytest.mark.ordinary_user
def test_memory_that_may_not_be_read_is_unknown() -> None:
    assert proportional_bytes([1]) is None
