"""Rows of the table of security properties that the stack decides by itself, before a login and in key exchanges."""

import time
from collections.abc import Callable

import pytest

from pysshd.ssh.crypto.catalogue import DEFAULT_KEX
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.events.global_requests import GlobalRequested, GlobalVerdict
from pysshd.ssh.events.transport import KeysTaken, SignatureWanted
from pysshd.ssh.events.userauth import AuthBegun, AuthOffer, AuthVerdict, Outcome, PasswordOffered
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from pysshd.ssh.wire.messages.userauth import UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.kex import GROUP_EXCHANGE, METHODS
from tests.ssh.client.primes import PRIMES
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import SERVICE, SETTINGS, House, Link, password, session, settings

CURVE = ["curve25519-sha256"]
IGNORE = t.Ignore(b"x").encode()
GAP_FILLERS = {
    "ignore": IGNORE,
    "debug": t.Debug(False, b"x").encode(),
    "unimplemented": t.Unimplemented(0).encode(),
    "ext-info": t.ExtInfo(()).encode(),
    "ping": t.Ping(b"").encode(),
    "unknown": b"\xc8",
}


def _manual(strict: bool = True) -> Link:
    """A client that takes each step of the key exchange when it is told to."""
    markers = ("kex-strict-c-v00@openssh.com",) if strict else ()
    return Link(client=RawClient(kex=CURVE, auto=False, markers=markers))


def _steps(link: Link) -> list[Callable[[], None]]:
    client = link.client
    return [client.send_identification, client.send_kexinit, client.send_kex_init, client.send_newkeys]


def _through(link: Link, steps: int) -> Link:
    for step in _steps(link)[:steps]:
        step()
        link.pump()
    return link


# --- identification -------------------------------------------------------------------------------------------------


@pytest.mark.security("S01")
@pytest.mark.parametrize(
    "line",
    [b"x" * 256, b"SSH-2.0-" + b"x" * 250, b"SSH-2.0-a\0b\r\n", b"GET / HTTP/1.1\r\n", b"hello\r\n" * 1000],
)
def test_a_first_line_that_is_no_identification(line: bytes) -> None:
    link = _manual()
    link.client.raw(line)
    (said,) = link.pump()[-1:]
    assert t.Disconnect.decode(said).reason == link.house.failure.reason == 2
    assert link.house.stack.closed
    assert link.house.stack._transport.held == 0


@pytest.mark.security("S01")
def test_255_bytes_of_identification_are_taken_and_one_more_is_not() -> None:
    for size, closed in ((253, False), (254, True)):
        link = _manual()
        link.client.identification = b"SSH-2.0-".ljust(size, b"x")
        link.client.send_identification()
        link.pump()
        assert link.house.stack.closed is closed


@pytest.mark.security("S02")
def test_protocol_one() -> None:
    link = _manual()
    link.client.identification = b"SSH-1.5-old"
    link.client.send_identification()
    assert link.pump()[-1] == t.Disconnect(8, b"protocol version not supported").encode()


# --- floods ---------------------------------------------------------------------------------------------------------


@pytest.mark.security("S12")
@pytest.mark.parametrize(
    "payload", [IGNORE, t.Ignore(bytes(30000)).encode(), b"\xc8"], ids=["small", "large", "unknown"]
)
def test_chatter_before_authentication_is_bounded(payload: bytes) -> None:
    link = Link().to_auth()
    sent = 0
    while not link.house.stack.closed:
        link.send(*[payload] * 16)
        sent += 16
        assert sent <= 4096
    assert "before it is authenticated" in link.house.failure.detail


@pytest.mark.security("S12")
def test_chatter_in_a_lax_key_exchange_is_bounded() -> None:
    link = _through(_manual(strict=False), 2)
    while not link.house.stack.closed:
        link.send(*[IGNORE] * 64)
    assert link.client.writer.packets < 3000


@pytest.mark.security("S12")
def test_chatter_after_authentication_is_free() -> None:
    link = Link().to_open()
    for _ in range(100):
        assert link.send(*[IGNORE] * 64) == []
    assert not link.house.stack.closed


