"""Keeps one connection judged by the rules that are in force, at the time that it is.

After a reload, and when a window of the policy opens or closes, the login and every channel are asked again, each as
the request that it once was. What would be allowed in the same way stays; the rest ends, and nothing else with it.

Where the host has a say it is asked about the account anew, which takes as long as it takes, and may be somebody's to
hang. So all is judged twice: at once, by what the host said before, and when it has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from pysshd.processes.monitor.edges import Edge, Edges
from pysshd.processes.monitor.journal import ConnectionJournal
from pysshd.records import dataclass
from pysshd.server.again import Again
from pysshd.server.policy_server import PolicyServer
from pysshd.server.requests import Request
from pysshd.server.rules import CurrentRules


@dataclass(frozen=True, slots=True)
class Review:
    """What the connections of a daemon share for it: the rules in force, the edges of time, and turns.

    turns: so many connections ask the host at a time.
    """

    rules: CurrentRules
    edges: Edges
    turns: asyncio.Semaphore


class Reviewed(Protocol):
    """The channels of a connection, as far as they are asked about."""

    def review(self, ask: Callable[[Request], Again]) -> datetime | None:
        """Ask again for each of them, end what is to end, and return when to ask the next time."""


class Unreviewed:
    """The review of a connection whose server decides as it likes, or has not been made: there is none."""

    def due(self) -> None:
        """Nothing is asked."""

    def accepted(self) -> None:
        """Nothing is asked."""

    def allowed(self, until: datetime | None) -> None:
        """Nothing is waited for."""

    def close(self) -> None:
        """Nothing is left."""


class Standing(Unreviewed):
    """The review of one connection whose server decides by the policy.

    `spawn` runs work that belongs to the connection; `revoke` ends it, for a decision and a reason.
    """

    def __init__(
        self,
        *,
        server: PolicyServer,
        review: Review,
        journal: ConnectionJournal,
        channels: Callable[[], Reviewed | None],
        spawn: Callable[[Awaitable[None]], None],
        revoke: Callable[[Again, str], None],
    ) -> None:
        self._server = server
        self._review = review
        self._journal = journal
        self._channels = channels
        self._spawn = spawn
        self._revoke = revoke
        self._edge = Edge(review.edges, self.due)
        self._running = False
        self._again = False
        self._over = False
        self._complete = False
        self._judged_by = server.ruleset
        if server.ruleset is not review.rules().ruleset:
            self.due()  # it was made while a reload came

    def due(self) -> None:
        """Ask again soon; what comes while the host is asked is asked of it once more after that."""
        if self._over:
            return
        self._spawn(self._at_once())
        self._again = True
        if not self._running:
            self._running = True
            self._spawn(self._run())

    def accepted(self) -> None:
        """The login is complete. Where a reload came meanwhile, all is asked again."""
        self._complete = True
        self._edge.set(self._server.login_until)
        if self._server.fault or self._server.ruleset is not self._review.rules().ruleset:
            self.due()

    def allowed(self, until: datetime | None) -> None:
        """Something was allowed that is to be asked again at an instant."""
        if not self._over:
            self._edge.sooner(until)

    def close(self) -> None:
        """The connection is over."""
        self._over = True
        self._edge.set(None)

    async def _run(self) -> None:
        try:
            while self._again and not self._over:
                self._again = False
                async with self._review.turns:
                    if not self._over:
                        await self._ask(ask_host=True)
        finally:
            self._running = False

    async def _at_once(self) -> None:
        if not self._over and self._server.suffices(self._review.rules()):
            await self._ask(ask_host=False)

    async def _ask(self, ask_host: bool) -> None:
        login = await self._server.renew(self._review.rules, ask_host=ask_host, wanted=lambda: not self._over)
        if self._over:
            return
        if self._server.ruleset is not self._judged_by:
            self._judged_by = self._server.ruleset
            self._journal.write("connection.renewed", rules=self._judged_by.version)
        if login is not None and (fault := login.login_fault(self._complete)):
            self.close()
            self._revoke(login, fault)
            return
        channels = self._channels()
        until = None if login is None or login.plan is None else login.plan.valid_until
        self._edge.set(until)
        if channels is not None:
            self._edge.sooner(channels.review(self._server.again))
