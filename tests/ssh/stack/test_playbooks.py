"""Whole ways through the stack: exactly these events, exactly these messages."""

from dataclasses import replace

import pytest

from pysshd.errors import DisconnectReason
from pysshd.ssh.crypto.catalogue import DEFAULT_USER_KEY_ALGORITHMS
from pysshd.ssh.events.channels import ChannelClosed, ChannelRequested, DataReceived, EofReceived, WindowOpened
from pysshd.ssh.events.global_requests import GlobalVerdict
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.requests import ExecRequested, RequestVerdict
from pysshd.ssh.events.transport import (
    ConnectionFailed,
    KeysTaken,
    PeerDisconnected,
    PeerIdentified,
    SignatureWanted,
    Signed,
)
from pysshd.ssh.events.userauth import (
    AuthBegun,
    AuthVerdict,
    KeyProbed,
    KeySigned,
    NoneOffered,
    Outcome,
    PasswordOffered,
)
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from pysshd.ssh.wire.messages.requests import ExitStatus
from pysshd.ssh.wire.messages.userauth import (
    PublickeyBody,
    PublickeySignedData,
    UserauthFailure,
    UserauthPkOk,
    UserauthRequest,
    UserauthSuccess,
)
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import (
    HOST_KEY,
    METHODS,
    SERVICE,
    SETTINGS,
    USER_KEY,
    House,
    Link,
    execute,
    password,
    session,
    settings,
)

ZERO = ChannelId(0)
CHACHA = "chacha20-poly1305@openssh.com"


def test_the_server_speaks_first() -> None:
    house = House(settings(identification=b"SSH-2.0-some_name"))
    line, _, packet = house.output().partition(b"\r\n")
    assert line == b"SSH-2.0-some_name"
    init = t.KexInit.decode(packet[5 : len(packet) - packet[4]])
    assert init.cookie == SeededEntropy("server").octets(16)
    assert house.stack.wants_data
    assert (house.stack.session_id, house.stack.closed) == (None, False)


def test_first_key_exchange() -> None:
    link = Link(House(answers=False))
    link.client.begin()
    came = link.pump()
    assert [payload[0] for payload in came] == [MessageNumber.KEXINIT]
    identified, wanted = link.house.events
    assert identified == PeerIdentified(b"SSH-2.0-raw")
    assert isinstance(wanted, SignatureWanted)
    assert wanted.algorithm == "ssh-ed25519"
    assert not link.house.stack.wants_data

    # What comes while the signature is owed waits for it.
    assert link.send(t.Ignore(b"").encode()) == []
    assert not link.client.session_id
    events = link.house.answer(wanted.ticket, Signed(HOST_KEY.sign("ssh-ed25519", wanted.exchange_hash)))
    assert link.house.stack.session_id == wanted.exchange_hash
    assert events == [ConnectionFailed(DisconnectReason.PROTOCOL_ERROR, "message 2 came in phase newkeys, strict")]


def test_first_key_exchange_to_its_end() -> None:
    link = Link()
    link.client.begin()
    came = link.pump()
    assert [payload[0] for payload in came] == [
        MessageNumber.KEXINIT,
        MessageNumber.KEX_ECDH_REPLY,
        MessageNumber.NEWKEYS,
        MessageNumber.EXT_INFO,
    ]
    assert t.ExtInfo.decode(came[-1]).extensions == (
        ("server-sig-algs", ",".join(DEFAULT_USER_KEY_ALGORITHMS).encode()),
        ("ping@openssh.com", b"0"),
    )
    taken = link.house.events[-1]
    assert taken == KeysTaken(True, "mlkem768x25519-sha256", "ssh-ed25519", (CHACHA, CHACHA), ("", ""), strict=True)
    assert link.client.session_id == link.house.stack.session_id
    assert link.client.host_key == HOST_KEY.public.blob
    assert link.house.stack.wants_data


