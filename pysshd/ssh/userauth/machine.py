"""User authentication, server side (RFC 4252, RFC 4256): one request, one question, one answer at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from pysshd.errors import DecodeError, DisconnectReason, ProtocolError
from pysshd.records import dataclass
from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.events.userauth import AuthBegun, AuthOffer, AuthVerdict, Challenge, InteractiveAnswered, Outcome
from pysshd.ssh.userauth.methods import Attempt, Nature, read_attempt
from pysshd.ssh.userauth.settings import UserauthSettings
from pysshd.ssh.wire.messages.userauth import (
    PROMPTS_MAX,
    UserauthBanner,
    UserauthFailure,
    UserauthInfoRequest,
    UserauthInfoResponse,
    UserauthRequest,
    UserauthSuccess,
)
from pysshd.ssh.wire.numbers import MessageNumber

SERVICE = "ssh-connection"
"""The one service that can be asked for."""


@dataclass(frozen=True, slots=True)
class _Owed:
    """The question that waits for its verdict; `offer` where it is the first one, with `attempt` still to be asked."""

    ticket: Ticket
    attempt: Attempt
    offer: bool


class UserauthMachine:
    """From the first request to success.

    While `pending`, an answer is owed and nothing may be fed. What the peer may not do raises `ProtocolError` or
    `DecodeError` from `receive`, and comes as `ConnectionFailed` from `answer`, where it was a verdict that used up
    the last attempt. Either way the connection is over.
    """

    def __init__(self, settings: UserauthSettings, tickets: Iterator[Ticket]) -> None:
        self._settings = settings
        self._tickets = tickets
        self._identity: tuple[bytes, str] | None = None
        self._methods: tuple[str, ...] = ()
        self._owed: _Owed | None = None
        self._prompts: int | None = None
        self._requests = 0
        self._failures = 0
        self._asked_for_methods = False
        self._payloads: list[bytes] = []
        self._authenticated = False
        self._receivers: dict[int, Callable[[memoryview], list[Event]]] = {
            MessageNumber.USERAUTH_REQUEST: self._request,
            MessageNumber.USERAUTH_INFO_RESPONSE: self._response,
        }

    @property
    def authenticated(self) -> bool:
        """SSH_MSG_USERAUTH_SUCCESS is among the payloads, or was."""
        return self._authenticated

    @property
    def pending(self) -> bool:
        """An answer is owed."""
        return self._owed is not None

    def take_payloads(self) -> list[bytes]:
        """The messages to send, in their order; each is given out once."""
        payloads, self._payloads = self._payloads, []
        return payloads

    def receive(self, payload: memoryview) -> list[Event]:
        """Take one message with a number from 50 to 79."""
        if self._owed is not None:
            raise RuntimeError("userauth machine was fed while an answer is owed, expected the answer first")
        if not payload:
            raise DecodeError("userauth message is empty, expected a message number")
        receiver = self._receivers.get(payload[0])
        if receiver is None:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR, f"message {payload[0]} came, which only a server sends, if anybody"
            )
        return receiver(payload)

    def answer(self, ticket: Ticket, verdict: Verdict) -> list[Event]:
        """Act on the verdict that was owed for `ticket`; a ticket that is not owed (any more) is dropped.

        `TypeError` and `ValueError` for a verdict that can not answer the question, which then is still owed.
        """
        owed = self._owed
        if owed is None or owed.ticket != ticket:
            return []
        try:
            if owed.offer:
                return self._offered(owed.attempt, verdict)
            if isinstance(verdict, Challenge):
                return self._challenge(owed.attempt, verdict)
            return self._judged(owed.attempt, verdict)
        except ProtocolError as error:
            return [ConnectionFailed(error.reason, str(error), error.note)]

    # --- messages ---------------------------------------------------------------------------------------------------

    def _request(self, payload: memoryview) -> list[Event]:
        if self._authenticated:
            return []  # RFC 4252 §5.1: ignored, and so it can not change who this is (S49)
        self._count_request()
        request = UserauthRequest.decode(payload)
        first = self._identity is None
        self._check_identity(request.user, request.service)
        attempt = read_attempt(request.method, request.body, self._settings)
        if request.method == "none" and attempt.ask is not None and not self._asked_for_methods:
            # It asks which methods there are (RFC 4252 §5.2), which every client does: no attempt to log in.
            self._asked_for_methods = True
            attempt = replace(attempt, counts=False)
        if first:
            ticket = self._owe(attempt, offer=True)
            return [AuthBegun(ticket, request.user, request.service)]
        if self._prompts is not None:
            self._prompts = None
            self._count_failure()  # a challenge that was left unanswered (S51)
        return self._ask(attempt)

    def _response(self, payload: memoryview) -> list[Event]:
        prompts, self._prompts = self._prompts, None
        if prompts is None:
            raise ProtocolError(DisconnectReason.PROTOCOL_ERROR, "info response came, but no challenge is pending")
        self._count_request()
        try:
            responses = UserauthInfoResponse.decode(payload).responses
        except DecodeError:
            responses = None
        if (
            responses is None
            or len(responses) != prompts
            or any(len(response) > self._settings.max_response for response in responses)
        ):
            self._fail()
            return []
        answers = responses
        return self._ask(Attempt(Nature.INTERACTIVE, lambda ticket: InteractiveAnswered(ticket, answers)))

    def _check_identity(self, user: bytes, service: str) -> None:
        if self._identity is None:
            if service != SERVICE:
                raise ProtocolError(
                    DisconnectReason.SERVICE_NOT_AVAILABLE,
                    f"service {service[:64]!a} was asked for, expected {SERVICE}",
                )
            if len(user) > self._settings.max_user:
                raise ProtocolError(
                    DisconnectReason.ILLEGAL_USER_NAME,
                    f"user name has {len(user)} bytes, expected at most {self._settings.max_user}",
                )
            self._identity = (user, service)
        elif self._identity != (user, service):
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR, "user or service changed, expected those of the first request"
            )

    # --- questions and verdicts -------------------------------------------------------------------------------------

    def _owe(self, attempt: Attempt, offer: bool = False) -> Ticket:
        ticket = next(self._tickets)
        self._owed = _Owed(ticket, attempt, offer)
        return ticket

    def _ask(self, attempt: Attempt) -> list[Event]:
        if attempt.ask is None:
            self._fail()
            return []
        return [attempt.ask(self._owe(attempt))]

    def _offered(self, attempt: Attempt, verdict: Verdict) -> list[Event]:
        if not isinstance(verdict, AuthOffer):
            raise TypeError(f"verdict is {type(verdict).__name__}, expected AuthOffer")
        banner = UserauthBanner(verdict.banner, verdict.language.encode()).encode()
        self._owed = None
        self._methods = verdict.methods
        if verdict.banner:
            self._payloads.append(banner)
        return self._ask(attempt)

    def _challenge(self, attempt: Attempt, verdict: Challenge) -> list[Event]:
        if attempt.nature is not Nature.INTERACTIVE:
            raise TypeError("verdict is Challenge, expected AuthVerdict")
        if len(verdict.prompts) > PROMPTS_MAX:
            raise ValueError(f"challenge has {len(verdict.prompts)} prompts, expected at most {PROMPTS_MAX}")
        payload = UserauthInfoRequest(verdict.name, verdict.instructions, prompts=verdict.prompts).encode()
        self._owed = None
        self._prompts = len(verdict.prompts)
        self._payloads.append(payload)
        return []

    def _judged(self, attempt: Attempt, verdict: Verdict) -> list[Event]:
        if not isinstance(verdict, AuthVerdict):
            raise TypeError(f"verdict is {type(verdict).__name__}, expected AuthVerdict")
        outcome = verdict.outcome
        if type(outcome) is not Outcome:  # False and 0 are equal to SUCCESS, and mean anything but that
            raise TypeError(f"outcome is {outcome!r}, expected an Outcome")
        if attempt.nature is Nature.HOPELESS and outcome is not Outcome.FAILURE:
            raise ValueError("verdict accepts a method that does not exist, expected a failure")
        refusal = UserauthFailure(verdict.methods, partial_success=outcome is Outcome.PARTIAL).encode()
        # A key that was only asked about is refused without a word: clients ask about all that they have.
        told = verdict.note if outcome is Outcome.FAILURE and attempt.nature is not Nature.PROBE else ""
        banner = UserauthBanner(told + "\r\n", b"").encode()
        self._owed = None
        if attempt.nature is Nature.PROBE and outcome is not Outcome.FAILURE:
            self._payloads.append(attempt.accepted)  # no step was taken, so what may be tried stays as it was
        elif outcome is Outcome.SUCCESS:
            self._authenticated = True
            self._payloads.append(UserauthSuccess().encode())
        else:
            self._methods = verdict.methods
            if outcome is Outcome.FAILURE and attempt.counts:
                self._count_failure(verdict.note)
            self._payloads += [banner, refusal] if told else [refusal]
        return []

    # --- limits -----------------------------------------------------------------------------------------------------

    def _count_request(self) -> None:
        self._requests += 1
        if self._requests > self._settings.max_requests:
            raise ProtocolError(
                DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE,
                f"authentication requests are more than {self._settings.max_requests}",
            )

    def _count_failure(self, note: str = "") -> None:
        self._failures += 1
        if self._failures >= self._settings.max_failures:
            raise ProtocolError(
                DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE,
                f"authentication failed {self._failures} times, which is the limit",
                note,
            )

    def _fail(self) -> None:
        self._count_failure()
        self._payloads.append(UserauthFailure(self._methods).encode())
