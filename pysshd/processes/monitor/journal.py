"""The decisions of a server as lines of the audit log: who, from where, which entry of the file decided, and why."""

from collections.abc import Callable

from pysshd.audit.sampling import Sampler
from pysshd.audit.sinks import AuditLog
from pysshd.server.ports import DecisionRecord
from pysshd.server.requests import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Global,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Subsystem,
)

REFUSALS = 100
REFUSALS_PER_SECOND = 10.0

QUIET = (Login, Session, Global)
"""Requests whose outcome has a line of its own, is followed by one that says more, or comes every few seconds."""


def described(request: Request) -> str | bytes:
    """Return a request as an administrator would say it; what the client chose is escaped when it is rendered."""
    match request:
        case Shell():
            return "shell"
        case Exec(command=command):
            return b"exec " + command
        case Subsystem(name=name):
            return f"subsystem {name}"
        case Pty(term=term):
            return f"pty {term}"
        case Env(name=name):
            return f"env {name}"
        case Signal(name=name):
            return f"signal {name}"
        case Break():
            return "break"
        case Global(name=name):
            return f"global request {name}"
        case Sftp(right=right, path=path):
            return f"sftp {right} ".encode() + path
        case Session(kind=kind):
            return f"channel {kind}"
        case Connect(host=host, port=port, address=address):
            return f"forward {_place(host, port)}" + (f" at {address}" if address is not None else "")
        case Listen(address=at, port=port):
            return f"listen {_place(at, port)}"
        case ConnectUnix(path=path):
            return f"forward-unix {path}"
        case ListenUnix(path=path):
            return f"listen-unix {path}"
        case X11():
            return "x11"
        case Agent():
            return "agent"
        case Login(step=step):
            return f"log in by {step.method}"


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _event(record: DecisionRecord) -> str:
    if record.allowed:
        return "request.allowed"
    # Stock clients send their locale unasked: a server that does not take it is nothing to be warned of.
    return "env.refused" if isinstance(record.request, Env) else "request.refused"


def decided_in(record: DecisionRecord) -> dict[str, str]:
    """The fields that name a decision: its id, the version of the policy, and, of a refusal, what was tried."""
    fields = {"decision": record.decision_id, "rules": record.rules, "trace": record.trace}
    return {name: value for name, value in fields.items() if value}


class ConnectionJournal:
    """What a server of one connection notes, with the peer and the connection's id added.

    Refused requests are sampled once a client makes a storm of them; `now` tells monotonic seconds.
    """

    def __init__(self, log: AuditLog, connection: str, source: str, now: Callable[[], float]) -> None:
        self._log = log
        self.connection = connection
        self.source = source
        self.last_login: DecisionRecord | None = None
        self.last_refused: str | None = None
        """The id of the last request that was refused, for whoever tells the client."""

        self._refusals = Sampler(REFUSALS, REFUSALS_PER_SECOND, now)

    def decided(self, record: DecisionRecord) -> None:
        """Note one decision; that of a login is kept until the step's outcome is known."""
        if isinstance(record.request, Login):
            self.last_login = record
            return
        if not record.allowed:
            self.last_refused = record.decision_id
        if not (record.allowed and isinstance(record.request, QUIET)):
            left_out = 0 if record.allowed else self._refusals.admit()
            if left_out is None:
                return
            self._log.write(
                _event(record),
                person=record.person or record.account,
                account=record.account,
                source=self.source,
                request=described(record.request),
                reason=record.reason,
                decided_by=record.decided_by,
                **decided_in(record),
                connection=self.connection,
                **({"unwritten_before": left_out} if left_out else {}),
            )

    def revoked(self, event: str, record: DecisionRecord, reason: str) -> None:
        """Note that what was allowed ends, by what was decided of it now."""
        self.write(
            event,
            person=record.person or record.account,
            account=record.account,
            request=described(record.request),
            reason=reason,
            decided_by=record.decided_by,
            **decided_in(record),
        )

    def write(self, event: str, **fields: str | bytes | int | float | bool | None) -> None:
        """Record an event of this connection."""
        self._log.write(event, source=self.source, connection=self.connection, **fields)
