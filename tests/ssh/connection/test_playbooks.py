"""Whole conversations: payloads in, exact events and payloads out (RFC 4254)."""

import struct

import pytest

from pysshd.ssh.events.channels import (
    ChannelClosed,
    ChannelRequested,
    DataReceived,
    DirectTcpipRequested,
    EofReceived,
    OpenCode,
    OpenVerdict,
    WindowOpened,
)
from pysshd.ssh.events.global_requests import (
    ForwardCancelled,
    ForwardRequested,
    ForwardVerdict,
    GlobalRequested,
    GlobalVerdict,
)
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.requests import (
    AgentRequested,
    BreakRequested,
    EnvRequested,
    ExecRequested,
    PtyRequested,
    ShellRequested,
    SignalRequested,
    SubsystemRequested,
    WindowChanged,
    X11Requested,
)
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import (
    ChannelData,
    ChannelExtendedData,
    ChannelOpen,
    ChannelOpenConfirmation,
    ChannelOpenFailure,
    ChannelRequest,
    RequestFailure,
    RequestSuccess,
)
from pysshd.ssh.wire.messages.requests import ExitSignal, ExitStatus, TcpipForward
from tests.ssh.connection.driver import (
    AGENT,
    BREAK,
    CLOSE,
    EOF,
    FAILED,
    NO,
    OK,
    OPENED,
    OUR_CLOSE,
    OUR_EOF,
    PACKET,
    PEER,
    RESIZE,
    SHELL,
    WINDOW,
    YES,
    Driver,
    adjust,
    asked_globally,
    data,
    direct,
    env,
    exec_,
    opened,
    pty,
    session,
    signal,
    subsystem,
    wanted,
    x11,
)

FIRST = ChannelId(0)


def test_exec_from_open_to_close() -> None:
    driver = Driver()
    assert driver.receive(session()) == ([ChannelRequested(Ticket(1), FIRST, "session")], [])
    assert driver.answer(Ticket(1), OPENED) == [ChannelOpenConfirmation(PEER, 0, WINDOW, PACKET).encode()]
    assert driver.receive(exec_(b"cat")) == ([ExecRequested(Ticket(2), FIRST, b"cat")], [])
    assert driver.answer(Ticket(2), YES) == [OK]
    assert driver.receive(data(b"hello")) == ([DataReceived(FIRST, memoryview(b"hello"), 0)], [])
    assert driver.receive(EOF) == ([EofReceived(FIRST)], [])
    assert driver.machine.data_head(FIRST, 5, 0) + b"hello" == ChannelData(PEER, b"hello").encode()
    assert driver.machine.data_head(FIRST, 4, 1) + b"oops" == ChannelExtendedData(PEER, 1, b"oops").encode()
    driver.machine.send_eof(FIRST)
    driver.machine.send_exit_status(FIRST, 7)
    driver.machine.close(FIRST)
    status = ChannelRequest(PEER, "exit-status", False, ExitStatus(7).encode()).encode()
    assert driver.machine.take_payloads() == [OUR_EOF, status, OUR_CLOSE]
    assert driver.receive(CLOSE) == ([ChannelClosed(FIRST)], [])


def test_exit_signal() -> None:
    driver = opened()
    driver.machine.send_exit_signal(FIRST, "KILL", True, "killed")
    body = ExitSignal("KILL", True, b"killed").encode()
    assert driver.machine.take_payloads() == [ChannelRequest(PEER, "exit-signal", False, body).encode()]


def test_openssh_client_opens_a_shell_all_at_once() -> None:
    """What `ssh -A host` sends in one go, answered afterwards, in order."""
    driver = opened()
    modes = b"\x2a\0\0\0\x01" + b"\x80\0\0\x96\0" + b"\0"
    events: list[Event] = []
    for payload in (AGENT, pty(modes=modes), env(), SHELL):
        made, sent = driver.receive(payload)
        events += made
        assert sent == []
    assert events == [
        AgentRequested(Ticket(2), FIRST),
        PtyRequested(Ticket(3), FIRST, b"xterm-256color", 80, 24, 640, 480, modes),
        EnvRequested(Ticket(4), FIRST, b"LANG", b"C.UTF-8"),
        ShellRequested(Ticket(5), FIRST),
    ]
    assert len(driver.machine.unanswered) == 4
    assert driver.answer(Ticket(5), YES) == []
    assert driver.answer(Ticket(3), YES) == []
    assert driver.answer(Ticket(2), NO) == [FAILED, OK]
    assert driver.answer(Ticket(4), NO) == [FAILED, OK]
    assert len(driver.machine.unanswered) == 0
    resize = wanted("window-change", struct.pack(">4I", 100, 50, 800, 600), want_reply=False)
    assert driver.receive(resize) == ([WindowChanged(Ticket(6), FIRST, 100, 50, 800, 600)], [])
    assert driver.answer(Ticket(6), YES) == []


