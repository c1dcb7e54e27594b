"""Whole daemons against clients that are logged in and then break the rules of channels, on workers of both kinds."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import (
    ChannelClose,
    ChannelData,
    ChannelEof,
    ChannelExtendedData,
    ChannelOpen,
    ChannelOpenConfirmation,
    ChannelOpenFailure,
    ChannelRequest,
    ChannelWindowAdjust,
    GlobalRequest,
)
from pysshd.ssh.wire.messages.requests import DirectTcpip, Exec, PtyReq, TcpipForward, X11Req
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.channel import Session, opened
from tests.live.client import HOST, Keys
from tests.live.conftest import OWNER
from tests.live.daemon import PLAIN, Daemon, serving
from tests.live.watch import unharmed
from tests.live.wire import Wire, wire

PROTOCOL_ERROR = 2
MAX = (1 << 32) - 1
ALIVE = GlobalRequest("keepalive@openssh.com", True).encode()


@pytest.fixture(scope="module", params=["connection", "shared"])
def house(request: pytest.FixtureRequest, keys: Keys) -> Iterator[Daemon]:
    """One daemon for all of these clients."""
    with serving(OWNER, keys, mode=PLAIN, server=(f"isolation: {request.param}",)) as daemon:
        yield daemon


@pytest.fixture
def held(house: Daemon, keys: Keys) -> Iterator[Wire]:
    """Somebody who is logged in; whatever they do, everybody else is served as before."""
    with unharmed(house), wire(house) as made:
        assert made.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        yield made


def running(held: Wire, command: str = "cat") -> Session:
    """A program on a channel."""
    session = opened(held, 0)
    assert session is not None
    assert session.exec(command)
    return session


def is_alive(held: Wire) -> bool:
    """Whether a connection still answers."""
    held.say(ALIVE)
    return held.until(Number.REQUEST_SUCCESS, Number.REQUEST_FAILURE, Number.DISCONNECT)[0] != Number.DISCONNECT


# --- windows and packets


def confirmed(held: Wire) -> ChannelOpenConfirmation:
    held.say(ChannelOpen("session", 0, 1 << 20, 32768).encode())
    return ChannelOpenConfirmation.decode(held.until(Number.CHANNEL_OPEN_CONFIRMATION))


@pytest.mark.security("S76")
@pytest.mark.parametrize("started", [False, True], ids=["before a program", "a program that reads nothing"])
def test_data_beyond_the_window_end_the_connection(held: Wire, started: bool) -> None:
    made = confirmed(held)
    if started:
        held.say(ChannelRequest(made.sender, "exec", True, Exec(b"exec sleep 60").encode()).encode())
        held.until(Number.CHANNEL_SUCCESS)
    # What a pipe takes is given back; nothing else is.
    left = made.window + (2 << 20)
    block = ChannelData(made.sender, b"x" * min(made.max_packet, 32000)).encode()
    try:
        while left > 0:
            held.client.send(block)
            held.flush()
            left -= len(block) - 9
    except OSError:
        return
    assert held.end()[1] in (PROTOCOL_ERROR, None)


@pytest.mark.security("S76")
def test_a_packet_beyond_the_largest_ends_the_connection(held: Wire) -> None:
    made = confirmed(held)
    held.say(ChannelData(made.sender, b"x" * (made.max_packet + 1)).encode())
    assert held.end()[1] == PROTOCOL_ERROR


@pytest.mark.security("S77")
@pytest.mark.parametrize("steps", [[MAX], [MAX - (1 << 24), 1], [1 << 31, 1 << 31]], ids=["once", "by one", "twice"])
def test_a_window_beyond_its_end_ends_the_connection(held: Wire, steps: list[int]) -> None:
    session = running(held)
    held.say(*[ChannelWindowAdjust(session.number, step).encode() for step in steps])
    assert held.end()[1] == PROTOCOL_ERROR


@pytest.mark.security("S78")
@pytest.mark.parametrize("size", [0, 1])
def test_a_channel_of_tiny_packets_is_refused(held: Wire, size: int) -> None:
    held.say(ChannelOpen("session", 0, 1 << 20, size).encode())
    answer = held.until(Number.CHANNEL_OPEN_CONFIRMATION, Number.CHANNEL_OPEN_FAILURE)
    assert ChannelOpenFailure.decode(answer).reason == 4
    assert opened(held, 0) is not None


@pytest.mark.security("S80")
@pytest.mark.parametrize("kind", [0, 1, 2, MAX])
def test_extended_data_are_dropped_and_their_room_is_given_back(held: Wire, kind: int) -> None:
    session = running(held)
    for _ in range(200):
        # 6 MB, more than any window: without credit for what was dropped there would be a stall.
        dropped = ChannelExtendedData(session.number, kind, b"y" * 30_000).encode()
        held.say(dropped, ChannelData(session.number, b"x").encode())
        while len(session.output) < 1:
            session._take()
        session.output = session.output[1:]
    session.eof()
    assert session.end() == 0
    assert session.output.count(b"y") == 0


# --- channels that are not there, and lives that are over


@pytest.mark.security("S81")
@pytest.mark.parametrize("channel", ["never", "closed", "ended"])
def test_messages_for_channels_in_any_life(held: Wire, channel: str) -> None:
    session = running(held)
    number = session.number
    if channel == "never":
        number = 4_000_000_000
    elif channel == "closed":
        held.say(ChannelClose(number).encode())
        while not session.ended:
            session._take()
    else:
        session.eof()
    for message in (
        ChannelData(number, b"x").encode(),
        ChannelExtendedData(number, 1, b"x").encode(),
        ChannelWindowAdjust(number, 1).encode(),
        ChannelEof(number).encode(),
        ChannelRequest(number, "exec", True, Exec(b"touch /tmp/pysshd-marker-life").encode()).encode(),
        ChannelClose(number).encode(),
        ChannelClose(number).encode(),
    ):
        held.say(message)
    came, reason = held.end() if not _survives(held) else ([], None)
    assert reason in (PROTOCOL_ERROR, None)
    assert Number.CHANNEL_SUCCESS not in came
    assert not Path("/tmp/pysshd-marker-life").exists()


def _survives(held: Wire) -> bool:
    try:
        return is_alive(held)
    except EOFError:
        return False


@pytest.mark.security("S82")
def test_answers_to_nothing_are_ignored_in_no_time(held: Wire) -> None:
    session = running(held)
    number = codec.uint32(session.number)
    answers = [bytes([81]), bytes([82]), bytes([99]) + number, bytes([100]) + number]
    start = time.monotonic()
    for _ in range(250):
        held.say(*answers * 20)
    assert is_alive(held)
    took = time.monotonic() - start
    print(f"20,000 answers to nothing took {took:.2f} s")
    assert took < 10
    session.eof()
    assert session.end() == 0


@pytest.mark.security("S83")
def test_one_program_for_a_channel_and_nothing_after_its_start(held: Wire) -> None:
    session = running(held, "echo once; cat")
    assert not session.exec("touch /tmp/pysshd-marker-second")
    assert not session.shell()
    assert not session.subsystem("sftp")
    assert not session.pty()
    assert not session.env("LANG", "C")
    assert not session.ask("x11-req", X11Req(False, b"MIT-MAGIC-COOKIE-1", b"00" * 16, 0).encode())
    session.eof()
    assert session.end() == 0
    assert session.output == b"once\n"
    assert not Path("/tmp/pysshd-marker-second").exists()


@pytest.mark.security("S84")
def test_a_terminal_of_impossible_size_and_names(held: Wire) -> None:
    for number, term in enumerate(("\x1b[2J", "a\nb", "../../etc/passwd", "x" * 65)):
        session = opened(held, number)
        assert session is not None
        assert not session.ask("pty-req", PtyReq(term, 80, 24, 0, 0, b"\0").encode()), term
        assert not session.ask("pty-req", PtyReq("xterm", 80, 24, 0, 0, b"\x01\0\0\0\3" * 1000).encode())
    session = opened(held, 9)
    assert session is not None
    assert session.ask("pty-req", PtyReq("xterm", MAX, MAX, MAX, MAX, b"\0").encode())
    assert session.exec("stty size; echo $TERM")
    assert session.end() == 0
    rows, columns, name = session.output.decode().split()
    assert 0 < int(rows) <= 65535
    assert 0 < int(columns) <= 65535
    assert name == "xterm"


# --- what is not served, and what only a server opens


def refusal(held: Wire, kind: str, data: bytes) -> int:
    """With which code an open of a channel is refused."""
    held.say(ChannelOpen(kind, 1, 1 << 20, 32768, data).encode())
    answer = held.until(Number.CHANNEL_OPEN_CONFIRMATION, Number.CHANNEL_OPEN_FAILURE)
    return ChannelOpenFailure.decode(answer).reason


LOOPBACKS = (HOST, "localhost", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "2130706433", "0x7f000001", "127.1", "")
ELSEWHERE = (("169.254.169.254", 80), ("example.invalid", 80), (HOST, 0), (HOST, 65536), (HOST, MAX), ("a\0b", 80))


@pytest.mark.security("S89")
def test_nobody_is_connected_to_anything(held: Wire) -> None:
    with socket.create_server((HOST, 0)) as target:
        target.settimeout(0.2)
        places = [(name, target.getsockname()[1]) for name in LOOPBACKS] + list(ELSEWHERE)
        for host, port in places:
            assert refusal(held, "direct-tcpip", DirectTcpip(host, port, HOST, 1).encode()) == 1, (host, port)
        path = codec.text("/run/dbus/system_bus_socket") + codec.text("") + codec.uint32(0)
        assert refusal(held, "direct-streamlocal@openssh.com", path) in (1, 3)
        with pytest.raises(TimeoutError):
            target.accept()
    assert is_alive(held)


@pytest.mark.security("S90")
def test_nobody_listens_for_a_client(held: Wire) -> None:
    for address in (HOST, "", "localhost", "0.0.0.0", "::", "*", "203.0.113.1"):
        for port in (0, 80, 2001, 65536):
            held.say(GlobalRequest("tcpip-forward", True, TcpipForward(address, port).encode()).encode())
            assert held.until(Number.REQUEST_SUCCESS, Number.REQUEST_FAILURE)[0] == Number.REQUEST_FAILURE
            held.say(GlobalRequest("cancel-tcpip-forward", True, TcpipForward(address, port).encode()).encode())
            assert held.until(Number.REQUEST_SUCCESS, Number.REQUEST_FAILURE)[0] == Number.REQUEST_FAILURE
    for name in ("streamlocal-forward@openssh.com", "cancel-streamlocal-forward@openssh.com"):
        held.say(GlobalRequest(name, True, codec.text(f"/tmp/pysshd-marker-{os.getpid()}.sock")).encode())
        assert held.until(Number.REQUEST_SUCCESS, Number.REQUEST_FAILURE)[0] == Number.REQUEST_FAILURE
    assert not Path(f"/tmp/pysshd-marker-{os.getpid()}.sock").exists()


@pytest.mark.security("S94")
@pytest.mark.parametrize("cookie", [b"00ff" * 8, b"x\nadd", b"'; touch /tmp/x; '", b""])
def test_nobody_has_a_display_or_an_agent(held: Wire, cookie: bytes) -> None:
    session = opened(held, 0)
    assert session is not None
    assert not session.ask("x11-req", X11Req(False, b"MIT-MAGIC-COOKIE-1", cookie, 0).encode())
    assert not session.ask("auth-agent-req@openssh.com")
    assert session.exec("echo $DISPLAY$SSH_AUTH_SOCK$XAUTHORITY.")
    assert session.end() == 0
    assert session.output == b".\n"


@pytest.mark.security("S95")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("forwarded-tcpip", DirectTcpip(HOST, 22, HOST, 1).encode()),
        ("forwarded-streamlocal@openssh.com", codec.text("/tmp/x") + codec.text("")),
        ("x11", codec.text(HOST) + codec.uint32(6000)),
        ("auth-agent@openssh.com", b""),
        ("tun@openssh.com", codec.uint32(1) + codec.uint32(MAX)),
        ("sessio\0n", b""),
        ("", b""),
    ],
)
def test_what_only_a_server_opens_is_refused(held: Wire, kind: str, data: bytes) -> None:
    assert refusal(held, kind, data) in (1, 3)
    assert opened(held, 0) is not None


@pytest.mark.security("S96")
def test_no_more_sessions_is_a_promise(held: Wire) -> None:
    session = running(held)
    held.say(GlobalRequest("no-more-sessions@openssh.com", True).encode())
    session.data(b"still here")
    session.see(b"still here")
    held.say(ChannelOpen("session", 1, 1 << 20, 32768).encode())
    came, reason = held.end()
    assert reason == PROTOCOL_ERROR
    assert Number.CHANNEL_OPEN_CONFIRMATION not in came
