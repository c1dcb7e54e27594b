"""The state matrix (F02): 256 message numbers in every state, strict kex on and off, against a table of its own.

The table is written from the RFCs, not from the gate: RFC 4253 §4.2, §7.1, §11.1, §11.4, RFC 8308 §2.4, RFC 4252 §5.1,
§6, RFC 4419 §3.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pytest

from pysshd.errors import DisconnectReason
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.transport import ConnectionFailed, PeerIdentified
from pysshd.ssh.events.userauth import AuthBegun, Challenge, InteractiveBegun
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from pysshd.ssh.wire.messages.userauth import KeyboardInteractiveBody, UserauthInfoResponse, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.kex import GROUP_EXCHANGE
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import SERVICE, House, Link, password, settings

CURVE = ["curve25519-sha256"]
CHANNEL = 0

INTERACTIVE = UserauthRequest(
    b"alice", "ssh-connection", "keyboard-interactive", KeyboardInteractiveBody(b"", b"").encode()
).encode()

LEGAL: dict[int, bytes] = {
    1: t.Disconnect(11, b"bye").encode(),
    2: t.Ignore(b"x").encode(),
    3: t.Unimplemented(0).encode(),
    4: t.Debug(True, b"x").encode(),
    5: SERVICE,
    7: t.ExtInfo((("ext-info-in-auth@openssh.com", b"0"),)).encode(),
    20: RawClient(kex=CURVE).offer.encode(),
    21: t.NewKeys().encode(),
    30: t.KexEcdhInit(bytes(range(32))).encode(),
    32: t.KexDhGexInit(b"\2").encode(),
    34: t.KexDhGexRequest(2048, 2048, 8192).encode(),
    50: password(),
    61: UserauthInfoResponse((b"x",)).encode(),
    80: c.GlobalRequest("hostkeys-00@openssh.com", False).encode(),
    81: c.RequestSuccess().encode(),
    82: c.RequestFailure().encode(),
    90: c.ChannelOpen("session", 9, 1000, 1000).encode(),
    91: c.ChannelOpenConfirmation(CHANNEL, 9, 1000, 1000).encode(),
    92: c.ChannelOpenFailure(CHANNEL, 1).encode(),
    93: c.ChannelWindowAdjust(CHANNEL, 1).encode(),
    94: c.ChannelData(CHANNEL, b"x").encode(),
    95: c.ChannelExtendedData(CHANNEL, 1, b"x").encode(),
    96: c.ChannelEof(CHANNEL).encode(),
    97: c.ChannelClose(CHANNEL).encode(),
    98: c.ChannelRequest(CHANNEL, "none-such", False).encode(),
    99: c.ChannelSuccess(CHANNEL).encode(),
    100: c.ChannelFailure(CHANNEL).encode(),
    192: t.Ping(b"x").encode(),
}


def _client(strict: bool, auto: bool = True, kex: Sequence[str] = CURVE) -> RawClient:
    return RawClient(kex=kex, auto=auto, markers=("kex-strict-c-v00@openssh.com",) if strict else ())


class Puzzled(House):
    """A house that answers keyboard-interactive with one question."""

    def _take(self, came: list[Event]) -> list[Event]:
        out = super()._take(came)
        for event in came:
            if isinstance(event, AuthBegun):
                (begun,) = [event for event in out if isinstance(event, InteractiveBegun)]
                self.stack.answer(begun.ticket, Challenge("", "", (("?", True),)), self.now)
        return out


def _identification(strict: bool) -> Link:
    link = Link(client=_client(strict, auto=False))
    assert [said[0] for said in link.pump()] == [MessageNumber.KEXINIT]
    return link


def _left(strict: bool) -> Link:
    """The client has said that it goes."""
    link = _open(strict)
    assert link.send(LEGAL[1]) == []
    return link


def _shown_out(strict: bool) -> Link:
    """The server has said that it ends."""
    link = _open(strict)
    link.house.stack.disconnect(DisconnectReason.BY_APPLICATION, "the server is shutting down")
    assert [said[0] for said in link.pump()] == [MessageNumber.DISCONNECT]
    return link


def _thrown_out(strict: bool) -> Link:
    """The client has broken the rules before anybody logged in."""
    link = _auth(strict)
    link.disconnects(LEGAL[90])
    return link


def _kexinit(strict: bool) -> Link:
    link = Link(client=_client(strict, auto=False))
    link.client.send_identification()
    link.pump()
    return link


def _kex(strict: bool) -> Link:
    link = _kexinit(strict)
    link.client.send_kexinit()
    link.pump()
    return link


def _gex(strict: bool) -> Link:
    link = Link(House(settings(kex=(GROUP_EXCHANGE,))), _client(strict, auto=False, kex=[GROUP_EXCHANGE]))
    link.client.send_identification()
    link.client.send_kexinit()
    link.pump()
    return link


def _gex_init(strict: bool) -> Link:
    link = _gex(strict)
    assert link.send(LEGAL[34])[-1][0] == MessageNumber.KEX_DH_GEX_GROUP
    return link


def _rekey_gex(strict: bool) -> Link:
    house = House(settings(kex=(*CURVE, GROUP_EXCHANGE)))
    link = Link(house, _client(strict)).to_session()
    link.client.auto = False
    link.client.send_kexinit(kex_algorithms=(GROUP_EXCHANGE,))
    link.pump()
    return link


def _rekey_gex_init(strict: bool) -> Link:
    link = _rekey_gex(strict)
    assert link.send(LEGAL[34])[-1][0] == MessageNumber.KEX_DH_GEX_GROUP
    return link


def _newkeys(strict: bool) -> Link:
    link = _kex(strict)
    link.client.send_kex_init()
    link.pump()
    return link


def _service(strict: bool) -> Link:
    link = _fresh(strict)
    link.send(LEGAL[2])
    return link


def _fresh(strict: bool) -> Link:
    return Link(client=_client(strict)).to_service()


def _auth(strict: bool) -> Link:
    return Link(client=_client(strict)).to_auth()


def _kbdint(strict: bool) -> Link:
    link = Link(Puzzled(), _client(strict)).to_auth()
    assert link.send(INTERACTIVE)[-1][0] == MessageNumber.USERAUTH_INFO_REQUEST
    return link


def _open(strict: bool) -> Link:
    return Link(client=_client(strict)).to_session()


def _rekey(strict: bool) -> Link:
    link = _open(strict)
    link.client.auto = False
    link.client.send_kexinit()
    link.pump()
    return link


def _rekey_ours(strict: bool) -> Link:
    """We have begun; what the client had sent before it saw that is legal (RFC 4253 §9)."""
    link = Link(House(settings(rekey_seconds=60)), _client(strict)).to_session()
    link.client.auto = False
    link.house.tick(61)
    assert [said[0] for said in link.pump()] == [MessageNumber.KEXINIT]
    return link


def _judged(strict: bool) -> Link:
    """A password is being checked."""
    link = _auth(strict)
    assert link.send(password(secret=b"wrong"))[-1][0] == MessageNumber.USERAUTH_FAILURE
    link.house.answers = False
    assert link.send(password()) == []
    return link


def _rekey_newkeys(strict: bool) -> Link:
    link = _rekey(strict)
    link.client.send_kex_init()
    link.pump()
    return link


class Row(NamedTuple):
    """What is legal (`taken`), without an effect (`silent`), or answered with UNIMPLEMENTED; the rest is an error."""

    enter: Callable[[bool], Link]
    taken: Iterable[int]
    silent: Iterable[int]
    unknown: Iterable[int]


CHATTER = (2, 3, 4)
GENERIC = (0, *range(8, 20), *range(22, 30))
LOCAL = (*range(128, 192), *range(194, 256))
CHANNEL_MESSAGES = (80, 81, 82, 90, *range(93, 101))

NOTHING: tuple[int, ...] = ()
EVERYTHING = range(256)

ROWS = {
    # A packet is no line of text that begins with SSH-, whatever is in it.
    "identification": Row(_identification, NOTHING, NOTHING, NOTHING),
    "kexinit": Row(_kexinit, (1, 20), CHATTER, (*GENERIC, *LOCAL)),
    "kex": Row(_kex, (1, 30), CHATTER, GENERIC),
    "newkeys": Row(_newkeys, (1, 21), CHATTER, GENERIC),
    "fresh": Row(_fresh, (1, 5, 7, 20), CHATTER, (*GENERIC, *LOCAL)),
    "service": Row(_service, (1, 5, 20), CHATTER, (*GENERIC, *LOCAL)),
    "auth": Row(_auth, (1, 5, 20, 50), CHATTER, (*GENERIC, *LOCAL, *range(54, 60), *range(62, 80))),
    "kbdint": Row(_kbdint, (1, 5, 20, 50, 61), CHATTER, (*GENERIC, *LOCAL, *range(54, 60), *range(62, 80))),
    "open": Row(
        _open,
        (1, 20, 192, *CHANNEL_MESSAGES),
        (*CHATTER, 50),
        (*GENERIC, *LOCAL, *range(54, 60), *range(62, 80), *range(83, 90), *range(101, 128)),
    ),
    # What comes meanwhile waits for the answer, which decides what it means.
    "judged": Row(_judged, NOTHING, EVERYTHING, NOTHING),
    "rekey_ours": Row(
        _rekey_ours,
        (1, 20, 192, *CHANNEL_MESSAGES),
        (*CHATTER, 50),
        (*GENERIC, *LOCAL, *range(54, 60), *range(62, 80), *range(83, 90), *range(101, 128)),
    ),
    "rekey": Row(_rekey, (1, 30), CHATTER, GENERIC),
    "rekey_newkeys": Row(_rekey_newkeys, (1, 21), CHATTER, GENERIC),
    # RFC 4419 §3: two rounds, with numbers of their own.
    "gex_request": Row(_gex, (1, 34), CHATTER, GENERIC),
    "gex_init": Row(_gex_init, (1, 32), CHATTER, GENERIC),
    "rekey_gex_request": Row(_rekey_gex, (1, 34), CHATTER, GENERIC),
    "rekey_gex_init": Row(_rekey_gex_init, (1, 32), CHATTER, GENERIC),
    "left": Row(_left, NOTHING, EVERYTHING, NOTHING),
    "shown_out": Row(_shown_out, NOTHING, EVERYTHING, NOTHING),
    "thrown_out": Row(_thrown_out, NOTHING, EVERYTHING, NOTHING),
}
NINE = {
    "identification": ("identification",),
    "key exchange": ("kexinit", "kex", "gex_request", "gex_init"),
    "newkeys": ("newkeys",),
    "service": ("fresh", "service"),
    "authentication": ("auth", "judged"),
    "keyboard-interactive": ("kbdint",),
    "authenticated": ("open",),
    "key re-exchange": (
        "rekey_ours", "rekey", "rekey_gex_request", "rekey_gex_init", "rekey_newkeys",
    ),
    "closing": ("left", "shown_out", "thrown_out"),
}  # fmt: skip
STRICT = {
    # OpenSSH's PROTOCOL §1.10: nothing but what is expected; a DISCONNECT ends everything anyway.
    "kex": Row(_kex, (1, 30), (), ()),
    "newkeys": Row(_newkeys, (1, 21), (), ()),
    "gex_request": Row(_gex, (1, 34), (), ()),
    "gex_init": Row(_gex_init, (1, 32), (), ()),
}


def _say(link: Link, number: int, taken: bool) -> list[bytes]:
    """Send one message with the number, legal in form where there is such a form."""
    client = link.client
    proper = {20: client.send_kexinit, 21: client.send_newkeys, 30: client.send_kex_init, 32: client.send_gex_init}
    if taken and number in proper:
        client.auto = False
        proper[number]()
    else:
        client.send(LEGAL.get(number, bytes([number])))
    if not any(isinstance(event, PeerIdentified) for event in link.house.events):
        client.raw(b"\n")
    return link.pump()


def _check(link: Link, number: int, row: Row) -> None:
    sequence = link.client.writer._sequence
    before = link.house.stack.closed
    said = _say(link, number, number in row.taken)
    closed = link.house.stack.closed
    if number in row.taken:
        assert closed == (number == 1)
        assert not any(isinstance(event, ConnectionFailed) for event in link.house.events)
    elif number in row.silent:
        assert (said, closed) == ([], before)
    elif number in row.unknown:
        assert (said, closed) == ([t.Unimplemented(sequence).encode()], False)
    else:
        (only,) = said
        assert t.Disconnect.decode(only) == t.Disconnect(2, b"protocol error")
        assert closed
        assert link.house.failure.reason == 2


@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
@pytest.mark.parametrize("state", ROWS)
@pytest.mark.security("S13", "S15", "S16", "S21", "S22", "S26", "S27", "S47", "S48", "S49", "S51")
def test_every_number(state: str, strict: bool) -> None:
    row = STRICT.get(state, ROWS[state]) if strict else ROWS[state]
    link = row.enter(strict)
    events = len(link.house.events)
    for number in range(256):
        # A message that moves on, or ends the connection, gets one of its own.
        harmless = number in row.silent or number in row.unknown
        _check(link if harmless and state != "fresh" else row.enter(strict), number, row)
    if row.silent is EVERYTHING:
        assert len(link.house.events) == events


def test_the_table_is_whole() -> None:
    states = [state for states in NINE.values() for state in states]
    assert sorted(states) == sorted(ROWS)
    assert len(NINE) == 9
    assert STRICT.keys() <= ROWS.keys()
    for name, row in [*ROWS.items(), *STRICT.items()]:
        named = [*row.taken, *row.silent, *row.unknown]
        assert len(named) == len(set(named)), f"{name} says two things of a number"
        assert set(named) <= set(EVERYTHING), name
