"""A machine with what it is fed, in the words of the playbooks."""

from itertools import count
from typing import TypeVar

from pysshd.ssh.connection.machine import ConnectionMachine
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.events.channels import ChannelRequested, OpenCode, OpenVerdict
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.requests import RequestVerdict, ShellRequested
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import (
    ChannelClose,
    ChannelData,
    ChannelEof,
    ChannelExtendedData,
    ChannelFailure,
    ChannelOpen,
    ChannelOpenConfirmation,
    ChannelRequest,
    ChannelSuccess,
    ChannelWindowAdjust,
    GlobalRequest,
)
from pysshd.ssh.wire.messages.requests import DirectTcpip, Env, Exec, PtyReq, Signal, Subsystem, WindowChange, X11Req

PEER = 77
"""The peer's number of its first channel."""

WINDOW = 2 << 20
PACKET = 32 << 10

YES = RequestVerdict(True)
NO = RequestVerdict(False)
OPENED = OpenVerdict(OpenCode.SUCCEEDED, "")

_E = TypeVar("_E")


def session(peer: int = PEER, window: int = WINDOW, packet: int = PACKET) -> bytes:
    return ChannelOpen("session", peer, window, packet).encode()


def direct(
    host: str = "db.corp", port: int = 5432, origin: str = "127.0.0.1", origin_port: int = 40000, peer: int = PEER
) -> bytes:
    body = DirectTcpip(host, port, origin, origin_port).encode()
    return ChannelOpen("direct-tcpip", peer, WINDOW, PACKET, body).encode()


def wanted(kind: str, body: bytes = b"", channel: int = 0, want_reply: bool = True) -> bytes:
    return ChannelRequest(channel, kind, want_reply, body).encode()


def asked_globally(name: str, data: bytes = b"", want_reply: bool = True) -> bytes:
    return GlobalRequest(name, want_reply, data).encode()


def pty(term: str = "xterm-256color", columns: int = 80, rows: int = 24, modes: bytes = b"\0") -> bytes:
    return wanted("pty-req", PtyReq(term, columns, rows, 640, 480, modes).encode())


def env(name: bytes = b"LANG", value: bytes = b"C.UTF-8") -> bytes:
    return wanted("env", Env(name, value).encode())


def exec_(command: bytes = b"true") -> bytes:
    return wanted("exec", Exec(command).encode())


def subsystem(name: str = "sftp") -> bytes:
    return wanted("subsystem", Subsystem(name).encode())


def signal(name: str = "TERM") -> bytes:
    return wanted("signal", Signal(name).encode())


def x11(protocol: bytes = b"MIT-MAGIC-COOKIE-1", cookie: bytes = b"00ff", screen: int = 0) -> bytes:
    return wanted("x11-req", X11Req(True, protocol, cookie, screen).encode())


SHELL = wanted("shell")
AGENT = wanted("auth-agent-req@openssh.com")
BREAK = wanted("break", codec.uint32(500))
RESIZE = wanted("window-change", WindowChange(100, 50, 800, 600).encode())
EOF = ChannelEof(0).encode()
CLOSE = ChannelClose(0).encode()

OK = ChannelSuccess(PEER).encode()
FAILED = ChannelFailure(PEER).encode()
OUR_CLOSE = ChannelClose(PEER).encode()
OUR_EOF = ChannelEof(PEER).encode()


def data(payload: bytes, channel: int = 0) -> bytes:
    return ChannelData(channel, payload).encode()


def extended(payload: bytes, kind: int = 1, channel: int = 0) -> bytes:
    return ChannelExtendedData(channel, kind, payload).encode()


def adjust(size: int, channel: int = 0) -> bytes:
    return ChannelWindowAdjust(channel, size).encode()


class Driver:
    """Feeds a machine and looks at both of its outputs."""

    def __init__(self, settings: ConnectionSettings | None = None) -> None:
        self.settings = settings or ConnectionSettings()
        self.machine = ConnectionMachine(self.settings, map(Ticket, count(1)), 0.0)

    def receive(self, payload: bytes) -> tuple[list[Event], list[bytes]]:
        events = self.machine.receive(memoryview(payload))
        return events, self.machine.take_payloads()

    def answer(self, ticket: Ticket, verdict: Verdict) -> list[bytes]:
        assert self.machine.answer(ticket, verdict) == []
        return self.machine.take_payloads()

    def asked(self, payload: bytes, kind: type[_E]) -> _E:
        """The one event that a request makes, while nothing is answered."""
        events, sent = self.receive(payload)
        assert sent == []
        (event,) = events
        assert isinstance(event, kind)
        return event

    def deadline(self) -> float | None:
        """When the machine wants to look at the clock."""
        return self.machine.next_deadline

    def open(self, peer: int = PEER, window: int = WINDOW, packet: int = PACKET) -> ChannelId:
        """A session that was asked for and opened."""
        event = self.asked(session(peer, window, packet), ChannelRequested)
        confirmation = ChannelOpenConfirmation(
            peer, event.channel, self.settings.window, self.settings.max_packet
        ).encode()
        assert self.answer(event.ticket, OPENED) == [confirmation]
        return event.channel

    def run(self) -> None:
        """Start a shell on the first channel."""
        assert self.answer(self.asked(SHELL, ShellRequested).ticket, YES) == [OK]


def opened(settings: ConnectionSettings | None = None, window: int = WINDOW, packet: int = PACKET) -> Driver:
    """A driver with session 0."""
    driver = Driver(settings)
    assert driver.open(PEER, window, packet) == 0
    return driver