def test_every_request_has_its_event() -> None:
    driver = opened()
    assert driver.asked(x11(), X11Requested) == X11Requested(Ticket(2), FIRST, True, "MIT-MAGIC-COOKIE-1", b"00ff", 0)
    assert driver.asked(wanted("agent-req"), AgentRequested) == AgentRequested(Ticket(3), FIRST)
    assert driver.asked(pty(), PtyRequested).modes == b"\0"
    assert driver.asked(RESIZE, WindowChanged) == WindowChanged(Ticket(5), FIRST, 100, 50, 800, 600)
    assert driver.asked(subsystem(), SubsystemRequested) == SubsystemRequested(Ticket(6), FIRST, "sftp")
    assert driver.asked(signal("INFO@openssh.com"), SignalRequested).name == "INFO@openssh.com"
    assert driver.asked(signal("HUP"), SignalRequested).name == "HUP"
    assert driver.asked(BREAK, BreakRequested) == BreakRequested(Ticket(9), FIRST, 500)


def test_direct_tcpip() -> None:
    driver = Driver()
    expected = DirectTcpipRequested(Ticket(1), FIRST, ("127.0.0.1", 40000), ("db.corp", 5432))
    assert driver.receive(direct()) == ([expected], [])
    refusal = OpenVerdict(OpenCode.CONNECT_FAILED, "nobody there")
    assert driver.answer(Ticket(1), refusal) == [ChannelOpenFailure(PEER, 2, b"nobody there").encode()]
    assert driver.receive(CLOSE) == ([], [])


def test_other_kinds_of_channel_are_asked_about() -> None:
    payload = ChannelOpen("direct-streamlocal@openssh.com", PEER, WINDOW, PACKET, b"whatever").encode()
    event = Driver().asked(payload, ChannelRequested)
    assert event.kind == "direct-streamlocal@openssh.com"


def test_several_sessions_on_one_connection() -> None:
    driver = Driver()
    assert [driver.open(peer) for peer in (5, 5, 0)] == [0, 1, 2]
    assert driver.receive(data(b"x", channel=1)) == ([DataReceived(ChannelId(1), memoryview(b"x"), 0)], [])
    driver.machine.close(ChannelId(1))
    driver.machine.take_payloads()
    assert driver.receive(codec.byte(97) + codec.uint32(1)) == ([ChannelClosed(ChannelId(1))], [])
    assert driver.receive(data(b"y", channel=2)) == ([DataReceived(ChannelId(2), memoryview(b"y"), 0)], [])
    assert driver.open(9) == 3


def test_peer_closes_first() -> None:
    driver = opened()
    event = driver.asked(SHELL, ShellRequested)
    assert driver.receive(CLOSE) == ([ChannelClosed(FIRST)], [OUR_CLOSE])
    assert len(driver.machine.unanswered) == 0
    assert driver.answer(event.ticket, YES) == []
    assert driver.machine.writable(FIRST) == 0
    with pytest.raises(ValueError, match="takes no data"):
        driver.machine.data_head(FIRST, 1, 0)
    driver.machine.consumed(FIRST, 1)
    driver.machine.send_eof(FIRST)
    driver.machine.send_exit_status(FIRST, 0)
    driver.machine.send_exit_signal(FIRST, "HUP", False, "")
    driver.machine.close(FIRST)
    assert driver.machine.take_payloads() == []


def test_nothing_follows_our_close_and_eof_is_sent_once() -> None:
    driver = opened()
    event = driver.asked(SHELL, ShellRequested)
    for _ in range(2):
        driver.machine.send_eof(FIRST)
    assert driver.machine.take_payloads() == [OUR_EOF]
    assert driver.machine.writable(FIRST) == driver.machine.room(FIRST)[0] == 0
    for _ in range(2):
        driver.machine.send_exit_status(FIRST, 3)
        driver.machine.send_exit_signal(FIRST, "TERM", False, "")
    assert len(driver.machine.take_payloads()) == 1
    for _ in range(2):
        driver.machine.close(FIRST)
    assert driver.machine.take_payloads() == [OUR_CLOSE]
    driver.machine.send_eof(FIRST)
    driver.machine.send_exit_status(FIRST, 3)
    driver.machine.consumed(FIRST, 0)
    assert driver.answer(event.ticket, YES) == []
    assert driver.receive(signal()) == ([], [])
    assert driver.machine.take_payloads() == []


def test_channel_can_not_be_closed_before_its_verdict() -> None:
    driver = Driver()
    driver.receive(session())
    with pytest.raises(ValueError, match="OpenVerdict"):
        driver.machine.close(FIRST)


# --- global requests --------------------------------------------------------------------------------------------------


def forward(port: int, address: str = "localhost", name: str = "tcpip-forward") -> bytes:
    return asked_globally(name, TcpipForward(address, port).encode())


