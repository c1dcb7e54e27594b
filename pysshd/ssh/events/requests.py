"""The requests of a channel (RFC 4254 §6), all answered with `RequestVerdict`."""

from pysshd.records import dataclass
from pysshd.ssh.events.ids import ChannelId, Ticket


@dataclass(frozen=True, slots=True)
class PtyRequested:
    """pty-req; `modes` is the encoded terminal modes (RFC 4254 §8), checked in form; answer with `RequestVerdict`."""

    ticket: Ticket
    channel: ChannelId
    term: bytes
    columns: int
    rows: int
    pixel_width: int
    pixel_height: int
    modes: bytes


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """window-change; answer with `RequestVerdict` (a yes means that the driver resizes the pty that it holds)."""

    ticket: Ticket
    channel: ChannelId
    columns: int
    rows: int
    pixel_width: int
    pixel_height: int


@dataclass(frozen=True, slots=True)
class EnvRequested:
    """env (RFC 4254 §6.4)."""

    ticket: Ticket
    channel: ChannelId
    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class ShellRequested:
    """shell (RFC 4254 §6.5)."""

    ticket: Ticket
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class ExecRequested:
    """exec (RFC 4254 §6.5)."""

    ticket: Ticket
    channel: ChannelId
    command: bytes


@dataclass(frozen=True, slots=True)
class SubsystemRequested:
    """subsystem (RFC 4254 §6.5)."""

    ticket: Ticket
    channel: ChannelId
    name: str


@dataclass(frozen=True, slots=True)
class SignalRequested:
    """signal (RFC 4254 §6.9); the name is without SIG."""

    ticket: Ticket
    channel: ChannelId
    name: str


@dataclass(frozen=True, slots=True)
class BreakRequested:
    """break (RFC 4335 §3)."""

    ticket: Ticket
    channel: ChannelId
    milliseconds: int


@dataclass(frozen=True, slots=True)
class X11Requested:
    """x11-req (RFC 4254 §6.3.1)."""

    ticket: Ticket
    channel: ChannelId
    single_connection: bool
    auth_protocol: str
    auth_cookie: bytes
    screen: int


@dataclass(frozen=True, slots=True)
class AgentRequested:
    """auth-agent-req@openssh.com, or its standard name agent-req."""

    ticket: Ticket
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class RequestVerdict:
    """The answer to a channel request."""

    ok: bool
