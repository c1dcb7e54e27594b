"""New keys in the middle of everything: by bytes, by time, from either side, and nothing lost (S10, S15, S38)."""

import hashlib

import pytest

from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.events.transport import KeysTaken
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import House, Link, execute, password, session, settings
from tests.ssh.stack.measure import suites

ZERO = ChannelId(0)
KIB = 1 << 10
MIB = 1 << 20
SUITES = list(suites())
CURVE = ["curve25519-sha256"]


def _keys(link: Link) -> int:
    return sum(isinstance(event, KeysTaken) for event in link.house.events)


def _wants_data(link: Link) -> bool:
    return link.house.stack.wants_data


def _numbers(payloads: list[bytes]) -> list[int]:
    return [payload[0] for payload in payloads]


def _data(payloads: list[bytes]) -> bytes:
    return b"".join(c.ChannelData.decode(payload).data for payload in payloads if payload[0] == 94)


@pytest.mark.security("S10")
@pytest.mark.security("S38")
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lax"])
@pytest.mark.parametrize(("cipher", "mac"), SUITES)
def test_a_mebibyte_each_way_with_new_keys_every_64_kib(cipher: str, mac: str, strict: bool) -> None:
    """The house echoes; it begins the exchanges, and so does the client, in turns."""
    markers = ("kex-strict-c-v00@openssh.com",) if strict else ()
    client = RawClient(kex=CURVE, ciphers=[cipher], macs=[mac], markers=markers)
    link = Link(House(settings(rekey_bytes=64 * KIB, macs=tuple(MACS)), echo=True), client).to_session()
    sent = hashlib.shake_256(cipher.encode()).digest(MIB)
    came = b""
    window = 0
    for at in range(0, MIB, 7000):
        client.say(c.ChannelData(0, sent[at : at + 7000]).encode())
        if at % 77_000 == 0 and not client.in_exchange:
            client.send_kexinit()
        payloads = link.pump()
        window += sum(c.ChannelWindowAdjust.decode(one).bytes_to_add for one in payloads if one[0] == 93)
        came += _data(payloads)
    came += _data(link.pump())
    assert link.house.data[0] == sent
    assert came == sent
    assert not link.house.stack.closed
    assert _keys(link) == client.exchanges > 16
    assert window > MIB // 2


@pytest.mark.security("S10")
def test_we_begin_after_enough_bytes_sent() -> None:
    link = Link(House(settings(rekey_bytes=64 * KIB))).to_session()
    link.house.stack.send_data(ZERO, bytes(60 * KIB))
    assert link.house.stack.writable(ZERO) > 0
    link.house.stack.send_data(ZERO, bytes(8 * KIB))
    assert link.house.stack.writable(ZERO) == 0
    with pytest.raises(ValueError, match="expected at most 0"):
        link.house.stack.send_data(ZERO, b"x")
    came = link.pump()
    assert _numbers(came) == [94, 94, 94, 20, 31, 21]
    assert _keys(link) == 2
    assert link.house.stack.writable(ZERO) > 0


@pytest.mark.security("S10")
def test_we_begin_after_enough_bytes_received() -> None:
    link = Link(House(settings(rekey_bytes=64 * KIB))).to_session()
    for number in range(1, 10):
        link.send(c.ChannelData(0, bytes(30 * KIB)).encode())
        assert _keys(link) == 1 + number // 3


@pytest.mark.security("S10")
def test_we_begin_after_enough_time_and_never_before_a_login() -> None:
    link = Link(House(settings(rekey_seconds=100.0))).to_auth()
    link.house.tick(1000.0)
    assert link.pump() == []
    link = Link(House(settings(rekey_seconds=100.0))).to_open()
    assert link.house.stack.next_deadline == 1100.0
    link.house.tick(99.0)
    assert link.pump() == []
    link.house.tick(1.0)
    assert _numbers(link.pump()) == [20, 31, 21]
    assert link.house.stack.next_deadline == 1200.0


@pytest.mark.security("S09")
def test_we_begin_before_packet_numbers_run_out() -> None:
    """With no limit on bytes there is still one that so many packets cannot pass."""
    link = Link(House(settings(rekey_bytes=0, rekey_packets=1000))).to_open()
    packets = 0
    while _keys(link) == 1:
        link.send(t.Ignore(b"").encode())
        packets += 1
    assert 300 < packets < 1000


@pytest.mark.security("S10")
def test_a_peer_that_does_not_answer_is_dropped() -> None:
    link = Link(House(settings(rekey_seconds=100.0, kex_timeout=30.0))).to_open()
    link.client.auto = False
    link.house.tick(100.0)
    assert _numbers(link.pump()) == [MessageNumber.KEXINIT]
    assert link.house.stack.next_deadline == 1130.0
    link.house.tick(29.0)
    assert link.send(t.Ignore(b"").encode()) == []
    link.house.tick(1.0)
    assert link.pump() == [t.Disconnect(3, b"key exchange failed").encode()]
    assert link.house.failure.detail == "key exchange did not end within 30 seconds"


@pytest.mark.security("S10")
@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_the_first_exchange_has_its_time_too(steps: int) -> None:
    link = Link(House(settings(kex_timeout=30.0)), RawClient(auto=False))
    client = link.client
    for step in (client.send_identification, client.send_kexinit, client.send_kex_init)[:steps]:
        link.house.tick(9.0)
        step()
        link.pump()
    assert link.house.stack.next_deadline == 1030.0
    link.house.tick(30.0 - 9.0 * steps)
    assert link.pump()[-1] == t.Disconnect(3, b"key exchange failed").encode()


