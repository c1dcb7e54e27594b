"""What could not be enforced is refused (policy.md, Grants 6): denied patterns beside a shell, and programs that would
run as the daemon's own user.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

from pysshd.policy.clash import GrantsOf
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight, RunRight, ShellRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds, describe
from pysshd.records import dataclass


class PatternCheck:
    """Refuses a deny of a command's form where the same person may run anything: other words would do the same."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._known: set[tuple[int, int, Signature]] = set()

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Check everyone."""
        for person in people:
            grants = grants_of(person)
            denies = [(grant, right) for grant in grants if grant.effect is Effect.DENY for right in _patterns(grant)]
            for deny, pattern in denies:
                for allow in grants:
                    for shell in _shells(allow) if allow.effect is Effect.ALLOW else ():
                        self._check(person, deny, pattern, allow, shell)

    def _check(self, person: Person, deny: Grant, pattern: ExecRight, allow: Grant, shell: RunRight) -> None:
        entries = [deny.conditions, allow.conditions]
        key = (deny.number, allow.number, self._worlds.signature(person, entries))
        if key in self._known:
            return
        self._known.add(key)
        case = self._worlds.together(person, entries)
        if case is not None:
            where = shell.where if shell.where in self._marks else allow.where
            self._report.error(
                self._marks[pattern.where],
                f"a deny of {pattern} can not be enforced: {describe(case, entries)} has {shell} by {where}, and other "
                "words do the same",
                "deny exec: any and the shell, or allow only what is meant",
            )


def _patterns(grant: Grant) -> list[ExecRight]:
    return [right for right in grant.rights.runs if isinstance(right, ExecRight) and not right.is_any]


def _shells(grant: Grant) -> list[RunRight]:
    return [
        right
        for right in grant.rights.runs
        if isinstance(right, ShellRight) or (isinstance(right, ExecRight) and right.is_any)
    ]


@dataclass(slots=True)
class _Unconfined:
    """A grant that lets people run an unconfined program."""

    grant: Grant
    right: RunRight
    people: list[str] = field(default_factory=list)


class OwnerCheck:
    """Under `accounts: service` whoever runs an unconfined program is the daemon's own user: one person may."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._possible: dict[tuple[int, Signature], bool] = {}

    def owner(
        self, people: Iterable[Person], grants_of: GrantsOf, named: str | None, nobodies: Collection[str] = ()
    ) -> str | None:
        """The owner: whom the file names, else the one person who may run such a program.

        nobodies: who stands for anybody, and can not be it.
        """
        found: dict[int, _Unconfined] = {}
        everyone: dict[str, Grant] = {}
        for person in people:
            for grant in grants_of(person):
                right = next((right for right in grant.rights.runs if not right.confined), None)
                if grant.effect is not Effect.ALLOW or right is None or person.name == named:
                    continue
                if self._matches(person, grant):
                    found.setdefault(grant.number, _Unconfined(grant, right)).people.append(person.name)
                    everyone.setdefault(person.name, grant)
        if named is not None:
            for one in found.values():
                self._refuse(one, f"the owner is {named}")
            return named
        if len(everyone) == 1 and everyone.keys().isdisjoint(nobodies):
            [(name, grant)] = everyone.items()
            # Where something else is refused this is not told: who may what is not known yet.
            if not self._report.refused:
                self._report.warning(
                    self._marks[grant.where],
                    f"{name} may run programs as the daemon's own user, and is taken for its owner",
                    f"write it down: server: {{owner: {name}}}",
                )
            return name
        for one in found.values():
            self._refuse(one, self._so_may_another(one, everyone))
        return None

    def _matches(self, person: Person, grant: Grant) -> bool:
        key = (grant.number, self._worlds.signature(person, [grant.conditions]))
        if key not in self._possible:
            self._possible[key] = self._worlds.together(person, [grant.conditions]) is not None
        return self._possible[key]

    def _so_may_another(self, one: _Unconfined, everyone: Mapping[str, Grant]) -> str:
        others = {name: grant for name, grant in everyone.items() if name not in one.people}
        if not others:
            return "only one person may be that"
        name, grant = next(iter(others.items()))
        return f"so may {name} by {grant.where}, and only one person may"

    def _refuse(self, one: _Unconfined, why: str) -> None:
        names = ", ".join(one.people[:3]) + (f" and {len(one.people) - 3} others" if len(one.people) > 3 else "")
        by = f" ({one.right.where})" if one.right.where != one.grant.where else ""
        self._report.error(
            self._marks[one.grant.where],
            f"{names} may run a program that is not confined, {one.right}{by}, and with accounts: service that is "
            f"to be the daemon's own user; {why}",
            "write confined: true in the role, or name the one person in server.owner",
        )
