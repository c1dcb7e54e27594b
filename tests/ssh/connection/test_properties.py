"""Whatever comes in whatever order: nothing but the two exceptions, answers in order, windows that add up."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pysshd.errors import DecodeError, ProtocolError
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
from pysshd.ssh.events.global_requests import ForwardRequested, ForwardVerdict, GlobalRequested, GlobalVerdict
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.requests import RequestVerdict
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import (
    ChannelData,
    ChannelWindowAdjust,
    RequestFailure,
    RequestSuccess,
)
from pysshd.ssh.wire.messages.requests import TcpipForward
from tests.ssh.connection.driver import (
    AGENT,
    BREAK,
    CLOSE,
    EOF,
    FAILED,
    OK,
    OUR_CLOSE,
    OUR_EOF,
    PEER,
    RESIZE,
    SHELL,
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

FORWARD = asked_globally("tcpip-forward", TcpipForward("", 0).encode())
CANCEL = asked_globally("cancel-tcpip-forward", TcpipForward("localhost", 80).encode())
KNOWN = [
    session(),
    direct(),
    SHELL,
    AGENT,
    BREAK,
    RESIZE,
    EOF,
    CLOSE,
    pty(modes=b"\x01\0\0\0\x03\0"),
    env(),
    exec_(),
    subsystem(),
    signal(),
    x11(),
    wanted("unknown"),
    data(b"some data"),
    extended(b"some data"),
    adjust(1000),
    FORWARD,
    CANCEL,
    asked_globally("keepalive@openssh.com"),
    asked_globally("no-more-sessions@openssh.com"),
]


def fitting(event: Event, ok: bool) -> OpenVerdict | RequestVerdict | ForwardVerdict | GlobalVerdict:
    """A yes or a no to any question."""
    if isinstance(event, ChannelRequested | DirectTcpipRequested):
        return OpenVerdict(OpenCode.SUCCEEDED if ok else OpenCode.CONNECT_FAILED, "text")
    if isinstance(event, ForwardRequested):
        return ForwardVerdict((event.port or 40000) if ok else None)
    if isinstance(event, GlobalRequested) or "Cancelled" in type(event).__name__:
        return GlobalVerdict(ok, b"")
    return RequestVerdict(ok)


# --- any sequence -----------------------------------------------------------------------------------------------------


def _aimed(payload: bytes, channel: int) -> bytes:
    """The same message for another channel."""
    return payload if payload[0] in (80, 90) else payload[:1] + codec.uint32(channel) + payload[5:]


def _mutated(payload: bytes, at: int, octet: int) -> bytes:
    at %= len(payload)
    return payload[:at] + bytes([octet]) + payload[at + 1 :]


PAYLOADS = st.one_of(
    st.builds(_aimed, st.sampled_from(KNOWN), st.integers(0, 3)),
    st.builds(_aimed, st.sampled_from(KNOWN), st.integers(0, 3)),
    st.builds(_mutated, st.sampled_from(KNOWN), st.integers(0, 200), st.integers(0, 255)),
    st.builds(lambda number, rest: bytes([number]) + rest, st.integers(80, 127), st.binary(max_size=60)),
)


@given(st.lists(st.tuples(PAYLOADS, st.sampled_from(["yes", "no", "late", "close", "eof", "exit"])), max_size=60))
def test_any_sequence(steps: list[tuple[bytes, str]]) -> None:
    driver = Driver(ConnectionSettings(max_channels=3, max_pending=8))
    machine = driver.machine
    late: list[tuple[Ticket, Event]] = []
    alive: set[ChannelId] = set()
    for payload, act in steps:
        try:
            events, _ = driver.receive(payload)
        except (ProtocolError, DecodeError):
            return
        for event in events:
            if isinstance(event, ChannelClosed):
                alive.remove(event.channel)
            elif isinstance(event, DataReceived):
                machine.consumed(event.channel, len(event.data))
            elif not isinstance(event, EofReceived | WindowOpened):
                late.append((event.ticket, event))  # type: ignore[union-attr]
        if act in ("yes", "no"):
            for ticket, event in late:
                owed = len(machine.unanswered)
                driver.answer(ticket, fitting(event, act == "yes"))
                answered = len(machine.unanswered) < owed
                if answered and isinstance(event, ChannelRequested | DirectTcpipRequested) and act == "yes":
                    alive.add(event.channel)
            late.clear()
        for channel in alive:
            if act == "close":
                machine.close(channel)
            elif act == "eof":
                machine.send_eof(channel)
            elif act == "exit":
                machine.send_exit_status(channel, 1)
            if machine.writable(channel):
                machine.data_head(channel, machine.writable(channel), 0)
        assert len(machine.unanswered) <= 8
        assert len(alive) <= 3


@pytest.mark.parametrize("number", range(len(KNOWN)))
def test_truncated_at_every_byte(number: int) -> None:
    whole = KNOWN[number]
    for size in range(len(whole)):
        driver = opened()
        if whole in (signal(), BREAK):
            driver.run()
        if whole == RESIZE:
            driver.receive(pty())
        try:
            events, sent = driver.receive(whole[:size])
        except DecodeError:
            continue
        # What is left is another whole message: a request of another name, or one whose data just end earlier.
        assert whole[0] in (80, 98, 90), (whole, size)
        assert events == []
        assert sent in ([FAILED], [])


# --- answers in order -------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=8), st.data())
def test_channel_replies_are_in_order_whatever_the_order_of_the_verdicts(
    requests: list[tuple[bool, bool]], choice: st.DataObject
) -> None:
    """Each request is known (asked about) or not, and granted or not."""
    driver = opened()
    questions: list[tuple[Ticket, bool]] = []
    sent: list[bytes] = []
    for known, granted in requests:
        events, out = driver.receive(env() if known else wanted("unknown"))
        sent += out
        questions += [(event.ticket, granted) for event in events]  # type: ignore[union-attr]
    for ticket, granted in choice.draw(st.permutations(questions)):
        sent += driver.answer(ticket, RequestVerdict(granted))
    assert sent == [OK if known and granted else FAILED for known, granted in requests]


@given(st.lists(st.sampled_from(["forward", "cancel", "other", "bad", "done"]), min_size=1, max_size=8), st.data())
def test_global_replies_are_in_order_whatever_the_order_of_the_verdicts(
    kinds: list[str], choice: st.DataObject
) -> None:
    driver = Driver()
    questions: list[tuple[Event, int]] = []
    expected: list[bytes] = []
    sent: list[bytes] = []
    for index, kind in enumerate(kinds):
        payload = {
            "forward": FORWARD,
            "cancel": CANCEL,
            "other": asked_globally("other@example.com"),
            "bad": asked_globally(""),
            "done": asked_globally("no-more-sessions@openssh.com"),
        }[kind]
        events, out = driver.receive(payload)
        sent += out
        questions += [(event, index) for event in events]
        reply = {"forward": codec.uint32(2000 + index), "other": codec.uint32(index)}.get(kind, b"")
        expected.append(RequestFailure().encode() if kind == "bad" else RequestSuccess(reply).encode())
    for event, index in choice.draw(st.permutations(questions)):
        verdict = (
            ForwardVerdict(2000 + index)
            if isinstance(event, ForwardRequested)
            else GlobalVerdict(True, codec.uint32(index))
        )
        sent += driver.answer(event.ticket, verdict)  # type: ignore[union-attr]
    assert sent == expected


# --- one channel against a model --------------------------------------------------------------------------------------

WINDOW, PACKET = 4096, 512


@dataclass
class Model:
    """What an honest peer knows."""

    may_send: int = WINDOW
    may_receive: int = 1000
    unread: int = 0
    peer_eof: bool = False
    our_eof: bool = False
    our_close: bool = False


class OneChannel(RuleBasedStateMachine):
    """An honest peer, a driver that calls anything at any time, and both sides' count of the windows."""

    @initialize()
    def start(self) -> None:
        self.driver = opened(ConnectionSettings(window=WINDOW, max_packet=PACKET), window=1000, packet=300)
        self.channel = ChannelId(0)
        self.model: Model | None = Model()

    def receive(self, payload: bytes) -> list[Event]:
        return self.driver.machine.receive(memoryview(_aimed(payload, self.channel)))

    def sent(self) -> None:
        """Take what the machine sends for what the peer is told."""
        for payload in self.driver.machine.take_payloads():
            model = self.model
            assert model is not None
            assert not model.our_close, "something followed our close"
            if payload[0] == 93:
                assert not model.peer_eof
                model.may_send += ChannelWindowAdjust.decode(payload).bytes_to_add
            elif payload == OUR_EOF:
                assert not model.our_eof
                model.our_eof = True
            elif payload == OUR_CLOSE:
                model.our_close = True
            else:
                assert payload in (OK, FAILED) or payload[0] == 98

    @precondition(lambda self: self.model and not self.model.peer_eof)
    @rule(size=st.integers(0, PACKET), stderr=st.booleans())
    def peer_sends(self, size: int, stderr: bool) -> None:
        model = self.model
        assert model
        size = min(size, model.may_send)
        model.may_send -= size
        events = self.receive((extended if stderr else data)(bytes(size)))
        if stderr or model.our_close or not size:
            assert events == []
        else:
            assert events == [DataReceived(self.channel, memoryview(bytes(size)), 0)]
            model.unread += size
        self.sent()

    @rule(part=st.integers(0, 4))
    def passes_on(self, part: int) -> None:
        if self.model is None:
            self.driver.machine.consumed(self.channel, part)
        else:
            size = self.model.unread * part // 4
            self.model.unread -= size
            self.driver.machine.consumed(self.channel, size)
        self.sent()

    @rule(size=st.integers(1, 400))
    def writes(self, size: int) -> None:
        model, machine = self.model, self.driver.machine
        expected = 0
        if model and not model.our_eof and not model.our_close:
            expected = min(model.may_receive, 300)
        assert machine.writable(self.channel) == expected
        if size > expected:
            with pytest.raises(ValueError):
                machine.data_head(self.channel, size, 0)
            return
        assert model
        model.may_receive -= size
        assert machine.data_head(self.channel, size, 0) == ChannelData(PEER, bytes(size)).encode()[:9]

    @precondition(lambda self: self.model)
    @rule(size=st.integers(0, 2000))
    def peer_adjusts(self, size: int) -> None:
        model = self.model
        assert model
        events = self.receive(adjust(size))
        if model.our_close:
            assert events == []
            return
        told = size and model.may_receive < 300 and not model.our_eof
        assert events == ([WindowOpened(self.channel)] if told else [])
        model.may_receive += size

    @precondition(lambda self: self.model and not self.model.peer_eof)
    @rule()
    def peer_ends(self) -> None:
        assert self.model
        events = self.receive(EOF)
        assert events == ([] if self.model.our_close else [EofReceived(self.channel)])
        self.model.peer_eof = True

    @rule()
    def ends(self) -> None:
        self.driver.machine.send_eof(self.channel)
        self.sent()

    @rule()
    def exits(self) -> None:
        self.driver.machine.send_exit_status(self.channel, 0)
        self.sent()

    @precondition(lambda self: self.model)
    @rule(payload=st.sampled_from([SHELL, env(), signal(), wanted("unknown")]), ok=st.booleans())
    def peer_asks(self, payload: bytes, ok: bool) -> None:
        for event in self.receive(payload):
            self.driver.machine.answer(event.ticket, RequestVerdict(ok))  # type: ignore[union-attr]
        self.sent()

    @rule()
    def closes(self) -> None:
        self.driver.machine.close(self.channel)
        self.sent()

    @precondition(lambda self: self.model)
    @rule()
    def peer_closes(self) -> None:
        assert self.receive(CLOSE) == [ChannelClosed(self.channel)]
        self.sent()
        assert self.model
        assert self.model.our_close
        self.model = None

    @precondition(lambda self: self.model is None)
    @rule()
    def opens_again(self) -> None:
        event = self.driver.asked(session(PEER, 1000, 300), ChannelRequested)
        assert event.channel == self.channel + 1
        self.driver.answer(event.ticket, OpenVerdict(OpenCode.SUCCEEDED, ""))
        self.channel = event.channel
        self.model = Model()

    @invariant()
    def never_starves(self) -> None:
        """Where all was passed on, the peer has nearly all of its window."""
        model = self.model
        if model and not model.unread and not model.peer_eof and not model.our_close:
            assert model.may_send > WINDOW - WINDOW // 4


TestOneChannel = OneChannel.TestCase
TestOneChannel.settings = settings(max_examples=60, stateful_step_count=40)
