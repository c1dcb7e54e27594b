"""What holds for every input: chunks do not matter, and nothing but events and one failure ever comes out."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import SERVICE, House, Link, execute, password, session
from tests.ssh.stack.recording import Recording, record, shown, suites

# Without an echo, so that what the server says follows from the messages alone, and not from when its driver was asked.
RECORDINGS = [record(*suite, echo=False) for suite in suites()[::5]]


def _cuts(data: st.DataObject, size: int) -> list[int]:
    return sorted({0, size, *data.draw(st.lists(st.integers(0, size), max_size=40))})


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
@given(data=st.data())
@settings(max_examples=20)
def test_any_chunking_of_the_input_gives_the_same_events_and_bytes(recording: Recording, data: st.DataObject) -> None:
    house = recording.house()
    said = b""
    for turn in recording.turns:
        for a, b in pairwise(_cuts(data, len(turn.client))):
            house.feed(turn.client[a:b])
            said += house.output()
    assert said == b"".join(turn.server for turn in recording.turns)
    assert shown(house.events) == recording.events


def _sane(house: House) -> None:
    failures = [event for event in house.events if isinstance(event, ConnectionFailed)]
    assert len(failures) <= 1
    assert house.stack.closed or not failures
    if failures:
        assert isinstance(house.events[-1], ConnectionFailed)


@pytest.mark.security("S18")
@pytest.mark.parametrize("recording", RECORDINGS[:3], ids=lambda recording: recording.name)
@given(data=st.data())
def test_recorded_sessions_mutated_or_cut(recording: Recording, data: st.DataObject) -> None:
    stream = bytearray(b"".join(turn.client for turn in recording.turns))
    for _ in range(data.draw(st.integers(0, 5))):
        stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.integers(0, len(stream)))
    house = recording.house()
    house.feed(bytes(stream[:end]))
    house.tick(1.0)
    _sane(house)


@given(st.binary(max_size=600))
@example(b"SSH-2.0-x\r\n" + b"\0\0\0\x0c\x04" + bytes(11))
def test_any_bytes_at_the_start(data: bytes) -> None:
    house = House()
    house.feed(data)
    house.tick(1.0)
    _sane(house)


KINDS = [
    SERVICE,
    password(),
    session(),
    execute(),
    c.ChannelData(0, b"some data").encode(),
    c.ChannelWindowAdjust(0, 5).encode(),
    c.ChannelEof(0).encode(),
    c.ChannelClose(0).encode(),
    c.GlobalRequest("x", True, b"").encode(),
    t.Ignore(b"x").encode(),
    t.Ping(b"x").encode(),
    t.Disconnect(11, b"x").encode(),
    t.ExtInfo((("a", b"b"),)).encode(),
    RawClient().offer.encode(),
    t.KexEcdhInit(bytes(1216)).encode(),
    t.NewKeys().encode(),
]
payloads = st.one_of(
    st.sampled_from(KINDS),
    st.binary(min_size=1, max_size=100),
    st.builds(
        lambda whole, at, value: whole[: at % len(whole)] + bytes([value]) + whole[at % len(whole) + 1 :],
        st.sampled_from(KINDS),
        st.integers(0, 2000),
        st.integers(0, 255),
    ),
    st.builds(lambda whole, at: whole[: 1 + at % len(whole)], st.sampled_from(KINDS), st.integers(0, 2000)),
)


def _silent(state: str) -> Link:
    """A client that says nothing by itself, in some state."""
    link = Link(client=RawClient(kex=["curve25519-sha256"], auto=False))
    link.client.auto = True
    getattr(link, f"to_{state}")()
    link.client.auto = False
    return link


@pytest.mark.security("S18")
@pytest.mark.parametrize("state", ["service", "auth", "open", "session"])
@given(messages=st.lists(payloads, max_size=8))
def test_any_messages_in_any_state(state: str, messages: list[bytes]) -> None:
    link = _silent(state)
    link.client.send(*messages)
    link.house.feed(link.client.output())
    link.house.tick(1.0)
    _sane(link.house)


@pytest.mark.security("S18")
@pytest.mark.parametrize("state", ["open", "session"])
@given(messages=st.lists(payloads, max_size=8))
def test_messages_that_come_whole_or_in_halves(state: str, messages: list[bytes]) -> None:
    whole, halves = _silent(state), _silent(state)
    for message in messages:
        whole.client.send(message)
        whole.house.feed(whole.client.output())
        _sane(whole.house)
        halves.client.send(message)
        wire = halves.client.output()
        halves.house.feed(wire[:9])
        halves.house.feed(wire[9:])
    for link in (whole, halves):
        link.house.tick(1.0)
    assert shown(whole.house.events) == shown(halves.house.events)
    assert whole.house.output() == halves.house.output()
    assert whole.house.stack.closed == halves.house.stack.closed
