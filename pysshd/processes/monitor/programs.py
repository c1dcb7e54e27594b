"""What runs on the channels of one connection: each program started, watched and ended, and asked about again."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import Exited, Finished, Notice
from pysshd.processes.boundary.calls.requests import StartAnswer, Streams
from pysshd.processes.monitor.channel_session import Ask, Session
from pysshd.processes.monitor.held import hold
from pysshd.processes.monitor.hooks import Hooks
from pysshd.processes.monitor.journal import ConnectionJournal, described
from pysshd.processes.monitor.launcher import LaunchError
from pysshd.processes.monitor.notices import REFUSED, SESSION_ENDED, line
from pysshd.processes.monitor.served import Served
from pysshd.processes.monitor.sessions import Sessions, nologin
from pysshd.processes.monitor.streams import Pair, open_streams
from pysshd.server import answers
from pysshd.server.again import Again
from pysshd.server.plan import Plan
from pysshd.server.requests import Request, Run
from pysshd.server.transport import Transport
from pysshd.ssh.wire.signals import name_of_signal

Send = Callable[[Call, tuple[int, ...]], None]
"""Sends a call to the worker, with descriptors."""

REFUSAL_PAUSE: Final = 0.02
"""Seconds between a notice and the refusal that it goes with: two packets to a client, of which it shows the first."""


class Programs:
    """The open channels of one connection, and their programs."""

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

    def _hangs_on(self, request: Request) -> None:
        """What was said yes to, beside a program, is asked again when a window of the policy opens or closes."""
        policy = self._hooks.by_policy
        if policy is not None and (plan := policy.again(request).plan) is not None:
            self._allowed(plan.valid_until)

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

    def _session(self, channel: int) -> Session:
        session = self._open.get(channel)
        if session is None:
            raise BoundaryError(f"channel {channel} was named, but is not open")
        return session

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        hold(task)
