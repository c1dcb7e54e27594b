"""What a connection is given when it starts: who connected, what it is held to, and what all of them share."""

from collections.abc import Callable

from pysshd.audit.sinks import AuditLog
from pysshd.processes.boundary.calls.connection import Assign
from pysshd.processes.monitor.hook_threads import HookThreads
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.sessions import Limits
from pysshd.processes.monitor.signer import Signer
from pysshd.processes.monitor.standing import Review
from pysshd.records import dataclass
from pysshd.server.connection import Connection
from pysshd.server.interface import ServerInterface
from pysshd.server.ports import Clock, Journal

MakeServer = Callable[[Connection, Journal], ServerInterface]
"""Makes the server of one connection; the journal is where it notes what it decides."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every connection is held to, and told.

    login_grace: seconds from the accept to a login. hidden: paths that a confined program must not see.
    min_rsa_bits: of a user's key. limits: of sessions that are an account of the host. own_user: sessions may run as
    the daemon's own user; where they are accounts of the host, a plan that names none is not carried out.
    """

    assign: Assign
    login_grace: float
    auth_attempts: int
    sessions: int
    hidden: tuple[str, ...]
    timezone: str | None
    min_rsa_bits: int = 2048
    limits: Limits = ()
    own_user: bool = True


@dataclass(frozen=True, slots=True)
class Services:
    """What the connections of one daemon share.

    inline_server: whether `make_server` decides at once; else it runs in a thread, as a plain hook does.
    review: how connections are judged again; None: never.
    """

    signer: Signer
    launcher: Launcher
    make_server: MakeServer
    threads: HookThreads
    log: AuditLog
    clock: Clock
    inline_server: bool = True
    review: Review | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """Who connected, and where: addresses and ports, and the listener's name."""

    client: tuple[str, int]
    server: tuple[str, int]
    listener: str

    def __str__(self) -> str:
        host, port = self.client
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
