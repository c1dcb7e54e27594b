"""One channel, and the table of what may come for it (RFC 4254 §5)."""

from dataclasses import field
from enum import IntEnum

from pysshd.records import dataclass
from pysshd.ssh.connection.replies import Replies
from pysshd.ssh.connection.windows import ReceiveWindow, SendWindow
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.wire.numbers import MessageNumber


class Life(IntEnum):
    """How far a channel is, as seen from what may still come for it."""

    NONE = 0
    """Never opened, refused, or closed on both sides."""

    OPENING = 1
    """Its verdict is owed; the peer can not know our number yet."""

    OPEN = 2
    PEER_EOF = 3
    """The peer said that it sends no more data."""

    CLOSING = 4
    """We closed. What the peer sent before it knew may still come, and nothing of ours may follow."""


SPEAKING = (Life.OPEN, Life.PEER_EOF)
"""While a channel is one of these, our messages for it may be sent."""


class Step(IntEnum):
    """What to do with a message for a channel."""

    TAKE = 0
    IGNORE = 1
    DROP = 2
    """Charge its data to the window, and no more."""

    REFUSE = 3
    """The peer broke the protocol."""


_TAKE, _IGNORE, _DROP, _REFUSE = Step.TAKE, Step.IGNORE, Step.DROP, Step.REFUSE

STEPS: dict[int, tuple[Step, ...]] = {
    #                                               NONE     OPENING  OPEN     PEER_EOF CLOSING
    int(MessageNumber.CHANNEL_OPEN_CONFIRMATION): (_REFUSE, _REFUSE, _REFUSE, _REFUSE, _REFUSE),
    int(MessageNumber.CHANNEL_OPEN_FAILURE): (_REFUSE, _REFUSE, _REFUSE, _REFUSE, _REFUSE),
    int(MessageNumber.CHANNEL_WINDOW_ADJUST): (_IGNORE, _IGNORE, _TAKE, _TAKE, _IGNORE),
    int(MessageNumber.CHANNEL_DATA): (_REFUSE, _REFUSE, _TAKE, _REFUSE, _DROP),
    int(MessageNumber.CHANNEL_EXTENDED_DATA): (_REFUSE, _REFUSE, _TAKE, _REFUSE, _DROP),
    int(MessageNumber.CHANNEL_EOF): (_IGNORE, _IGNORE, _TAKE, _IGNORE, _IGNORE),
    int(MessageNumber.CHANNEL_CLOSE): (_IGNORE, _IGNORE, _TAKE, _TAKE, _TAKE),
    int(MessageNumber.CHANNEL_REQUEST): (_REFUSE, _REFUSE, _TAKE, _TAKE, _IGNORE),
    int(MessageNumber.CHANNEL_SUCCESS): (_IGNORE, _IGNORE, _IGNORE, _IGNORE, _IGNORE),
    int(MessageNumber.CHANNEL_FAILURE): (_IGNORE, _IGNORE, _IGNORE, _IGNORE, _IGNORE),
}
"""What to do, by message and at the place of each life (S81).

Data and requests must name a channel that takes them. The rest may come twice or late, as it does from real clients,
and changes nothing then. We open no channel ourselves and ask nothing on one, so answers answer nothing (S82).
"""


@dataclass(slots=True)
class Channel:
    """A channel's state; `peer` is the peer's number of it."""

    number: ChannelId
    peer: int
    kind: str
    receive: ReceiveWindow
    send: SendWindow
    replies: Replies
    life: Life = Life.OPENING
    eof_sent: bool = False
    exit_sent: bool = False
    env_requests: int = 0
    asked: set[str] = field(default_factory=set)
    """What can be had once and was asked for, unless it was refused since: see `requests`."""