def test_forward_and_cancel() -> None:
    driver = Driver()
    assert driver.asked(forward(8080), ForwardRequested) == ForwardRequested(Ticket(1), "localhost", 8080)
    assert driver.answer(Ticket(1), ForwardVerdict(8080)) == [RequestSuccess().encode()]
    assert driver.asked(forward(0, ""), ForwardRequested) == ForwardRequested(Ticket(2), "", 0)
    assert driver.answer(Ticket(2), ForwardVerdict(40001)) == [RequestSuccess(codec.uint32(40001)).encode()]
    assert driver.asked(forward(80), ForwardRequested).port == 80
    assert driver.answer(Ticket(3), ForwardVerdict(None)) == [RequestFailure().encode()]
    cancel = driver.asked(forward(8080, name="cancel-tcpip-forward"), ForwardCancelled)
    assert cancel == ForwardCancelled(Ticket(4), "localhost", 8080)
    assert driver.answer(Ticket(4), GlobalVerdict(True, b"ignored")) == [RequestSuccess().encode()]


def test_global_requests_with_and_without_a_reply() -> None:
    driver = Driver()
    event = driver.asked(asked_globally("keepalive@openssh.com"), GlobalRequested)
    assert event == GlobalRequested(Ticket(1), "keepalive@openssh.com", b"")
    assert driver.answer(Ticket(1), GlobalVerdict(False, b"x")) == [RequestFailure().encode()]
    event = driver.asked(asked_globally("x@example.com", b"data", want_reply=False), GlobalRequested)
    assert event.data == b"data"
    assert driver.answer(Ticket(2), GlobalVerdict(True, b"")) == []
    driver.asked(asked_globally("x@example.com"), GlobalRequested)
    assert driver.answer(Ticket(3), GlobalVerdict(True, b"answer")) == [RequestSuccess(b"answer").encode()]


@pytest.mark.parametrize("port", [0, 81, 65536, True])
def test_forward_verdict_must_fit_the_port(port: int) -> None:
    driver = Driver()
    event = driver.asked(forward(80), ForwardRequested)
    with pytest.raises(ValueError, match="port"):
        driver.answer(event.ticket, ForwardVerdict(port))
    assert driver.answer(event.ticket, ForwardVerdict(None)) == [RequestFailure().encode()]


def test_port_is_a_number_and_not_what_equals_one() -> None:
    driver = Driver()
    event = driver.asked(forward(1), ForwardRequested)
    with pytest.raises(ValueError, match="port"):
        driver.answer(event.ticket, ForwardVerdict(True))


def test_verdicts_that_do_not_fit() -> None:
    driver = Driver()
    opening = driver.asked(session(), ChannelRequested)
    for verdict in (YES, GlobalVerdict(True, b""), ForwardVerdict(1)):
        with pytest.raises(TypeError):
            driver.answer(opening.ticket, verdict)
    for code in (False, 0, True, 1, None):
        with pytest.raises(TypeError):
            driver.answer(opening.ticket, OpenVerdict(code, ""))  # type: ignore[arg-type]
    driver.answer(opening.ticket, OPENED)
    shell = driver.asked(SHELL, ShellRequested)
    for other in (OPENED, GlobalVerdict(True, b"")):
        with pytest.raises(TypeError):
            driver.answer(shell.ticket, other)
    assert driver.answer(shell.ticket, YES) == [OK]
    assert driver.answer(shell.ticket, NO) == []
    assert driver.answer(Ticket(99), NO) == []


# --- windows ----------------------------------------------------------------------------------------------------------


def test_window_opens_when_it_was_short() -> None:
    driver = opened(window=10, packet=1000)
    assert driver.machine.writable(FIRST) == 10
    driver.machine.data_head(FIRST, 10, 0)
    assert driver.machine.writable(FIRST) == 0
    for size in (0, 1, 11):
        with pytest.raises(ValueError):
            driver.machine.data_head(FIRST, size, 0)
    assert driver.receive(adjust(0)) == ([], [])
    assert driver.receive(adjust(5000)) == ([WindowOpened(FIRST)], [])
    assert driver.machine.writable(FIRST) == 1000
    assert driver.machine.room(FIRST)[0] == 5000
    assert driver.receive(adjust(1)) == ([], [])
    with pytest.raises(ValueError):
        driver.machine.data_head(FIRST, 1001, 0)


def test_window_does_not_open_for_what_has_ended() -> None:
    driver = opened(window=0)
    driver.machine.send_eof(FIRST)
    driver.machine.take_payloads()
    assert driver.receive(adjust(1000)) == ([], [])
    assert driver.machine.writable(FIRST) == 0


def test_our_packets_are_never_larger_than_our_own_limit() -> None:
    assert opened(packet=0xFFFFFFFF, window=0xFFFFFFFF).machine.writable(FIRST) == PACKET


def test_credit_goes_back_early() -> None:
    driver = opened()
    for _ in range(16):
        driver.receive(data(bytes(PACKET)))
        driver.machine.consumed(FIRST, PACKET)
    assert driver.machine.take_payloads() == [codec.byte(93) + codec.uint32(PEER) + codec.uint32(16 * PACKET)]
    with pytest.raises(ValueError, match="consumed"):
        driver.machine.consumed(FIRST, 1)


def test_empty_data_are_nothing() -> None:
    assert opened().receive(data(b"")) == ([], [])
