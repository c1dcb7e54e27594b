"""The answer to a query, and the trace that explains it."""

from datetime import datetime
from typing import TypeAlias

from pysshd.policy.bounds import NO_BOUNDS, Bounds
from pysshd.policy.ways import Way
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Tried:
    """One entry of the file that was tried.

    entry: its name (of a grant) or `login entry N`.
    where: `file:line`.
    matched: whether its conditions held, or counted as holding.
    failed: the first clause that did not hold or was unknown, or what the entry lacks; empty where nothing failed.
    """

    entry: str
    where: str
    matched: bool
    failed: str = ""


Trace: TypeAlias = tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is allowed, how it is answered, and what it is held to.

    way: how, where it is allowed; else None.
    bounds: empty where it is refused.
    valid_until: the first instant at which the same query could be decided otherwise, because a window of the file
        opens or closes; None: never. The query is to be asked again then.
    trace: every entry tried, in the order of the file; empty unless it was asked for.
    decided_by: `file:line` of the entry that decided, or words such as "no grant".
    reason: one line for the audit log; never for the peer.
    """

    allowed: bool
    way: Way | None
    bounds: Bounds = NO_BOUNDS
    valid_until: datetime | None = None
    trace: Trace = ()
    decided_by: str = ""
    reason: str = ""
