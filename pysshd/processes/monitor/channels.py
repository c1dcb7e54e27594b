"""The channels of one connection: each call of the worker put to the server, and what its answer comes to."""

import signal

from pysshd.errors import BoundaryError, DecodeError
from pysshd.patterns.names import is_term
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import (
    CloseChannel,
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
)
from pysshd.processes.monitor.channel_session import Session
from pysshd.processes.monitor.notices import REFUSED, notice
from pysshd.processes.monitor.programs import Programs
from pysshd.processes.monitor.terminal import PtyRequest
from pysshd.server import answers
from pysshd.server.environment import no_room_for
from pysshd.server.message import Message
from pysshd.server.requests import Env, Exec, Pty, Shell, Subsystem
from pysshd.ssh.events.channels import OpenCode
from pysshd.ssh.wire.modes import decode_modes
from pysshd.ssh.wire.signals import NUMBER_OF_SIGNAL


class Channels(Programs):
    """Answers the calls of the phase OPEN."""

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
            self._hangs_on(Pty(term))
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
            self._hangs_on(Env(call.name.decode("ascii", "replace"), call.value))
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


NOT_SERVED = "said yes to what this version does not serve yet"
