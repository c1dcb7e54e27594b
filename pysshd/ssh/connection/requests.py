"""Channel requests as a table: which are known, when they may come, and which event asks for a verdict (RFC 4254 §6).

Whatever is not in the table, comes at another time, or carries what no honest client sends, fails without an event.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

from pysshd.errors import DecodeError
from pysshd.records import dataclass
from pysshd.ssh.connection.channel import Channel
from pysshd.ssh.connection.names import is_name
from pysshd.ssh.connection.settings import ConnectionSettings
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
from pysshd.ssh.wire.messages.requests import Break, Env, Exec, PtyReq, Signal, Subsystem, WindowChange, X11Req
from pysshd.ssh.wire.modes import decode_modes, encode_modes
from pysshd.ssh.wire.signals import NUMBER_OF_SIGNAL

CELLS_MAX = 10_000
"""Columns or rows of a terminal; more is clamped (S84)."""

PIXELS_MAX = 0xFFFF
"""Pixels either way: what the kernel can hold."""

SCREEN_MAX = 0xFFFF

_TERM = re.compile(r"[A-Za-z0-9._+-]{0,64}")
_SIGNAL_LOCAL = re.compile(r"[A-Za-z0-9._+-]{1,31}@[A-Za-z0-9.-]{1,32}")
_X11_PROTOCOL = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_X11_COOKIE = re.compile(rb"(?:[0-9A-Fa-f]{2}){1,512}")

EOW = "eow@openssh.com"
"""Whoever sends it takes no more data on the channel; it asks for nothing (OpenSSH's PROTOCOL §2.1)."""

PROGRAM = "program"
PTY = "pty"

Ask = Callable[[Ticket, ChannelId], Event]
"""Makes the event of a request that was read."""


class When(Enum):
    """The times in a session at which a request makes sense."""

    BEFORE = auto()
    """Before a program was asked for (S83)."""

    DURING = auto()
    """After that."""

    WITH_PTY = auto()
    """After a terminal was asked for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: `once` names what can be had once; `read` gives None for what is refused unseen."""

    when: When
    once: str | None
    read: Callable[[bytes, ConnectionSettings], Ask | None]


def _pty(data: bytes, settings: ConnectionSettings) -> Ask | None:
    pty = PtyReq.decode(data)
    if not _TERM.fullmatch(pty.term):
        return None
    try:
        modes = encode_modes(decode_modes(pty.modes))
    except DecodeError:
        return None
    return lambda ticket, channel: PtyRequested(
        ticket,
        channel,
        pty.term.encode(),
        min(pty.columns, CELLS_MAX),
        min(pty.rows, CELLS_MAX),
        min(pty.width, PIXELS_MAX),
        min(pty.height, PIXELS_MAX),
        modes,
    )


def _window_change(data: bytes, settings: ConnectionSettings) -> Ask:
    size = WindowChange.decode(data)
    return lambda ticket, channel: WindowChanged(
        ticket,
        channel,
        min(size.columns, CELLS_MAX),
        min(size.rows, CELLS_MAX),
        min(size.width, PIXELS_MAX),
        min(size.height, PIXELS_MAX),
    )


def _env(data: bytes, settings: ConnectionSettings) -> Ask | None:
    env = Env.decode(data)
    name, value = env.name, env.value
    if not 0 < len(name) <= settings.max_env_name or len(value) > settings.max_env_value:
        return None
    if b"=" in name or b"\0" in name or b"\0" in value:
        return None
    return lambda ticket, channel: EnvRequested(ticket, channel, name, value)


def _shell(data: bytes, settings: ConnectionSettings) -> Ask:
    _nothing(data)
    return ShellRequested


def _exec(data: bytes, settings: ConnectionSettings) -> Ask | None:
    command = Exec.decode(data).command
    if len(command) > settings.max_command or b"\0" in command:
        return None
    return lambda ticket, channel: ExecRequested(ticket, channel, command)


def _subsystem(data: bytes, settings: ConnectionSettings) -> Ask | None:
    name = Subsystem.decode(data).name
    if not is_name(name):
        return None
    return lambda ticket, channel: SubsystemRequested(ticket, channel, name)


def _signal(data: bytes, settings: ConnectionSettings) -> Ask | None:
    name = Signal.decode(data).name
    if name not in NUMBER_OF_SIGNAL and not _SIGNAL_LOCAL.fullmatch(name):
        return None
    return lambda ticket, channel: SignalRequested(ticket, channel, name)


def _break(data: bytes, settings: ConnectionSettings) -> Ask:
    milliseconds = Break.decode(data).length
    return lambda ticket, channel: BreakRequested(ticket, channel, milliseconds)


def _x11(data: bytes, settings: ConnectionSettings) -> Ask | None:
    """The cookie goes into a file that a program reads, so nothing but hexadecimal digits may be in it (S94)."""
    x11 = X11Req.decode(data)
    if not _X11_PROTOCOL.fullmatch(x11.protocol) or not _X11_COOKIE.fullmatch(x11.cookie) or x11.screen > SCREEN_MAX:
        return None
    protocol = x11.protocol.decode("ascii")
    return lambda ticket, channel: X11Requested(
        ticket, channel, x11.single_connection, protocol, x11.cookie, x11.screen
    )


def _agent(data: bytes, settings: ConnectionSettings) -> Ask:
    _nothing(data)
    return AgentRequested


def _nothing(data: bytes) -> None:
    if data:
        raise DecodeError(f"channel request has {len(data)} bytes behind its name, expected none")


KINDS: dict[str, Kind] = {
    "pty-req": Kind(When.BEFORE, PTY, _pty),
    "env": Kind(When.BEFORE, None, _env),
    "x11-req": Kind(When.BEFORE, "x11", _x11),
    "auth-agent-req@openssh.com": Kind(When.BEFORE, "agent", _agent),
    "agent-req": Kind(When.BEFORE, "agent", _agent),
    "shell": Kind(When.BEFORE, PROGRAM, _shell),
    "exec": Kind(When.BEFORE, PROGRAM, _exec),
    "subsystem": Kind(When.BEFORE, PROGRAM, _subsystem),
    "signal": Kind(When.DURING, None, _signal),
    "break": Kind(When.DURING, None, _break),
    "window-change": Kind(When.WITH_PTY, None, _window_change),
}
"""The requests of a session that ask for a verdict; `xon-xoff` and the exits are a server's to send."""

_TIMELY: dict[When, Callable[[set[str]], bool]] = {
    When.BEFORE: lambda asked: PROGRAM not in asked,
    When.DURING: lambda asked: PROGRAM in asked,
    When.WITH_PTY: lambda asked: PTY in asked,
}


def read_request(channel: Channel, kind: str, data: bytes, settings: ConnectionSettings) -> tuple[Kind, Ask] | None:
    """What to ask about a request on `channel`, or None where it fails unseen; `DecodeError` for a malformed one."""
    known = KINDS.get(kind)
    if known is None or channel.kind != "session":
        return None
    ask = known.read(data, settings)
    if ask is None or not _TIMELY[known.when](channel.asked) or known.once in channel.asked:
        return None
    if kind == "env":
        channel.env_requests += 1
        if channel.env_requests > settings.max_env_requests:
            return None
    return known, ask
