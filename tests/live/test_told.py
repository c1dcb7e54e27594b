"""What a client is told, however something fails: a few fixed words, and nothing of this host (S121)."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator

import pytest

from pysshd.errors import DisconnectReason
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import (
    ChannelData,
    ChannelOpen,
    ChannelOpenFailure,
    ChannelRequest,
    ChannelWindowAdjust,
    GlobalRequest,
)
from pysshd.ssh.wire.messages.requests import DirectTcpip, Exec, ExitSignal
from pysshd.ssh.wire.messages.transport import Debug, Disconnect, Ignore, KexEcdhInit, ServiceRequest
from pysshd.ssh.wire.messages.userauth import UserauthBanner, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.channel import opened
from tests.live.client import HOST, Keys
from tests.live.conftest import Serve
from tests.live.daemon import PLAIN, Daemon, serving
from tests.live.wire import Wire, wire
from tests.ssh.client.raw import RawClient

POLICY = """
limits: {startups: {start: 100, rate: 30%, full: 200}, sessions_per_connection: 2, login_grace: 20s}
users: {alice: {keys: ["@@alice@@"]}, zebedee: {keys: ["@@bob@@"]}, denied: {keys: ["@@denied@@"]}}
login: [{who: denied, refuse: true}, {who: "*", methods: publickey}]
roles: {odd-role: {shell: [/nonexistent/shell], exec: ["/nonexistent/program", "missing-program *", /etc/passwd]}}
grants: [{who: alice, roles: odd-role, name: odd-grant}]
"""

WORDS = frozenset(
    {
        "", "protocol error", "key exchange failed", "corrupted packet", "service not available",
        "protocol version not supported", "too many authentication attempts", "closed",
        "not for a client to open", "unknown channel type", "destination not acceptable", "originator not acceptable",
        "maximum packet size too small", "too many channels", "too many sessions", "refused", "refused (id ID)",
        "login took too long", "the server is shutting down", "login refused (id ID)\r\n",
        "too many authentication attempts: login refused (id ID)",
    }
)  # fmt: skip
"""All that a client is ever told in words, from whatever file of ours they come. An id is drawn by lot."""

A_DRAWN_ID = re.compile(r"\(id [0-9a-hjkmnp-tv-z]{10}\)")

NUMBERS = range(1, 256)


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    with serving(POLICY, keys, mode=PLAIN, expected=("session.failed",)) as daemon:
        yield daemon


def told(payloads: list[bytes]) -> set[str]:
    """Every word of a failure in what a client received."""
    found = set()
    for payload in payloads:
        if payload[0] == Number.DISCONNECT:
            found.add(Disconnect.decode(payload).description.decode())
        elif payload[0] == Number.DEBUG:
            found.add(Debug.decode(payload).message.decode())
        elif payload[0] == Number.CHANNEL_OPEN_FAILURE:
            found.add(ChannelOpenFailure.decode(payload).description.decode())
        elif payload[0] == Number.USERAUTH_BANNER:
            found.add(UserauthBanner.decode(payload).message)
        elif payload[0] == Number.CHANNEL_REQUEST and b"exit-signal" in payload:
            found.add(ExitSignal.decode(ChannelRequest.decode(payload).data).message.decode())
    return {A_DRAWN_ID.sub("(id ID)", text) for text in found}


def until_over(held: Wire) -> set[str]:
    """All that was told up to the end of a connection."""
    try:
        held.rest()
    except OSError:
        pass
    return told(held.client.received)


EARLY: dict[str, Callable[[Wire], object]] = {
    "an old version": lambda held: held.client.raw(b"SSH-1.5-x\r\n"),
    "no version": lambda held: held.client.raw(b"GET /etc/passwd HTTP/1.1\r\n\r\n"),
    "a length": lambda held: held.client.raw(b"SSH-2.0-x\r\n" + b"\xff" * 32),
    "a message too early": lambda held: _begun(held, ChannelOpen("session", 0, 1, 32768).encode()),
    "a bad share": lambda held: _begun(held, KexEcdhInit(b"").encode()),
}


def _begun(held: Wire, payload: bytes) -> None:
    held.client.auto = False
    held.client.begin()
    held.flush()
    held.until(Number.KEXINIT)
    held.client.send(payload)


@pytest.mark.security("S121")
@pytest.mark.parametrize("what", EARLY)
def test_before_there_are_keys(house: Daemon, what: str) -> None:
    with wire(house, exchange=False) as held:
        EARLY[what](held)
        held.flush()
        words = until_over(held)
    assert words <= WORDS


@pytest.mark.security("S121")
def test_nothing_in_common(house: Daemon) -> None:
    old = RawClient(kex=["diffie-hellman-group1-sha1"])
    for client in (old, RawClient(ciphers=["aes128-cbc"]), RawClient(host_keys=["ssh-dss"])):
        with contextlib.closing(Wire(house, client)) as held:
            held.client.begin()
            held.flush()
            try:
                words = until_over(held)
            except Exception:  # the client of the tests finds nothing in common either
                words = told(held.client.received)
        assert words <= WORDS


LATE: dict[str, list[bytes]] = {
    "another service": [ServiceRequest("/etc/shadow").encode()],
    "a channel": [ChannelOpen("session", 0, 1, 32768).encode()],
    "noise": [bytes([50]) + b"\xff" * 8],
    "another name": [UserauthRequest(name, "ssh-connection", "none").encode() for name in (b"alice", b"zebedee")],
    "too many attempts": [UserauthRequest(b"alice", "ssh-connection", "password", b"\0" + codec.string(b"x")).encode()]
    * 8,
    "noise without end": [Ignore(b"x" * 30000).encode()] * 200,
}


@pytest.mark.security("S121")
@pytest.mark.parametrize("what", LATE)
def test_before_a_login(house: Daemon, what: str) -> None:
    with wire(house) as held:
        try:
            held.say(*LATE[what])
        except OSError:
            pass
        words = until_over(held)
    assert words <= WORDS


@pytest.mark.security("S121")
def test_after_a_login(house: Daemon, keys: Keys) -> None:
    words: set[str] = set()
    with wire(house) as held:
        assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        for number, (kind, data) in enumerate(
            [
                ("direct-tcpip", DirectTcpip(HOST, 1, HOST, 1).encode()),
                ("direct-tcpip", DirectTcpip("", 0, "", 0).encode()),
                ("x11", b""),
                ("/etc/shadow", b""),
                ("tun@openssh.com", b"\0" * 8),
                *[("session", b"")] * 4,
            ]
        ):
            held.say(ChannelOpen(kind, number, 1 << 20, 32768, data).encode())
            held.until(Number.CHANNEL_OPEN_CONFIRMATION, Number.CHANNEL_OPEN_FAILURE)
        held.say(GlobalRequest("/etc/shadow", True).encode())
        assert held.until(Number.REQUEST_SUCCESS, Number.REQUEST_FAILURE) == bytes([Number.REQUEST_FAILURE])
        held.say(ChannelWindowAdjust(77, 1).encode(), ChannelData(78, b"x" * 100_000).encode())
        words |= until_over(held)
    assert words <= WORDS
    assert "refused (id ID)" in words


@pytest.mark.security("S121")
@pytest.mark.parametrize("command", ["/nonexistent/program", "missing-program x", "/etc/passwd", "id", None])
def test_a_program_that_can_not_be_run(house: Daemon, keys: Keys, command: str | None) -> None:
    with wire(house) as held:
        assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        session = opened(held, 0)
        assert session is not None
        started = session.shell() if command is None else session.ask("exec", Exec(command.encode()).encode())
        if started:
            session.end()
        assert not re.search(rb"/|pysshd|python|policy|grant|role|Errno", session.output + session.errors)
        assert told(held.client.received) <= WORDS


@pytest.mark.security("S121")
def test_the_ends_that_the_daemon_decides(serve: Serve, keys: Keys) -> None:
    policy = POLICY.replace("login_grace: 20s", "login_grace: 1s")
    with serve(policy, expected=("session.failed",)) as daemon:
        with wire(daemon) as slow:
            words = until_over(slow)
        with wire(daemon) as held:
            assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
            os.kill(daemon.pid, 15)
            words |= until_over(held)
        daemon.check_end(daemon.wait_end())
    assert words <= WORDS


def test_every_reason_of_the_stack_is_among_these_words() -> None:
    from pysshd.ssh.transport.faults import _WORDS

    assert set(_WORDS) <= set(DisconnectReason)
    assert set(_WORDS.values()) - WORDS <= {"illegal user name", "no sign of life"}
