"""The front of the daemon: an accepted socket is admitted, given a worker and guarded until it is over."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial

from pysshd.daemon.admission import Admission, Place
from pysshd.daemon.clock import new_id
from pysshd.daemon.listeners import Acceptor, Listener
from pysshd.daemon.refusals import Refusals
from pysshd.daemon.renewing import Made
from pysshd.daemon.turnstile import Passage, Turnstile, source_of
from pysshd.errors import BoundaryError, DisconnectReason
from pysshd.processes.monitor.connection import GuardedConnection
from pysshd.processes.monitor.pool import Workers
from pysshd.processes.monitor.terms import Peer, Services, Terms
from pysshd.records import dataclass

STOP_WITHIN = 7.0
"""Seconds that connections and their sessions have to end when the daemon stops."""


@dataclass(slots=True)
class Front:
    """Every open connection of the daemon."""

    services: Services
    terms: Terms
    pool: Workers
    admission: Admission
    turnstile: Turnstile
    _connections: set[GuardedConnection] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _acceptor: Acceptor | None = None
    _refusals: Refusals = field(init=False)

    def __post_init__(self) -> None:
        self._refusals = Refusals(self.services.log, self.services.clock.monotonic)

    def open(self, listeners: Sequence[Listener]) -> None:
        """Accept from now on; the first worker is ready already."""
        self._acceptor = Acceptor(listeners, self._accepted, lambda text: self._log("daemon.warning", detail=text))

    async def close(self) -> None:
        """Accept no more, tell every client, and return when all is over or the time is up."""
        if self._acceptor is not None:
            self._acceptor.close()
        self.turnstile.clear()
        for connection in list(self._connections):
            connection.end(DisconnectReason.BY_APPLICATION, "the server is shutting down")
        pending = [connection.over for connection in self._connections]
        if pending:
            await asyncio.wait(pending, timeout=STOP_WITHIN)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def apply(self, made: Made) -> None:
        """Hold connections to this from now on, and have each that is there ask again for what it was allowed.

        What a connection was told at its start, such as its algorithms, stays as it was.
        """
        self.services, self.terms, self.admission.limits = made.services, made.terms, made.limits
        self.turnstile.change(made.limits.startups.per_source, made.limits.startups.per_source_rate)
        for connection in list(self._connections):
            connection.judge_again()

    def _accepted(self, client: socket.socket, address: tuple[str, int], listener: Listener) -> None:
        peer = Peer(address, client.getsockname()[:2], listener.name)
        until = self.services.clock.monotonic() + self.terms.login_grace
        refusal = self.turnstile.arrive(source_of(address[0]), partial(self._enter, client, peer, until), client.close)
        if refusal is not None:
            self._refuse(client, peer, refusal)

    def _refuse(self, client: socket.socket, peer: Peer, reason: str) -> None:
        self._refusals.write(str(peer), peer.listener, reason)
        client.close()

    def _enter(self, client: socket.socket, peer: Peer, until: float, passage: Passage) -> None:
        """It is this client's turn, which may have waited for it, and gone or given up meanwhile."""
        refusal = self.admission.refusal() or self.services.threads.refusal()
        if refusal is None and self.services.clock.monotonic() > until:
            refusal = "it waited longer for its turn than limits.login_grace allows"
        if refusal is not None or _has_left(client):
            passage.leave()
            return self._refuse(client, peer, refusal or "it left while it waited for its turn")
        task = asyncio.create_task(self._serve(client, peer, self.admission.enter(), passage))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None

    async def _serve(self, client: socket.socket, peer: Peer, place: Place, passage: Passage) -> None:
        connection = None
        try:
            with client:
                connection = await self._start(client, peer, partial(_logged_in, place, passage))
                if connection is not None:
                    self._connections.add(connection)
                    # No task waits for it: it would be a good part of what an idle connection costs.
                    connection.over.add_done_callback(partial(self._is_over, connection, place, passage))
        finally:
            if connection is None:
                _leave(place, passage)

    def _is_over(self, connection: GuardedConnection, place: Place, passage: Passage, _: object) -> None:
        self._connections.discard(connection)
        _leave(place, passage)

    async def _start(
        self, client: socket.socket, peer: Peer, logged_in: Callable[[], None]
    ) -> GuardedConnection | None:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            worker = await self.pool.take()
        except (BoundaryError, OSError) as error:
            self._refusals.write(str(peer), peer.listener, str(error))
            return None
        connection = GuardedConnection(
            peer=peer,
            worker=worker,
            services=self.services,
            terms=self.terms,
            name=new_id(),
            authenticated=logged_in,
        )
        connection.start(client)
        return connection

    def _log(self, event: str, **fields: str) -> None:
        self.services.log.write(event, **fields)


def _logged_in(place: Place, passage: Passage) -> None:
    place.logged_in()
    passage.logged_in()


def _leave(place: Place, passage: Passage) -> None:
    place.leave()
    passage.leave()


def _has_left(client: socket.socket) -> bool:
    """Whether the client closed its end without a word: nobody is there to be served."""
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
