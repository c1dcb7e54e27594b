"""Many packets at once: data of one channel, gathered while they are opened, and sealed where they were read."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysshd.errors import IntegrityError, ProtocolError
from pysshd.ssh.transport.packet import PacketReader, PacketWriter
from pysshd.ssh.transport.scratch import BLOCK_SIZE, SLOT_COUNT, SLOT_SIZE, Scratch
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.transport.suites import PLAIN, SUITES, pair, taken

MODES = [PLAIN, *SUITES]
every_mode = pytest.mark.parametrize("mode", MODES)
PACKETS = 1 << 32


def _ends(mode: str, packets: int = PACKETS) -> tuple[PacketWriter, PacketReader, Scratch]:
    sealer, opener = pair(mode)
    scratch = Scratch()
    writer, reader = PacketWriter(SeededEntropy("padding"), PACKETS, scratch), PacketReader(packets, scratch)
    writer.take_key(sealer, restart=True)
    reader.take_key(opener, restart=True)
    return writer, reader, scratch


def _data(channel: int, data: bytes) -> bytes:
    return struct.pack(">BII", 94, channel, len(data)) + data


def _is_data(payload: memoryview) -> bool:
    return payload[0] == 94 and len(payload) >= 9 and int.from_bytes(payload[5:9], "big") == len(payload) - 9


def _read(reader: PacketReader, wire: bytes) -> list[bytes]:
    """What was read, the data of a run as one message."""
    reader.feed(memoryview(wire))
    came: list[bytes] = []
    while (payload := reader.next()) is not None:
        if _is_data(payload):
            data, largest = reader.gather(payload)
            assert largest <= len(data)
            came.append(_data(int.from_bytes(payload[1:5], "big"), bytes(data)))
        else:
            came.append(bytes(payload))
    reader.keep()
    return came


def _joined(payloads: list[bytes]) -> list[bytes]:
    """Data of one channel in a row as one message: what reading has to come to, however it was cut."""
    joined: list[bytes] = []
    for payload in payloads:
        if (
            joined
            and _is_data(memoryview(payload))
            and _is_data(memoryview(joined[-1]))
            and joined[-1][:5] == payload[:5]
        ):
            joined[-1] = _data(int.from_bytes(payload[1:5], "big"), joined[-1][9:] + payload[9:])
        else:
            joined.append(payload)
    return joined


messages = st.one_of(
    st.builds(_data, st.integers(0, 1), st.binary(max_size=300)),
    st.builds(_data, st.just(0), st.binary(min_size=5000, max_size=9000)),
    st.binary(min_size=1, max_size=40),
    st.just(b"\x5e"),
    st.just(struct.pack(">BII", 94, 0, 7) + b"short"),
    st.just(struct.pack(">BII", 94, 0, 2) + b"long"),
)


@every_mode
@settings(max_examples=40)
@given(payloads=st.lists(messages, max_size=12), cuts=st.lists(st.integers(0, 40_000), max_size=6))
def test_gathered_in_any_chunks_nothing_is_lost_or_moved(mode: str, payloads: list[bytes], cuts: list[int]) -> None:
    writer, reader, _ = _ends(mode)
    for payload in payloads:
        writer.write(payload)
    wire = taken(writer)
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    came = [payload for a, b in pairwise(edges) for payload in _read(reader, wire[a:b])]
    assert _joined(came) == _joined(payloads)
    assert (reader.held, reader.packets, reader.bytes) == (0, len(payloads), len(wire))


@every_mode
def test_a_run_is_one_piece(mode: str) -> None:
    writer, reader, scratch = _ends(mode)
    scratch.arena.room(300_000)  # it has seen larger ones
    pieces = [bytes([number]) * (1000 + number) for number in range(20)]
    for piece in pieces:
        writer.write(_data(3, piece))
    writer.write(b"\x5d and then something else")
    writer.write(_data(3, b"more"))
    assert _read(reader, taken(writer)) == [
        _data(3, b"".join(pieces)),
        b"\x5d and then something else",
        _data(3, b"more"),
    ]


@pytest.mark.security("S08")
@pytest.mark.parametrize("mode", list(SUITES))
@pytest.mark.parametrize("broken", [1, 2, 3])
def test_what_came_before_a_broken_packet_is_whole_and_nothing_follows(mode: str, broken: int) -> None:
    writer, reader, scratch = _ends(mode)
    scratch.arena.room(300_000)
    packets = []
    for number in range(5):
        writer.write(_data(0, bytes([65 + number]) * 1000))
        packets.append(bytearray(taken(writer)))
    packets[broken][-1] ^= 1
    reader.feed(memoryview(b"".join(packets)))
    payload = reader.next()
    assert payload is not None
    data, _ = reader.gather(payload)
    assert bytes(data) == b"".join(bytes([65 + number]) * 1000 for number in range(broken))
    for _ in range(2):
        with pytest.raises(IntegrityError):
            reader.next()


@every_mode
def test_a_bad_length_behind_a_run_is_refused(mode: str) -> None:
    writer, reader, _ = _ends(mode)
    for _ in range(3):
        writer.write(_data(0, bytes(100)))
    with pytest.raises((ProtocolError, IntegrityError)):
        _read(reader, taken(writer) + bytes(600_000))


@pytest.mark.security("S09")
@every_mode
def test_a_run_ends_where_the_key_does(mode: str) -> None:
    writer, reader, _ = _ends(mode, packets=5)
    for _ in range(7):
        writer.write(_data(0, bytes(100)))
    with pytest.raises(ProtocolError, match="peer sent 5 packets under one key"):
        _read(reader, taken(writer))
    assert reader.packets == 5


@every_mode
@settings(max_examples=40)
@given(
    size=st.integers(1, 3 * SLOT_SIZE), packet=st.sampled_from([256, 1000, 32_000, SLOT_SIZE]), extended=st.booleans()
)
def test_slots_give_the_bytes_that_were_read_into_them(mode: str, size: int, packet: int, extended: bool) -> None:
    writer, reader, scratch = _ends(mode)
    sent = SeededEntropy("data").octets(size)
    head = struct.pack(">BII", 95, 9, 1) if extended else struct.pack(">BI", 94, 9)
    at = 0
    while at < size:
        places = scratch.slots.views(size - at, packet)
        assert sum(map(len, places)) == min(size - at, packet * SLOT_COUNT)
        before = at
        for place in places:
            place[:] = sent[at : at + len(place)]
            at += len(place)
        writer.write_slots(head, at - before)
    wire = taken(writer)
    reader.feed(memoryview(wire))
    came = []
    while (payload := reader.next()) is not None:
        assert bytes(payload[: len(head)]) == head
        assert int.from_bytes(payload[len(head) : len(head) + 4], "big") == len(payload) - len(head) - 4 <= packet
        came.append(bytes(payload[len(head) + 4 :]))
    assert b"".join(came) == sent
    assert (writer.packets, writer.bytes) == (len(came), len(wire)) == (reader.packets, reader.bytes)


@pytest.mark.security("S09")
def test_slots_seal_no_packet_past_the_end_of_a_key() -> None:
    writer, _, scratch = _ends(PLAIN)
    scratch.slots.views(3000, 1000)
    writer.packets = PACKETS - 2
    with pytest.raises(ProtocolError, match="packets under one key"):
        writer.write_slots(b"\x5e\0\0\0\0", 3000)
    assert len(writer.outgoing) == 0


def test_memory_is_lent_while_bytes_wait_and_no_longer() -> None:
    writer, reader, scratch = _ends(PLAIN)
    assert scratch.size < 32_000
    for _ in range(100):
        writer.write(_data(0, bytes(32_000)))
        wire = taken(writer)
        _read(reader, wire[:20_000])
        assert reader.held == 20_000
        _read(reader, wire[20_000:])
        scratch.slots.views(1 << 20, SLOT_SIZE)
        scratch.widen_input()
    assert len(scratch.blocks) == 1
    assert scratch.size < 3 * BLOCK_SIZE
    assert len(writer.outgoing._buffer) == len(reader._incoming._carry) == 0
    scratch.release()
    assert scratch.size < 32_000
    writer.write(_data(0, bytes(32_000)))
    assert _read(reader, taken(writer)) == [_data(0, bytes(32_000))]


def test_a_block_is_never_lent_twice() -> None:
    scratch = Scratch()
    blocks = [scratch.blocks.take() for _ in range(10)]
    for block in blocks:
        scratch.blocks.give(block)
    assert len(scratch.blocks) < 10
    again = [scratch.blocks.take() for _ in range(10)]
    assert len({id(block.obj) for block in again}) == 10
