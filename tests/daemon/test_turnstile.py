"""The turnstile: whoever opens connections without end does not keep anybody else waiting."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.daemon import turnstile
from pysshd.daemon.turnstile import ALL_WAITING_MAX, WAITING_MAX, Passage, Turnstile, source_of

AT_ONCE = 4
RATE = 10


class House:
    """A turnstile with a clock of its own; `inside` are the passages of those that came in."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.time = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.inside: list[tuple[str, Passage]] = []
        self.refused: list[str] = []
        self.dropped = 0
        self.turnstile = Turnstile(at_once, RATE, lambda: self.time, self._later)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds > 0
        self.timers.append((self.time + seconds, call))

    def _drop(self) -> None:
        self.dropped += 1

    def arrive(self, source: str) -> None:
        reason = self.turnstile.arrive(source, lambda passage: self.inside.append((source, passage)), self._drop)
        if reason is not None:
            self.refused.append(reason)

    def sleep(self, seconds: float) -> None:
        end = self.time + seconds
        while due := sorted(timer for timer in self.timers if timer[0] <= end):
            self.timers.remove(due[0])
            self.time = due[0][0]
            due[0][1]()
        self.time = end

    def came_in(self, source: str) -> int:
        return sum(name == source for name, _ in self.inside)


@pytest.mark.security("S33")
def test_who_does_not_log_in_comes_in_slowly() -> None:
    house = House()
    for _ in range(2000):
        house.arrive("a")
        for _, passage in house.inside[-2:]:
            passage.leave()
        house.sleep(0.001)
    assert house.came_in("a") <= 3 * RATE + 1
    assert "wait" in house.refused[0]


@pytest.mark.security("S33")
def test_another_source_comes_in_at_once() -> None:
    house = House()
    for _ in range(500):
        house.arrive("a")
    assert house.came_in("a") == AT_ONCE
    house.arrive("b")
    assert house.came_in("b") == 1


def test_who_logs_in_is_never_slowed_down() -> None:
    house = House()
    for number in range(20 * RATE):
        house.arrive("a")
        assert len(house.inside) == number + 1
        house.inside[-1][1].logged_in()
        house.inside[-1][1].leave()


def test_those_who_wait_come_in_in_their_order() -> None:
    house = House(1)
    entered: list[int] = []

    def enter(passage: Passage, number: int) -> None:
        entered.append(number)
        passage.leave()

    for number in range(5):
        house.turnstile.arrive("a", partial(enter, number=number), pytest.fail)
    assert entered == [0, 1, 2, 3, 4]
    assert house.turnstile.waiting == 0


def test_a_place_becomes_free_once() -> None:
    house = House(1)
    for _ in range(3):
        house.arrive("a")
    first = house.inside[0][1]
    first.logged_in()
    first.leave()
    first.leave()
    assert len(house.inside) == 2


def test_all_sources_together_wait_within_a_limit() -> None:
    house = House(1)
    for number in range(2 * ALL_WAITING_MAX // WAITING_MAX):
        for _ in range(WAITING_MAX + 1):
            house.arrive(str(number))
    assert house.turnstile.waiting == ALL_WAITING_MAX
    assert house.refused


@pytest.mark.security("S33")
def test_a_crowd_that_waits_keeps_nobody_out_who_need_not() -> None:
    house = House()
    for number in range(2 * ALL_WAITING_MAX // WAITING_MAX):
        for _ in range(AT_ONCE + WAITING_MAX):
            house.arrive(str(number))
    assert house.turnstile.waiting == ALL_WAITING_MAX
    refused = len(house.refused)
    house.arrive("somebody else")
    assert (house.came_in("somebody else"), len(house.refused)) == (1, refused)
    house.sleep(10)
    assert house.turnstile.waiting == ALL_WAITING_MAX


def test_who_waits_at_the_end_is_dropped() -> None:
    house = House(1)
    for _ in range(3):
        house.arrive("a")
    house.turnstile.clear()
    house.inside[0][1].leave()
    assert (len(house.inside), house.dropped, house.turnstile.waiting) == (1, 2, 0)


def test_sources_that_are_quiet_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "SOURCES_MAX", 100)
    house = House()
    for number in range(1000):
        house.arrive(str(number))
        house.inside[-1][1].leave()
    assert len(house.turnstile._sources) <= 101


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::/64"),
        ("2001:db8:1:2::1%eth0", "2001:0db8:0001:0002::/64"),
        ("@socket", "@socket"),
    ],
)
def test_what_counts_as_one_source(address: str, source: str) -> None:
    assert source_of(address) == source


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["arrive", "leave", "login", "sleep"])), max_size=200))
def test_the_limits_always_hold(steps: list[tuple[str, str]]) -> None:
    house = House(2)
    arrived = {"a": 0, "b": 0}
    open_: dict[str, list[Passage]] = {"a": [], "b": []}
    seen = 0
    for source, step in steps:
        if step == "arrive":
            arrived[source] += 1
            house.arrive(source)
        elif step == "sleep":
            house.sleep(0.05)
        elif open_[source]:
            passage = open_[source].pop()
            (passage.leave if step == "leave" else passage.logged_in)()
        for name, passage in house.inside[seen:]:
            open_[name].append(passage)
        seen = len(house.inside)
        assert all(len(passages) <= 2 for passages in open_.values())
        assert house.turnstile.waiting == sum(arrived.values()) - seen
