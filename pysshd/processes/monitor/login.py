"""The login of one connection: the user frozen by the first request, each step put to the server, the session id ours.

The data that a key must have signed are built here, from what this process knows, and verified before a hook hears that
a key has signed (RFC 4252 §7).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from pysshd.audit.escape import masked
from pysshd.errors import BoundaryError, InvalidKeyError, InvalidSignatureError
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
from pysshd.processes.monitor.hooks import Hooks
from pysshd.processes.monitor.journal import ConnectionJournal, decided_in
from pysshd.processes.monitor.notices import LOGIN_REFUSED, notice
from pysshd.server import answers
from pysshd.server.connection import ProgressWriter
from pysshd.server.keys import PKey
from pysshd.server.padding import padded_delay
from pysshd.server.ports import Clock, DecisionRecord
from pysshd.server.query import InteractiveQuery
from pysshd.ssh.crypto.certs import CERTIFICATE_ALGORITHMS, parse_certificate, plain_algorithm
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key
from pysshd.ssh.events.userauth import Outcome
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.userauth import HOSTBOUND
from pysshd.ssh.wire.numbers import MessageNumber

NONE_FLOOR = 0.005
"""Seconds that the refusal of `none` takes at least: every client asks it first, and nothing is read for it."""

KEY_FLOOR = 0.02
"""Seconds that the refusal of a key, or of a method that nobody knows, takes at least."""

PUBLICKEY = "publickey"
_RSA = "ssh-rsa"

NO_KIND = "the method or the key is of no known kind"

PASSWORD_FLOOR = 0.1
"""Seconds that the refusal of a password takes at least; longer work is rounded up (`padded_delay`)."""


class Login:
    """Answers the calls of the phases before OPEN.

    `accepted` is called once, when the last step has succeeded; it returns False where that came too late.
    """

    def __init__(
        self,
        *,
        user: bytes,
        service: str,
        session_id: bytes,
        host_key: bytes,
        algorithms: tuple[str, ...],
        min_rsa_bits: int,
        hooks: Hooks,
        progress: ProgressWriter,
        journal: ConnectionJournal,
        clock: Clock,
        accepted: Callable[[], bool],
    ) -> None:
        self.user = user.decode("utf-8", "backslashreplace")
        self.failures = 0
        self._wire_user = user
        self._service = service
        self._session_id = session_id
        self._host_key = host_key
        self._algorithms = algorithms
        self._min_rsa_bits = min_rsa_bits
        self._hooks = hooks
        self._progress = progress
        self._journal = journal
        self._clock = clock
        self._accepted = accepted
        self._prompts: int | None = None
        self._asked_for_methods = False

    async def offer(self, call: BeginAuth) -> Offer:
        """What may be tried, and the banner."""
        banner, language = await self._hooks.ask("get_banner", answers.banner)
        return Offer(call.call, await self._methods(), banner, language)

    async def none(self, call: OfferNone) -> AuthAnswer:
        """`none`; a method that nobody knows fails without a hook."""
        started = self._begin()
        if call.method != "none":
            return await self._verdict(call.call, Outcome.FAILURE, call.method, started, KEY_FLOOR, fault=NO_KIND)
        outcome = await self._hooks.ask("check_auth_none", answers.auth_outcome, self.user)
        return await self._verdict(call.call, outcome, call.method, started, NONE_FLOOR)

    async def password(self, call: OfferPassword) -> AuthAnswer:
        """A password, as text where it is UTF-8."""
        started = self._begin()
        secret: str | bytes = call.password
        try:
            secret = call.password.decode()
        except UnicodeDecodeError:
            pass
        outcome = await self._hooks.ask("check_auth_password", answers.auth_outcome, self.user, secret)
        return await self._verdict(call.call, outcome, "password", started, PASSWORD_FLOOR)

    async def probe(self, call: ProbeKey) -> AuthAnswer:
        """Would this key do? The answer never authenticates and counts for no step."""
        started = self._begin()
        key, fault = self._key(call)
        outcome = Outcome.FAILURE if key is None or fault else await self._ask_key(key, "probe")
        if outcome is not Outcome.FAILURE:
            return AuthAnswer(call.call, Outcome.SUCCESS, ())
        fingerprint = None if key is None else key.fingerprint
        return await self._verdict(
            call.call, outcome, PUBLICKEY, started, KEY_FLOOR, fingerprint, probe=True, fault=fault
        )

    async def verify(self, call: VerifyKey) -> AuthAnswer:
        """A key that has signed: first the signature, then the hook."""
        started = self._begin()
        key, fault = self._key(call)
        outcome = Outcome.FAILURE
        if key is not None and not fault:
            try:
                key.public.verify(plain_algorithm(call.algorithm), call.signature, self._signed_data(call))
            except InvalidSignatureError as error:
                fault = str(error)
            else:
                outcome = await self._ask_key(key, "signed")
        fingerprint = None if key is None else key.fingerprint
        return await self._verdict(call.call, outcome, PUBLICKEY, started, KEY_FLOOR, fingerprint, fault=fault)

    async def interactive(self, call: BeginInteractive) -> AuthAnswer | Ask:
        """The first round of keyboard-interactive."""
        return await self._round(call.call, "check_auth_interactive", self.user, call.submethods)

    async def answered(self, call: AnswerInteractive) -> AuthAnswer | Ask:
        """A further round; only after one that asked."""
        if self._prompts is None:
            raise BoundaryError("responses came, but nothing was asked")
        if len(call.responses) != self._prompts:
            raise BoundaryError(f"{len(call.responses)} responses came, expected {self._prompts}")
        responses = [response.decode("utf-8", "replace") for response in call.responses]
        return await self._round(call.call, "check_auth_interactive_response", responses)

    async def _round(self, number: int, hook: str, *args: Any) -> AuthAnswer | Ask:
        started = self._begin()
        answer = await self._hooks.ask(hook, answers.interactive, *args)
        if isinstance(answer, InteractiveQuery):
            self._prompts = len(answer.prompts)
            return Ask(number, answer.name, answer.instructions, tuple(answer.prompts))
        return await self._verdict(number, answer, "keyboard-interactive", started, PASSWORD_FLOOR)

    def _key(self, call: ProbeKey | VerifyKey) -> tuple[PKey | None, str | None]:
        """The key of a request, with its certificate where it comes with one; and what is wrong with it or with the
        request, whatever key it were.
        """
        if call.algorithm not in self._algorithms:
            return None, NO_KIND
        try:
            certificate = parse_certificate(call.blob) if call.algorithm in CERTIFICATE_ALGORITHMS else None
            key = certificate.key if certificate is not None else parse_public_key(call.blob)
        except InvalidKeyError as error:
            return None, NO_KIND if call.algorithm not in CERTIFICATE_ALGORITHMS else str(error)
        if call.algorithm not in (certificate or key).algorithms:
            return None, NO_KIND
        return PKey(key, certificate), self._fault(call, key)

    def _fault(self, call: ProbeKey | VerifyKey, key: PublicKey) -> str | None:
        if key.key_type == _RSA and key.bits < self._min_rsa_bits:
            return f"rsa key has {key.bits} bits, the policy expects at least {self._min_rsa_bits}"
        if call.host_key and call.host_key != self._host_key:
            return "request is bound to a host key that is not the one of this connection"
        return None

    async def _ask_key(self, key: PKey, stage: str) -> Outcome:
        self._progress.ask("probe" if stage == "probe" else "signed")
        try:
            return await self._hooks.ask("check_auth_publickey", answers.auth_outcome, self.user, key)
        finally:
            self._progress.ask(None)

    def _signed_data(self, call: VerifyKey) -> bytes:
        """What the key must have signed, of our own knowledge; a host-bound request ends with our own host key."""
        return b"".join(
            (
                codec.string(self._session_id),
                codec.byte(MessageNumber.USERAUTH_REQUEST),
                codec.string(self._wire_user),
                codec.text(self._service),
                codec.text(HOSTBOUND if call.host_key else PUBLICKEY),
                codec.boolean(True),
                codec.text(call.algorithm),
                codec.string(call.blob),
                codec.string(self._host_key) if call.host_key else b"",
            )
        )

    def _begin(self) -> float:
        """A step begins: a challenge that waits is off, and no decision on another step speaks for it. The time now."""
        self._prompts = None
        self._journal.last_login = None
        return self._clock.monotonic()

    async def _methods(self) -> tuple[str, ...]:
        return await self._hooks.ask("get_allowed_auths", answers.allowed_auths, self.user)

    async def _verdict(
        self,
        number: int,
        outcome: Outcome,
        method: str,
        started: float,
        floor: float,
        fingerprint: str | None = None,
        *,
        probe: bool = False,
        fault: str | None = None,
    ) -> AuthAnswer:
        if outcome is not Outcome.FAILURE:
            self._progress.succeeded(method, fingerprint)
        if outcome is Outcome.SUCCESS and not self._accepted():
            outcome, fault = Outcome.FAILURE, "it came when the connection was over"
        decision = self._note(outcome, method, fingerprint, probe, fault)
        if outcome is Outcome.SUCCESS:
            return AuthAnswer(number, outcome, ())
        if outcome is Outcome.FAILURE:
            if method == "none" and not self._asked_for_methods:
                self._asked_for_methods = True  # what every client asks first (RFC 4252 §5.2): no attempt to log in
            else:
                self.failures += 1
            await asyncio.sleep(padded_delay(started, self._clock.monotonic(), floor))
        told = notice(LOGIN_REFUSED, decision) if outcome is Outcome.FAILURE and decision and method != "none" else ""
        return AuthAnswer(number, outcome, await self._methods(), told)

    def _shown_account(self, record: DecisionRecord | None, outcome: Outcome) -> str:
        """The account as the log may have it: a server that notes its decisions masks the names that nobody has."""
        if record is not None:
            return record.account
        return masked(self.user) if outcome is Outcome.FAILURE else self.user

    def _note(
        self, outcome: Outcome, method: str, fingerprint: str | None, probe: bool, fault: str | None
    ) -> str | None:
        """Write down what a step came to; the id of the decision, where there was one."""
        record, self._journal.last_login = self._journal.last_login, None
        reason = fault or (record.reason if record else "the server interface refuses it")
        fields = {
            "account": self._shown_account(record, outcome),
            "person": record.person if record else None if outcome is Outcome.FAILURE else self.user,
            "method": method,
            "key": fingerprint,
            "decided_by": record.decided_by if record else "-",
            **(decided_in(record) if record else {"decision": None}),
        }
        if outcome is Outcome.SUCCESS:
            methods = "+".join(step.method for step in self._progress.view.steps)
            self._journal.write("login.accepted", methods=methods, **fields)
        elif outcome is Outcome.PARTIAL:
            self._journal.write("login.step", **fields)
        elif method != "none":
            self._journal.write("login.key_refused" if probe else "login.refused", reason=reason, **fields)
        return record.decision_id if record else None
