"""Rows of the table of security properties, as far as this machine is what makes them hold."""

import gc
import sys
from collections.abc import Callable

import pytest

from pysshd.errors import DecodeError, DisconnectReason, ProtocolError
from pysshd.ssh.connection.channel import STEPS, Life
from pysshd.ssh.connection.machine import ConnectionMachine
from pysshd.ssh.connection.settings import ConnectionSettings
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
    ForwardRequested,
    ForwardVerdict,
    GlobalRequested,
    GlobalVerdict,
    HostKeysDoubted,
)
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.requests import (
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
    ChannelOpen,
    ChannelOpenFailure,
    GlobalRequest,
    RequestFailure,
    RequestSuccess,
)
from pysshd.ssh.wire.messages.requests import DirectTcpip, TcpipForward, encode_strings
from tests.ssh.connection.driver import (
    AGENT,
    BREAK,
    CLOSE,
    EOF,
    FAILED,
    NO,
    OK,
    OUR_CLOSE,
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
    extended,
    opened,
    pty,
    session,
    signal,
    subsystem,
    wanted,
    x11,
)

FIRST = ChannelId(0)


def refused(driver: Driver, payload: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        driver.receive(payload)
    assert caught.value.reason is DisconnectReason.PROTOCOL_ERROR


def open_code(driver: Driver, payload: bytes) -> int:
    """The reason of a refusal that nobody was asked about."""
    events, (sent,) = driver.receive(payload)
    assert events == []
    return ChannelOpenFailure.decode(sent).reason


# --- channels ---------------------------------------------------------------------------------------------------------


@pytest.mark.security("S75")
def test_channels_are_capped_and_those_still_to_be_answered_count() -> None:
    driver = Driver()
    for number in range(100):
        if number % 2:
            driver.open(number)
        else:
            driver.asked(session(number), ChannelRequested)
    assert open_code(driver, session(100)) == 4
    assert open_code(driver, direct()) == 4
    driver.machine.close(ChannelId(1))
    driver.machine.take_payloads()
    assert open_code(driver, session(100)) == 4
    driver.receive(codec.byte(97) + codec.uint32(1))
    assert driver.open(100) == 100


@pytest.mark.security("S75")
def test_refused_and_closed_channels_leave_nothing() -> None:
    driver = Driver()

    def round_() -> None:
        event = driver.asked(session(), ChannelRequested)
        driver.answer(event.ticket, OpenVerdict(OpenCode.ADMINISTRATIVELY_PROHIBITED, "no"))
        number = driver.open()
        driver.asked(wanted("shell", channel=number), ShellRequested)  # never answered
        driver.receive(codec.byte(97) + codec.uint32(number))

    def held() -> int:
        gc.collect()
        return len(gc.get_objects())

    for _ in range(10):
        round_()
    before = held()
    for _ in range(1000):
        round_()
    assert held() - before < 50
    assert len(driver.machine.unanswered) == 0


@pytest.mark.security("S78")
@pytest.mark.parametrize("packet", [0, 1, 255])
@pytest.mark.parametrize("kind", ["session", "direct-tcpip", "other@example.com"])
def test_tiny_packets_are_refused(kind: str, packet: int) -> None:
    driver = Driver()
    body = DirectTcpip("db", 1, "", 0).encode() if kind == "direct-tcpip" else b""
    assert open_code(driver, ChannelOpen(kind, PEER, WINDOW, packet, body).encode()) == 4
    assert len(driver.machine.unanswered) == 0


@pytest.mark.security("S89")
@pytest.mark.parametrize(
    "payload",
    [
        direct(port=0),
        direct(port=65536),
        direct(port=0xFFFFFFFF),
        direct(origin_port=65536),
        direct(host=""),
        direct(host="a b"),
        direct(host="a\n"),
        direct(host="a\0"),
        direct(host="é"),
        direct(host="h" * 256),
        direct(origin="\x1b[2J"),
    ],
)
def test_direct_tcpip_to_nowhere_is_refused(payload: bytes) -> None:
    assert open_code(Driver(), payload) == 1


@pytest.mark.parametrize("port", [1, 65535])
def test_direct_tcpip_to_the_first_and_the_last_port(port: int) -> None:
    event = Driver().asked(direct("::1", port, "", 0), DirectTcpipRequested)
    assert (event.destination, event.origin) == (("::1", port), ("", 0))


@pytest.mark.security("S95")
@pytest.mark.parametrize(
    "kind",
    ["forwarded-tcpip", "forwarded-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "tun@openssh.com"],
)
def test_client_may_not_open_what_servers_open(kind: str) -> None:
    assert open_code(Driver(), ChannelOpen(kind, PEER, WINDOW, PACKET, b"any body").encode()) == 1


@pytest.mark.parametrize("kind", ["", "x" * 65, "a b", "a\n", "é"])
def test_kind_that_is_no_name_is_unknown(kind: str) -> None:
    assert open_code(Driver(), ChannelOpen(kind, PEER, WINDOW, PACKET).encode()) == 3


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.security("S76")
@pytest.mark.parametrize("message", [data, extended])
def test_packet_and_window_are_limits(message: Callable[[bytes], bytes]) -> None:
    refused(opened(), message(bytes(PACKET + 1)))
    driver = opened(ConnectionSettings(window=3 * PACKET))
    for _ in range(3):
        assert len(driver.receive(data(bytes(PACKET)))[0]) == 1
    refused(driver, message(b"x"))


@pytest.mark.security("S76")
@pytest.mark.parametrize("payload", [data(b"1234"), extended(b"1234")])
@pytest.mark.parametrize("change", [-1, 1, 0x7FFFFFFF])
def test_length_must_be_that_of_the_message(payload: bytes, change: int) -> None:
    at = len(payload) - 8
    wrong = payload[:at] + codec.uint32(4 + change) + payload[at + 4 :]
    with pytest.raises(DecodeError):
        opened().receive(wrong)


@pytest.mark.security("S77")
def test_window_can_not_overflow() -> None:
    driver = opened(window=1)
    assert driver.receive(adjust(0xFFFFFFFE)) == ([WindowOpened(FIRST)], [])
    assert driver.machine.room(FIRST)[0] == 0xFFFFFFFF
    refused(driver, adjust(1))
    refused(opened(window=2), adjust(0xFFFFFFFF))


@pytest.mark.security("S80")
@pytest.mark.parametrize("kind", [0, 1, 2, 0xFFFFFFFF])
def test_extended_data_are_dropped_with_credit(kind: int) -> None:
    driver = opened(ConnectionSettings(window=2 * PACKET))
    credit = 0
    for _ in range(100):
        events, sent = driver.receive(extended(bytes(PACKET), kind))
        assert events == []
        credit += sum(int.from_bytes(payload[5:], "big") for payload in sent)
    assert credit == 100 * PACKET


# --- the matrix of messages and lives ---------------------------------------------------------------------------------

CONFIRMATION = codec.byte(91) + 4 * codec.uint32(0)
OPEN_FAILURE = codec.byte(92) + 2 * codec.uint32(0) + 2 * codec.string(b"")
SUCCESS, FAILURE = codec.byte(99) + codec.uint32(0), codec.byte(100) + codec.uint32(0)

MESSAGES = {
    "OPEN": session(PEER + 1),
    "CONFIRMATION": CONFIRMATION,
    "OPEN_FAILURE": OPEN_FAILURE,
    "ADJUST": adjust(1),
    "DATA": data(b"x"),
    "EXTENDED_DATA": extended(b"x"),
    "EOF": EOF,
    "CLOSE": CLOSE,
    "REQUEST": SHELL,
    "SUCCESS": SUCCESS,
    "FAILURE": FAILURE,
}
LIVES = ("never", "opening", "open", "peer_eof", "closing", "gone")

_FATAL: dict[str, object] = dict.fromkeys(LIVES, "!")
_IGNORED: dict[str, object] = dict.fromkeys(LIVES, "-")
EXPECTED: dict[str, dict[str, object]] = {
    # by life; "-": ignored, "!": the connection ends, else the types of the events
    "OPEN": dict.fromkeys(LIVES, (ChannelRequested,)),
    "CONFIRMATION": _FATAL,
    "OPEN_FAILURE": _FATAL,
    "ADJUST": _IGNORED,
    "DATA": _FATAL | {"open": (DataReceived,), "closing": "-"},
    "EXTENDED_DATA": _FATAL | {"open": "-", "closing": "-"},
    "EOF": _IGNORED | {"open": (EofReceived,)},
    "CLOSE": _IGNORED | dict.fromkeys(("open", "peer_eof", "closing"), (ChannelClosed,)),
    "REQUEST": _FATAL | dict.fromkeys(("open", "peer_eof"), (ShellRequested,)) | {"closing": "-"},
    "SUCCESS": _IGNORED,
    "FAILURE": _IGNORED,
}


def in_life(life: str) -> Driver:
    """A driver whose channel 0 is in this life."""
    driver = Driver()
    if life == "opening":
        driver.asked(session(), ChannelRequested)
    elif life != "never":
        driver.open()
        if life == "peer_eof":
            driver.receive(EOF)
        elif life == "closing":
            driver.machine.close(FIRST)
            driver.machine.take_payloads()
        elif life == "gone":
            driver.receive(CLOSE)
    return driver


@pytest.mark.security("S81")
@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("message", MESSAGES)
def test_message_by_life(message: str, life: str) -> None:
    driver = in_life(life)
    expected = EXPECTED[message][life]
    if expected == "!":
        refused(driver, MESSAGES[message])
        return
    events, sent = driver.receive(MESSAGES[message])
    assert tuple(type(event) for event in events) == (() if expected == "-" else expected)
    assert sent == ([OUR_CLOSE] if message == "CLOSE" and life in ("open", "peer_eof") else [])
    if expected == "-":  # and it is as if nothing had come
        assert len(driver.machine.unanswered) == len(in_life(life).machine.unanswered)
        assert driver.machine.next_deadline is None


@pytest.mark.security("S81")
def test_double_close_and_eof_are_safe() -> None:
    driver = opened()
    assert driver.receive(EOF)[0] == [EofReceived(FIRST)]
    assert driver.receive(EOF) == ([], [])
    assert driver.receive(CLOSE) == ([ChannelClosed(FIRST)], [OUR_CLOSE])
    assert driver.receive(CLOSE) == ([], [])
    assert driver.open() == 1


@pytest.mark.security("S81")
def test_data_after_our_close_still_have_a_limit() -> None:
    driver = opened(ConnectionSettings(window=PACKET))
    driver.machine.close(FIRST)
    driver.machine.take_payloads()
    assert driver.receive(data(bytes(PACKET - 1))) == ([], [])
    assert driver.receive(extended(b"x")) == ([], [])
    refused(driver, data(b"xx"))


def test_every_life_is_in_the_matrix() -> None:
    assert {life.name.lower() for life in Life} - set(LIVES) == {"none"}


@pytest.mark.security("S82")
@pytest.mark.parametrize("payload", [b"\x51", b"\x51abc", b"\x52", SUCCESS, FAILURE, b"\x63\xff\xff\xff\xff"])
def test_unsolicited_answers_are_ignored(payload: bytes) -> None:
    driver = opened()
    size = sys.getsizeof(driver.machine._payloads)
    for _ in range(10_000):
        assert driver.receive(payload) == ([], [])
    assert sys.getsizeof(driver.machine._payloads) == size
    driver.run()


# --- requests ---------------------------------------------------------------------------------------------------------

PROGRAMS = {"shell": SHELL, "exec": exec_(), "subsystem": subsystem()}


@pytest.mark.security("S83")
@pytest.mark.parametrize("granted", [True, False], ids=["granted", "asked"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_one_program_and_nothing_for_its_start_afterwards(program: str, granted: bool) -> None:
    driver = opened()
    (event,), _ = driver.receive(PROGRAMS[program])
    ticket = event.ticket  # type: ignore[union-attr]
    if granted:
        assert driver.answer(ticket, YES) == [OK]
    late = [SHELL, exec_(), subsystem(), pty(), env(), x11(), AGENT]
    for payload in late:
        assert driver.receive(payload) == ([], [FAILED] if granted else [])
    if not granted:
        assert driver.answer(ticket, YES) == [OK] + [FAILED] * len(late)


@pytest.mark.security("S83")
def test_refused_program_leaves_room_for_another() -> None:
    driver = opened()
    assert driver.answer(driver.asked(subsystem(), SubsystemRequested).ticket, NO) == [FAILED]
    assert driver.answer(driver.asked(pty(), PtyRequested).ticket, NO) == [FAILED]
    assert driver.receive(RESIZE) == ([], [FAILED])
    driver.asked(pty(), PtyRequested)
    driver.asked(SHELL, ShellRequested)


@pytest.mark.security("S83")
@pytest.mark.parametrize("payload", [pty(), x11(), AGENT])
def test_what_can_be_had_once(payload: bytes) -> None:
    driver = opened()
    (event,), _ = driver.receive(payload)
    assert driver.answer(event.ticket, YES) == [OK]  # type: ignore[union-attr]
    assert driver.receive(payload) == ([], [FAILED])


@pytest.mark.parametrize("payload", [signal(), BREAK, RESIZE])
def test_what_needs_a_program_or_a_terminal(payload: bytes) -> None:
    assert opened().receive(payload) == ([], [FAILED])


@pytest.mark.parametrize(
    "kind",
    ["eow@openssh.com", "xon-xoff", "exit-status", "exit-signal", "", "shell\0", "SHELL", "x" * 1000, "é"],
)
def test_unknown_requests_fail_unseen(kind: str) -> None:
    driver = opened()
    assert driver.receive(wanted(kind, b"body")) == ([], [FAILED])
    assert driver.receive(wanted(kind, b"body", want_reply=False)) == ([], [])


@pytest.mark.parametrize("payload", [SHELL, exec_(), pty(), env(), subsystem()])
def test_only_sessions_have_requests(payload: bytes) -> None:
    driver = Driver()
    event = driver.asked(direct(), DirectTcpipRequested)
    driver.answer(event.ticket, OpenVerdict(OpenCode.SUCCEEDED, ""))
    assert driver.receive(payload) == ([], [FAILED])


@pytest.mark.security("S84")
@pytest.mark.parametrize("term", ["x" * 65, "xterm\n", "\x1b[0m", "../../etc/passwd", "xterm 256", "é", "a\0"])
def test_term_is_a_plain_name(term: str) -> None:
    assert opened().receive(pty(term)) == ([], [FAILED])


def test_who_has_no_term_may_have_a_terminal() -> None:
    assert opened().asked(pty(""), PtyRequested).term == b""


@pytest.mark.security("S84")
def test_sizes_are_clamped() -> None:
    driver = opened()
    huge = wanted("pty-req", codec.string(b"vt100") + 4 * codec.uint32(0xFFFFFFFF) + codec.string(b""))
    event = driver.asked(huge, PtyRequested)
    assert (event.columns, event.rows, event.pixel_width, event.pixel_height) == (10000, 10000, 65535, 65535)
    change = driver.asked(wanted("window-change", 4 * codec.uint32(0xFFFFFFFF)), WindowChanged)
    assert (change.columns, change.rows, change.pixel_width, change.pixel_height) == (10000, 10000, 65535, 65535)


@pytest.mark.security("S84")
def test_modes_are_at_most_128_and_canonical() -> None:
    mode = b"\x01\0\0\0\x03"
    assert opened().receive(pty(modes=mode * 1000)) == ([], [FAILED])
    assert opened().receive(pty(modes=mode * 129)) == ([], [FAILED])
    assert opened().receive(pty(modes=mode + b"\x02\0\0\0")) == ([], [FAILED])
    for tail in (b"\0", b"", b"\0" + b"x" * 20_000, b"\xa0" + b"x" * 20_000):
        assert opened().asked(pty(modes=mode * 128 + tail), PtyRequested).modes == mode * 128 + b"\0"


@pytest.mark.security("S85")
def test_env_has_limits() -> None:
    for name, value in [
        (b"", b"x"),
        (b"A=B", b"x"),
        (b"A\0", b"x"),
        (b"A", b"x\0y"),
        (b"A" * 257, b"x"),
        (b"A", b"x" * 8193),
    ]:
        assert opened().receive(env(name, value)) == ([], [FAILED])
    driver = opened()
    for _ in range(128):
        driver.asked(env(b"A" * 256, b"x" * 8192), EnvRequested)
    assert driver.receive(env()) == ([], [])
    assert len(driver.machine.unanswered) == 128


def test_command_has_a_limit_and_no_nul() -> None:
    assert opened().asked(exec_(b"x" * 32768), ExecRequested).command == b"x" * 32768
    assert opened().receive(exec_(b"x" * 32769)) == ([], [FAILED])
    assert opened().receive(exec_(b"rm\0 -rf")) == ([], [FAILED])


@pytest.mark.security("S88")
@pytest.mark.parametrize("name", ["sftp ", "", "sftp\0", "s,ftp", "x" * 65, "é"])
def test_subsystem_is_a_name(name: str) -> None:
    assert opened().receive(subsystem(name)) == ([], [FAILED])


@pytest.mark.security("S88")
def test_subsystem_is_handed_on_as_it_came() -> None:
    for name in ("SFTP", "../sh", "sftp"):
        assert opened().asked(subsystem(name), SubsystemRequested).name == name


@pytest.mark.parametrize("name", ["SIGTERM", "term", "", "9", "X", "a@", "@b", "a b@c", "x" * 40 + "@y", "TERM\n"])
def test_signal_is_a_name_of_the_rfc_or_of_a_domain(name: str) -> None:
    driver = opened()
    driver.run()
    assert driver.receive(signal(name)) == ([], [FAILED])
    driver.asked(signal("KILL"), SignalRequested)
    driver.asked(BREAK, BreakRequested)


@pytest.mark.security("S94")
@pytest.mark.parametrize(
    "payload",
    [
        x11(cookie=b"x\nadd"),
        x11(cookie=b"00'"),
        x11(cookie=b"000"),
        x11(cookie=b""),
        x11(cookie=b"00" * 513),
        x11(cookie=b"00\n"),
        x11(protocol=b"MIT MAGIC"),
        x11(protocol=b'"'),
        x11(protocol=b""),
        x11(protocol=b"\xff"),
        x11(screen=65536),
    ],
)
def test_x11_is_of_safe_characters(payload: bytes) -> None:
    driver = opened()
    assert driver.receive(payload) == ([], [FAILED])
    driver.asked(x11(), X11Requested)


# --- global requests --------------------------------------------------------------------------------------------------


@pytest.mark.security("S90")
@pytest.mark.parametrize("name", ["tcpip-forward", "cancel-tcpip-forward"])
@pytest.mark.parametrize(("address", "port"), [("a", 65536), ("a", 0xFFFFFFFF), ("a b", 1), ("a\0", 1), ("é", 1)])
def test_forwards_of_what_can_not_be_bound_fail(name: str, address: str, port: int) -> None:
    payload = asked_globally(name, TcpipForward(address, port).encode())
    assert Driver().receive(payload) == ([], [RequestFailure().encode()])


@pytest.mark.security("S90")
def test_cancel_needs_a_port() -> None:
    payload = asked_globally("cancel-tcpip-forward", TcpipForward("a", 0).encode())
    assert Driver().receive(payload) == ([], [RequestFailure().encode()])


@pytest.mark.security("S96")
@pytest.mark.parametrize("want_reply", [True, False])
def test_no_more_sessions(want_reply: bool) -> None:
    driver = opened()
    sent = [RequestSuccess().encode()] if want_reply else []
    assert driver.receive(asked_globally("no-more-sessions@openssh.com", b"", want_reply)) == ([], sent)
    driver.run()
    driver.asked(direct(), DirectTcpipRequested)
    refused(driver, session())


@pytest.mark.security("S96")
def test_no_more_sessions_keeps_its_place_in_the_order() -> None:
    driver = Driver()
    first = driver.asked(asked_globally("tcpip-forward", TcpipForward("", 0).encode()), ForwardRequested)
    assert driver.receive(asked_globally("no-more-sessions@openssh.com")) == ([], [])
    sent = driver.answer(first.ticket, ForwardVerdict(None))
    assert sent == [RequestFailure().encode(), RequestSuccess().encode()]


@pytest.mark.security("S96")
def test_host_keys_in_doubt_are_asked_about_and_nothing_else_is() -> None:
    prove = "hostkeys-prove-00@openssh.com"
    driver = Driver()
    doubt = driver.asked(asked_globally(prove, encode_strings([b"one", b"two"])), HostKeysDoubted)
    assert doubt.keys == (b"one", b"two")
    signatures = encode_strings([b"first", b"second"])
    assert driver.answer(doubt.ticket, GlobalVerdict(True, signatures)) == [RequestSuccess(signatures).encode()]
    doubt = driver.asked(asked_globally(prove, encode_strings([b"one"])), HostKeysDoubted)
    assert driver.answer(doubt.ticket, GlobalVerdict(False, b"")) == [RequestFailure().encode()]
    for junk in (b"", b"\0", b"\0\0\0\2x", b"\xff" * 40, encode_strings([b""] * 33), encode_strings([bytes(17_000)])):
        assert driver.receive(asked_globally(prove, junk)) == ([], [RequestFailure().encode()])
    # Nobody waits for these signatures, so nobody makes them.
    assert driver.receive(asked_globally(prove, encode_strings([b"one"]), False)) == ([], [])


def test_a_client_is_told_our_host_keys_first_of_all() -> None:
    machine = ConnectionMachine(ConnectionSettings(host_keys=(b"one", b"two")), iter(map(Ticket, range(9))), 0.0)
    blobs = encode_strings([b"one", b"two"])
    assert machine.take_payloads() == [GlobalRequest("hostkeys-00@openssh.com", False, blobs).encode()]
    assert machine.take_payloads() == []


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "é"])
def test_global_request_without_a_name_fails(name: str) -> None:
    assert Driver().receive(asked_globally(name)) == ([], [RequestFailure().encode()])
    assert Driver().receive(asked_globally(name, want_reply=False)) == ([], [])


def test_global_request_has_a_limit() -> None:
    assert Driver().receive(asked_globally("a@b", bytes(16385))) == ([], [RequestFailure().encode()])
    assert len(Driver().asked(asked_globally("a@b", bytes(16384)), GlobalRequested).data) == 16384


# --- what waits for an answer -----------------------------------------------------------------------------------------


def test_questions_are_capped_with_and_without_a_reply() -> None:
    for want_reply in (True, False):
        driver = Driver(ConnectionSettings(max_pending=10))
        for _ in range(10):
            driver.asked(asked_globally("a@b", b"", want_reply), GlobalRequested)
        refused(driver, asked_globally("a@b", b"", want_reply))


def test_answers_behind_a_late_one_are_capped() -> None:
    driver = opened(ConnectionSettings(max_pending=10))
    driver.asked(SHELL, ShellRequested)
    for _ in range(9):
        assert driver.receive(wanted("unknown")) == ([], [])
    refused(driver, wanted("unknown"))
    driver = Driver(ConnectionSettings(max_pending=10))
    driver.asked(asked_globally("a@b"), GlobalRequested)
    for _ in range(9):
        assert driver.receive(asked_globally("no name")) == ([], [])
    refused(driver, asked_globally("no name"))


@pytest.mark.parametrize("number", [number for number in range(83, 128) if number not in range(90, 101)])
def test_undefined_messages_are_refused(number: int) -> None:
    refused(opened(), bytes([number]) + bytes(20))


@pytest.mark.security("S81")
def test_the_table_says_what_to_do_in_each_life() -> None:
    assert [int(life) for life in Life] == list(range(len(Life)))
    assert {len(steps) for steps in STEPS.values()} == {len(Life)}