@pytest.mark.security("S14")
@pytest.mark.parametrize("state", [2, 3, 4])
def test_no_pong_before_authentication(state: int) -> None:
    link = _through(_manual(strict=False), state)
    said = link.send(*[t.Ping(b"x").encode()] * 100)
    assert [t.Disconnect.decode(one).reason for one in said] == [2]


# --- key exchange ---------------------------------------------------------------------------------------------------


@pytest.mark.security("S22")
@pytest.mark.parametrize("gap", [2, 3], ids=["before init", "before newkeys"])
@pytest.mark.parametrize("filler", GAP_FILLERS)
def test_strict_kex_takes_nothing_in_between(filler: str, gap: int) -> None:
    link = _through(_manual(), gap)
    assert link.disconnects(GAP_FILLERS[filler]) == t.Disconnect(2, b"protocol error")


@pytest.mark.security("S23")
@pytest.mark.parametrize("strict", [True, False])
def test_the_first_kexinit_of_a_strict_client_is_its_first_packet(strict: bool) -> None:
    link = _through(_manual(strict), 1)
    assert link.send(IGNORE) == []
    link.client.send_kexinit()
    link.pump()
    assert link.house.stack.closed is strict
    if strict:
        assert link.house.failure.detail == "first kexinit of a strict peer is packet 1, expected 0"


@pytest.mark.security("S23")
def test_numbers_start_again_at_every_newkeys_under_strict_kex() -> None:
    link = Link().to_open()
    for number in range(1, 4):
        link.client.send_kexinit()
        link.pump()
        assert link.client.exchanges == number + 1
        assert link.client.writer._sequence == 0
        assert link.house.stack._transport._reader._sequence == 0
    link.client.writer._sequence = 9
    assert link.disconnects(IGNORE).reason == 2  # chacha20: the length decrypts to something else
    assert "packet length" in link.house.failure.detail


@pytest.mark.security("S23")
def test_numbers_go_on_without_strict_kex() -> None:
    link = Link(client=RawClient(kex=CURVE, markers=())).to_open()
    before = link.client.writer._sequence
    link.client.send_kexinit()
    link.pump()
    assert link.client.exchanges == 2
    assert link.client.writer._sequence == before + 3
    assert link.send(t.Ping(b"").encode()) == [t.Pong(b"").encode()]


@pytest.mark.security("S24")
def test_a_list_of_markers_alone_agrees_on_nothing() -> None:
    link = Link(client=RawClient(kex=[], auto=False))
    link.client.begin()
    assert link.pump()[-1] == t.Disconnect(3, b"key exchange failed").encode()
    assert "the client offers ext-info-c,kex-strict-c-v00@openssh.com; this server mlkem" in link.house.failure.detail


@pytest.mark.security("S24")
def test_markers_in_a_later_kexinit_mean_nothing() -> None:
    link = Link(client=RawClient(kex=CURVE, markers=())).to_open()
    link.client.send_kexinit(kex_algorithms=(*CURVE, "ext-info-c", "kex-strict-c-v00@openssh.com"))
    came = link.pump()
    assert link.client.exchanges == 2
    assert MessageNumber.EXT_INFO not in [payload[0] for payload in came]
    assert link.client.writer._sequence > 0
    assert link.send(IGNORE) == []
    assert not link.house.stack.closed


@pytest.mark.security("S25")
def test_a_lax_peer_is_refused_where_strict_kex_is_required() -> None:
    house = House(settings(require_strict_kex=True))
    link = Link(house, RawClient(markers=(), auto=False, ciphers=["chacha20-poly1305@openssh.com"]))
    link.client.begin()
    assert link.pump()[-1] == t.Disconnect(3, b"key exchange failed").encode()
    assert "kex-strict-c-v00@openssh.com, which the policy requires" in link.house.failure.detail
    assert Link(House(settings(require_strict_kex=True))).to_open()


@pytest.mark.security("S26")
@pytest.mark.parametrize("steps", [2, 3])
def test_a_second_kexinit_in_one_exchange(steps: int) -> None:
    for strict in (False, True):
        link = _through(_manual(strict), steps)
        assert link.disconnects(link.client.offer.encode()).reason == 2


