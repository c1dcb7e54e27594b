"""From an event to the call that asks the monitor, and from its answer to the verdict: two tables.

A question is asked when the one before it is answered; only the signature of a key exchange may overtake, so that a
slow password cannot stop a re-exchange.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import OpenAnswer, OpenChannel, OpenDirectTcpip
from pysshd.processes.boundary.calls.global_requests import (
    CancelForward,
    ForwardAnswer,
    GlobalAnswer,
    RequestForward,
    RequestGlobal,
)
from pysshd.processes.boundary.calls.host_keys import ProveHostKeys, Sign, SignAnswer
from pysshd.processes.boundary.calls.login import (
    AnswerInteractive,
    Ask,
    AuthAnswer,
    BeginAuth,
    BeginInteractive,
    Offer,
    OfferNone,
    OfferPassword,
    ProbeKey,
    VerifyKey,
)
from pysshd.processes.boundary.calls.requests import (
    RequestAgent,
    RequestAnswer,
    RequestBreak,
    RequestEnv,
    RequestExec,
    RequestPty,
    RequestShell,
    RequestSignal,
    RequestSubsystem,
    RequestWindow,
    RequestX11,
    StartAnswer,
    Streams,
)
from pysshd.ssh.events.channels import ChannelRequested, DirectTcpipRequested, OpenCode, OpenVerdict
from pysshd.ssh.events.global_requests import (
    ForwardCancelled,
    ForwardRequested,
    ForwardVerdict,
    GlobalRequested,
    GlobalVerdict,
    HostKeysDoubted,
)
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.requests import (
    AgentRequested,
    BreakRequested,
    EnvRequested,
    ExecRequested,
    PtyRequested,
    RequestVerdict,
    ShellRequested,
    SignalRequested,
    SubsystemRequested,
    WindowChanged,
    X11Requested,
)
from pysshd.ssh.events.transport import SignatureWanted, Signed
from pysshd.ssh.events.userauth import (
    AuthBegun,
    AuthOffer,
    AuthVerdict,
    Challenge,
    InteractiveAnswered,
    InteractiveBegun,
    KeyProbed,
    KeySigned,
    NoneOffered,
    Outcome,
    PasswordOffered,
)

Question = Callable[[int, Any], Call]
"""Makes the call of an event; the first argument is the number of the call."""

QUESTIONS: Mapping[type, Question] = {
    SignatureWanted: lambda n, e: Sign(n, e.algorithm, e.exchange_hash),
    NoneOffered: lambda n, e: OfferNone(n, e.method),
    PasswordOffered: lambda n, e: OfferPassword(n, e.password),
    KeyProbed: lambda n, e: ProbeKey(n, e.algorithm, e.blob, e.host_key),
    KeySigned: lambda n, e: VerifyKey(n, e.algorithm, e.blob, e.signature, e.host_key),
    InteractiveBegun: lambda n, e: BeginInteractive(n, e.submethods),
    InteractiveAnswered: lambda n, e: AnswerInteractive(n, e.responses),
    ChannelRequested: lambda n, e: OpenChannel(n, e.channel, e.kind),
    DirectTcpipRequested: lambda n, e: OpenDirectTcpip(n, e.channel, *e.origin, *e.destination),
    PtyRequested: lambda n, e: RequestPty(
        n, e.channel, e.term, e.columns, e.rows, e.pixel_width, e.pixel_height, e.modes
    ),
    WindowChanged: lambda n, e: RequestWindow(n, e.channel, e.columns, e.rows, e.pixel_width, e.pixel_height),
    EnvRequested: lambda n, e: RequestEnv(n, e.channel, e.name, e.value),
    ShellRequested: lambda n, e: RequestShell(n, e.channel),
    ExecRequested: lambda n, e: RequestExec(n, e.channel, e.command),
    SubsystemRequested: lambda n, e: RequestSubsystem(n, e.channel, e.name),
    SignalRequested: lambda n, e: RequestSignal(n, e.channel, e.name),
    BreakRequested: lambda n, e: RequestBreak(n, e.channel, e.milliseconds),
    X11Requested: lambda n, e: RequestX11(n, e.channel, e.single_connection, e.auth_protocol, e.auth_cookie, e.screen),
    AgentRequested: lambda n, e: RequestAgent(n, e.channel),
    GlobalRequested: lambda n, e: RequestGlobal(n, e.name, e.data),
    HostKeysDoubted: lambda n, e: ProveHostKeys(n, e.keys),
    ForwardRequested: lambda n, e: RequestForward(n, e.address, e.port),
    ForwardCancelled: lambda n, e: CancelForward(n, e.address, e.port),
}
"""What the monitor is asked for each event that owes an answer; `AuthBegun` stands apart."""

VERDICTS: Mapping[type[Call], Callable[[Any], Verdict]] = {
    SignAnswer: lambda a: Signed(a.signature),
    Offer: lambda a: AuthOffer(a.methods, a.banner, a.language),
    AuthAnswer: lambda a: AuthVerdict(Outcome(a.outcome), a.methods, a.note),
    Ask: lambda a: Challenge(a.name, a.instructions, a.prompts),
    OpenAnswer: lambda a: OpenVerdict(OpenCode(a.code), a.text),
    RequestAnswer: lambda a: RequestVerdict(a.ok),
    StartAnswer: lambda a: RequestVerdict(a.streams != Streams.NONE),
    GlobalAnswer: lambda a: GlobalVerdict(a.ok, a.data),
    ForwardAnswer: lambda a: ForwardVerdict(a.port or None),
}
"""What each answer of the monitor means to the stack."""


class Questions:
    """The questions of one connection: those that wait, and those that the monitor has."""

    def __init__(self, send: Callable[[Call], None]) -> None:
        self._send = send
        self._waiting: list[Event] = []
        self.asked: dict[int, Event] = {}
        """What the monitor has yet to answer, by the numbers of the calls."""

        self._last = 0
        self.client = b""

    def ask(self, event: Event) -> None:
        """Ask the monitor about `event`, now or when it is its turn."""
        if isinstance(event, SignatureWanted):
            self._put(event)
        else:
            self._waiting.append(event)
            self._next()

    def answered(self, answer: Any) -> tuple[Any, Verdict]:
        """Return the event that `answer` is about, and the verdict; BoundaryError where none was owed."""
        event = self.asked.pop(answer.call, None)
        verdict = VERDICTS.get(type(answer))
        if event is None or verdict is None:
            raise BoundaryError(f"answer {type(answer).__name__} to call {answer.call} was not owed")
        self._next()
        return event, verdict(answer)

    def forget(self, channel: int) -> None:
        """The channel is gone: what was to be asked about it is moot."""
        self._waiting = [event for event in self._waiting if getattr(event, "channel", None) != channel]

    def _next(self) -> None:
        busy = any(not isinstance(event, SignatureWanted) for event in self.asked.values())
        if self._waiting and not busy:
            self._put(self._waiting.pop(0))

    def _put(self, event: Event) -> None:
        self._last = (self._last + 1) & 0xFFFFFFFF
        self.asked[self._last] = event
        if isinstance(event, AuthBegun):
            self._send(BeginAuth(self._last, event.user, event.service, self.client))
        else:
            self._send(QUESTIONS[type(event)](self._last, event))
