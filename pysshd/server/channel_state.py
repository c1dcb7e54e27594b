"""What the built-in server has said yes to: on one channel, and last of all."""

from dataclasses import field

from pysshd.policy.query import Request, Run
from pysshd.records import dataclass
from pysshd.server.plan import Plan


@dataclass(slots=True)
class ChannelState:
    """What was said yes to on one channel."""

    pty: bool = False
    running: Run | None = None
    env: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """The last request that was allowed, until its plan is asked for."""

    request: Request
    plan: Plan | None