@pytest.mark.security("S27")
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("steps", "payload"),
    [
        (1, t.KexEcdhInit(bytes(32)).encode()),
        (1, t.NewKeys().encode()),
        (1, SERVICE),
        (2, t.NewKeys().encode()),
        (2, SERVICE),
        (3, t.KexEcdhInit(bytes(32)).encode()),
        (3, SERVICE),
        (4, t.NewKeys().encode()),
        (4, t.KexEcdhInit(bytes(32)).encode()),
    ],
)
def test_key_exchange_out_of_order(steps: int, payload: bytes, strict: bool) -> None:
    assert _through(_manual(strict), steps).disconnects(payload).reason == 2


@pytest.mark.security("S28")
def test_a_wrong_guess_is_dropped_and_a_right_one_used() -> None:
    wrong = Link(client=RawClient(kex=["curve25519-sha256"], auto=False))
    wrong.client.send_identification()
    wrong.client.send_kexinit(first_kex_packet_follows=True)
    wrong.client.send(t.KexEcdhInit(bytes(32)).encode())  # would be refused if it were used
    wrong.pump()
    wrong.client.send_kex_init()
    wrong.pump()
    wrong.client.send_newkeys()
    assert MessageNumber.SERVICE_ACCEPT in [payload[0] for payload in wrong.send(SERVICE)]

    right = Link(client=RawClient(auto=False))
    right.client.send_identification()
    right.client.send_kexinit(first_kex_packet_follows=True)
    right.client.receive(right.house.output())
    right.client.send_kex_init()
    assert MessageNumber.KEX_ECDH_REPLY in [payload[0] for payload in right.pump()]


@pytest.mark.security("S28")
@pytest.mark.parametrize("payload", [IGNORE, SERVICE, t.NewKeys().encode()], ids=["ignore", "service", "newkeys"])
def test_only_a_key_exchange_packet_is_taken_for_a_guess(payload: bytes) -> None:
    link = Link(client=RawClient(kex=CURVE, auto=False))
    link.client.send_identification()
    link.client.send_kexinit(first_kex_packet_follows=True)
    link.pump()
    assert link.disconnects(payload).reason == 2


@pytest.mark.security("S28")
def test_many_rekeys_with_a_wrong_guess_hold_nothing() -> None:
    link = Link(client=RawClient(kex=CURVE)).to_open()
    for number in range(200):
        link.house.now += 1.0
        link.client.auto = False
        link.client.send_kexinit(first_kex_packet_follows=True)
        link.client.send(t.KexEcdhInit(bytes(32)).encode())
        link.pump()
        link.client.send_kex_init()
        link.pump()
        link.client.send_newkeys()
        link.pump()
        assert link.client.exchanges == number + 2
    assert len(link.house.stack._transport.outgoing._buffer) < 8192


_P2048 = PRIMES[2048]
BAD_SHARES = {
    "ecdh-sha2-nistp256": [b"", bytes(65), b"\2" + bytes(32), b"\4" + bytes(64), b"\4" * 64, b"\4" * 66],
    "ecdh-sha2-nistp384": [b"", bytes(97), b"\3" + bytes(48), b"\4" + bytes(96), b"\4" * 65],
    "ecdh-sha2-nistp521": [b"", bytes(133), b"\2" + bytes(66), b"\4" + bytes(132), b"\4" * 97],
    "mlkem768nistp256-sha256": [b"", bytes(1248), bytes(1249), bytes(1250), b"\xff" * 1249, bytes(1216)],
    "mlkem1024nistp384-sha384": [b"", bytes(1664), bytes(1665), bytes(1666), b"\xff" * 1665, bytes(1249)],
    "diffie-hellman-group14-sha256": [
        codec.mpint(number)[4:] for number in (0, 1, _P2048 - 1, _P2048, _P2048 + 1, 1 << 4000)
    ]
    + [b"\xff", b"\0\1"],
    "curve25519-sha256": [b"", bytes(31), bytes(33), bytes(32), b"\1" + bytes(31), bytes(1216)],
    "mlkem768x25519-sha256": [b"", bytes(32), bytes(1215), bytes(1217), b"\xff" * 1216, bytes(1216)],
}