@pytest.mark.security("S15")
def test_data_on_their_way_before_the_peers_kexinit_are_delivered() -> None:
    link = Link(House(settings(rekey_seconds=100.0))).to_session()
    link.house.tick(100.0)  # our KEXINIT is out, the client does not know yet
    link.client.send(*[c.ChannelData(0, bytes([number]) * 1000).encode() for number in range(100)])
    link.client.send(session(8), t.Ping(b"x").encode())
    came = link.pump()
    assert _keys(link) == 2
    assert link.house.data[0] == b"".join(bytes([number]) * 1000 for number in range(100))
    # What had to be said meanwhile comes after the exchange; the open was answered later than the ping.
    assert _numbers(came) == [20, 31, 21, MessageNumber.PONG, MessageNumber.CHANNEL_OPEN_CONFIRMATION]


@pytest.mark.security("S15")
@pytest.mark.parametrize("ours", [True, False], ids=["we began", "the peer began"])
@pytest.mark.parametrize(
    "payload",
    [c.ChannelData(0, b"x").encode(), execute(), session(), t.Ping(b"").encode(), t.ServiceRequest("x").encode()],
    ids=["data", "request", "open", "ping", "service"],
)
def test_nothing_but_the_exchange_after_the_peers_kexinit(payload: bytes, ours: bool) -> None:
    for steps in (1, 2):
        link = Link(House(settings(rekey_seconds=100.0))).to_session()
        link.client.auto = False
        if ours:
            link.house.tick(100.0)
            link.pump()
        link.client.send_kexinit()
        link.pump()
        if steps == 2:
            link.client.send_kex_init()
            link.pump()
        assert link.disconnects(payload) == t.Disconnect(2, b"protocol error")


@pytest.mark.security("S15")
def test_what_waits_for_the_end_of_an_exchange_is_bounded() -> None:
    link = Link(House(settings(rekey_seconds=100.0))).to_session()
    link.client.auto = False
    link.house.tick(100.0)
    link.pump()
    count = 0
    while not link.house.stack.closed:
        link.send(*[t.Ping(b"x").encode()] * 100)
        count += 100
        assert count < 10_000
    assert link.house.failure.detail.endswith("wait for the peer to end its key exchange")


@pytest.mark.security("S38")
def test_exchanges_without_traffic_are_slowed_down() -> None:
    link = Link(House(settings(rekey_burst=5, rekey_rate=2.0)), RawClient(kex=CURVE)).to_open()
    for number in range(5):
        link.client.send_kexinit()
        link.pump()
        assert link.client.exchanges == number + 2
    assert _wants_data(link)
    link.client.send_kexinit()
    link.pump()
    assert link.client.exchanges == 6
    assert not _wants_data(link)
    assert link.house.stack.next_deadline == link.house.now + 0.5
    link.house.tick(0.5)
    link.pump()
    assert link.client.exchanges == 7
    assert _wants_data(link)


@pytest.mark.security("S33", "S38")
def test_exchanges_before_a_login_are_few_whatever_the_traffic() -> None:
    link = Link(House(), RawClient(kex=CURVE)).to_auth()
    for number in range(2):
        link.client.send_kexinit()
        link.pump()
        assert link.client.exchanges == number + 2
    link.send(t.Ignore(bytes(40_000)).encode())
    link.client.send_kexinit()
    link.pump()
    assert not _wants_data(link)
    assert link.house.stack.next_deadline == link.house.now + 1
    link.house.tick(1)
    link.pump()
    assert link.client.exchanges == 4
    assert link.send(password())[-1][0] == MessageNumber.USERAUTH_SUCCESS


@pytest.mark.security("S38")
def test_exchanges_with_traffic_are_not() -> None:
    link = Link(House(settings(rekey_burst=1)), RawClient(kex=CURVE)).to_session()
    for number in range(20):
        link.send(c.ChannelData(0, bytes(32768)).encode())
        link.client.send_kexinit()
        link.pump()
        assert link.client.exchanges == number + 2


@pytest.mark.security("S38")
def test_a_hundred_channels_through_many_exchanges() -> None:
    link = Link(House(settings(rekey_bytes=64 * KIB), echo=True), RawClient(kex=CURVE)).to_open()
    for number in range(100):
        link.client.say(session(number))
        link.pump()
    for turn in range(30):
        for number in range(100):
            link.client.say(c.ChannelData(number, bytes([number]) * (100 + turn)).encode())
        link.pump()
    assert _keys(link) > 5
    total = sum(100 + turn for turn in range(30))
    assert link.house.data == {number: bytearray([number]) * total for number in range(100)}
    echoed: dict[int, bytes] = {}
    for payload in link.client.received:
        if payload[0] == 94:
            data = c.ChannelData.decode(payload)
            echoed[data.recipient] = echoed.get(data.recipient, b"") + data.data
    assert echoed == {number: bytes([number]) * total for number in range(100)}


def test_both_begin_at_once() -> None:
    link = Link(House(settings(rekey_seconds=100.0))).to_session()
    link.house.tick(100.0)
    link.client.send_kexinit()
    assert _numbers(link.pump()) == [20, 31, 21]
    assert _keys(link) == link.client.exchanges == 2
    assert link.send(t.Ping(b"").encode()) == [t.Pong(b"").encode()]


def test_a_rekey_in_the_middle_of_authentication() -> None:
    link = Link(client=RawClient(kex=CURVE)).to_auth()
    link.client.send_kexinit()
    link.pump()
    assert link.client.exchanges == 2
    assert not link.house.stack.closed