def test_a_client_that_does_not_ask_gets_no_extensions() -> None:
    link = Link(client=RawClient(markers=()))
    link.client.begin()
    assert link.pump()[-1][0] == MessageNumber.NEWKEYS
    taken = link.house.events[-1]
    assert isinstance(taken, KeysTaken)
    assert not taken.strict
    assert link.send(SERVICE) == [t.ServiceAccept("ssh-userauth").encode()]


def test_publickey_login_as_openssh_does_it() -> None:
    link = Link().to_auth()
    link.house.events.clear()
    algorithm, blob = "ssh-ed25519", USER_KEY.public.blob

    def request(body: PublickeyBody) -> bytes:
        return UserauthRequest(b"alice", "ssh-connection", "publickey", body.encode()).encode()

    assert link.send(UserauthRequest(b"alice", "ssh-connection", "none").encode()) == [
        UserauthFailure(METHODS).encode()
    ]
    assert link.send(request(PublickeyBody(False, algorithm, blob))) == [UserauthPkOk(algorithm, blob).encode()]
    assert link.client.session_id is not None
    signed = PublickeySignedData(
        link.client.session_id, 50, b"alice", "ssh-connection", "publickey", True, algorithm, blob
    )
    signature = USER_KEY.sign(algorithm, signed.encode())
    assert link.send(request(PublickeyBody(True, algorithm, blob, signature))) == [UserauthSuccess().encode()]
    assert [type(event) for event in link.house.events] == [
        AuthBegun,
        NoneOffered,
        KeyProbed,
        KeySigned,
    ]


def test_everything_of_a_session_in_one_read() -> None:
    """A client that waits for nothing: each step is taken once the one before it is answered."""
    link = Link().to_service()
    link.house.events.clear()
    assert [payload[0] for payload in link.send(SERVICE, password(), session())] == [
        MessageNumber.SERVICE_ACCEPT,
        MessageNumber.USERAUTH_SUCCESS,
        MessageNumber.CHANNEL_OPEN_CONFIRMATION,
    ]
    came = link.send(execute(), c.ChannelData(0, b"some data").encode(), c.ChannelEof(0).encode())
    assert came == [c.ChannelSuccess(7).encode()]
    assert [type(event) for event in link.house.events] == [
        AuthBegun,
        PasswordOffered,
        ChannelRequested,
        ExecRequested,
        DataReceived,
        EofReceived,
    ]
    assert link.house.data == {0: bytearray(b"some data")}


def test_the_end_of_a_session() -> None:
    link = Link().to_session()
    stack = link.house.stack
    stack.send_data(ZERO, b"out")
    stack.send_data(ZERO, memoryview(b"err"), extended=1)
    stack.send_eof(ZERO)
    stack.send_exit_status(ZERO, 7)
    stack.close_channel(ZERO)
    assert link.pump() == [
        c.ChannelData(7, b"out").encode(),
        c.ChannelExtendedData(7, 1, b"err").encode(),
        c.ChannelEof(7).encode(),
        c.ChannelRequest(7, "exit-status", False, ExitStatus(7).encode()).encode(),
        c.ChannelClose(7).encode(),
    ]
    assert stack.writable(ZERO) == 0
    link.send(c.ChannelClose(0).encode())
    assert link.house.events[-1] == ChannelClosed(ZERO)
    link.send(t.Disconnect(11, b"disconnected by user").encode())
    assert link.house.events[-1:] == [PeerDisconnected(11, b"disconnected by user")]
    assert (stack.closed, stack.wants_data, stack.next_deadline, stack.output.waiting) == (True, False, None, 0)


def test_data_are_cut_to_the_clients_packets_and_bounded_by_its_window() -> None:
    link = Link().to_session(window=1000, packet=300)
    stack = link.house.stack
    assert stack.writable(ZERO) == 1000
    with pytest.raises(ValueError, match="sent 1001 bytes, expected at most 1000"):
        stack.send_data(ZERO, bytes(1001))
    stack.send_data(ZERO, bytes(range(250)) * 4)
    assert [len(c.ChannelData.decode(payload).data) for payload in link.pump()] == [300, 300, 300, 100]
    assert stack.writable(ZERO) == 0
    link.send(c.ChannelWindowAdjust(0, 50).encode())
    assert link.house.events[-1] == WindowOpened(ZERO)
    assert stack.writable(ZERO) == 50