@pytest.mark.security("S29")
@pytest.mark.security("S30")
@pytest.mark.security("S31")
@pytest.mark.security("S32")
@pytest.mark.parametrize("kex", BAD_SHARES)
def test_bad_public_values(kex: str) -> None:
    for share in BAD_SHARES[kex]:
        link = _through(Link(House(settings(kex=(kex,))), RawClient(kex=[kex], auto=False)), 2)
        assert link.disconnects(t.KexEcdhInit(share).encode()) == t.Disconnect(3, b"key exchange failed")


def _in_group_exchange() -> Link:
    house = House(settings(kex=(GROUP_EXCHANGE,)))
    return _through(Link(house, RawClient(kex=[GROUP_EXCHANGE], auto=False)), 2)


@pytest.mark.security("S32")
@pytest.mark.parametrize("asked", [(4096, 2048, 8192), (2048, 8192, 4096), (1024, 1024, 2047), (8193, 9000, 9000)])
def test_groups_that_are_not_made_known(asked: tuple[int, int, int]) -> None:
    link = _in_group_exchange()
    assert link.disconnects(t.KexDhGexRequest(*asked).encode()) == t.Disconnect(3, b"key exchange failed")


@pytest.mark.security("S32")
@pytest.mark.parametrize("asked", [(2048, 2048, 8192), (2048, 3072, 3072), (1024, 4096, 8192)])
def test_bad_public_values_in_a_group_that_was_asked_for(asked: tuple[int, int, int]) -> None:
    for number in (0, 1, -2, -1, 0x10000):
        link = _in_group_exchange()
        (said,) = link.send(t.KexDhGexRequest(*asked).encode())
        prime = t.KexDhGexGroup.decode(said).prime
        assert prime.bit_length() == asked[1]
        value = number if number in (0, 1) else prime + 1 + number
        share = t.KexDhGexInit(codec.mpint(value)[4:]).encode()
        assert link.disconnects(share) == t.Disconnect(3, b"key exchange failed")


@pytest.mark.security("S27")
@pytest.mark.security("S32")
@pytest.mark.parametrize("strict", [True, False])
def test_the_steps_of_a_group_exchange_out_of_order(strict: bool) -> None:
    request, share = t.KexDhGexRequest(2048, 2048, 8192).encode(), t.KexDhGexInit(b"\2").encode()
    old_request = bytes([30]) + codec.uint32(2048)
    for order in ([share], [request, request], [old_request], [request, old_request], [request, share, share]):
        markers = ("kex-strict-c-v00@openssh.com",) if strict else ()
        house = House(settings(kex=(GROUP_EXCHANGE,)))
        link = _through(Link(house, RawClient(kex=[GROUP_EXCHANGE], auto=False, markers=markers)), 2)
        for payload in order:
            assert not link.house.stack.closed
            link.client.send(payload)
            link.house.feed(link.client.output())
        assert link.house.failure.reason == 2


@pytest.mark.security("S37")
@pytest.mark.parametrize("kex", [name for name in METHODS if name not in DEFAULT_KEX] + [GROUP_EXCHANGE])
def test_other_methods_exchange_keys_again_and_again(kex: str) -> None:
    house = House(settings(kex=(*DEFAULT_KEX, kex), macs=tuple(MACS)), echo=True)
    ciphers = ["aes128-ctr", "aes128-gcm@openssh.com"]
    link = Link(house, RawClient(kex=[kex], ciphers=ciphers, macs=["hmac-sha2-512"])).to_session()
    for number in range(3):
        link.house.now += 10
        link.client.send_kexinit()
        link.client.say(c.ChannelData(0, b"x").encode())
        assert c.ChannelData(7, b"x").encode() in link.pump()
        assert link.client.exchanges == number + 2
    assert {event.kex for event in house.events if isinstance(event, KeysTaken)} == {kex}


@pytest.mark.security("S35")
def test_the_session_id_is_the_first_hash_for_ever() -> None:
    link = Link(client=RawClient(kex=CURVE)).to_open()
    first = link.house.stack.session_id
    for _ in range(100):
        link.house.now += 1.0
        link.client.send_kexinit()
        link.pump()
    assert link.client.exchanges == 101
    assert link.house.stack.session_id == first == link.client.session_id
    hashes = [event.exchange_hash for event in link.house.events if isinstance(event, SignatureWanted)]
    assert len(set(hashes)) == 101
    assert {event.algorithm for event in link.house.events if isinstance(event, SignatureWanted)} == {"ssh-ed25519"}


