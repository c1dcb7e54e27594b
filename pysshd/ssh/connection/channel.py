"""One channel, and the table of what may come for it (RFC 4254 §5)."""

from dataclasses import field
from enum import Enum, auto

from pysshd.records import dataclass
from pysshd.ssh.connection.replies import Replies
from pysshd.ssh.connection.windows import ReceiveWindow, SendWindow
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.wire.numbers import MessageNumber


class Life(Enum):
    """How far a channel is, as seen from what may still come for it."""

    NONE = auto()
    """Never opened, refused, or closed on both sides."""

    OPENING = auto()
    """Its verdict is owed; the peer can not know our number yet."""

    OPEN = auto()
    PEER_EOF = auto()
    """The peer said that it sends no more data."""

    CLOSING = auto()
    """We closed. What the peer sent before it knew may still come, and nothing of ours may follow."""


class Step(Enum):
    """What to do with a message for a channel."""

    TAKE = auto()
    IGNORE = auto()
    DROP = auto()
    """Charge its data to the window, and no more."""

    REFUSE = auto()
    """The peer broke the protocol."""


_TAKE, _IGNORE, _DROP, _REFUSE = Step.TAKE, Step.IGNORE, Step.DROP, Step.REFUSE

STEPS: dict[int, dict[Life, Step]] = {
    number: dict(zip(Life, steps, strict=True))
    for number, steps in {
        #                                            NONE     OPENING  OPEN     PEER_EOF CLOSING
        MessageNumber.CHANNEL_OPEN_CONFIRMATION: (_REFUSE, _REFUSE, _REFUSE, _REFUSE, _REFUSE),
        MessageNumber.CHANNEL_OPEN_FAILURE: (_REFUSE, _REFUSE, _REFUSE, _REFUSE, _REFUSE),
        MessageNumber.CHANNEL_WINDOW_ADJUST: (_IGNORE, _IGNORE, _TAKE, _TAKE, _IGNORE),
        MessageNumber.CHANNEL_DATA: (_REFUSE, _REFUSE, _TAKE, _REFUSE, _DROP),
        MessageNumber.CHANNEL_EXTENDED_DATA: (_REFUSE, _REFUSE, _TAKE, _REFUSE, _DROP),
        MessageNumber.CHANNEL_EOF: (_IGNORE, _IGNORE, _TAKE, _IGNORE, _IGNORE),
        MessageNumber.CHANNEL_CLOSE: (_IGNORE, _IGNORE, _TAKE, _TAKE, _TAKE),
        MessageNumber.CHANNEL_REQUEST: (_REFUSE, _REFUSE, _TAKE, _TAKE, _IGNORE),
        MessageNumber.CHANNEL_SUCCESS: (_IGNORE, _IGNORE, _IGNORE, _IGNORE, _IGNORE),
        MessageNumber.CHANNEL_FAILURE: (_IGNORE, _IGNORE, _IGNORE, _IGNORE, _IGNORE),
    }.items()
}
"""What to do, by message and life (S81).

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

    @property
    def speaks(self) -> bool:
        """Our messages for it may still be sent."""
        return self.life is Life.OPEN or self.life is Life.PEER_EOF
