"""One connection as the monitor sees it: a worker that asks, the state that it cannot change, and the end of both.

Who the client is, how far it has come and which programs it runs is held here. A worker that breaks the call table is
killed with its connection, and nothing else.
"""

import asyncio
import os
import socket
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from ipaddress import ip_address
from signal import SIGKILL
from typing import Any

from pysshd.errors import BoundaryError, DisconnectReason, PeerGoneError
from pysshd.patterns.hosts import unmapped
from pysshd.processes.boundary.calls.call import Call, Phase, decode
from pysshd.processes.boundary.calls.channels import CloseChannel
from pysshd.processes.boundary.calls.connection import Assign, Bye, EndConnection, Report
from pysshd.processes.boundary.calls.host_keys import ProveHostKeys, Sign
from pysshd.processes.boundary.calls.login import BeginAuth
from pysshd.processes.boundary.calls.table import TO_MONITOR
from pysshd.processes.monitor.channels import Channels
from pysshd.processes.monitor.hooks import Hooks
from pysshd.processes.monitor.journal import ConnectionJournal
from pysshd.processes.monitor.login import Login
from pysshd.processes.monitor.notices import ACCESS_ENDED, notice
from pysshd.processes.monitor.pool import Worker
from pysshd.processes.monitor.routes import REPORTS, STEPS, USES
from pysshd.processes.monitor.sessions import Sessions
from pysshd.processes.monitor.signing import Signing
from pysshd.processes.monitor.standing import Standing, Unreviewed
from pysshd.processes.monitor.table import Gate
from pysshd.processes.monitor.terms import Peer, Services, Terms
from pysshd.server.again import Again
from pysshd.server.connection import Connection, ProgressWriter
from pysshd.server.transport import Transport