@pytest.mark.security("S36")
@pytest.mark.parametrize("name", ["none", "ssh-rsa", "CURVE25519-sha256", "diffie-hellman-group1-sha1"])
def test_nothing_else_is_ever_chosen(name: str) -> None:
    for offer in ({"kex": [name]}, {"host_keys": [name]}, {"ciphers": [name]}):
        link = Link(client=RawClient(auto=False, **offer))  # type: ignore[arg-type]
        link.client.begin()
        assert link.pump()[-1] == t.Disconnect(3, b"key exchange failed").encode()
        assert f"the client offers {name}" in link.house.failure.detail


@pytest.mark.security("S11")
def test_compression_is_never_chosen() -> None:
    for name in ("zlib", "zlib@openssh.com"):
        link = Link(client=RawClient(auto=False))
        link.client.send_identification()
        link.client.send_kexinit(compression_client_to_server=(name,))
        assert link.pump()[-1] == t.Disconnect(3, b"key exchange failed").encode()


# --- form -----------------------------------------------------------------------------------------------------------


def _kexinit_with(names: bytes) -> bytes:
    return b"\x14" + bytes(16) + codec.string(names) + codec.string(b"") * 9 + bytes(5)


@pytest.mark.security("S17")
@pytest.mark.parametrize(
    "names",
    [b",".join([b"x"] * 60_000), b"x" * 250_000, b"," * 250_000, b"a,,b", b"a\0b", b"curve25519-sha256,", b"\xff"],
)
def test_name_lists_are_bounded_and_cheap(names: bytes) -> None:
    link = _through(_manual(), 1)
    start = time.process_time()
    assert link.disconnects(_kexinit_with(names)).reason == 2
    assert time.process_time() - start < 0.05


CUT = {
    "kexinit": (1, RawClient(kex=CURVE).offer.encode()),
    "init": (2, t.KexEcdhInit(bytes(range(32))).encode()),
    "newkeys": (3, t.NewKeys().encode()),
    "service": (4, SERVICE),
    "ext-info": (4, t.ExtInfo((("a", b"b"),)).encode()),
    "disconnect": (4, t.Disconnect(11, b"bye").encode()),
}


@pytest.mark.security("S18")
@pytest.mark.security("S19")
@pytest.mark.parametrize("name", CUT)
def test_messages_cut_or_followed_by_a_byte(name: str) -> None:
    steps, whole = CUT[name]
    sizes = range(1, len(whole)) if len(whole) < 60 else range(1, len(whole), 17)
    for payload in [*(whole[:size] for size in sizes), whole + b"\0"]:
        assert _through(_manual(), steps).disconnects(payload).reason in (2, 3)


@pytest.mark.security("S16")
def test_ext_info_comes_once_and_its_count_is_not_believed() -> None:
    link = Link().to_service()
    info = t.ExtInfo((("server-sig-algs", b"x"),)).encode()
    assert link.send(info) == []
    assert link.disconnects(info).reason == 2
    huge = b"\x07" + b"\xff" * 4
    assert Link().to_service().disconnects(huge).reason == 2
    assert Link().to_auth().disconnects(info).reason == 2
    assert Link().to_open().disconnects(info).reason == 2


@pytest.mark.security("S07")
@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes128-ctr"])
def test_a_broken_packet(cipher: str) -> None:
    link = Link(client=RawClient(ciphers=[cipher])).to_open()
    link.client.send(IGNORE)
    packet = bytearray(link.client.output())
    packet[-1] ^= 1
    link.house.feed(bytes(packet))
    assert link.pump() == [t.Disconnect(5, b"corrupted packet").encode()]
    assert link.house.stack.closed


# --- services -------------------------------------------------------------------------------------------------------


@pytest.mark.security("S48")
@pytest.mark.parametrize("service", ["ssh-connection", "", "ssh-userauth\0", "none"])
def test_only_userauth_may_be_asked_for(service: str) -> None:
    link = Link().to_service()
    assert link.disconnects(t.ServiceRequest(service).encode()) == t.Disconnect(7, b"service not available")


@pytest.mark.security("S48")
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_userauth_needs_its_service(steps: int) -> None:
    for strict in (False, True):
        assert _through(_manual(strict), steps).disconnects(password()).reason == 2


