"""Framing in every mode: what comes out, what is refused, and when."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import IntegrityError, ProtocolError
from pysshd.ssh.transport.packet import PACKET_LENGTH_MAX
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.transport.suites import MASKED, PLAIN, SUITES, came, ends, padded, pair, sealed, taken

MODES = [PLAIN, *SUITES]
every_mode = pytest.mark.parametrize("mode", MODES)
every_open_mode = pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in MASKED])
every_suite = pytest.mark.parametrize("suite", SUITES)


@every_mode
@given(payloads=st.lists(st.binary(min_size=1, max_size=3000), max_size=8), cuts=st.lists(st.integers(0, 9000)))
def test_what_is_written_is_read_in_any_chunks(mode: str, payloads: list[bytes], cuts: list[int]) -> None:
    writer, reader = ends(mode)
    for payload in payloads:
        writer.write(payload[:1], payload[1:])
    wire = taken(writer)
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    found = [payload for a, b in pairwise(edges) for payload in came(reader, wire[a:b])]
    assert found == payloads
    assert (reader.held, reader.packets, reader.bytes) == (0, len(payloads), len(wire))
    assert (writer.packets, writer.bytes) == (len(payloads), len(wire))


@every_mode
def test_byte_by_byte_and_the_largest_packet(mode: str) -> None:
    writer, reader = ends(mode)
    writer.write(b"a")
    largest = bytes(PACKET_LENGTH_MAX - 32)
    writer.write(largest)
    writer.write(b"b")
    wire = taken(writer)
    found = [payload for i in range(200) for payload in came(reader, wire[i : i + 1])]
    assert found + came(reader, wire[200:]) == [b"a", largest, b"b"]


@every_mode
def test_payloads_stay_until_the_next_feed(mode: str) -> None:
    writer, reader = ends(mode)
    payloads = [bytes([number]) * 30_000 for number in range(40)]
    for payload in payloads:
        writer.write(payload)
    reader.feed(memoryview(taken(writer)))
    views = [reader.next() for _ in payloads]
    assert [bytes(view) for view in views if view is not None] == payloads


@every_mode
def test_packets_are_aligned_and_padded_at_random(mode: str) -> None:
    writer, _ = ends(mode)
    sealer, _ = pair(mode)
    for size in range(1, 70):
        writer.write(bytes(size))
        whole = len(taken(writer)) - sealer.tag
        assert (whole - sealer.clear) % sealer.block == 0
        assert 4 <= whole - 5 - size < 4 + sealer.block


def test_the_room_for_opened_packets_is_used_again() -> None:
    writer, reader = ends(PLAIN)
    came(reader, b"")
    rooms = set()
    for _ in range(100):
        writer.write(bytes(1000))
        came(reader, taken(writer))
        rooms.add(id(reader._arena.buffer))
    assert len(rooms) == 1


def test_padding_comes_from_the_pool_and_never_twice() -> None:
    writer, _ = ends(PLAIN)
    seen = set()
    for _ in range(1000):
        writer.write(b"0123456")
        wire = taken(writer)
        seen.add(wire[-wire[4] :])
    assert len(seen) == 1000
    source = SeededEntropy("padding")
    assert source.octets(1024)[:4] in seen


LENGTHS = (0, 1, 4, 5, PACKET_LENGTH_MAX + 1, 1 << 31, (1 << 32) - 1)


@pytest.mark.security("S04")
@every_open_mode
@pytest.mark.parametrize("length", LENGTHS)
def test_bad_length_is_refused_by_its_own_bytes(mode: str, length: int) -> None:
    _, reader = ends(mode)
    head = sealed(mode, struct.pack(">I", length) + bytes(12))[:4]
    with pytest.raises(ProtocolError, match=f"packet length is {length}, expected 6 to 262144"):
        came(reader, head)


@pytest.mark.security("S04")
@every_open_mode
def test_unaligned_length_is_refused_by_its_own_bytes(mode: str) -> None:
    sealer, _ = pair(mode)
    for length in range(32, 33 + sealer.block):
        _, reader = ends(mode)
        head = sealed(mode, struct.pack(">I", length) + bytes(12))[:4]
        if (length + 4 - sealer.clear) % sealer.block:
            with pytest.raises(ProtocolError, match=f"packet length is {length}"):
                came(reader, head)
        else:
            assert came(reader, head) == []


@pytest.mark.security("S04")
@every_mode
def test_nothing_is_allocated_for_a_length_that_is_only_announced(mode: str) -> None:
    _, reader = ends(mode)
    sealer, _ = pair(mode)
    length = PACKET_LENGTH_MAX - 256 + sealer.clear - 4 + (4 if sealer.clear else 0)
    length -= (length + 4 - sealer.clear) % sealer.block
    assert came(reader, sealed(mode, struct.pack(">I", length) + bytes(12))) == []
    assert len(reader._incoming._carry) < 4096
    assert len(reader._arena.buffer) < 4096


@pytest.mark.security("S05")
@every_mode
def test_every_padding_length(mode: str) -> None:
    for padding, _, packet, payload in padded(mode):
        _, reader = ends(mode)
        if payload is not None:
            assert came(reader, packet) == [payload]
        else:
            with pytest.raises(ProtocolError, match=f"padding length is {padding}"):
                came(reader, packet)


@pytest.mark.security("S07")
@pytest.mark.security("S08")
@every_suite
def test_a_packet_with_any_bit_flipped_gives_nothing(suite: str) -> None:
    writer, _ = ends(suite)
    writer.write(b"a payload")
    packet = taken(writer)
    for position in range(len(packet) * 8):
        _, reader = ends(suite)
        broken = bytearray(packet)
        broken[position // 8] ^= 1 << position % 8
        # A length that became larger makes the reader wait for one packet, and no more than that.
        with pytest.raises((IntegrityError, ProtocolError)) as error:
            came(reader, bytes(broken) + bytes(PACKET_LENGTH_MAX + 200))
        if position >= 32:
            assert error.type is IntegrityError
        assert reader.packets == 0


@every_suite
def test_packets_cannot_be_dropped_repeated_or_swapped(suite: str) -> None:
    writer, _ = ends(suite)
    packets = []
    for payload in (b"first", b"other"):
        writer.write(payload)
        packets.append(taken(writer))
    for order in ([1], [0, 0], [1, 0]):
        _, reader = ends(suite)
        with pytest.raises((IntegrityError, ProtocolError)):
            came(reader, b"".join(packets[i] for i in order) + bytes(PACKET_LENGTH_MAX + 200))


@pytest.mark.security("S09")
@every_mode
def test_no_packet_number_comes_twice_under_one_key(mode: str) -> None:
    writer, reader = ends(mode)
    writer._sequence = reader._sequence = (1 << 32) - 1
    writer.write(b"before the wrap")
    writer.write(b"after it")
    assert (writer._sequence, writer.packets) == (1, 2)
    wire = taken(writer)
    assert came(reader, wire) == [b"before the wrap", b"after it"]
    assert reader.last_sequence == 0
    writer.packets = (1 << 32) - 1
    writer.write(b"the last one")
    with pytest.raises(ProtocolError, match="packets under one key"):
        writer.write(b"one too many")
    reader.packets = 1 << 32
    with pytest.raises(ProtocolError, match="packets under one key"):
        came(reader, taken(writer))


def test_a_new_key_starts_the_counters_and_only_strict_kex_the_number() -> None:
    for restart in (False, True):
        writer, reader = ends(PLAIN)
        for _ in range(3):
            writer.write(b"x")
        came(reader, taken(writer))
        sealer, opener = pair("chacha20-poly1305@openssh.com")
        writer.take_key(sealer, restart)
        reader.take_key(opener, restart)
        assert (writer.packets, writer.bytes, reader.packets, reader.bytes) == (0, 0, 0, 0)
        writer.write(b"x")
        assert came(reader, taken(writer)) == [b"x"]
        assert reader.last_sequence == (0 if restart else 3)


def test_sent_takes_off_the_front_and_room_is_used_again() -> None:
    writer, _ = ends(PLAIN)
    writer.raw(bytes(range(200)) * 10)
    assert bytes(writer.outgoing.view()[:3]) == b"\0\1\2"
    writer.outgoing.sent(1900)
    writer.raw(b"x" * 500)
    assert bytes(writer.outgoing.view()) == bytes(range(100, 200)) + b"x" * 500
    with pytest.raises(ValueError, match="sent 601 bytes"):
        writer.outgoing.sent(601)
    for _ in range(1000):
        writer.outgoing.sent(300)
        writer.raw(b"y" * 300)
    assert len(writer.outgoing._buffer) == 2048
