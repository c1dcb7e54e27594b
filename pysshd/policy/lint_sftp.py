"""What is odd about SFTP beside a shell, though nothing is wrong: path rights that a shell walks around."""

from collections.abc import Iterable, Mapping

from pysshd.policy.clash import GrantsOf
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import RunRight
from pysshd.policy.rights_sftp import SftpRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds, describe


class ShellBesidePaths:
    """Warns where somebody who is held to paths may at the same moment run anything."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._known: set[tuple[int, int, Signature]] = set()
        self._told: set[str] = set()

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Check everyone; each permission is told once."""
        for person in people:
            grants = grants_of(person)
            bounded = [(grant, right) for grant in grants if grant.rights.sftp for right in _bounded(grant)]
            if not bounded:
                continue
            allows = [grant for grant in grants if grant.effect is Effect.ALLOW]
            shells = [(grant, right) for grant in allows for right in grant.rights.shells]
            for grant, right in bounded:
                for other, shell in shells:
                    if right.where not in self._told:
                        self._check(person, grant, right, other, shell)

    def _check(self, person: Person, grant: Grant, right: SftpRight, other: Grant, shell: RunRight) -> None:
        entries = [grant.conditions, other.conditions]
        key = (grant.number, other.number, self._worlds.signature(person, entries))
        if key in self._known:
            return
        self._known.add(key)
        case = self._worlds.together(person, entries)
        if case is not None:
            self._told.add(right.where)
            mark = self._marks.get(right.where) or self._marks[grant.where]
            where = shell.where if shell.where in self._marks else other.where
            self._report.warning(
                mark,
                f"{right} bounds nothing: {describe(case, entries)} has {shell} by {where}, and a shell reaches the "
                "files themselves",
                "leave the shell out, or permit the commands that are meant",
            )


def _bounded(grant: Grant) -> list[SftpRight]:
    """What holds somebody to paths: a permission of less than everything, or a deny, which shows nothing."""
    return [right for right in grant.rights.sftp if not right.limits_nothing]
