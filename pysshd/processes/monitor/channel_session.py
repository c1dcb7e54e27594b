"""One open channel as the monitor has it: what was asked of it, how its program was allowed, and the program."""

from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import datetime

from pysshd.processes.monitor.children import Child
from pysshd.processes.monitor.served import Served
from pysshd.processes.monitor.terminal import PtyRequest
from pysshd.records import dataclass
from pysshd.server.again import Again
from pysshd.server.channel import Channel
from pysshd.server.plan import Plan
from pysshd.server.requests import Env, Pty, Request, Run
from pysshd.server.requests import Session as OpenSession

Ask = Callable[[Request], Again]
"""Decides a request once more."""


@dataclass(slots=True)
class Session:
    """One open channel.

    request, plan: what it runs, or is about to run, and how that was allowed; None before, and where a hook serves it.
    revoked: it is not allowed any more, and on its way to its end.
    """

    served: Served
    kind: str = "session"
    pty: PtyRequest | None = None
    env: dict[bytes, bytes] = field(default_factory=dict)
    child: Child | None = None
    started: bool = False
    request: Run | None = None
    plan: Plan | None = None
    revoked: bool = False

    @property
    def channel(self) -> Channel:
        """What hooks are given."""
        return self.served.channel

    def _standing(self) -> Iterator[tuple[Request, Plan | None]]:
        """What it still is, of all that was asked of it, and how that was allowed where it matters.

        A variable that a program was given is past; one that waits for a program is not.
        """
        if self.request is not None:
            yield self.request, self.plan
        else:
            yield OpenSession(self.kind), None
            for name, value in self.env.items():
                yield Env(name.decode("ascii", "replace"), value), None
        if self.pty is not None:
            yield Pty(self.pty.term), None

    def looked_at(self, ask: Ask) -> tuple[tuple[Again, str] | None, datetime | None]:
        """Ask again for what it is: what is not allowed in the same way, and why; else when to ask the next time.

        A channel that a hook serves is the hook's affair.
        """
        if self.revoked or (self.request is None and (self.started or self.served.serving)):
            return None, None
        until: datetime | None = None
        for request, before in self._standing():
            again = ask(request)
            if fault := again.fault(before):
                return (again, fault), None
            if again.plan is not None and again.plan.valid_until is not None:
                until = again.plan.valid_until if until is None else min(until, again.plan.valid_until)
        return None, until
