"""What comes of a request that was allowed once and is asked again: whether it would be allowed in the same way."""

from pysshd.records import dataclass
from pysshd.server.commands import RUN_WAYS
from pysshd.server.plan import LoginShell, LoginWay, Plan, ShellCommand
from pysshd.server.ports import DecisionRecord


@dataclass(frozen=True, slots=True)
class Again:
    """A request, decided once more: its plan, or None where it is refused now; and what the log is told of it."""

    plan: Plan | None
    record: DecisionRecord

    def fault(self, before: Plan | None = None) -> str:
        """Why what was allowed does not go on, or "". `before`: how it was allowed, where that is to be the same."""
        if self.plan is None:
            return self.record.reason
        return "" if before is None else difference(before, self.plan)

    def login_fault(self, complete: bool) -> str:
        """Why a login does not go on, or "". `complete`: it has let its client in, so it may not need more now."""
        if fault := self.fault():
            return fault
        way = self.plan.way if self.plan is not None else None
        whole = isinstance(way, LoginWay) and way.complete
        return "" if whole or not complete else "more is asked for now than was proven"


def difference(before: Plan, now: Plan) -> str:
    """In what a request would be answered otherwise now, or "" where it would be in the same way."""
    old, new = before.account, now.account
    if (old.person, old.name) != (new.person, new.name) or (old.uid, old.gid) != (new.uid, new.gid):
        return f"it would run as {new.person}@{new.name} now, not as {old.person}@{old.name}"
    if not set(old.groups) <= set(new.groups):
        return f"it has a group that account {old.name} is not in any more"
    if before.way != now.way:
        return "it would be run in another way now"
    if isinstance(before.way, LoginShell | ShellCommand) and old.shell != new.shell:
        return f"it would be run by another shell now, {new.shell}"
    if isinstance(before.way, RUN_WAYS) and before.way.confined and old.home != new.home:
        return "it would have another home now"
    return ""
