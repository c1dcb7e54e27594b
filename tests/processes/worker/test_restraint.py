"""How much of one channel's output may lie at the client while it has other channels."""

from hypothesis import given
from hypothesis import strategies as st

from pysshd.processes.worker.restraint import LEAST, LIMIT, STEP, Restraint
from pysshd.ssh.wire.messages.connection import ChannelOpen
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.processes.worker.house import House, Program, house

WINDOW = 2 << 20


def pour(home: House, program: Program, turns: int = 30) -> int:
    """Have the program say what is taken, and how much came."""
    for _ in range(turns):
        program.write(b"x" * 65536)
        home.turn()
    return home.size


def another(home: House) -> None:
    home.came = [payload for payload in home.came if payload[0] != N.CHANNEL_OPEN_CONFIRMATION]
    home.send(ChannelOpen("session", 8, WINDOW, 32768).encode())
    home.until(lambda: N.CHANNEL_OPEN_CONFIRMATION in home.numbers())


def test_a_channel_that_is_alone_has_all_of_its_window() -> None:
    with house() as home:
        program = home.to_program(WINDOW)
        assert pour(home, program, 80) == WINDOW


def test_one_of_several_is_held_back_for_a_moment_at_a_time() -> None:
    with house() as home:
        program = home.to_program(WINDOW)
        another(home)
        relay = home.driver._relays[0]
        while not relay.restraint.held:
            program.write(b"x" * 65536)
            home.turn()
        assert LIMIT - LEAST <= home.size <= LIMIT
        limit = relay.restraint.limit
        home.until(lambda: relay.restraint.limit > limit)
        # Whoever never makes room still gets its window, for it may be waiting for all of it.
        home.until(lambda: pour(home, program, 1) == WINDOW)


def test_a_client_that_keeps_up_has_its_limit_again() -> None:
    restraint = Restraint()
    for _ in range(10):
        restraint.waited()
    assert restraint.limit == LIMIT + 10 * STEP
    for _ in range(100):
        restraint.kept_up()
    assert restraint.limit == LIMIT


@given(st.integers(0, 1 << 32), st.integers(-(1 << 32), 1 << 32), st.integers(0, 30))
def test_room_is_never_more_than_there_is_and_held_says_why_there_is_none(room: int, unread: int, steps: int) -> None:
    restraint = Restraint()
    for _ in range(steps):
        restraint.waited()
    given_ = restraint.room(room, unread)
    assert 0 <= given_ <= room
    assert restraint.held == (given_ == 0 and restraint.limit - unread < min(room, LEAST))
    if not restraint.held:
        assert given_ == min(room, restraint.limit - unread)
