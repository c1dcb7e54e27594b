"""The requests of a channel, and the descriptors that come with the start of a program."""

from enum import IntEnum

from pysshd.processes.boundary.calls.call import OPEN, Call, call
from pysshd.ssh.wire.messages.fields import Boolean, String, Text, Uint32


@call
class RequestPty(Call):
    """A pseudo-terminal for a channel; answered by `RequestAnswer`, its master comes with the `StartAnswer`."""

    NUMBER = 22
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    term: String
    columns: Uint32
    rows: Uint32
    pixel_width: Uint32
    pixel_height: Uint32
    modes: String


@call
class RequestEnv(Call):
    """An environment variable; answered by `RequestAnswer`."""

    NUMBER = 23
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    name: String
    value: String


@call
class RequestShell(Call):
    """A shell; answered by `StartAnswer`."""

    NUMBER = 24
    PHASES = OPEN
    call: Uint32
    channel: Uint32


@call
class RequestExec(Call):
    """A command; answered by `StartAnswer`."""

    NUMBER = 25
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    command: String


@call
class RequestSubsystem(Call):
    """A subsystem; answered by `StartAnswer`."""

    NUMBER = 26
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    name: Text


@call
class RequestWindow(Call):
    """A new window size; answered by `RequestAnswer`, and the worker resizes the master that it holds."""

    NUMBER = 27
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    columns: Uint32
    rows: Uint32
    pixel_width: Uint32
    pixel_height: Uint32


@call
class RequestSignal(Call):
    """A signal for the channel's process, by name without SIG; answered by `RequestAnswer`."""

    NUMBER = 28
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    name: Text


@call
class RequestBreak(Call):
    """A break of so many milliseconds; answered by `RequestAnswer`, and the worker breaks the line that it holds."""

    NUMBER = 29
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    milliseconds: Uint32


@call
class RequestX11(Call):
    """X11 forwarding; answered by `RequestAnswer`."""

    NUMBER = 30
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    single_connection: Boolean
    auth_protocol: Text
    auth_cookie: String
    screen: Uint32

    def __repr__(self) -> str:
        return f"RequestX11(call={self.call}, channel={self.channel}, screen={self.screen})"


@call
class RequestAgent(Call):
    """Agent forwarding; answered by `RequestAnswer`."""

    NUMBER = 31
    PHASES = OPEN
    call: Uint32
    channel: Uint32


@call
class RequestAnswer(Call):
    """The answer to a channel request that starts nothing."""

    NUMBER = 107
    call: Uint32
    ok: Boolean


class Streams(IntEnum):
    """Which descriptors come with a `StartAnswer`."""

    NONE = 0
    PIPES = 1
    PTY = 2
    JOINED = 3


@call
class StartAnswer(Call):
    """The answer to shell, exec or subsystem.

    With `PIPES` come three descriptors (to write input, to read output, to read errors), with `PTY` the master; with
    `JOINED` none, for they came before (`Joined`).
    """

    NUMBER = 108
    call: Uint32
    streams: Uint32
