"""Clashes: two permissions that could permit one request of one person at one moment, and run it in two ways.

policy.md, Grants 4. What the file cannot exclude is taken to happen; denies exclude nothing here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TypeAlias

from pysshd.patterns.words import common_command
from pysshd.policy import profiles
from pysshd.policy.conditions import Case
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight, ForcedRight, RunRight, SetRight, ShellRight, SubsystemRight
from pysshd.policy.rights_sftp import SUBSYSTEM, MountRight, SftpRight, StartRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds, describe

_Right: TypeAlias = RunRight | SetRight | SftpRight | MountRight | StartRight
GrantsOf: TypeAlias = Callable[[Person], tuple[Grant, ...]]
"""Tells the grants that could concern a person (`Ruleset.grants_of`)."""


def common_request(left: _Right, right: _Right) -> str | None:
    """A request that both would answer in ways that nothing ranks, or None where there is none."""
    if isinstance(left, MountRight | StartRight) or isinstance(right, MountRight | StartRight):
        return _common_tree(left, right)
    if isinstance(left, SetRight) or isinstance(right, SetRight):
        return _common_setting(left, right) if isinstance(left, SetRight) and isinstance(right, SetRight) else None
    if isinstance(left, ForcedRight) or isinstance(right, ForcedRight):
        other = right if isinstance(left, ForcedRight) else left
        return None if left == right else _asks(other)
    if isinstance(left, ShellRight) and isinstance(right, ShellRight):
        same = (left.program, left.confined) == (right.program, right.confined)
        return None if same else "shell"
    if isinstance(left, SubsystemRight) and isinstance(right, SubsystemRight):
        same = left.name != right.name or (left.argv, left.confined) == (right.argv, right.confined)
        return None if same else f"subsystem {left.name}"
    if isinstance(left, SftpRight) or isinstance(right, SftpRight):
        other = right if isinstance(left, SftpRight) else left
        return "subsystem sftp" if isinstance(other, SubsystemRight) and other.name == SUBSYSTEM else None
    if isinstance(left, ExecRight) and isinstance(right, ExecRight):
        return _common_exec(left, right, otherwise=left.confined != right.confined)
    return None


def _common_tree(left: _Right, right: _Right) -> str | None:
    """A request for which two folders are meant, or two places to start."""
    if isinstance(left, MountRight) and isinstance(right, MountRight) and left.at == right.at:
        return f"sftp list {left.at}" if left.folder != right.folder else None
    both = isinstance(left, StartRight) and isinstance(right, StartRight)
    return "subsystem sftp" if both and left != right else None


def _common_setting(left: SetRight, right: SetRight) -> str | None:
    other = (left.kind, left.name) != (right.kind, right.name)
    return None if other or left.value == right.value else f"a session with {left.name}"


def _common_exec(left: ExecRight, right: ExecRight, *, otherwise: bool) -> str | None:
    """A command that both permit, and run in two ways; `otherwise`: in two ways whatever it is."""
    if left.profile is not None and right.profile is not None:
        command = profiles.common_request(left.profile, right.profile, otherwise=otherwise)
        return f"exec {command!r}" if command is not None else None
    if left.rank != right.rank or not otherwise:
        return None
    if left.words is not None and right.words is not None:
        common = common_command(left.words, right.words)
        return f"exec {common.decode('utf-8', 'replace')!r}" if common is not None else None
    if left.literal != right.literal:
        return None
    return f"exec {left.source!r}" if left.literal is not None else "exec of anything"


def _asks(right: RunRight | SftpRight) -> str:
    """A request that a permission answers."""
    if isinstance(right, SftpRight):
        return "subsystem sftp"
    if isinstance(right, ExecRight):
        return _common_exec(right, right, otherwise=True) or f"exec {right.source!r}"
    return f"subsystem {right.name}" if isinstance(right, SubsystemRight) else "shell"


class ClashCheck:
    """Finds the clashes of a document; each pair of lines is reported once."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._known: dict[tuple[int, int, Signature], Case | None] = {}
        self._told: set[frozenset[str]] = set()
        self._requests: dict[tuple[int, int], str | None] = {}

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Check everyone. People whom the same grants concern in the same way are checked once."""
        seen: set[tuple[tuple[int, ...], Signature]] = set()
        for person in people:
            grants = [grant for grant in grants_of(person) if grant.effect is Effect.ALLOW]
            group = (tuple(grant.number for grant in grants),
                     self._worlds.signature(person, [grant.conditions for grant in grants]))  # fmt: skip
            if group in seen:
                continue
            seen.add(group)
            for first, left, second, right in _pairs(grants):
                self._check(person, first, left, second, right)

    def _check(self, person: Person, first: Grant, left: _Right, second: Grant, right: _Right) -> None:
        lines = frozenset([left.where, right.where, first.where, second.where])
        if lines in self._told:
            return
        key = (id(left), id(right))
        if key not in self._requests:
            self._requests[key] = common_request(left, right)
        request = self._requests[key]
        if request is None:
            return
        case = self._together(person, first, second)
        if case is None:
            return
        self._told.add(lines)
        via = f" ({first.name} at {first.where}, {second.name} at {second.where})" if first is not second else ""
        (mark, here), (other, there) = sorted(
            [(self._mark(left, first), left), (self._mark(right, second), right)],
            key=lambda pair: pair[0],
            reverse=True,
        )
        self._report.error(
            mark,
            f"clash: {here} here and {there} at {other.where} would both answer {request} of "
            f"{describe(case, [first.conditions, second.conditions])}{via}",
            "keep them apart with 'unless', or give one of them up",
        )

    def _mark(self, right: _Right, grant: Grant) -> Mark:
        return self._marks.get(right.where) or self._marks[grant.where]

    def _together(self, person: Person, first: Grant, second: Grant) -> Case | None:
        entries = [first.conditions, second.conditions]
        key = (first.number, second.number, self._worlds.signature(person, entries))
        if key not in self._known:
            self._known[key] = self._worlds.together(person, entries)
        return self._known[key]


def _pairs(grants: Sequence[Grant]) -> Iterator[tuple[Grant, _Right, Grant, _Right]]:
    """Pairs of permissions that might clash, those that cannot left out as cheaply as possible."""
    runs = [(grant, right) for grant in grants for right in grant.rights.runs]
    sets = [(grant, right) for grant in grants for right in grant.rights.sets]
    trees = [(grant, right) for grant in grants for right in grant.rights.sftp]
    buckets: dict[object, dict[object, list[tuple[Grant, _Right]]]] = {}
    forced = [(grant, right) for grant, right in runs if isinstance(right, ForcedRight)]
    free = [*trees, *((grant, right) for grant, right in runs if not isinstance(right, ForcedRight))]
    for one, command in forced:
        for two, other in free:
            yield one, command, two, other
    parts = ((grant, part) for grant, right in trees for part in right.parts)
    pairs: list[tuple[Grant, _Right]] = [*runs, *sets, *trees, *parts]
    for grant, any_right in pairs:
        kind, way = _bucket(any_right)
        buckets.setdefault(kind, {}).setdefault(way, []).append((grant, any_right))
    for ways in buckets.values():
        for some, others in combinations(ways.values(), 2):
            for (first, left), (second, right) in product(some, others):
                yield first, left, second, right


def _bucket(right: _Right) -> tuple[object, object]:
    """What kind of request a permission answers, and in which way: only different ways to one kind may clash."""
    if isinstance(right, SetRight):
        return ("set", right.kind, right.name), right.value
    if isinstance(right, MountRight):
        return ("mount", right.at), right.folder
    if isinstance(right, StartRight):
        return "start", right.folder
    if isinstance(right, SftpRight):
        return ("subsystem", SUBSYSTEM), None
    if isinstance(right, ForcedRight):
        return "forced", (right.argv, right.confined)
    if isinstance(right, ShellRight):
        return "shell", (right.program, right.confined)
    if isinstance(right, SubsystemRight):
        return ("subsystem", right.name), (right.argv, right.confined)
    manner = profiles.manner(right.profile) if right.profile is not None else None
    return ("exec", right.rank), (manner, right.confined)
