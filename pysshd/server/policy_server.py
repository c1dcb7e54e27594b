"""The built-in server: every hook is a request, and the policy answers it (policy.md, Requests)."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import ClassVar
from weakref import WeakKeyDictionary

from pysshd.patterns.names import is_term
from pysshd.policy.decision import Decision
from pysshd.policy.query import (
    Break,
    Env,
    Exec,
    Global,
    Login,
    Pty,
    Request,
    Run,
    Session,
    Shell,
    Signal,
    Step,
    Subsystem,
)
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways import Forced, LoginWay
from pysshd.server.channel import Channel
from pysshd.server.connection import Address, Connection
from pysshd.server.constants import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from pysshd.server.decision_book import DecisionBook
from pysshd.server.environment import no_room_for, refusal_of
from pysshd.server.interface import ServerInterface
from pysshd.server.keys import PKey
from pysshd.server.known import Known
from pysshd.server.login_steps import LoginSteps
from pysshd.server.message import Message
from pysshd.server.plan import Plan
from pysshd.server.ports import Identity, Journal, NewId
from pysshd.server.query import InteractiveQuery

OPENED_MAX = 4096
"""Numbers of opened channels that are remembered: above every cap on open channels."""

_NOBODY = ""
"""Stands for a person whom no policy can name, so that a check that cannot succeed takes the same path."""


@dataclass(slots=True)
class _ChannelState:
    """What this server has said yes to on one channel."""

    pty: bool = False
    running: Run | None = None
    env: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answered:
    """The last request that was allowed, until its plan is asked for."""

    request: Request
    plan: Plan | None


class PolicyServer(ServerInterface):
    """Decides for one connection by the policy file alone.

    A request is decided once: its hook answers from the decision, and `plan` hands out how. What is not served is
    refused, and so is everything until the login is complete.
    """

    inline: ClassVar[bool] = True

    def __init__(
        self, ruleset: Ruleset, connection: Connection, identity: Identity, journal: Journal, new_id: NewId
    ) -> None:
        self._ruleset = ruleset
        self._connection = connection
        self._identity = identity
        self._login = LoginSteps(ruleset, connection)
        self._book = DecisionBook(identity, journal, new_id, self._login)
        self._opened: dict[int, None] = {}
        self._states: WeakKeyDictionary[Channel, _ChannelState] = WeakKeyDictionary()
        self._answered: _Answered | None = None

    # --- authentication ---------------------------------------------------------------------------------------------

    def get_banner(self) -> tuple[str | None, str | None]:
        """The policy's banner: the listener's, else the server's."""
        return (self._ruleset.settings.server.banner_of(self._connection.listener), None)

    def get_allowed_auths(self, username: str) -> str:
        """The first steps of every entry that could decide, whoever is named; then what the deciding entry asks for."""
        self._login.names(username)
        return ",".join(self._login.offers())

    def check_auth_none(self, username: str) -> int:
        """Refused: nobody is identified by nothing."""
        self._refuse_step(username, Step("none"), "none identifies nobody")
        return AUTH_FAILED

    async def check_auth_password(self, username: str, password: str | bytes) -> int:
        """Right for the settled person, or, where it comes first, for the person of the account's own name."""
        secret = password.encode("utf-8", "surrogatepass") if isinstance(password, str) else password
        step = Step("password")
        named = self._login.names(username)
        if "password" not in self._login.offers():
            return self._refuse_step(username, step, "password is not asked for here")
        known = await self._look_up(named)
        settled = self._login.done()
        if settled is None:
            return self._refuse_step(username, step, "steps of this login do not fit one person")
        person, done = settled
        if person is None and named:
            person = self._login.person_of_password()
        decision = self._login.judge(person, done, step)
        usable = named and person is not None and decision.allowed
        # Whoever cannot come in costs the same work as whoever can (S70).
        now = self._connection.clock.wall()
        whose = person if usable and person else _NOBODY
        matches = await self._identity.password_matches(whose, secret, now, _peer(self._connection.source), known)
        if not usable or person is None:
            reason = decision.reason if named and person is not None else "nobody has this account name as their own"
            return self._settle(step, done, person, decision, False, reason)
        if matches and decision.valid_until is not None and self._connection.clock.wall() >= decision.valid_until:
            return self._settle(step, done, person, decision, False, "decision ran out while the password was checked")
        return self._settle(step, done, person, decision, matches, "" if matches else "password does not match")

    async def check_auth_publickey(self, username: str, key: PKey) -> int:
        """A key of the one person who may have this account by it; the signature is verified by the daemon."""
        named = self._login.names(username)
        if "publickey" not in self._login.offers():
            return self._refuse_step(username, Step("publickey", key.fingerprint), "publickey is not asked for here")
        known = await self._look_up(named)
        now = self._connection.clock.wall()
        holder = await self._identity.key_holder(username, key.public, now, known)
        settled = self._login.done()
        if holder is None or settled is None or not named:
            why = (
                known.fault or self._ruleset.why_no_holder(username, key.fingerprint, now, known.people)
                if holder is None
                else "the login is another's"
            )
            reason = f"it lets nobody in under this account name: {why}"
            return self._refuse_step(username, Step("publickey", key.fingerprint), reason)
        person, done = settled
        if person is not None and person != holder.person:
            reason = f"key {key.fingerprint} is not of the person whom an earlier factor identified"
            return self._refuse_step(username, holder.step, reason)
        decision = self._login.judge(holder.person, done, holder.step)
        return self._settle(holder.step, done, holder.person, decision, decision.allowed, decision.reason)

    async def _look_up(self, named: bool) -> Known:
        """What the host says of the account, once; a name that can be none costs the same."""
        if self._login.known is None:
            account = self._login.account if named else ""
            self._login.known = await self._identity.look_up(account, _peer(self._connection.source))
        return self._login.known

    def check_auth_interactive(self, username: str, submethods: bytes) -> int | InteractiveQuery:
        """Refused: no step that needs it is served."""
        return self._refuse_step(username, Step("keyboard-interactive"), "keyboard-interactive is not served")

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        """Refused: there was no query."""
        return AUTH_FAILED

    def _settle(
        self, step: Step, done: tuple[Step, ...], person: str | None, decision: Decision, fits: bool, reason: str
    ) -> int:
        """Write down what a step came to, and remember whose it is where it would count."""
        request = Login(done, step)
        if step.method == "password" and not fits and not done:
            person = None  # whose password it would have been is nobody who was identified
        plan = self._book.note(request, decision, decision.allowed and fits, reason or decision.reason, person)
        if plan is None or person is None or not isinstance(plan.way, LoginWay):
            return AUTH_FAILED
        if not self._login.probing:
            self._login.found(person, step)
            self._answered = _Answered(request, plan)
        return AUTH_SUCCESSFUL if plan.way.complete else AUTH_PARTIALLY_SUCCESSFUL

    def _refuse_step(self, username: str, step: Step, reason: str) -> int:
        self._login.names(username)
        settled = self._login.done() or (None, ())
        self._book.refuse(Login(settled[1], step), reason, settled[0])
        return AUTH_FAILED

    # --- global requests --------------------------------------------------------------------------------------------

    def check_global_request(self, kind: str, msg: Message) -> bool:
        """By its name; a bare success."""
        return self._ask(Global(kind))

    def check_port_forward_request(self, address: str, port: int) -> int:
        """Refused: listening is not served."""
        self._refuse(Global("tcpip-forward"), "forwarding is not served")
        return False

    # --- channels ---------------------------------------------------------------------------------------------------

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """A session for whoever may run anything at all."""
        if not self._ask(Session(kind)):
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        self._opened[chanid] = None
        if len(self._opened) > OPENED_MAX:
            del self._opened[next(iter(self._opened))]
        return OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """Refused: connecting is not served."""
        self._refuse(Session("direct-tcpip"), "forwarding is not served")
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(
        self, channel: Channel, term: bytes, width: int, height: int, pixelwidth: int, pixelheight: int, modes: bytes
    ) -> bool:
        """One terminal, before anything runs."""
        state = self._state(channel)
        if state is None or state.pty or state.running is not None:
            return False
        name = term.decode("ascii", "replace")
        if not is_term(name):
            return self._refuse(Pty(""), "terminal type has an unacceptable form")
        state.pty = self._ask(Pty(name))
        return state.pty

    def check_channel_window_change_request(
        self, channel: Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        """Whoever holds the terminal may resize it."""
        state = self._state(channel)
        return state is not None and state.pty

    def check_channel_env_request(self, channel: Channel, name: bytes, value: bytes) -> bool:
        """Before anything runs, above the fixed list, and never where a forced command will answer (S85, S87)."""
        state = self._state(channel)
        if state is None or state.running is not None:
            return False
        reason = refusal_of(name, value) or no_room_for(name, value, state.env)
        if reason is None and self._is_forced():
            reason = "a forced command takes no variables from a client"
        request = Env(name.decode("ascii", "replace")[:128], value if reason is None else b"")
        if reason is not None:
            return self._refuse(request, reason)
        if not self._ask(request):
            return False
        state.env[name] = value
        return True

    def check_channel_shell_request(self, channel: Channel) -> bool:
        """The account's shell, the policy's program, or the forced command."""
        return self._run(channel, Shell())

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        """A command, in the way that the policy takes for it."""
        return self._run(channel, Exec(command))

    def check_channel_subsystem_request(self, channel: Channel, name: str) -> bool:
        """A subsystem by its exact name."""
        return self._run(channel, Subsystem(name))

    def check_channel_signal_request(self, channel: Channel, name: str) -> bool:
        """A signal for what runs on the channel; none under forced commands and subsystems."""
        state = self._state(channel)
        return state is not None and state.running is not None and self._ask(Signal(name, state.running))

    def check_channel_break_request(self, channel: Channel, milliseconds: int) -> bool:
        """A break for the terminal of what runs on the channel."""
        state = self._state(channel)
        if state is None or not state.pty or state.running is None:
            return False
        return self._ask(Break(state.running))

    # --- how --------------------------------------------------------------------------------------------------------

    def plan(self, request: Request) -> Plan | None:
        """The plan of the request that was just allowed, once; else the request is decided anew."""
        answered, self._answered = self._answered, None
        if isinstance(request, Login):
            request = Login(tuple(map(self._login.counted, request.done)), self._login.counted(request.step))
        if answered is not None and answered.request == request:
            return answered.plan
        if isinstance(request, Login):
            return self._plan_of_login(request)
        self._ask(request)
        answered, self._answered = self._answered, None
        return None if answered is None else answered.plan

    def _plan_of_login(self, request: Login) -> Plan | None:
        settled = self._login.done()
        if settled is None or settled[0] is None or settled[1] != (*request.done, request.step):
            return None
        decision = self._login.judge(settled[0], request.done, request.step)
        return self._book.note(request, decision, decision.allowed, decision.reason, settled[0])

    def _state(self, channel: Channel) -> _ChannelState | None:
        """What was said yes to on a channel, for as long as the daemon has it; None for one that was never opened."""
        return self._states.setdefault(channel, _ChannelState()) if channel.chanid in self._opened else None

    def _is_forced(self) -> bool:
        facts = self._login.session_facts()
        return facts is not None and isinstance(self._login.ask(facts, Shell()).way, Forced)

    def _run(self, channel: Channel, request: Run) -> bool:
        """One program for each channel (S83), with a plan that can be carried out."""
        state = self._state(channel)
        if state is None or state.running is not None:
            return False
        if not self._ask(request):
            return False
        state.running = request
        return True

    def _ask(self, request: Request) -> bool:
        """Decide one request of whoever is logged in, write it down, and keep its plan."""
        self._answered = None
        facts = self._login.session_facts()
        if facts is None or facts.person is None:
            return self._refuse(request, "login is not complete")
        decision = self._login.ask(facts, request)
        plan = self._book.note(request, decision, decision.allowed, decision.reason, facts.person)
        if plan is None:
            return False
        self._answered = _Answered(request, plan)
        return True

    def _refuse(self, request: Request, reason: str) -> bool:
        settled = self._login.done() or (None, ())
        self._book.refuse(request, reason, settled[0])
        return False


def _peer(source: Address | None) -> Hashable:
    """Whose turn a question takes: an IPv4 address, an IPv6 /64, or all without an address together."""
    return int(source) >> 64 if isinstance(source, IPv6Address) else source
