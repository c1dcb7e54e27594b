"""A stack with a driver that says yes: signs with a fixed key, takes one password, and runs what echoes."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pysshd.ssh.crypto.keys import parse_public_key
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.events.channels import ChannelRequested, DataReceived, DirectTcpipRequested, OpenCode, OpenVerdict
from pysshd.ssh.events.global_requests import GlobalRequested, GlobalVerdict
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.requests import (
    EnvRequested,
    ExecRequested,
    PtyRequested,
    RequestVerdict,
    ShellRequested,
    SignalRequested,
    WindowChanged,
)
from pysshd.ssh.events.transport import ConnectionFailed, SignatureWanted, Signed
from pysshd.ssh.events.userauth import (
    AuthBegun,
    AuthOffer,
    AuthVerdict,
    KeyProbed,
    KeySigned,
    NoneOffered,
    Outcome,
    PasswordOffered,
)
from pysshd.ssh.stack import Stack, StackSettings
from pysshd.ssh.transport.settings import TransportSettings
from pysshd.ssh.wire.messages.connection import ChannelOpen, ChannelOpenConfirmation, ChannelRequest
from pysshd.ssh.wire.messages.requests import Exec
from pysshd.ssh.wire.messages.transport import Disconnect, ServiceRequest
from pysshd.ssh.wire.messages.userauth import PasswordBody, PublickeySignedData, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.client.raw import RawClient

T = TypeVar("T")

HOST_KEY = PrivateKey(Ed25519PrivateKey.from_private_bytes(b"a host key for tests, known well"))
USER_KEY = PrivateKey(Ed25519PrivateKey.from_private_bytes(b"the key of a user, known as well"))
SETTINGS = StackSettings(TransportSettings({"ssh-ed25519": HOST_KEY.public.blob}))
METHODS = ("publickey", "password")
PASSWORD = b"secret"


def settings(**transport: Any) -> StackSettings:
    """The usual settings, with some of the transport's changed."""
    return replace(SETTINGS, transport=replace(SETTINGS.transport, **transport))


def _auth(ok: bool) -> AuthVerdict:
    return AuthVerdict(Outcome.SUCCESS if ok else Outcome.FAILURE, METHODS)


class House:
    """A stack, and what its driver does. Events are kept as they come, views copied."""

    def __init__(
        self, what: StackSettings = SETTINGS, entropy: Entropy | None = None, answers: bool = True, echo: bool = False
    ) -> None:
        self.now = 1000.0
        self.stack = Stack(what, entropy or SeededEntropy("server"), self.now)
        self.answers = answers
        self.echo = echo
        self.events: list[Event] = []
        self.data: dict[int, bytearray] = {}
        self._to_echo: dict[int, bytearray] = {}

    def feed(self, data: bytes) -> list[Event]:
        """Bytes from the client; the events that they made, with those that the answers made."""
        return self._take(self._looks(lambda: self.stack.receive_data(data, self.now)))

    def _looked(self) -> tuple[bool, bool, float]:
        """What a driver finds when it looks, as it does once the stack says that it is to."""
        due = self.stack.next_deadline
        wants = self.stack.wants_data or self.stack.output.waiting > 0
        return self.stack.closed, wants, math.inf if due is None else due

    def _looks(self, act: Callable[[], T]) -> T:
        """Whoever is not told to look again would find nothing else: at most they would look too soon."""
        stack = self.stack
        unsettled, stack.unsettled = stack.unsettled, False
        closed, wants, due = self._looked()
        done = act()
        if not stack.unsettled:
            now_closed, now_wants, now_due = self._looked()
            assert now_closed == closed
            assert now_wants or not wants
            assert now_due >= due
        stack.unsettled |= unsettled
        return done

    def tick(self, seconds: float = 0.0) -> list[Event]:
        """Let time pass."""
        self.now += seconds
        return self._take(self.stack.tick(self.now))

    def output(self) -> bytes:
        """Take what the stack sends."""
        data = bytes(self.stack.output.view())
        self.stack.output.sent(len(data))
        return data

    def answer(self, ticket: Ticket, verdict: Verdict) -> list[Event]:
        return self._take(self.stack.answer(ticket, verdict, self.now))

    @property
    def failure(self) -> ConnectionFailed:
        """The one failure."""
        (failure,) = [event for event in self.events if isinstance(event, ConnectionFailed)]
        return failure

    def _take(self, came: list[Event]) -> list[Event]:
        out: list[Event] = []
        waiting = list(came)
        while waiting:
            event = waiting.pop(0)
            if isinstance(event, DataReceived):
                self._data(event)
                event = replace(event, data=memoryview(bytes(event.data)))
            out.append(event)
            self.events.append(event)
            answer = _ANSWERS.get(type(event))
            if self.answers and answer is not None:
                verdict = answer(self, event)
                waiting += self.stack.answer(event.ticket, verdict, self.now)  # type: ignore[union-attr]
        self._echo()
        return out

    def _data(self, event: DataReceived) -> None:
        self.data.setdefault(event.channel, bytearray()).extend(event.data)
        if self.echo:
            self._to_echo.setdefault(event.channel, bytearray()).extend(event.data)
        self._looks(lambda: self.stack.consumed(event.channel, len(event.data)))

    def _echo(self) -> None:
        for channel, waiting in self._to_echo.items():
            size = min(len(waiting), self.stack.writable(ChannelId(channel)))
            if size:
                self.stack.send_data(ChannelId(channel), bytes(waiting[:size]))
                self._to_echo[channel] = waiting[size:]

    def check_signature(self, event: KeySigned) -> AuthVerdict:
        assert self.stack.session_id is not None
        signed = PublickeySignedData(
            self.stack.session_id, 50, b"alice", "ssh-connection", "publickey", True, event.algorithm, event.blob
        )
        parse_public_key(event.blob).verify(event.algorithm, event.signature, signed.encode())
        return _auth(event.blob == USER_KEY.public.blob)


