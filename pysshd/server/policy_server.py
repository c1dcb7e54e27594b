"""The built-in server: every hook is a request, and the policy answers it (policy.md, Requests)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
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
from pysshd.policy.ways import LoginWay, Way, original_of
from pysshd.server.again import Again
from pysshd.server.attempts import ATTEMPTS_MAX, Attempt, by_key, by_password
from pysshd.server.channel import Channel
from pysshd.server.channel_state import Answered, ChannelState
from pysshd.server.commands import RUN_WAYS
from pysshd.server.connection import Connection
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
from pysshd.server.login_steps import LoginSteps
from pysshd.server.message import Message
from pysshd.server.plan import Plan
from pysshd.server.ports import Identity, Journal, NewId
from pysshd.server.query import InteractiveQuery
from pysshd.server.renewal import renewed, suffices
from pysshd.server.rules import CurrentRules, Rules
from pysshd.server.sources import peer_of

OPENED_MAX = 4096
"""Numbers of opened channels that are remembered: above every cap on open channels."""


class PolicyServer(ServerInterface):
    """Decides for one connection by the policy file alone.

    A request is decided once: its hook answers from the decision, and `plan` hands out how. What is not served is
    refused, and so is everything until the login is complete.
    """

    inline: ClassVar[bool] = True

    def __init__(
        self, ruleset: Ruleset, connection: Connection, identity: Identity, journal: Journal, new_id: NewId
    ) -> None:
        self._rules = Rules(ruleset, identity)
        self._connection = connection
        self._journal = journal
        self._new_id = new_id
        self._login = LoginSteps(ruleset, connection)
        self._book = DecisionBook(identity, journal, new_id, self._login)
        self._opened: dict[int, None] = {}
        self._states: WeakKeyDictionary[Channel, ChannelState] | None = None
        self._answered: Answered | None = None
        self.fault = ""
        """Why a step that was proven counts no more by newer rules; the login that it is of is over."""

    # --- authentication ---------------------------------------------------------------------------------------------

    def get_banner(self) -> tuple[str | None, str | None]:
        """The policy's banner: the listener's, else the server's."""
        return (self._rules.ruleset.settings.server.banner_of(self._connection.listener), None)

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
        named = self._login.names(username)
        if "password" not in self._login.offers():
            return self._refuse_step(username, Step("password"), "password is not asked for here")
        return await self._attempt(Step("password"), partial(by_password, named=named, secret=secret))

    async def check_auth_publickey(self, username: str, key: PKey) -> int:
        """A key of the one person who may have this account by it; the signature is verified by the daemon."""
        named = self._login.names(username)
        step = Step("publickey", key.fingerprint)
        if "publickey" not in self._login.offers():
            return self._refuse_step(username, step, "publickey is not asked for here")
        return await self._attempt(step, partial(by_key, named=named, key=key))

    async def _attempt(self, step: Step, attempt: Callable[..., Awaitable[Attempt]]) -> int:
        """Make an attempt under the rules that are in force when it is over."""
        for _ in range(ATTEMPTS_MAX):
            login = self._login
            made = await attempt(login, self._rules.identity, self._connection)
            if login is self._login:
                return self._settle(made)
        return self._refuse_step(self._login.account, step, "the policy changed each time while it was judged")

    def check_auth_interactive(self, username: str, submethods: bytes) -> int | InteractiveQuery:
        """Refused: no step that needs it is served."""
        return self._refuse_step(username, Step("keyboard-interactive"), "keyboard-interactive is not served")

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        """Refused: there was no query."""
        return AUTH_FAILED

    def _settle(self, made: Attempt) -> int:
        """Write down what a step came to, and remember whose it is where it would count."""
        step, done, person, decision = made.step, made.done, made.person, made.decision
        if decision is None:
            return self._refuse_step(self._login.account, step, made.reason)
        request, fits = Login(done, step), made.fits
        if not (decision.allowed and fits):
            decision = self._login.judge(person, done, step, trace=True)
        if step.method == "password" and not fits and not done:
            person = None  # whose password it would have been is nobody who was identified
        plan = self._book.note(request, decision, decision.allowed and fits, made.reason or decision.reason, person)
        if plan is None or person is None or not isinstance(plan.way, LoginWay):
            return AUTH_FAILED
        if not self._login.probing:
            self._login.found(person, step, made.proof)
            self._answered = Answered(request, plan)
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

    # --- again ------------------------------------------------------------------------------------------------------

    @property
    def ruleset(self) -> Ruleset:
        """The compiled policy by which this connection is judged now."""
        return self._rules.ruleset

    def suffices(self, rules: Rules) -> bool:
        """Whether what the host said of the account before is all that `rules` ask of it."""
        return suffices(self._login, rules.ruleset)

    async def renew(
        self, current: CurrentRules, *, ask_host: bool = True, wanted: Callable[[], bool] = lambda: True
    ) -> Again | None:
        """Judge this connection by the rules in force from now on, and ask its login again, at the present time.

        ask_host: ask the host anew what it says of the account; until it has answered, all goes as before. Else by
        what it said before. wanted: whether anybody waits for it; a host that took its time is not asked once more for
        a connection that is over.
        None: there is no login to ask for, as none has begun, or what let the client in was no decision of the policy;
        or it is not wanted.
        """
        peer, clock = peer_of(self._connection.source), self._connection.clock
        while True:
            asked, rules = self._login.done(), current()
            before, steps = self._login, self._connection.progress.steps
            login, fault = await renewed(before, rules, clock, peer, wanted, ask_host=ask_host)
            if not wanted():
                return None
            if before is self._login and steps == self._connection.progress.steps and rules is current():
                break
        self._rules, self._login, self._answered = rules, login, None
        self._book = DecisionBook(rules.identity, self._journal, self._new_id, login)
        self.fault = self.fault or fault
        if not steps or (asked is None and not self.fault):
            return None
        return self._login_again(self.fault, asked[0] if asked is not None else None)

    @property
    def login_until(self) -> datetime | None:
        """When the login is to be asked again, because a window of the file opens or closes; None: never."""
        decision = self._login.last_decision()
        return None if decision is None else decision.valid_until

    def _login_again(self, fault: str, whose: str | None) -> Again:
        """What the last step of the login that was done comes to now; `whose` it was."""
        done = self._login.done()
        person, steps = done if done is not None else (whose, self._connection.progress.steps)
        request = Login(steps[:-1], steps[-1])
        decision = self._login.judge(person, request.done, request.step, trace=True)
        fault = fault or ("" if done is not None else "steps of this login do not fit one person")
        allowed = decision.allowed and not fault
        return self._book.considered(request, decision, allowed, fault or decision.reason, person)

    def again(self, request: Request) -> Again:
        """Decide once more, and write nothing down, what was allowed before to whoever is logged in."""
        facts = self._login.session_facts()
        if facts is None or facts.person is None:
            decision = Decision(False, None, decided_by="server", reason="login is not complete")
            return self._book.considered(request, decision, False, decision.reason, None)
        decision = self._login.ask(facts, request, trace=True)
        return self._book.considered(request, decision, decision.allowed, decision.reason, facts.person)

    def _state(self, channel: Channel) -> ChannelState | None:
        """What was said yes to on a channel, for as long as the daemon has it; None for one that was never opened."""
        if channel.chanid not in self._opened:
            return None
        if self._states is None:
            # Not from the start: most of what is idle has no channel, and it is larger than all else here.
            self._states = WeakKeyDictionary()
        return self._states.setdefault(channel, ChannelState())

    def _is_forced(self) -> bool:
        facts = self._login.session_facts()
        return facts is not None and _forces(self._login.ask(facts, Shell()).way)

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
        if not decision.allowed:
            decision = self._login.ask(facts, request, trace=True)
        plan = self._book.note(request, decision, decision.allowed, decision.reason, facts.person)
        if plan is None:
            return False
        self._answered = Answered(request, plan)
        return True

    def _refuse(self, request: Request, reason: str) -> bool:
        settled = self._login.done() or (None, ())
        self._book.refuse(request, reason, settled[0])
        return False


def _forces(way: Way | None) -> bool:
    """Whether something that is forced would run, whatever is asked for."""
    return isinstance(way, RUN_WAYS) and original_of(way) is not None
