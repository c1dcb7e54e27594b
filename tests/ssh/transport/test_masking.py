"""Without encrypt-then-MAC a peer that changes bytes learns nothing by what it changed: S06."""

import pytest

from pysshd.errors import IntegrityError, ProtocolError
from pysshd.ssh.crypto.ctr_mac import MASKED_SIZE
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.transport.masking import MaskingReader
from pysshd.ssh.transport.packet import PACKET_LENGTH_MAX, PacketReader
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages.transport import Disconnect, Ignore
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import House, Link, settings
from tests.ssh.transport.suites import MASKED, ends, taken

every_suite = pytest.mark.parametrize("suite", sorted(MASKED))


def test_the_size_is_that_of_the_largest_packet() -> None:
    assert MASKED_SIZE == PACKET_LENGTH_MAX


def _broken(packet: bytes, at: int, bit: int = 0) -> bytes:
    return packet[:at] + bytes([packet[at] ^ 1 << bit]) + packet[at + 1 :]


def _until_told(reader: PacketReader, stream: bytes, fed: int, edge: int) -> tuple[int, str]:
    """After how many bytes of the stream which fault comes: in steps up to the edge, byte by byte around it."""
    while True:
        step = 1000 if fed < edge - 1100 else 1
        reader.feed(memoryview(stream[fed : fed + step]))
        fed += step
        try:
            assert reader.next() is None
        except IntegrityError as error:
            return fed, str(error)
        reader.keep()


@pytest.mark.security("S06")
@every_suite
def test_whatever_was_changed_it_is_told_after_as_many_bytes(suite: str) -> None:
    writer, _ = ends(suite)
    for payload in (b"first", b"a payload of some bytes"):
        writer.write(payload)
    mac = 64 if "512" in suite else 32
    wire = taken(writer)
    size = 32 + mac
    first, second = wire[: 16 + mac], wire[16 + mac :]
    assert len(second) == size
    told = set()
    # Each bit of the length and of the paddings' length, some of the payload, the first and the last of the MAC.
    changes = [(at, bit) for at in range(5) for bit in range(8)] + [(20, 3), (31, 7), (32, 0), (size - 1, 7)]
    for at, bit in changes:
        _, reader = ends(suite)
        stream = first + _broken(second, at, bit) + bytes(2 * MASKED_SIZE)
        reader.feed(memoryview(stream[: len(first)]))
        assert bytes(reader.next() or b"") == b"first"
        reader.keep()
        told.add((*_until_told(reader, stream, len(first), len(first) + MASKED_SIZE + mac), reader.packets))
    assert told == {(len(first) + MASKED_SIZE + mac, "packet does not verify under its encrypt-and-mac", 1)}


@pytest.mark.security("S06")
@every_suite
def test_a_broken_packet_of_the_largest_size(suite: str) -> None:
    writer, _ = ends(suite)
    writer.write(bytes(MASKED_SIZE - 16))
    packet = taken(writer)
    _, reader = ends(suite)
    reader.feed(memoryview(packet[:-1]))
    assert reader.next() is None
    reader.keep()
    reader.feed(memoryview(bytes([packet[-1] ^ 1])))
    with pytest.raises(IntegrityError):
        reader.next()


def _answers(mac: str, at: int) -> list[tuple[int, bytes]]:
    """After how many bytes of the stream the server says what, where the byte at `at` of a packet is changed."""
    link = Link(House(settings(macs=tuple(MACS))), RawClient(ciphers=["aes128-ctr"], macs=[mac])).to_session()
    link.client.send(Ignore(b"x" * 40).encode())
    stream = _broken(link.client.output(), at) + bytes(2 * MASKED_SIZE)
    said = []
    for start in range(0, len(stream), 64):
        link.house.feed(stream[start : start + 64])
        out = link.house.output()
        if out:
            said += [(start, one) for one in link.client.receive(out)]
    assert link.house.stack.closed
    return said


@pytest.mark.security("S06")
@pytest.mark.parametrize("mac", ["hmac-sha2-256", "hmac-sha2-512"])
def test_what_the_peer_is_told(mac: str) -> None:
    answers = [_answers(mac, at) for at in (0, 1, 2, 3, 4, 17, 70, 80)]
    assert all(each == answers[0] for each in answers)
    ((_, said),) = answers[0]
    assert Disconnect.decode(said) == Disconnect(5, b"corrupted packet")


@pytest.mark.security("S06")
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 30, 1050, -1])
def test_a_broken_packet_behind_others_in_one_read(at: int) -> None:
    """Runs of data are opened in a way of their own."""
    link = Link(
        House(settings(macs=tuple(MACS))), RawClient(ciphers=["aes128-ctr"], macs=["hmac-sha2-256"])
    ).to_session()
    link.client.send(*[c.ChannelData(0, b"x" * 1000).encode()] * 3)
    good = link.client.output()
    link.client.send(c.ChannelData(0, b"x" * 1000).encode())
    bad = link.client.output()
    bad = _broken(bad, at % len(bad))
    link.house.feed(good + bad + bytes(MASKED_SIZE + 32 - len(bad) - 1))
    assert len(link.house.data[0]) == 3000
    assert not link.house.stack.closed
    link.house.feed(b"\0")
    assert link.house.failure.reason == 5


@pytest.mark.security("S06")
def test_memory_for_a_broken_packet_is_bounded() -> None:
    link = Link(
        House(settings(macs=tuple(MACS))), RawClient(ciphers=["aes128-ctr"], macs=["hmac-sha2-256"])
    ).to_session()
    link.client.send(c.ChannelData(0, b"x" * 1000).encode())
    link.house.feed(_broken(link.client.output(), 0))
    held = 0
    while not link.house.stack.closed:
        assert link.house.stack.wants_data
        link.house.feed(bytes(4000))
        held = max(held, link.house.stack._transport.held)
    assert held <= MASKED_SIZE + 64 + 4000


@pytest.mark.security("S06")
def test_where_the_length_is_vouched_for_it_is_told_at_once() -> None:
    link = Link(House(settings(macs=tuple(MACS))), RawClient(ciphers=["aes128-ctr"])).to_session()
    link.client.send(Ignore(b"x").encode())
    link.house.feed(b"\xff" + link.client.output()[1:])
    assert link.house.stack.closed
    link = Link(House(settings(macs=tuple(MACS))), RawClient(ciphers=["aes128-ctr"])).to_session()
    link.client.send(Ignore(b"x").encode())
    link.house.feed(_broken(link.client.output(), 20))
    assert link.house.failure.reason == 5


def test_plain_packets_before_the_first_keys_are_as_strict_as_ever() -> None:
    link = Link(House(settings(macs=tuple(MACS))))
    link.house.feed(b"SSH-2.0-x\r\n" + b"\xff" * 4)
    assert link.house.stack.closed
    reader = MaskingReader(1000)
    reader.feed(memoryview(b"\xff" * 16))
    with pytest.raises(ProtocolError, match="packet length"):
        reader.next()
