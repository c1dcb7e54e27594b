"""Instants of the wall clock, waited for on another clock: jumps, sleep, and one who waits instead of another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pysshd.processes.monitor.edges import LOOK_AGAIN, Edge, Edges

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Alarm:
    at: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class World:
    """Two clocks: `pass_by` lets time pass on both, `set_wall` on the one that people set."""

    wall_now: datetime = NOON
    now: float = 100.0
    alarms: list[Alarm] = field(default_factory=list)
    woken: int = 0

    def wall(self) -> datetime:
        return self.wall_now

    def monotonic(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        self.alarms.append(Alarm(self.now + seconds, call))
        return self.alarms[-1]

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := sorted((a for a in self.alarms if not a.cancelled and a.at <= end), key=lambda alarm: alarm.at):
            alarm = due[0]
            self.wall_now += timedelta(seconds=alarm.at - self.now)
            self.now = alarm.at
            self.alarms.remove(alarm)
            self.woken += 1
            alarm.call()
        self.wall_now += timedelta(seconds=end - self.now)
        self.now = end

    @property
    def waiting(self) -> int:
        return sum(not alarm.cancelled for alarm in self.alarms)


def house() -> tuple[World, Edges, list[str], Callable[[str], Edge]]:
    world = World()
    edges = Edges(world, world.later)
    called: list[str] = []
    return world, edges, called, lambda name: Edge(edges, lambda: called.append(name))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_each_is_called_once_when_it_is_time_and_not_before() -> None:
    world, _, called, edge = house()
    edge("b").set(after(20))
    edge("a").set(after(10))
    world.pass_by(9.9)
    assert called == []
    world.pass_by(0.2)
    assert called == ["a"]
    world.pass_by(100)
    assert called == ["a", "b"]
    assert world.waiting == 0


def test_without_anybody_who_waits_there_is_no_timer() -> None:
    world, _, called, edge = house()
    one = edge("a")
    one.set(after(10))
    assert world.waiting == 1
    one.set(None)
    assert world.waiting == 0
    world.pass_by(100)
    assert called == []
    assert world.woken == 0


def test_the_last_instant_that_was_set_counts_and_sooner_only_brings_it_forward() -> None:
    world, _, called, edge = house()
    one = edge("a")
    one.set(after(10))
    one.set(after(50))
    one.sooner(after(60))
    one.sooner(None)
    world.pass_by(49)
    assert called == []
    one.sooner(after(49.5))
    world.pass_by(0.6)
    assert called == ["a"]
    world.pass_by(100)
    assert called == ["a"]


def test_a_clock_that_is_set_forward_is_noticed() -> None:
    world, _, called, edge = house()
    edge("a").set(after(3600))
    world.pass_by(1)
    world.wall_now += timedelta(hours=2)
    world.pass_by(LOOK_AGAIN + 1)
    assert called == ["a"]


def test_a_machine_that_slept_is_noticed() -> None:
    """Asleep, the wall clock goes on and timers do not."""
    world, _, called, edge = house()
    edge("a").set(after(20))
    world.wall_now += timedelta(hours=8)
    assert called == []
    world.pass_by(LOOK_AGAIN + 1)
    assert called == ["a"]


def test_a_clock_that_is_set_back_calls_nobody_early() -> None:
    world, _, called, edge = house()
    edge("a").set(after(20))
    world.wall_now -= timedelta(hours=1)
    world.pass_by(60)
    assert called == []
    world.pass_by(3600)
    assert called == ["a"]


def test_whoever_is_called_may_wait_again() -> None:
    world = World()
    edges = Edges(world, world.later)
    seen: list[datetime] = []

    def again() -> None:
        seen.append(world.wall())
        if len(seen) < 3:
            one.set(world.wall() + timedelta(seconds=5))

    one = Edge(edges, again)
    one.set(after(5))
    world.pass_by(60)
    assert len(seen) == 3


def test_what_is_set_often_leaves_nothing_behind() -> None:
    world, edges, called, edge = house()
    one, other = edge("a"), edge("b")
    other.set(after(1))
    for second in range(2, 5000):
        one.set(after(second))
    assert len(edges._waiting) < 200
    assert world.waiting == 1
    edges.close()
    world.pass_by(10_000)
    assert called == []
