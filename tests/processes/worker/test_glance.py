"""When a worker looks for an answer before it sleeps, and when it has learned that there is none."""

from collections.abc import Callable

import pytest

from pysshd.processes.worker.glance import FEW, MOMENT, PATIENCE, REST, TYPING, Events, Glance
from tests.processes.worker.house import house

READY: Events = [(5, 1)]
ME, YOU = 7, 8


class World:
    """A clock that goes on with each poll, and something that is ready from one poll on; None: nothing ever is."""

    def __init__(self, ready_at: int | None, tick: float = MOMENT / 10) -> None:
        self.polls = 0
        self._ready_at = ready_at
        self._tick = tick

    def poll(self, timeout: float) -> Events:
        assert timeout == 0
        self.polls += 1
        return READY if self._ready_at is not None and self.polls >= self._ready_at else []

    def clock(self) -> float:
        return self.polls * self._tick


def test_what_answers_at_once_is_seen() -> None:
    glance, world = Glance(), World(3)
    glance.handed(1, ME)
    assert glance.wanted
    assert glance.look(world.poll, world.clock) == READY
    assert world.polls == 3
    assert not glance.wanted


def test_it_ends_with_the_moment() -> None:
    glance, world = Glance(), World(None)
    glance.handed(1, ME)
    assert glance.look(world.poll, world.clock) == []
    assert world.polls in (10, 11)


def test_a_slow_clock_still_looks_once() -> None:
    glance, world = Glance(), World(1, tick=1.0)
    glance.handed(1, ME)
    assert glance.look(world.poll, world.clock) == READY


def test_nobody_types_so_much() -> None:
    glance = Glance()
    glance.handed(FEW + 1, ME)
    assert not glance.wanted
    glance.handed(FEW, ME)
    assert glance.wanted


def wanted_of(glance: Glance, ready_at: int | None, messages: int) -> list[bool]:
    found = []
    for _ in range(messages):
        glance.handed(1, ME)
        found.append(glance.wanted)
        if glance.wanted:
            world = World(ready_at)
            glance.look(world.poll, world.clock)
    return found


def test_after_some_in_vain_there_is_a_rest_and_then_another_try() -> None:
    expected = [True] * PATIENCE + [False] * REST + [True] * PATIENCE + [False]
    assert wanted_of(Glance(), None, len(expected)) == expected


def test_one_that_finds_something_begins_the_count_anew() -> None:
    glance = Glance()
    for _ in range(3):
        assert all(wanted_of(glance, None, PATIENCE - 1))
        assert all(wanted_of(glance, 1, 1))


def test_somebody_else_types_for_a_while_after_each_few_bytes() -> None:
    glance = Glance()
    assert not glance.others_type(ME)
    glance.now = 10.0
    glance.handed(FEW + 1, YOU)
    assert not glance.others_type(ME)
    glance.handed(FEW, YOU)
    glance.now += 0.9 * TYPING
    assert glance.others_type(ME)
    assert not glance.others_type(YOU)
    glance.now += 0.2 * TYPING
    assert not glance.others_type(ME)


def test_it_is_known_who_types_while_nothing_is_looked_for() -> None:
    glance = Glance()
    assert not wanted_of(glance, None, PATIENCE + 1)[-1]
    glance.handed(1, YOU)
    assert not glance.wanted
    assert glance.others_type(ME)


def test_the_loop_looks_once_what_was_typed_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    look = Glance.look

    def noted(glance: Glance, poll: Callable[[float], Events]) -> Events:
        found.append(look(glance, poll))
        return found[-1]

    monkeypatch.setattr(Glance, "look", noted)
    with house() as home:
        program = home.to_program()
        home.data(b"x" * (FEW + 1))
        home.until(lambda: program.read() == b"x" * (FEW + 1))
        assert found == []
        home.data(b"x")
        home.until(lambda: program.read() == b"x")
        home.until(lambda: found == [[]])
        program.write(b"y")
        home.until(lambda: home.output == b"y")
        assert found == [[]]
