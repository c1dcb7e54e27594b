"""When a driver has to look again at what the stack waits for: `unsettled`, which data alone do not set."""

from dataclasses import replace

import pytest

from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import SETTINGS, House, Link, execute, session, settings

KIB = 1 << 10
ZERO = ChannelId(0)
TYPED = c.ChannelData(0, b"x").encode()


def silent(link: Link) -> Link:
    """Its client answers nothing by itself from now on."""
    link.client.auto = False
    return link


def looked(link: Link) -> None:
    """A driver has looked."""
    link.house.stack.unsettled = False


def says(link: Link, *payloads: bytes) -> bool:
    """These messages come, together; whether it is to be looked again then."""
    looked(link)
    link.client.send(*payloads)
    link.house.feed(link.client.output())
    return link.house.stack.unsettled


@pytest.mark.parametrize(
    "payloads",
    [(TYPED,), (TYPED, TYPED), (c.ChannelWindowAdjust(0, 5).encode(),), (t.Ignore(b"").encode(),), (TYPED,) * 100],
    ids=["one", "two", "room", "nothing", "many"],
)
def test_data_and_room_change_nothing(payloads: tuple[bytes, ...]) -> None:
    link = Link().to_session()
    assert not says(link, *payloads)
    assert not link.house.stack.closed


@pytest.mark.parametrize(
    "payload",
    [
        session(),
        execute(),
        c.GlobalRequest("x", True, b"").encode(),
        c.ChannelEof(0).encode(),
        c.ChannelClose(0).encode(),
        t.Disconnect(11, b"x").encode(),
        t.NewKeys().encode(),
        c.ChannelData(9, b"x").encode(),
        RawClient().offer.encode(),
    ],
    ids=["open", "request", "global", "eof", "close", "disconnect", "newkeys", "stranger", "kexinit"],
)
@pytest.mark.parametrize("more", [(), (TYPED,)], ids=["alone", "behind data"])
def test_everything_else_is_a_reason_to_look(payload: bytes, more: tuple[bytes, ...]) -> None:
    assert says(silent(Link().to_session()), *more, payload)


def test_half_a_packet_is_one_too() -> None:
    link = Link().to_session()
    link.client.send(TYPED)
    wire = link.client.output()
    found = []
    for part in (wire[:10], wire[10:]):
        looked(link)
        link.house.feed(part)
        found.append(link.house.stack.unsettled)
    assert found == [True, False]
    assert link.house.data[0] == b"x"


@pytest.mark.security("S10")
@pytest.mark.parametrize("together", [1, 3])
def test_keys_that_what_is_typed_has_worn_out(together: int) -> None:
    link = silent(Link(House(settings(rekey_bytes=64 * KIB))).to_session())
    before = link.house.stack.next_deadline
    for _ in range(3000):
        if says(link, *[TYPED] * together):
            break
    due = link.house.stack.next_deadline
    assert link.house.stack.writable(ZERO) == 0, "keys are exchanged"
    assert due is not None
    assert before is not None
    assert due < before


@pytest.mark.security("S10")
def test_keys_that_what_a_program_says_has_worn_out() -> None:
    link = silent(Link(House(settings(rekey_bytes=64 * KIB))).to_session())
    stack = link.house.stack
    while not stack.unsettled or stack.writable(ZERO):
        looked(link)
        (place,) = stack.reserve(ZERO, 5000)
        place[:] = bytes(5000)
        left = stack.commit(ZERO, 5000)
        assert left == stack.writable(ZERO)
        assert stack.unsettled == (not left)
        link.house.output()


def test_what_is_left_of_the_window() -> None:
    link = Link().to_session(window=10_000)
    stack = link.house.stack
    looked(link)
    assert len(stack.reserve(ZERO, 4000)) == 1
    assert stack.commit(ZERO, 4000) == 6000
    assert stack.commit(ZERO, 0) == 0
    (place,) = stack.reserve(ZERO, 9000)
    assert len(place) == 6000
    assert stack.commit(ZERO, 6000) == 0
    assert stack.reserve(ZERO, 1) == []
    assert not stack.unsettled, "that there is no room says the relay's own look"


def test_what_a_driver_says_itself() -> None:
    link = Link().to_session()
    stack = link.house.stack
    looked(link)
    link.house.tick()
    assert stack.unsettled
    looked(link)
    stack.receive_eof()
    assert stack.unsettled


def test_questions_that_are_too_many() -> None:
    link = Link(House(settings())).to_session()
    link.house.answers = False
    asked = 0
    while link.house.stack.wants_data:
        assert says(link, c.GlobalRequest("x", True, b"").encode())
        asked += 1
        assert asked < 100
    assert asked == 32


@pytest.mark.parametrize("between", [session(), c.ChannelWindowAdjust(0, 1).encode()], ids=["questions", "room"])
def test_answers_that_are_too_many_are_looked_at_in_the_middle_of_what_came(between: bytes) -> None:
    link = Link(House(replace(SETTINGS, max_outgoing=20_000))).to_session()
    for _ in range(100):
        link.client.send(t.Ping(bytes(900)).encode(), between)
    link.house.feed(link.client.output())
    assert 20_000 <= link.house.stack.output.waiting < 25_000
    assert not link.house.stack.wants_data
