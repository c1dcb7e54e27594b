"""A packet that comes alone is opened at once, as it is where it comes among others."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import IntegrityError, ProtocolError
from pysshd.ssh.transport.masking import MaskingReader
from pysshd.ssh.transport.packet import PacketReader
from tests.ssh.transport.suites import MASKED, PLAIN, SUITES, came, ends, padded, pair, sealed, taken

MODES = [mode for mode in (PLAIN, *SUITES) if mode not in MASKED]
every_mode = pytest.mark.parametrize("mode", MODES)


def packets(mode: str, *payloads: bytes) -> tuple[list[bytes], PacketReader]:
    """Each payload in its packet, and who can read them."""
    writer, reader = ends(mode)
    made = []
    for payload in payloads:
        writer.write(payload)
        made.append(taken(writer))
    return made, reader


@every_mode
@given(data=st.data(), payloads=st.lists(st.binary(min_size=1, max_size=3000), max_size=8))
def test_alone_or_among_others(mode: str, data: st.DataObject, payloads: list[bytes]) -> None:
    made, reader = packets(mode, *payloads)
    found: list[bytes] = []
    for packet in made:
        cut = data.draw(st.sampled_from([None, 0, 1, len(packet) - 1]))
        if cut is None:
            payload = reader.sole(memoryview(packet))
            assert payload is not None
            found.append(bytes(payload))
        else:
            found += came(reader, packet[:cut])
            assert not cut or reader.sole(memoryview(packet[cut:])) is None
            found += came(reader, packet[cut:])
    assert found == payloads
    assert (reader.held, reader.packets, reader.bytes) == (0, len(payloads), sum(map(len, made)))
    assert reader.last_sequence == (len(payloads) - 1) % (1 << 32)


@every_mode
def test_what_is_no_single_packet_is_left_as_it_is(mode: str) -> None:
    (first, second), reader = packets(mode, b"first", b"second")
    for data in (b"", first[:3], first[:-1], first + b"x", first + second):
        assert reader.sole(memoryview(data)) is None
    assert came(reader, first + second) == [b"first", b"second"]


@every_mode
def test_the_memory_of_what_came_is_not_needed_afterwards(mode: str) -> None:
    (packet,), reader = packets(mode, b"typed")
    room = bytearray(packet)
    payload = reader.sole(memoryview(room))
    room[:] = bytes(len(room))
    assert payload is not None
    assert bytes(payload) == b"typed"
    assert len(reader._incoming) == 0


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != PLAIN])
def test_one_that_does_not_verify_leaves_nothing_behind(mode: str) -> None:
    (packet,), reader = packets(mode, b"what must not be seen" * 3)
    for at in range(4, len(packet)):
        changed = bytearray(packet)
        changed[at] ^= 1
        _, reader = ends(mode)
        with pytest.raises(IntegrityError):
            reader.sole(memoryview(changed))
        assert b"must" not in bytes(reader._arena.buffer)


@pytest.mark.security("S05")
@every_mode
def test_every_padding_length(mode: str) -> None:
    for padding, length, packet, payload in padded(mode):
        _, reader = ends(mode)
        if payload is not None:
            assert bytes(reader.sole(memoryview(packet)) or b"") == payload
        else:
            with pytest.raises(ProtocolError, match=f"padding length is {padding} in a packet of {length} bytes"):
                reader.sole(memoryview(packet))


@pytest.mark.security("S04")
@every_mode
@pytest.mark.parametrize("length", [0, 1, 4, 5, 13])
def test_a_length_that_no_packet_has_is_refused(mode: str, length: int) -> None:
    sealer, _ = pair(mode)
    _, reader = ends(mode)
    data = sealed(mode, length.to_bytes(4, "big") + bytes(length))
    assert len(data) == 4 + length + sealer.tag
    for refuses in (partial(reader.sole, memoryview(data)), partial(came, reader, data)):
        with pytest.raises(ProtocolError, match=f"packet length is {length}"):
            refuses()


def test_not_past_the_end_of_a_key() -> None:
    writer, _ = ends(PLAIN)
    reader = PacketReader(max_packets_per_key=1)
    for _ in range(2):
        writer.write(b"x")
    both = taken(writer)
    packet = both[: len(both) // 2]
    assert reader.sole(memoryview(packet)) is not None
    with pytest.raises(ProtocolError, match="1 packets under one key"):
        reader.sole(memoryview(packet))


def test_what_is_put_back_comes_next_and_nothing_is_alone_meanwhile() -> None:
    (first, second), reader = packets(PLAIN, b"first", b"second")
    payload = reader.sole(memoryview(first))
    assert payload is not None
    reader.put_back(payload)
    assert reader.held == len(b"first")
    assert reader.sole(memoryview(second)) is None
    assert came(reader, second) == [b"first", b"second"]


@pytest.mark.security("S06")
@pytest.mark.parametrize("mode", sorted(MASKED))
def test_never_where_a_fault_has_to_wait(mode: str) -> None:
    (packet,), reader = packets(mode, b"typed")
    assert isinstance(reader, MaskingReader)
    assert reader.sole(memoryview(packet)) is None
    assert came(reader, packet) == [b"typed"]
