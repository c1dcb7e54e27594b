"""What a server is told of the connection that it decides for."""

from typing import Literal, TypeAlias

from pysshd.policy.query import IPAddress, Step
from pysshd.records import dataclass
from pysshd.server.ports import Clock

Address: TypeAlias = IPAddress
"""An IP address of the peer; the IPv4 address of an IPv4-mapped one."""

Stage: TypeAlias = Literal["probe", "signed"]
"""Which of the two questions about a key `check_auth_publickey` is asked: may it be used, or it was."""


class Progress:
    """How far the login has come, for hooks to read; the daemon alone writes it, through a `ProgressWriter`.

    steps: the steps that succeeded, in their order. A step of a key carries its fingerprint, no label.
    stage: "probe" or "signed" while a key is asked about, else None.
    """

    __slots__ = ("_stage", "_steps")

    def __init__(self) -> None:
        self._steps: tuple[Step, ...] = ()
        self._stage: Stage | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the login that succeeded."""
        return self._steps

    @property
    def stage(self) -> Stage | None:
        """What is being asked about a key."""
        return self._stage


class ProgressWriter:
    """The daemon's hand on one `Progress`."""

    __slots__ = ("view",)

    def __init__(self) -> None:
        self.view = Progress()

    def ask(self, stage: Stage | None) -> None:
        """Say what the next hook is asked about a key."""
        self.view._stage = stage

    def succeeded(self, method: str, fingerprint: str | None = None) -> None:
        """A step counts from now on: its hook said yes, and the signature, where there is one, is verified."""
        self.view._steps = (*self.view._steps, Step(method, fingerprint))


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection, before any name is known.

    source: the peer's address; None for a peer that has none.
    listener: the name of the listener that accepted it.
    client: the client's identification string (RFC 4253 §4.2): what it claims.
    """

    source: Address | None
    listener: str
    client: str
    clock: Clock
    progress: Progress
