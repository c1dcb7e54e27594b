"""What a worker may ask and when: the one place where a call is let in, before anything looks at what it says.

Anything out of its phase, asked twice where once is allowed, or asked while an answer is owed is a violation: the
worker is killed and the violation is written down.
"""

from collections.abc import Mapping

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import Call, Phase
from pysshd.processes.boundary.calls.channels import CloseChannel, OpenChannel, OpenDirectTcpip
from pysshd.processes.boundary.calls.connection import Bye, Ready, Report
from pysshd.processes.boundary.calls.global_requests import CancelForward, RequestForward, RequestGlobal
from pysshd.processes.boundary.calls.host_keys import ProveHostKeys, Sign
from pysshd.processes.boundary.calls.login import (
    AnswerInteractive,
    BeginAuth,
    BeginInteractive,
    OfferNone,
    OfferPassword,
    ProbeKey,
    VerifyKey,
)
from pysshd.processes.boundary.calls.requests import (
    RequestAgent,
    RequestBreak,
    RequestEnv,
    RequestExec,
    RequestPty,
    RequestShell,
    RequestSignal,
    RequestSubsystem,
    RequestWindow,
    RequestX11,
)
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """How one call may be used: how often in a connection, and whether an answer is owed."""

    most: int
    question: bool = True


MANY = 1 << 32
AUTH_CALLS = 160
"""Authentication calls of one connection; the protocol machine ends it at 128 requests."""

TABLE: Mapping[type[Call], Row] = {
    Ready: Row(1, question=False),
    Sign: Row(MANY),
    BeginAuth: Row(1),
    OfferNone: Row(AUTH_CALLS),
    OfferPassword: Row(AUTH_CALLS),
    ProbeKey: Row(AUTH_CALLS),
    VerifyKey: Row(AUTH_CALLS),
    BeginInteractive: Row(AUTH_CALLS),
    AnswerInteractive: Row(AUTH_CALLS),
    OpenChannel: Row(MANY),
    OpenDirectTcpip: Row(MANY),
    RequestPty: Row(MANY),
    RequestEnv: Row(MANY),
    RequestShell: Row(MANY),
    RequestExec: Row(MANY),
    RequestSubsystem: Row(MANY),
    RequestWindow: Row(MANY),
    RequestSignal: Row(MANY),
    RequestBreak: Row(MANY),
    RequestX11: Row(MANY),
    RequestAgent: Row(MANY),
    RequestGlobal: Row(MANY),
    RequestForward: Row(MANY),
    CancelForward: Row(MANY),
    ProveHostKeys: Row(MANY),
    CloseChannel: Row(MANY, question=False),
    Report: Row(64, question=False),
    Bye: Row(1, question=False),
}
"""Every call that a worker may make; its phases stand with the call itself."""


class Gate:
    """The state that decides whether the next call of one worker is legal."""

    def __init__(self) -> None:
        self.phase = Phase.WAITING
        self._counts: dict[type[Call], int] = {}
        self._open: tuple[type[Call], ...] = ()

    def admit(self, call: Call) -> None:
        """Let `call` in, or raise BoundaryError."""
        kind = type(call)
        row = TABLE.get(kind)
        if row is None or self.phase not in kind.PHASES:
            raise BoundaryError(f"call {kind.__name__} came in phase {self.phase.name.lower()}")
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count > row.most:
            raise BoundaryError(f"call {kind.__name__} came {count} times, expected at most {row.most}")
        if not row.question:
            return
        if kind in self._open or (kind is not Sign and any(other is not Sign for other in self._open)):
            raise BoundaryError(f"call {kind.__name__} came while an answer is owed")
        self._open += (kind,)

    def answered(self, call: Call) -> None:
        """The answer to `call` is on its way."""
        self._open = tuple(kind for kind in self._open if kind is not type(call))

    def advance(self, phase: Phase) -> None:
        """Go on to a later phase; there is no way back."""
        if phase <= self.phase:
            raise BoundaryError(f"phase {phase.name.lower()} was entered from {self.phase.name.lower()}")
        self.phase = phase