def test_replies_stand_before_data_that_come_later() -> None:
    link = Link().to_open()
    link.send(session())
    link.client.send(execute())
    link.house.feed(link.client.output())
    link.house.stack.send_data(ZERO, b"x")
    assert link.pump() == [c.ChannelSuccess(7).encode(), c.ChannelData(7, b"x").encode()]


def test_ping_is_answered_when_open() -> None:
    link = Link().to_open()
    assert link.send(t.Ping(b"are you there").encode()) == [t.Pong(b"are you there").encode()]


def test_disconnect_of_our_own() -> None:
    link = Link().to_session()
    link.house.stack.disconnect(DisconnectReason.BY_APPLICATION, "the daemon stops")
    assert link.pump() == [t.Disconnect(11, b"the daemon stops").encode()]
    link.house.stack.disconnect(DisconnectReason.BY_APPLICATION, "again")
    assert link.house.stack.closed
    assert link.send(c.ChannelData(0, b"x").encode()) == []
    link.house.stack.consumed(ZERO, 0)
    link.house.stack.send_eof(ZERO)
    assert link.house.stack.output.waiting == 0


def test_end_of_the_stream() -> None:
    house = House()
    house.stack.receive_eof()
    assert house.stack.closed
    assert house.feed(b"SSH-2.0-late\r\n") == []
    assert not house.stack.wants_data


def test_answers_that_nobody_waits_for_are_dropped() -> None:
    link = Link().to_session()
    for verdict in (
        Signed(b""),
        AuthVerdict(Outcome.SUCCESS, ()),
        RequestVerdict(True),
        GlobalVerdict(True, b""),
    ):
        assert link.house.answer(Ticket(999), verdict) == []
    assert link.pump() == []
    early = House()
    assert early.answer(Ticket(1), RequestVerdict(True)) == []


@pytest.mark.security("S03")
def test_login_grace_is_absolute() -> None:
    link = Link(House(replace(SETTINGS, login_grace=20.0))).to_auth()
    for _ in range(19):
        link.house.now += 1
        assert link.send(t.Ignore(b"").encode()) == []
        assert link.house.stack.next_deadline == 1020.0
        assert link.house.tick() == []
    assert link.house.tick(1.0) == [link.house.failure]
    assert link.house.failure.detail == "peer did not authenticate within 20 seconds"
    assert [t.Disconnect.decode(payload) for payload in link.pump()] == [t.Disconnect(11, b"closed")]


def test_login_grace_ends_with_the_login() -> None:
    link = Link(House(replace(SETTINGS, login_grace=20.0))).to_open()
    assert link.house.tick(30.0) == []
    assert not link.house.stack.closed


def test_keepalives_come_from_the_connection() -> None:
    what = replace(SETTINGS, connection=replace(SETTINGS.connection, keepalive_interval=10.0, keepalive_count=2))
    link = Link(House(what)).to_open()
    said: list[list[bytes]] = []
    while not link.house.stack.closed and len(said) < 10:
        deadline = link.house.stack.next_deadline
        assert deadline is not None
        link.house.tick(max(0.0, deadline - link.house.now))
        said.append(link.pump())
    keepalive = c.GlobalRequest("keepalive@openssh.com", True).encode()
    flat = [payload for one in said for payload in one]
    assert flat == [keepalive, keepalive, t.Disconnect(10, b"no sign of life").encode()]


def test_a_verdict_that_does_not_fit_is_our_own_defect() -> None:
    link = Link().to_auth()
    link.house.answers = False
    link.send(password())
    begun = link.house.events[-1]
    assert isinstance(begun, AuthBegun)
    with pytest.raises(TypeError, match="expected AuthOffer"):
        link.house.stack.answer(begun.ticket, AuthVerdict(Outcome.SUCCESS, ()), 0.0)
    assert not link.house.stack.closed
