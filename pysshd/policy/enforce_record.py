"""`record: required` on what can not be recorded is refused (policy.md, Grants 6): forwarding, the agent and X11."""

from collections.abc import Iterable, Mapping

from pysshd.policy.bounds import Record
from pysshd.policy.clash import GrantsOf
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights_net import NetRight, PlainRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds, describe

_RECORDABLE = frozenset(["global_requests"])
"""Keys of permissions beyond the session of which there is nothing to record."""


class RecordCheck:
    """Refuses a record that is required of a request that has none: it could only be promised.

    An allow holds what it permits itself to its record; a `bound` whatever anybody whom it means is allowed.
    """

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._known: set[tuple[int, int, Signature]] = set()

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Check everyone."""
        for person in people:
            grants = grants_of(person)
            recording = [grant for grant in grants if grant.bounds.record is Record.REQUIRED]
            reaching = [grant for grant in grants if grant.effect is Effect.ALLOW] if recording else []
            for grant in recording:
                for allow in reaching if grant.effect is Effect.BOUND else [grant]:
                    right = next(iter(_unrecordable(allow)), None)
                    if right is not None:
                        self._check(person, grant, allow, right)

    def _check(self, person: Person, grant: Grant, allow: Grant, right: NetRight) -> None:
        entries = [grant.conditions, allow.conditions]
        key = (grant.number, allow.number, self._worlds.signature(person, entries))
        if key in self._known:
            return
        self._known.add(key)
        case = self._worlds.together(person, entries)
        if case is not None:
            self._report.error(
                self._marks[grant.where],
                f"record: required of {grant.name} can not be enforced: {describe(case, entries)} has {right} by "
                f"{right.where}, of which there is no record",
                "keep them apart with 'unless', or write record: on",
            )


def _unrecordable(grant: Grant) -> list[NetRight]:
    return [right for right in grant.rights.net if not (isinstance(right, PlainRight) and right.key in _RECORDABLE)]
