"""Channels: how one is opened, and what becomes of it."""

from pysshd.processes.boundary.calls.call import OPEN, Call, call
from pysshd.ssh.wire.messages.fields import Boolean, String, Text, Uint32


@call
class OpenChannel(Call):
    """A channel of a kind other than direct-tcpip; answered by `OpenAnswer`."""

    NUMBER = 20
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    kind: Text


@call
class OpenDirectTcpip(Call):
    """A forwarded connection; answered by `OpenAnswer`."""

    NUMBER = 21
    PHASES = OPEN
    call: Uint32
    channel: Uint32
    origin_host: Text
    origin_port: Uint32
    host: Text
    port: Uint32


@call
class OpenAnswer(Call):
    """The answer to a channel open: 0, or a reason code of RFC 4254 §5.1."""

    NUMBER = 106
    call: Uint32
    code: Uint32
    text: Text


@call
class Joined(Call):
    """Who asked for a program on this channel is being served by the hook that is still to answer: `PIPES` come."""

    NUMBER = 113
    channel: Uint32


@call
class Exited(Call):
    """A channel's process ended: by `status`, or where `signal` is not empty by that signal (RFC 4254 §6.10)."""

    NUMBER = 111
    channel: Uint32
    status: Uint32
    signal: Text
    core_dumped: Boolean


@call
class Finished(Call):
    """Whoever served this channel is done without saying how it ended: its output is passed on, then it is closed."""

    NUMBER = 114
    channel: Uint32


@call
class Notice(Call):
    """Something for the client to read, on the channel's standard error; dropped where its window has no room."""

    NUMBER = 115
    channel: Uint32
    text: String


@call
class CloseChannel(Call):
    """The channel is gone on the wire; its session ends. No answer."""

    NUMBER = 40
    PHASES = OPEN
    channel: Uint32
