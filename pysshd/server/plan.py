"""How an allowed request is carried out: the other half of a hook's yes."""

from datetime import datetime

from pysshd.policy.bounds import NO_BOUNDS, Bounds, Limit, Record
from pysshd.policy.ways import (
    EnvWay,
    FileWay,
    Forced,
    GlobalWay,
    LoginShell,
    LoginWay,
    Program,
    PtyWay,
    RunWay,
    SessionWay,
    SftpWay,
    ShellCommand,
    SignalWay,
    Way,
    Words,
)
from pysshd.records import dataclass

__all__ = [
    "NO_BOUNDS",
    "Account",
    "Bounds",
    "EnvWay",
    "FileWay",
    "Forced",
    "GlobalWay",
    "Limit",
    "LoginShell",
    "LoginWay",
    "Plan",
    "Program",
    "PtyWay",
    "Record",
    "RunWay",
    "SessionWay",
    "SftpWay",
    "ShellCommand",
    "SignalWay",
    "Way",
    "Words",
]


@dataclass(frozen=True, slots=True)
class Account:
    """As whom, and where, a session runs.

    name: the Unix account's name, or, where nothing is changed, as the client typed it; USER and LOGNAME.
    uid, gid, groups: its Unix identity; uid and gid None and no groups: the daemon's own user, nothing is changed.
    home, shell: absolute paths; `home` is the working folder, and all that a confined program may write.
    person: who a factor identified, for the audit log.
    environment: variables that the host has for every session.
    """

    name: str
    uid: int | None
    gid: int | None
    groups: tuple[int, ...]
    home: str
    shell: str
    person: str
    environment: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What the daemon does about a request that its hook allowed.

    way: how (`pysshd.policy.ways`); what a session runs is made of it by `pysshd.server.commands.run_of`.
    bounds: what it is held to.
    valid_until: aware; the first instant at which it must be asked again, or None.
    decision_id: names the decision in the audit log.
    """

    account: Account
    way: Way
    bounds: Bounds
    valid_until: datetime | None
    decision_id: str