class GuardedConnection:
    """Serves the calls of one worker until its connection is over; `authenticated` is called once if it logs in."""

    def __init__(
        self,
        *,
        peer: Peer,
        worker: Worker,
        services: Services,
        terms: Terms,
        name: str,
        authenticated: Callable[[], None],
    ) -> None:
        self.name = name
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._peer = peer
        self._worker = worker
        self._endpoint = worker.endpoint
        self._services = services
        self._terms = terms
        self._authenticated = authenticated
        self._gate = Gate()
        self._journal = ConnectionJournal(services.log, name, str(peer), services.clock.monotonic)
        self._progress = ProgressWriter()
        self._signing = Signing(services.signer, services.clock.monotonic)
        self._login: Login | None = None
        self._channels: Channels | None = None
        self._standing = Unreviewed()
        self._client = ""
        self._reason: str | None = None
        self._told_to_end = False
        self._closed = False
        self._tasks: tuple[asyncio.Future[None], ...] = ()
        self._loop = asyncio.get_running_loop()
        self._started = services.clock.monotonic()
        self._grace: asyncio.TimerHandle | None = None

    # --- from the accept to the end

    def start(self, client: socket.socket) -> None:
        """Hand the client's socket to the worker; it stays the caller's to close."""
        self._journal.write("connection.opened", listener=self._peer.listener, worker=self._worker.child.pid)
        self._gate.advance(Phase.KEX)
        self._endpoint.set_blocking(False)
        try:
            self._worker.begin(_message_of(self._terms.assign), client.fileno())
        except (BoundaryError, BlockingIOError) as error:
            return self._unheard(error)
        self._loop.add_reader(self._endpoint.fileno(), self._readable)
        self._grace = self._loop.call_later(self._terms.login_grace, self._grace_is_over)
        return None

    def end(self, reason: DisconnectReason, text: str) -> None:
        """Have the worker tell its client, then kill what has not ended. From now on nothing is answered any more."""
        if self._closed:
            return
        self._told_to_end = True
        self._reason = self._reason or text
        self._send(EndConnection(reason, text))
        self._loop.call_later(self._worker.patience, self._overdue)

    def judge_again(self) -> None:
        """Ask again, soon, whether what this connection was allowed is allowed still."""
        if not self._told_to_end:
            self._standing.due()

    def _revoke(self, again: Again, fault: str) -> None:
        """The login would not be accepted any more: the connection ends, its programs at once."""
        if self._told_to_end or self._closed:
            return
        self._journal.revoked("connection.revoked", again.record, fault)
        self._reason = "the login is not allowed any more"
        self.end(DisconnectReason.BY_APPLICATION, notice(ACCESS_ENDED, again.record.decision_id))
        if self._channels is not None:
            self._channels.hang_up()

    def _overdue(self) -> None:
        if not self._closed:
            self._worker.overdue()
            self._close()

    def _grace_is_over(self) -> None:
        self._reason = "nobody logged in within the grace time"
        self.end(DisconnectReason.BY_APPLICATION, "login took too long")

    def _close(self) -> None:
        """End everything of this connection; `over` is done when its worker is gone."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._endpoint.fileno())
        self._endpoint.close()
        if self._grace is not None:
            self._grace.cancel()
        self._standing.close()
        if self._channels is not None:
            self._channels.close_all()
        else:
            # Whoever has left waits for no verdict: a password in the queue would keep those of others waiting.
            for task in self._tasks:
                task.cancel()
        self._spawn(self._bury())

    async def _bury(self) -> None:
        try:
            await self._write_epitaph()
        finally:
            if not self.over.done():
                self.over.set_result(None)

    async def _write_epitaph(self) -> None:
        child = self._worker.child
        status = await self._worker.left(self._reason)
        if status is not None and (status.signal is not None or status.status):
            if not self._worker.is_shared:
                words = child.last_words.decode("utf-8", "backslashreplace").strip()
                self._journal.write("worker.died", pid=child.pid, status=str(status), detail=words[-2048:])
            self._reason = self._reason or f"the worker died with {status}"
        seconds = round(self._services.clock.monotonic() - self._started, 3)
        self._journal.write("connection.closed", seconds=seconds, reason=self._reason or "the worker ended")

    # --- calls

    def _send(self, call: Call, descriptors: tuple[int, ...] = ()) -> None:
        if self._closed:
            return
        try:
            self._endpoint.send(call.encode(), descriptors)
        except PeerGoneError:
            # It said why before it closed its end, which is read next: a client that left at this moment killed nobody.
            return
        except (BoundaryError, BlockingIOError) as error:
            self._unheard(error)

    def _unheard(self, error: Exception) -> None:
        """A worker that reads nothing any more is stuck, or has ended this connection already."""
        self._reason = self._reason or f"the worker could not be told: {error}"
        if isinstance(error, BlockingIOError):
            self._worker.child.signal(SIGKILL)
        else:
            self._worker.drop()
        self._close()

    def _readable(self) -> None:
        try:
            received = self._endpoint.recv()
            if received is None:
                return self._close()
            if received.fds:
                for descriptor in received.fds:
                    os.close(descriptor)
                raise BoundaryError("worker sent descriptors")
            call = decode(received.message, TO_MONITOR)
            self._gate.admit(call)
            handler = _ONE_WAY.get(type(call))
            if handler is not None:
                handler(self, call)
            elif not self._told_to_end:
                self._spawn(self._answer(call))
        except BlockingIOError:
            pass
        except BoundaryError as error:
            self._violated(error)
        return None

    def _violated(self, error: BoundaryError) -> None:
        if self._closed:
            return
        self._journal.write("worker.violation", detail=str(error), pid=self._worker.child.pid)
        self._reason = "its worker broke the call table"
        self._worker.child.signal(SIGKILL)
        self._close()

    async def _answer(self, call: Any) -> None:
        try:
            answer = await _QUESTIONS[type(call)](self, call)
        except BoundaryError as error:
            return self._violated(error)
        self._gate.answered(call)
        if answer is not None:
            self._send(answer)
        return None

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks += (task,)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Future[None]") -> None:
        self._tasks = tuple(other for other in self._tasks if other is not task)
        if not task.cancelled() and (error := task.exception()) is not None:
            where = traceback.extract_tb(error.__traceback__)[-1]
            detail = f"{type(error).__name__} at {where.filename}:{where.lineno} in a connection, which is ended"
            self._journal.write("daemon.error", detail=detail)
            self._worker.drop()
            self._close()

    # --- key exchange and login

    async def _sign(self, call: Sign) -> Call:
        return await self._signing.sign(call)

    async def _prove(self, call: ProveHostKeys) -> Call:
        return await self._signing.prove(call)

    async def _begin_auth(self, call: BeginAuth) -> Call:
        session_id = self._signing.session_id
        if session_id is None:
            raise BoundaryError("authentication began before any key exchange")
        self._gate.advance(Phase.AUTH)
        services, progress = self._services, self._progress
        source = unmapped(ip_address(self._peer.client[0]))
        self._client = call.client.decode("utf-8", "replace")
        connection = Connection(source, self._peer.listener, self._client, services.clock, progress.view)
        make = partial(services.make_server, connection, self._journal)
        hooks = await Hooks.of(make, services.inline_server, services.threads, self._complain)
        if hooks.by_policy is not None and services.review is not None:
            self._standing = Standing(
                server=hooks.by_policy,
                review=services.review,
                journal=self._journal,
                channels=lambda: self._channels,
                spawn=self._spawn,
                revoke=self._revoke,
            )
        self._login = Login(
            user=call.user,
            service=call.service,
            session_id=session_id,
            host_key=self._signing.host_key,
            algorithms=self._terms.assign.user_key_algorithms,
            min_rsa_bits=self._terms.min_rsa_bits,
            hooks=hooks,
            progress=progress,
            journal=self._journal,
            clock=services.clock,
            accepted=lambda: self._accepted(hooks),
        )
        return await self._login.offer(call)

    def _accepted(self, hooks: Hooks) -> bool:
        """Let the client in; False where its connection is over by now, as by the grace time."""
        if self._told_to_end or self._closed:
            return False
        self._gate.advance(Phase.OPEN)
        if self._grace is not None:
            self._grace.cancel()
        ends = (self._peer.client, self._peer.server)
        self._channels = Channels(
            hooks=hooks,
            sessions=Sessions(
                self._services.launcher,
                ends,
                self._terms.hidden,
                self._terms.timezone,
                self._terms.limits,
                self._terms.own_user,
            ),
            journal=self._journal,
            most=self._terms.sessions,
            send=self._send,
            transport=self._transport(),
            allowed=self._standing.allowed,
        )
        self._authenticated()
        # Only now the last step is among those that count.
        self._standing.accepted()
        return True

    def _transport(self) -> Transport:
        """What hooks may know of this connection by now."""

        def end() -> None:
            try:
                self._loop.call_soon_threadsafe(
                    self.end, DisconnectReason.BY_APPLICATION, "the server interface closed the connection"
                )
            except RuntimeError:
                pass  # the daemon has ended meanwhile

        user = self._login.user if self._login is not None else ""
        return Transport(self._peer.client, user, self._client, end)

    def _complain(self, hook: str, detail: str) -> None:
        self._journal.write("hook.failed", hook=hook, detail=detail)

    async def _authenticate(self, call: Any) -> Call:
        if self._login is None:
            raise BoundaryError(f"call {type(call).__name__} came before BeginAuth was answered")
        if self._login.failures >= self._terms.auth_attempts:
            raise BoundaryError(f"authentication went on after {self._login.failures} failures")
        return await STEPS[type(call)](self._login, call)

    async def _use(self, call: Any) -> Call | None:
        if self._channels is None:
            raise BoundaryError(f"call {type(call).__name__} came before a login")
        return await USES[type(call)](self._channels, call)

    # --- calls without an answer

    def _close_channel(self, call: CloseChannel) -> None:
        if self._channels is not None:
            self._channels.close(call)

    def _report(self, call: Report) -> None:
        event, names = REPORTS.get(call.event, (None, frozenset()))
        if event is None or not names.issuperset(name for name, _ in call.fields):
            raise BoundaryError(f"report {call.event[:64]!a} has no meaning, or fields that are not its own")
        self._journal.write(event, **dict(call.fields))

    def _bye(self, call: Bye) -> None:
        self._reason = self._reason or call.reason


@lru_cache(maxsize=16)
def _message_of(assign: Assign) -> bytes:
    """What every connection of one listener is told."""
    return assign.encode()


_QUESTIONS: Mapping[type[Call], Callable[[GuardedConnection, Any], Awaitable[Call | None]]] = {
    Sign: GuardedConnection._sign,
    BeginAuth: GuardedConnection._begin_auth,
    ProveHostKeys: GuardedConnection._prove,
    **dict.fromkeys(STEPS, GuardedConnection._authenticate),
    **dict.fromkeys(USES, GuardedConnection._use),
}

_ONE_WAY: Mapping[type[Call], Callable[[GuardedConnection, Any], None]] = {
    CloseChannel: GuardedConnection._close_channel,
    Report: GuardedConnection._report,
    Bye: GuardedConnection._bye,
}
