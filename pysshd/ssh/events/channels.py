"""Channels and what goes over them (RFC 4254 §5), and the verdict on an open."""

from enum import IntEnum

from pysshd.records import dataclass
from pysshd.ssh.events.ids import ChannelId, Ticket


class OpenCode(IntEnum):
    """The answer to a channel open; the failures are the reason codes of RFC 4254 §5.1."""

    SUCCEEDED = 0
    ADMINISTRATIVELY_PROHIBITED = 1
    CONNECT_FAILED = 2
    UNKNOWN_CHANNEL_TYPE = 3
    RESOURCE_SHORTAGE = 4


@dataclass(frozen=True, slots=True)
class ChannelRequested:
    """The peer opens a channel of a kind other than direct-tcpip; answer with `OpenVerdict`."""

    ticket: Ticket
    channel: ChannelId
    kind: str


@dataclass(frozen=True, slots=True)
class DirectTcpipRequested:
    """direct-tcpip (RFC 4254 §7.2); answer with `OpenVerdict`."""

    ticket: Ticket
    channel: ChannelId
    origin: tuple[str, int]
    destination: tuple[str, int]


@dataclass(frozen=True, slots=True)
class OpenVerdict:
    """The answer to a channel open; `text` goes to the peer with a failure."""

    code: OpenCode
    text: str


@dataclass(frozen=True, slots=True)
class DataReceived:
    """Channel data; `extended` is 0, or the data type code of extended data.

    The view is valid until the next `receive_data`. The driver calls `Stack.consumed` once it has passed the data on.
    """

    channel: ChannelId
    data: memoryview
    extended: int


@dataclass(frozen=True, slots=True)
class EofReceived:
    """The peer will send no more data on this channel."""

    channel: ChannelId


@dataclass(frozen=True, slots=True)
class OutputUnwanted:
    """Nobody reads the peer's end any more: no further data are to be sent (`eow@openssh.com`, PROTOCOL §2.1)."""

    channel: ChannelId


@dataclass(frozen=True, slots=True)
class WindowOpened:
    """The peer takes more data on this channel."""

    channel: ChannelId


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """The channel is gone on both sides; its number may be used again."""

    channel: ChannelId