def _yes(house: House, event: Any) -> Verdict:
    return RequestVerdict(True)


_ANSWERS: dict[type, Callable[[House, Any], Verdict]] = {
    SignatureWanted: lambda house, event: Signed(HOST_KEY.sign(event.algorithm, event.exchange_hash)),
    AuthBegun: lambda house, event: AuthOffer(METHODS, ""),
    NoneOffered: lambda house, event: _auth(False),
    PasswordOffered: lambda house, event: _auth(event.password == PASSWORD),
    KeyProbed: lambda house, event: _auth(event.blob == USER_KEY.public.blob),
    KeySigned: House.check_signature,
    GlobalRequested: lambda house, event: GlobalVerdict(False, b""),
    ChannelRequested: lambda house, event: OpenVerdict(OpenCode.SUCCEEDED, ""),
    DirectTcpipRequested: lambda house, event: OpenVerdict(OpenCode.ADMINISTRATIVELY_PROHIBITED, "no"),
    **dict.fromkeys(
        (PtyRequested, WindowChanged, EnvRequested, ShellRequested, ExecRequested, SignalRequested),
        _yes,
    ),
}

SERVICE = ServiceRequest("ssh-userauth").encode()


def password(secret: bytes = PASSWORD, user: bytes = b"alice") -> bytes:
    return UserauthRequest(user, "ssh-connection", "password", PasswordBody(False, secret).encode()).encode()


def session(number: int = 7, window: int = 1 << 30, packet: int = 32768) -> bytes:
    return ChannelOpen("session", number, window, packet).encode()


def execute(channel: int = 0, command: bytes = b"cat") -> bytes:
    return ChannelRequest(channel, "exec", True, Exec(command).encode()).encode()


class Link:
    """A client and a house, with nothing but function calls between them."""

    def __init__(self, house: House | None = None, client: RawClient | None = None) -> None:
        self.house = house or House()
        self.client = client or RawClient()

    def pump(self) -> list[bytes]:
        """Carry bytes until both are silent; what the client was told."""
        came: list[bytes] = []
        while True:
            up, down = self.client.output(), self.house.output()
            if not up and not down:
                return came
            came += self.client.receive(down)
            if up:
                self.house.feed(up)

    def send(self, *payloads: bytes) -> list[bytes]:
        """Send messages at once, each in its packet; what came back."""
        self.client.send(*payloads)
        return self.pump()

    def to_service(self) -> "Link":
        """Through the first key exchange."""
        self.client.begin()
        self.pump()
        assert self.client.exchanges == 1
        return self

    def to_auth(self) -> "Link":
        self.to_service()
        assert self.send(SERVICE)[-1][0] == MessageNumber.SERVICE_ACCEPT
        return self

    def to_open(self) -> "Link":
        self.to_auth()
        assert self.send(password())[-1][0] == MessageNumber.USERAUTH_SUCCESS
        return self

    def to_session(self, window: int = 1 << 30, packet: int = 32768) -> "Link":
        """A session with a program in it: channel 0 of the server, 7 of the client."""
        self.to_open()
        opened = ChannelOpenConfirmation.decode(self.send(session(window=window, packet=packet))[-1])
        assert (opened.recipient, opened.sender) == (7, 0)
        assert self.send(execute())[-1][0] == MessageNumber.CHANNEL_SUCCESS
        return self

    def disconnects(self, *payloads: bytes) -> Disconnect:
        """Send, and read the one DISCONNECT that is the only answer, after which all is over."""
        (said,) = self.send(*payloads)
        assert self.house.stack.closed
        assert self.house.feed(b"x" * 100) == []
        assert self.house.output() == b""
        disconnect = Disconnect.decode(said)
        assert disconnect.reason == self.house.failure.reason
        return disconnect