@pytest.mark.security("S47")
def test_nothing_of_the_connection_before_success() -> None:
    request = c.GlobalRequest("tcpip-forward", True, codec.text("") + codec.uint32(0)).encode()
    for payload in (session(), request):
        for link in (Link().to_service(), Link().to_auth()):
            assert link.disconnects(payload, session(), password()).reason == 2
    link = Link().to_auth()
    link.house.answers = False
    assert link.send(password(), session()) == []  # waits for the verdict
    (begun,) = [event for event in link.house.events if isinstance(event, AuthBegun)]
    link.house.answer(begun.ticket, AuthOffer(("password",), ""))
    offered = link.house.events[-1]
    assert isinstance(offered, PasswordOffered)
    link.house.answer(offered.ticket, AuthVerdict(Outcome.FAILURE, ("password",)))
    assert [payload[0] for payload in link.pump()] == [MessageNumber.USERAUTH_FAILURE, MessageNumber.DISCONNECT]


@pytest.mark.security("S49")
def test_a_second_login_changes_nothing() -> None:
    link = Link().to_open()
    count = len(link.house.events)
    assert link.send(password(user=b"bob"), UserauthRequest(b"", "", "").encode()) == []
    assert len(link.house.events) == count
    assert not link.house.stack.closed


# --- what a peer can make us hold -----------------------------------------------------------------------------------


def test_nothing_is_opened_while_a_verdict_is_owed() -> None:
    link = Link().to_auth()
    link.house.answers = False
    link.client.send(password(), *[IGNORE] * 100)
    assert len(link.house.feed(link.client.output())) == 1
    assert not link.house.stack.wants_data
    held = link.house.stack._transport.held
    assert held > 3000
    link.client.send(IGNORE)
    assert link.house.feed(link.client.output()) == []
    assert link.house.stack._transport.held > held


def test_a_driver_that_feeds_on_and_on_is_stopped() -> None:
    link = Link().to_auth()
    link.house.answers = False
    link.send(password(), IGNORE)
    for _ in range(200):
        link.house.feed(bytes(16384))
    assert link.house.failure.detail == "too much input waits for an answer"
    assert link.house.stack._transport.held == 0


def test_a_peer_that_does_not_read_is_not_read() -> None:
    link = Link().to_open()
    ping = t.Ping(bytes(30000)).encode()
    fed = 0
    while link.house.stack.wants_data:
        link.client.send(*[ping] * 4)
        link.house.feed(link.client.output())
        fed += 4
        assert fed < 100
    assert 1 << 20 <= link.house.stack.output.waiting < 5 << 18
    assert not link.house.stack.closed
    link.client.send(*[ping] * 4)
    link.house.feed(link.client.output())
    assert 1 << 20 <= link.house.stack.output.waiting < 5 << 18
    taken = link.client.receive(link.house.output())
    assert len(taken) == fed
    deadline = link.house.stack.next_deadline
    assert deadline is not None
    assert deadline <= link.house.now  # what waited can be opened now
    link.house.tick()
    assert [payload[0] for payload in link.pump()] == [MessageNumber.PONG] * 4


def test_unanswered_requests_stop_the_reading() -> None:
    link = Link().to_open()
    link.house.answers = False
    asked = c.GlobalRequest("what@example.com", True).encode()
    link.client.send(*[asked] * (SETTINGS.max_unanswered + 5))
    assert len(link.house.feed(link.client.output())) == SETTINGS.max_unanswered
    assert not link.house.stack.wants_data
    (first, *_) = [event for event in link.house.events if isinstance(event, GlobalRequested)]
    assert len(link.house.answer(first.ticket, GlobalVerdict(False, b""))) == 1


@pytest.mark.security("S09")
def test_a_key_that_has_sealed_all_that_it_may_says_nothing_more() -> None:
    link = Link(House(settings(max_packets_per_key=20))).to_open()
    for _ in range(100):
        link.client.send(t.Ping(b"").encode())
        link.house.feed(link.client.output())
    assert "packets under one key" in link.house.failure.detail
    assert link.house.stack.closed
    assert link.pump()[-1] in (t.Pong(b"").encode(), t.Disconnect(2, b"protocol error").encode())
