"""`exec: any` for somebody who has no shell: it is one, for it runs `sh`."""

from collections.abc import Iterable, Mapping

from pysshd.policy.clash import GrantsOf
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight, ForcedRight, RunRight, ShellRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds


class AnyWithoutShell:
    """Warns of `exec: any` for somebody who never has the account's own shell beside it; each place is told once."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._together: dict[tuple[int, int, Signature], bool] = {}
        self._told: set[str] = set()

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Look at everyone."""
        for person in people:
            allows = [grant for grant in grants_of(person) if grant.effect is Effect.ALLOW]
            shells = [grant for grant in allows if any(map(_is_shell, grant.rights.runs))]
            for grant in allows:
                found = [right for right in grant.rights.runs if isinstance(right, ExecRight) and right.is_any]
                if found and found[0].where not in self._told:
                    self._check(person, grant, found[0], shells, allows)

    def _check(
        self, person: Person, grant: Grant, right: ExecRight, shells: Iterable[Grant], allows: Iterable[Grant]
    ) -> None:
        if any(self._meet(person, grant, other) for other in shells) or not self._meet(person, grant, grant):
            return
        self._told.add(right.where)
        programs = [
            one
            for other in allows
            for one in other.rights.runs
            if isinstance(one, ShellRight) and self._meet(person, grant, other)
        ]
        held = f"is held to {programs[0]} by {programs[0].where}" if programs else "is given no shell"
        self._report.warning(
            self._marks.get(right.where) or self._marks[grant.where],
            f"{right} is a shell, for it runs sh: {person.name} {held}, and has one all the same",
            "write shell: true beside it where that is meant, or permit the commands that are",
        )

    def _meet(self, person: Person, one: Grant, other: Grant) -> bool:
        entries = [one.conditions] if one is other else [one.conditions, other.conditions]
        key = (one.number, other.number, self._worlds.signature(person, entries))
        if key not in self._together:
            self._together[key] = self._worlds.together(person, entries) is not None
        return self._together[key]


def _is_shell(right: RunRight) -> bool:
    """Whether it is the account's own shell, or a forced command, beside which any other is a clash."""
    return isinstance(right, ForcedRight) or (isinstance(right, ShellRight) and right.program is None)
