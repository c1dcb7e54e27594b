"""The channels of one connection: each request put to the server, each program started, signalled and ended."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from pysshd.errors import BoundaryError, DecodeError
from pysshd.patterns.names import is_term
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import (
    CloseChannel,
    Exited,
    Finished,
    Notice,
    OpenAnswer,
    OpenChannel,
    OpenDirectTcpip,
)
from pysshd.processes.boundary.calls.global_requests import (
    CancelForward,
    ForwardAnswer,
    GlobalAnswer,
    RequestForward,
    RequestGlobal,
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
from pysshd.processes.monitor.channel_session import Ask, Session
from pysshd.processes.monitor.hooks import Hooks
from pysshd.processes.monitor.journal import ConnectionJournal, described
from pysshd.processes.monitor.launcher import LaunchError
from pysshd.processes.monitor.notices import REFUSED, SESSION_ENDED, line, notice
from pysshd.processes.monitor.served import Served
from pysshd.processes.monitor.sessions import Sessions, nologin
from pysshd.processes.monitor.streams import Pair, open_streams
from pysshd.processes.monitor.terminal import PtyRequest
from pysshd.server import answers
from pysshd.server.again import Again
from pysshd.server.environment import no_room_for
from pysshd.server.message import Message
from pysshd.server.plan import Plan
from pysshd.server.requests import Exec, Run, Shell, Subsystem
from pysshd.server.transport import Transport
from pysshd.ssh.events.channels import OpenCode
from pysshd.ssh.wire.modes import decode_modes
from pysshd.ssh.wire.signals import NUMBER_OF_SIGNAL, name_of_signal

Send = Callable[[Call, tuple[int, ...]], None]
"""Sends a call to the worker, with descriptors."""


class Channels:
    """Answers the calls of the phase OPEN."""

    def __init__(
        self,
        *,
        hooks: Hooks,
        sessions: Sessions,
        journal: ConnectionJournal,
        most: int,
        send: Send,
        transport: Transport,
        allowed: Callable[[datetime | None], None] = lambda _: None,
    ) -> None:
        """`allowed`: told of what was allowed, and when that is to be asked again."""
        self._allowed = allowed
        self._hooks = hooks
        self._sessions = sessions
        self._journal = journal
        self._most = most
        self._send = send
        self._transport = transport
        self._open: dict[int, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- opening and closing

    async def open(self, call: OpenChannel) -> Call:
        """A channel other than direct-tcpip."""
        if len(self._open) >= self._most:
            return OpenAnswer(call.call, OpenCode.RESOURCE_SHORTAGE, "too many sessions")
        if call.channel in self._open:
            raise BoundaryError(f"channel {call.channel} was opened twice")
        self._journal.last_refused = None
        code = await self._hooks.ask("check_channel_request", answers.open_code, call.kind, call.channel)
        if code is OpenCode.SUCCEEDED and call.kind != "session":
            # Nobody would ever be given the channel: its requests are those of sessions.
            self._journal.write("hook.failed", hook="check_channel_request", detail=NOT_SERVED)
            code = OpenCode.UNKNOWN_CHANNEL_TYPE
        if code is OpenCode.SUCCEEDED:
            self._open[call.channel] = Session(self._served(call.channel, call.kind), call.kind)
        return OpenAnswer(call.call, code, "" if code is OpenCode.SUCCEEDED else self._refusal())

    async def open_direct_tcpip(self, call: OpenDirectTcpip) -> Call:
        """A forwarded connection: asked of the server, and refused until there is a forwarder that could connect."""
        self._journal.last_refused = None
        origin, destination = (call.origin_host, call.origin_port), (call.host, call.port)
        code = await self._hooks.ask(
            "check_channel_direct_tcpip_request", answers.open_code, call.channel, origin, destination
        )
        if code is OpenCode.SUCCEEDED:
            self._journal.write("hook.failed", hook="check_channel_direct_tcpip_request", detail=NOT_SERVED)
        return OpenAnswer(call.call, OpenCode.ADMINISTRATIVELY_PROHIBITED, self._refusal())

    def _refusal(self) -> str:
        return notice(REFUSED, self._journal.last_refused)

    def close(self, call: CloseChannel) -> None:
        """The channel is gone; so is its program, soon."""
        session = self._open.pop(call.channel, None)
        if session is None:
            raise BoundaryError(f"channel {call.channel} was closed, but is not open")
        self._end(session)

    def close_all(self) -> None:
        """The connection is gone, and every program with it."""
        self._transport.active = False
        for session in self._open.values():
            self._end(session)
        self._open.clear()

    def hang_up(self) -> None:
        """End every program; the channels go with the connection, which is about to."""
        for session in self._open.values():
            session.revoked = True
            self._end(session)

    def review(self, ask: Ask) -> datetime | None:
        """Ask again for every channel, and end those that would not be allowed in the same way.

        Returns when to ask the next time, None where nothing changes with time.
        """
        until: datetime | None = None
        for number, session in list(self._open.items()):
            ended, edge = session.looked_at(ask)
            if ended is not None:
                self._revoke(number, session, *ended)
            elif edge is not None:
                until = edge if until is None else min(until, edge)
        return until

    def _revoke(self, number: int, session: Session, again: Again, fault: str) -> None:
        session.revoked = True
        self._journal.revoked("session.revoked", again.record, fault)
        self._send(Notice(number, line(SESSION_ENDED, again.record.decision_id)), ())
        if session.child is not None:
            self._spawn(session.child.end())
        elif session.request is None:
            self._send(Finished(number), ())

    def _served(self, number: int, kind: str) -> Served:
        transport = self._transport
        return Served(
            number,
            kind,
            account=transport.get_username(),
            transport=transport,
            journal=self._journal,
            send=self._send,
        )

    def _end(self, session: Session) -> None:
        session.served.close()
        if session.child is not None:
            self._spawn(session.child.end(hung_up=session.pty is not None))

    # --- before the program

    async def pty(self, call: RequestPty) -> Call:
        """A terminal, opened when the program starts."""
        session = self._session(call.channel)
        sizes = (call.columns, call.rows, call.pixel_width, call.pixel_height)
        try:
            modes = decode_modes(call.modes)
        except DecodeError as error:
            raise BoundaryError(f"terminal modes of channel {call.channel} were passed on unchecked: {error}") from None
        term = call.term.decode("ascii", "replace")
        if term and not is_term(term):
            raise BoundaryError(f"terminal type of channel {call.channel} was passed on unchecked: {term[:64]!a}")
        self._journal.last_refused = None
        ok = self._may_ask(session) and await self._hooks.ask(
            "check_channel_pty_request", answers.request_ok, session.channel, call.term, *sizes, call.modes
        )
        if ok:
            session.pty = PtyRequest(term, *sizes, modes)
        else:
            self._tell(call.channel, REFUSED, self._journal.last_refused)
        return RequestAnswer(call.call, ok)

    async def env(self, call: RequestEnv) -> Call:
        """A variable for the program."""
        session = self._session(call.channel)
        ok = self._may_ask(session) and no_room_for(call.name, call.value, session.env) is None
        if ok:
            ok = await self._hooks.ask(
                "check_channel_env_request", answers.request_ok, session.channel, call.name, call.value
            )
        if ok:
            session.env[call.name] = call.value
        return RequestAnswer(call.call, ok)

    async def x11(self, call: RequestX11) -> Call:
        """X11 forwarding: asked of the server, and refused until it can be served."""
        channel = self._session(call.channel).channel
        asked = (channel, call.single_connection, call.auth_protocol, call.auth_cookie, call.screen)
        return await self._not_served(call.call, "check_channel_x11_request", *asked)

    async def agent(self, call: RequestAgent) -> Call:
        """Agent forwarding: asked of the server, and refused until it can be served."""
        channel = self._session(call.channel).channel
        return await self._not_served(call.call, "check_channel_forward_agent_request", channel)

    async def _not_served(self, number: int, hook: str, *args: object) -> Call:
        if await self._hooks.ask(hook, answers.request_ok, *args):
            self._journal.write("hook.failed", hook=hook, detail=NOT_SERVED)
        return RequestAnswer(number, False)

    # --- the program

    async def shell(self, call: RequestShell) -> None:
        """A shell."""
        await self._start(call.call, call.channel, Shell(), "check_channel_shell_request")

    async def exec(self, call: RequestExec) -> None:
        """A command."""
        await self._start(call.call, call.channel, Exec(call.command), "check_channel_exec_request", call.command)

    async def subsystem(self, call: RequestSubsystem) -> None:
        """A subsystem."""
        await self._start(call.call, call.channel, Subsystem(call.name), "check_channel_subsystem_request", call.name)

    async def _start(self, number: int, channel: int, request: Run, hook: str, *args: object) -> None:
        session = self._session(channel)
        served = session.served
        if not self._may_ask(session):
            self._send(StartAnswer(number, Streams.NONE), ())
            return
        self._journal.last_refused = None
        served.asked()
        ok = await self._hooks.ask(hook, answers.request_ok, session.channel, *args)
        plan = None
        try:
            plan = await self._hooks.plan(request) if ok and not session.channel.taken else None
        except LookupError:
            ok = False
        if self._open.get(channel) is not session or session.revoked:
            ok = False  # the channel went away while the hook thought about it, or is not allowed any more
        elif ok and (plan is None or not session.channel.claim()):
            session.started = True
            served.accepted(number, described(request))
            return
        pair = await self._run(session, request, plan) if ok and plan is not None else None
        if pair is None:
            session.started = session.channel.taken
            await self._refused(number, channel, session)
            return
        try:
            self._send(StartAnswer(number, pair.kind), pair.worker)
        finally:
            pair.close()
            if self._open.get(channel) is session:
                self._spawn(self._watch(channel, session))
            if self._open.get(channel) is not session or session.revoked:
                # The channel went away while its program was being started, or may not run it any more.
                self._end(session)

    async def _refused(self, number: int, channel: int, session: Session) -> None:
        """Refuse a program: first the id of the decision, and the answer a moment later.

        Clients such as OpenSSH's end as soon as they read the answer, and show only what they had read before.
        """
        starting, session.request, session.plan = session.request is not None, None, None
        refused = self._journal.last_refused
        if refused is not None and self._open.get(channel) is session and not session.revoked:
            self._tell(channel, REFUSED, refused)
            await asyncio.sleep(REFUSAL_PAUSE)
        session.served.refused(number)
        if starting and session.revoked and not session.started:
            self._send(Finished(channel), ())

    def _tell(self, channel: int, text: str, decision: str | None) -> None:
        """Tell the client the id of a decision on the channel's standard error; nothing where there is none."""
        if decision is not None:
            self._send(Notice(channel, line(text, decision)), ())

    @staticmethod
    def _may_ask(session: Session) -> bool:
        """Whether a program, or something for it, may still be asked for."""
        return not session.started and not session.revoked

    async def _run(self, session: Session, request: Run, plan: Plan) -> Pair | None:
        told = {"person": plan.account.person, "request": described(request)}
        session.request, session.plan = request, plan
        self._allowed(plan.valid_until)
        pair = None
        try:
            pair = open_streams(session.pty)
            if file := nologin(plan.account):
                self._journal.write("session.turned_away", file=file, decision=plan.decision_id, **told)
            session.child = await self._sessions.start(plan, request, pair, session.pty, session.env)
        except (LaunchError, LookupError, ValueError, OSError) as error:
            if pair is not None:
                pair.close()
            self._journal.write("session.failed", detail=str(error), decision=plan.decision_id, **told)
            self._journal.last_refused = plan.decision_id
            return None
        except BaseException:
            if pair is not None:
                pair.close()
            raise
        session.started = True
        pid = session.child.pid
        self._journal.write("session.started", pid=pid, tty=pair.tty, decision=plan.decision_id, **told)
        return pair

    async def _watch(self, channel: int, session: Session) -> None:
        assert session.child is not None
        status = await session.child.wait()
        self._journal.write("session.ended", person=self._sessions.person, pid=session.child.pid, status=str(status))
        if self._open.get(channel) is session:
            name = "" if status.signal is None else name_of_signal(status.signal)
            self._send(Exited(channel, status.status or 0, name, status.core), ())

    # --- while it runs

    async def window(self, call: RequestWindow) -> Call:
        """A new window size, which the worker sets."""
        session = self._session(call.channel)
        sizes = (call.columns, call.rows, call.pixel_width, call.pixel_height)
        ok = session.pty is not None and await self._hooks.ask(
            "check_channel_window_change_request", answers.request_ok, session.channel, *sizes
        )
        return RequestAnswer(call.call, ok)

    async def signal(self, call: RequestSignal) -> Call:
        """A signal for the process group of the program."""
        session = self._session(call.channel)
        number = NUMBER_OF_SIGNAL.get(call.name)
        known = session.served.serving or (number is not None and session.child is not None)
        ok = known and await self._hooks.ask(
            "check_channel_signal_request", answers.request_ok, session.channel, call.name
        )
        if ok and session.child is not None and number is not None:
            ok = session.child.signal_group(number)
        return RequestAnswer(call.call, ok)

    async def send_break(self, call: RequestBreak) -> Call:
        """A break on a terminal, which the worker makes; without one it is SIGINT to the program."""
        session = self._session(call.channel)
        running = session.child is not None or session.served.serving
        ok = running and await self._hooks.ask(
            "check_channel_break_request", answers.request_ok, session.channel, call.milliseconds
        )
        if ok and session.pty is None and session.child is not None:
            ok = session.child.signal_group(signal.SIGINT)
        return RequestAnswer(call.call, ok)

    # --- the connection as a whole

    async def global_request(self, call: RequestGlobal) -> Call:
        """A global request without a call of its own."""
        hook = "check_global_request"
        ok, data = await self._hooks.ask(hook, answers.global_answer, call.name, Message(call.data))
        return GlobalAnswer(call.call, ok, data)

    async def forward(self, call: RequestForward) -> Call:
        """A listener: asked of the server, and refused until there is a forwarder that could listen."""
        hook = "check_port_forward_request"

        def judge(name: str, returned: object) -> answers.Judged[int | None]:
            return answers.forward_port(name, call.port, returned)

        if await self._hooks.ask(hook, judge, call.address, call.port) is not None:
            self._journal.write("hook.failed", hook=hook, detail=NOT_SERVED)
        return ForwardAnswer(call.call, 0)

    async def cancel_forward(self, call: CancelForward) -> Call:
        """A listener's end: the server is told, and there is none."""
        await self._hooks.ask("cancel_port_forward_request", answers.ignored, call.address, call.port)
        return GlobalAnswer(call.call, False, b"")

    def _session(self, channel: int) -> Session:
        session = self._open.get(channel)
        if session is None:
            raise BoundaryError(f"channel {channel} was named, but is not open")
        return session

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


REFUSAL_PAUSE = 0.02
"""Seconds between a notice and the refusal that it goes with: two packets to a client, of which it shows the first."""

NOT_SERVED = "said yes to what this version does not serve yet"
