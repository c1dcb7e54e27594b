"""Nothing is lost between the runs of pytest: what one leaves out, another of the same gate, or of root, has."""

import threading
import time
from collections import deque
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.gates.environments import ROOT
from tests.gates.main import Lane
from tests.gates.options import PYTEST_LOWEST, PYTEST_NEWEST, PYTEST_USER
from tests.gates.programs import Ended
from tests.gates.shares import LOWEST_PURE, NEWEST_PURE, NEWEST_ROOMS, NOT_AS_USER, NOT_ON_LOWEST, PARTS, PURE, chosen

ALL = (PYTEST_NEWEST, PYTEST_LOWEST, PYTEST_USER, *PARTS)
FILES = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")}


def files(name: str, gates: tuple[str, ...] = ALL) -> set[str]:
    """The files of tests that a run has, as pytest reads its arguments."""
    words = chosen(name, gates)
    paths = [word for word in words if not word.startswith("-")] or ["tests"]
    without = [word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")]
    globs = [word.removeprefix("--ignore-glob=") for word in words if word.startswith("--ignore-glob=")]
    assert len(paths) + len(without) + len(globs) == max(len(words), len(without) + len(globs) + 1)
    return {
        file
        for file in FILES
        if any(below(file, path) for path in paths)
        and not any(below(file, path) for path in without)
        and not any(fnmatch(file, glob) for glob in globs)
    }


def below(file: str, path: str) -> bool:
    return Path(file).is_relative_to(path)


def test_the_parts_of_the_newest_are_all_of_it_each_once() -> None:
    parts = [files(name) for name in (PYTEST_NEWEST, NEWEST_ROOMS, NEWEST_PURE)]
    assert all(parts)
    assert set().union(*parts) == FILES
    assert sum(map(len, parts)) == len(FILES)


@pytest.mark.parametrize("name", [PYTEST_NEWEST, PYTEST_LOWEST, PYTEST_USER])
def test_a_run_that_is_alone_leaves_nothing_out(name: str) -> None:
    assert files(name, (name,)) == FILES


def test_the_lowest_has_what_stands_on_it() -> None:
    found = files(PYTEST_LOWEST) | files(LOWEST_PURE)
    assert not files(PYTEST_LOWEST) & files(LOWEST_PURE)
    assert files(PYTEST_LOWEST, (PYTEST_NEWEST, PYTEST_LOWEST)) == found
    left = {file.rpartition("/")[0] for file in FILES - found}
    assert left <= {"tests/live", "tests/policy", "tests/cli", "tests/docs", "tests/mutation", "tests/bench",
                    "tests/interop", "tests/processes/monitor"}  # fmt: skip
    assert {f"tests/live/test_{name}.py" for name in ("login", "transfer", "passwords", "quickstart")} <= found


def test_what_asks_for_an_ordinary_user_is_run_as_one() -> None:
    for file in FILES - files(PYTEST_USER):
        if not any(below(file, room) for room in PURE):
            text = (ROOT / file).read_text("utf-8")
            assert "ordinary_user" not in text, file
            assert "skipif(IS_ROOT" not in text, file


@pytest.mark.parametrize("path", sorted({*PURE, *NOT_AS_USER, *NOT_ON_LOWEST}))
def test_what_is_left_out_is_there(path: str) -> None:
    assert list(ROOT.glob(path))


class Turn:
    """A run of pytest that does nothing, and counts how many are at work."""

    at_work, most = 0, 0
    lock = threading.Lock()

    def __init__(self, name: str) -> None:
        self.name = name
        self.begun = self

    def finish(self, _: float) -> Ended:
        with self.lock:
            Turn.at_work += 1
            Turn.most = max(Turn.most, Turn.at_work)
        time.sleep(0.05)
        with self.lock:
            Turn.at_work -= 1
        return Ended(0, "", 0.05)

    def judge(self, _this: Any, ended: Ended) -> bool:
        return ended.status == 0


def test_lanes_share_a_queue() -> None:
    names = [f"run {number}" for number in range(7)]
    queue: deque[Any] = deque((lambda name=name: Turn(name)) for name in names)
    this: Any = SimpleNamespace(options=SimpleNamespace(deadline=10))
    lanes = [Lane(this, queue), Lane(this, queue)]
    told = [pair for lane in lanes for pair in lane.verdicts()]
    assert sorted(told) == [(name, True) for name in names]
    assert Turn.most <= 2
    for lane in lanes:
        lane.stop()
