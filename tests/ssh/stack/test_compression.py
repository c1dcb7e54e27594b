"""zlib@openssh.com: from authentication on, across new keys, and never more memory than a packet may have (S11)."""

import gc
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pysshd.errors import ProtocolError
from pysshd.ssh.events.channels import DataReceived
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.transport.compression import PAYLOAD_MAX, REST_AFTER, Deflater, Inflater
from pysshd.ssh.transport.packet import PacketReader, PacketWriter
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import SERVICE, House, Link, password, session, settings

ZLIB = "zlib@openssh.com"
OFFER = ("none", ZLIB)
MIB = 1 << 20
KIB = 1 << 10
WINDOW_PACKET = 32 * KIB


def house(**more: Any) -> House:
    return House(settings(compression=OFFER, **more), echo=True)


def client(*names: str, **more: Any) -> RawClient:
    more.setdefault("kex", ["curve25519-sha256"])
    return RawClient(compression=names or (ZLIB, "none"), **more)


def _data(payloads: list[bytes]) -> bytes:
    return b"".join(c.ChannelData.decode(payload).data for payload in payloads if payload[0] == 94)


def _compressing(link: Link) -> tuple[bool, bool]:
    """Whether the server inflates, and deflates."""
    transport = link.house.stack._transport
    return transport._reader.inflater is not None, transport._writer.deflater is not None  # type: ignore[attr-defined]


# --- streams --------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=2000)), max_size=10))
def test_payloads_come_back_one_by_one(parts: list[tuple[bytes, bytes]]) -> None:
    ours, theirs, independent = Deflater(), Inflater(), zlib.decompressobj()
    for head, body in parts:
        payload = head + body or b"x"
        packed = ours.deflate(payload, b"") if not head else ours.deflate(head, body)
        assert theirs.inflate(memoryview(packed)) == payload
        assert independent.decompress(packed) == payload


def test_the_window_is_kept_from_packet_to_packet() -> None:
    ours = Deflater()
    text = bytes(range(256)) * 4
    first, second = ours.deflate(text, b""), ours.deflate(text, b"")
    assert len(second) < len(first) // 5


@pytest.mark.security("S11")
def test_what_a_payload_may_not_be() -> None:
    def packed(payload: bytes, mode: int = zlib.Z_SYNC_FLUSH) -> bytes:
        stream = zlib.compressobj()
        return stream.compress(payload) + stream.flush(mode)

    assert len(Inflater().inflate(memoryview(packed(bytes(PAYLOAD_MAX))))) == PAYLOAD_MAX
    for bad, why in {
        packed(bytes(PAYLOAD_MAX + 1)): "inflates to more than",
        packed(bytes(100 * MIB)): "inflates to more than",
        packed(b"x", zlib.Z_FINISH): "ends its stream",
        packed(b""): "holds nothing",
        b"": "holds nothing",
        b"\x78": "holds nothing",
        b"not zlib": "malformed",
        b"\x78\x9c" + b"\xff" * 20: "malformed",
        b"\x1f\x8b" + bytes(30): "malformed",
    }.items():
        with pytest.raises(ProtocolError, match=why) as error:
            Inflater().inflate(memoryview(bad))
        assert error.value.reason == 2


# --- when it begins and ends ----------------------------------------------------------------------------------------


@pytest.mark.security("S11")
def test_it_begins_with_authentication_and_not_before() -> None:
    link = Link(house(), client())
    link.client.begin()
    link.pump()
    assert _compressing(link) == (False, False)
    assert link.send(SERVICE)[-1][0] == MessageNumber.SERVICE_ACCEPT
    assert _compressing(link) == (False, False)
    assert link.send(password())[-1] == bytes([MessageNumber.USERAUTH_SUCCESS])
    assert _compressing(link) == (True, True)
    assert link.send(session())[-1][0] == MessageNumber.CHANNEL_OPEN_CONFIRMATION


@pytest.mark.security("S11")
@pytest.mark.parametrize("name", ["zlib", "zlib@example.com"])
def test_compression_before_authentication_is_not_offered(name: str) -> None:
    for what in (house(), House()):
        link = Link(what, RawClient(compression=[name], auto=False))
        link.client.begin()
        link.pump()
        assert link.house.failure.reason == 3
        assert f"the client offers {name}" in link.house.failure.detail


@pytest.mark.security("S36")
def test_it_is_off_unless_the_settings_say_otherwise() -> None:
    link = Link(client=client(ZLIB, "none")).to_open()
    transport = link.house.stack._transport
    assert type(transport._reader) is PacketReader
    assert type(transport._writer) is PacketWriter
    refused = Link(client=RawClient(compression=[ZLIB], auto=False))
    refused.client.begin()
    refused.pump()
    assert refused.house.failure.reason == 3


@pytest.mark.parametrize("up", [ZLIB, "none"])
@pytest.mark.parametrize("down", [ZLIB, "none"])
@pytest.mark.security("S37")
def test_each_direction_for_itself(up: str, down: str) -> None:
    raw = client(auto=True)
    link = Link(house(), raw)
    raw.send_identification()
    raw.send_kexinit(compression_client_to_server=(up,), compression_server_to_client=(down,))
    link.pump()
    link.send(SERVICE)
    assert link.send(password())[-1][0] == MessageNumber.USERAUTH_SUCCESS
    assert _compressing(link) == (up == ZLIB, down == ZLIB)
    assert link.send(session())[-1][0] == MessageNumber.CHANNEL_OPEN_CONFIRMATION


