"""Bounds that never matter: warnings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from pysshd.policy.bounds import Limit, Record
from pysshd.policy.clash import GrantsOf
from pysshd.policy.lint_grants import anyone, named_by, only_who
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import Rights
from pysshd.policy.rights_net import PlainRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds


def warn_lesser_bounds(grants: Iterable[Grant], report: Report, marks: Mapping[str, Mark]) -> None:
    """Bounds of people whom a `bound` without further conditions holds to no more."""
    grants = tuple(grants)
    general = [grant for grant in grants if _is_general(grant)]
    for grant in grants:
        for other in general:
            if other is grant or not _covers(other, grant):
                continue
            # Of two that say the same of the same people the later one is odd.
            first = other.number < grant.number or not (_is_general(grant) and _covers(grant, other))
            for mine, theirs in _lesser(grant, other, first):
                report.warning(
                    marks[grant.where],
                    f"{mine} of {grant.name} never matters: {other.name} at {other.where} holds the same people to "
                    f"{theirs}",
                )


def _is_general(grant: Grant) -> bool:
    return grant.effect is Effect.BOUND and only_who(grant) and not grant.conditions.unless


def _covers(other: Grant, grant: Grant) -> bool:
    """Whether whoever one speaks of is spoken of by the other."""
    return anyone(other) or (not anyone(grant) and named_by(grant) <= named_by(other))


def _lesser(grant: Grant, other: Grant, first: bool) -> list[tuple[str, str]]:
    """Each bound of a grant that another's is as strong as (where that comes first) or stronger."""
    found = [
        (str(mine), str(theirs))
        for mine in sorted(grant.bounds.limits)
        for theirs in sorted(other.bounds.limits)
        if (mine.name, mine.per) == (theirs.name, theirs.per) and _is_stronger(theirs, mine, first)
    ]
    one, two = grant.bounds.record, other.bounds.record
    if one is not Record.OFF and (two > one or (two == one and first)):
        found.append((f"record: {one.name.lower()}", f"record: {two.name.lower()}"))
    return found


def _is_stronger(theirs: Limit, mine: Limit, first: bool) -> bool:
    return theirs.amount < mine.amount or (theirs.amount == mine.amount and first)


_USED: Final[Mapping[str, tuple[Callable[[Rights], bool], str, str]]] = {
    "forwards": (lambda rights: any(not isinstance(right, PlainRight) for right in rights.net), "forwards nothing",
                 "may forward anything"),
    "files": (lambda rights: bool(rights.sftp), "has no files by sftp", "has files by sftp"),
    "file_size": (lambda rights: bool(rights.sftp), "has no files by sftp", "has files by sftp"),
    "sessions": (lambda rights: bool(rights.runs or rights.sftp), "runs nothing", "may run anything"),
}  # fmt: skip
"""Limits of what some permissions alone do: whether a grant has one, what is said of an allow where it has none, and
of whom a `bound` means where nobody has."""


def warn_limits_of_nothing(grants: Iterable[Grant], report: Report, marks: Mapping[str, Mark]) -> None:
    """Limits beside an allow that permits nothing which they count."""
    for grant in grants:
        for limit in sorted(grant.bounds.limits) if grant.effect is Effect.ALLOW else ():
            use = _USED.get(limit.name)
            if use is not None and not use[0](grant.rights):
                report.warning(marks[grant.where], f"{limit} of {grant.name} never matters: {grant.name} {use[1]}")


class BoundCheck:
    """Warns of what a `bound` says in vain, and of limits that guests can use up for others."""

    def __init__(self, people: Sequence[Person], grants_of: GrantsOf, worlds: Worlds) -> None:
        self._people = people
        self._grants_of = grants_of
        self._worlds = worlds

    def check(self, grants: Iterable[Grant], report: Report, marks: Mapping[str, Mark]) -> None:
        """Look at every grant that has bounds."""
        for grant in grants:
            shared = [limit for limit in sorted(grant.bounds.limits) if limit.per == "all"]
            if not shared and grant.effect is not Effect.BOUND:
                continue
            meant = [person for person in self._people if grant.conditions.concerns(person)]
            if grant.effect is Effect.BOUND and meant:
                for message in self._in_vain(grant, meant):
                    report.warning(marks[grant.where], message)
            for limit in shared:
                if guest := self._guest_beside_others(grant, meant):
                    report.warning(
                        marks[grant.where],
                        f"{limit} of {grant.name} is used up by guests for everybody: it counts what {guest} and the "
                        "others do together",
                        "give guests a limit of their own, and leave them out of this one by unless",
                    )

    def _in_vain(self, grant: Grant, people: Sequence[Person]) -> Iterator[str]:
        if not self._bounds(grant, people, _anything):
            yield f"{grant.name} bounds nothing: nobody whom it means is allowed anything while it holds"
            return
        for limit in sorted(grant.bounds.limits):
            use = _USED.get(limit.name)
            if use is not None and not self._bounds(grant, people, use[0]):
                yield f"{limit} of {grant.name} never matters: nobody whom it means {use[2]} while it holds"

    def _bounds(self, grant: Grant, people: Iterable[Person], used: Callable[[Rights], bool]) -> bool:
        """Whether somebody has such permissions while the grant holds: by the grant itself where it gives any."""
        seen: set[tuple[int, Signature]] = set()
        for person in people:
            for allow in self._grants_of(person) if grant.effect is Effect.BOUND else (grant,):
                if allow.effect is not Effect.ALLOW or not used(allow.rights):
                    continue
                entries = [grant.conditions, allow.conditions]
                key = (allow.number, self._worlds.signature(person, entries))
                if key not in seen and self._worlds.together(person, entries) is not None:
                    return True
                seen.add(key)
        return False

    def _guest_beside_others(self, grant: Grant, people: Iterable[Person]) -> str:
        """The entry of guests who use what others use too, or ""."""
        guests = [one for one in people if one.guests is not None and self._bounds(grant, [one], _anything)]
        others = (one for one in people if one.guests is None)
        return guests[0].name if guests and self._bounds(grant, others, _anything) else ""


def _anything(rights: Rights) -> bool:
    return rights != Rights()