def test_a_later_exchange_can_end_it_and_begin_it_again() -> None:
    link = Link(house(), client()).to_open()
    for names in (("none",), (ZLIB,), ("none",), (ZLIB,)):
        link.house.now += 10
        link.client.send_kexinit(compression_client_to_server=names, compression_server_to_client=names)
        link.pump()
        assert _compressing(link) == (names == (ZLIB,),) * 2
        assert link.send(t.Ping(b"still there").encode())[-1][0] == MessageNumber.PONG


def test_the_streams_begin_anew_with_new_keys() -> None:
    # RFC 4253 §6.2
    link = Link(house(), client()).to_session()
    text = bytes(range(256)) * 16
    sizes = []
    for number in range(4):
        if number == 2:
            link.house.now += 10
            link.client.send_kexinit()
            link.pump()
        before = link.house.stack._transport._writer.bytes
        link.send(c.ChannelData(0, text).encode())
        sizes.append(link.house.stack._transport._writer.bytes - before)
    # Beside the echo a window adjustment may go by.
    assert sizes[1] < sizes[0] // 2
    assert sizes[2] > sizes[1] + 100
    assert sizes[3] < sizes[2] // 2


@effort(max_examples=15)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=12),
    repeat=st.integers(1, 60),
    rekeys=st.sets(st.integers(0, 11)),
)
@pytest.mark.parametrize(
    ("cipher", "mac"),
    [
        ("aes256-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com"),
        ("chacha20-poly1305@openssh.com", "hmac-sha2-256-etm@openssh.com"),
        ("aes128-ctr", "hmac-sha2-256"),
    ],
)
def test_data_come_back_across_new_keys(
    cipher: str, mac: str, pieces: list[bytes], repeat: int, rekeys: set[int]
) -> None:
    link = Link(house(macs=(mac,), rekey_bytes=20 * KIB), client(ciphers=[cipher], macs=[mac])).to_session()
    sent, came = b"", b""
    for number, piece in enumerate(pieces):
        if number in rekeys and not link.client.in_exchange:
            link.house.now += 10
            link.client.send_kexinit()
        link.client.say(c.ChannelData(0, piece * repeat).encode())
        sent += piece * repeat
        came += _data(link.pump())
    assert bytes(link.house.data[0]) == sent
    assert came + _data(link.pump()) == sent


# --- floods ---------------------------------------------------------------------------------------------------------


def _bomb(size: int) -> bytes:
    """A payload that inflates to an IGNORE of that size, as the first of a stream."""
    stream = zlib.compressobj(9)
    return stream.compress(t.Ignore(bytes(size)).encode()) + stream.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.security("S11")
@pytest.mark.parametrize("size", [PAYLOAD_MAX, MIB, 200 * MIB])
def test_a_bomb_ends_the_connection_and_fills_no_memory(size: int) -> None:
    link = Link(house(), client()).to_open()
    bomb = _bomb(size)
    link.client._deflater = None  # it is compressed already
    if len(bomb) > 200 * KIB:
        bomb = bomb[: 200 * KIB]
    link.client.send(bomb)
    data = link.client.output()
    gc.collect()
    tracemalloc.start()
    try:
        link.house.feed(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert link.house.failure.reason == 2
    assert "inflates to more than 262144 bytes" in link.house.failure.detail
    assert peak < 4 * PAYLOAD_MAX
    (said,) = link.pump()
    assert t.Disconnect.decode(said) == t.Disconnect(2, b"protocol error")


@pytest.mark.security("S11")
def test_many_small_bombs_wait_for_their_turn() -> None:
    """Each is as large as it may be, hundreds come in one read, and no more than a few are open at a time."""
    link = Link(house(), client()).to_session()
    count = 200
    for _ in range(count):
        link.client.send(t.Ignore(bytes(PAYLOAD_MAX - 100)).encode())
        link.client.send(t.Ping(b"?").encode())
    data = link.client.output()
    assert len(data) < 200 * KIB
    house_, pongs, turns = link.house, 0, 0
    link.house.feed(data)
    while True:
        came = link.client.receive(link.house.output())
        pongs += sum(payload[0] == MessageNumber.PONG for payload in came)
        if pongs == count:
            break
        # No more than `REST_AFTER` and one packet in one go, however long the driver waits.
        assert len([payload for payload in came if payload[0] == MessageNumber.PONG]) <= REST_AFTER // PAYLOAD_MAX + 2
        assert not house_.stack.wants_data
        deadline = house_.stack.next_deadline
        assert deadline is not None
        assert house_.now < deadline <= house_.now + 0.01
        house_.tick(deadline - house_.now)
        turns += 1
    assert turns >= count * PAYLOAD_MAX // (REST_AFTER + PAYLOAD_MAX)
    assert house_.stack.wants_data


@pytest.mark.security("S11")
def test_data_beyond_the_window_are_refused_as_ever() -> None:
    link = Link(house(), client()).to_session()
    link.house.events.clear()
    for _ in range(80):
        link.client.send(c.ChannelData(0, bytes(WINDOW_PACKET)).encode())
    fed = link.house.stack.receive_data(link.client.output(), link.house.now)
    for _ in range(100):
        link.house.now += 0.01
        fed += link.house.stack.tick(link.house.now)
    size = sum(len(event.data) for event in fed if isinstance(event, DataReceived))
    assert size <= 2 * MIB
    assert isinstance(fed[-1], ConnectionFailed)


def test_bytes_that_do_not_inflate_end_the_connection() -> None:
    link = Link(house(), client()).to_open()
    link.client._deflater = None
    link.client.send(b"\x5e plain")
    link.pump()
    assert link.house.failure.reason == 2
    assert "malformed" in link.house.failure.detail
