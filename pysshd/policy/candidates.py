"""Which grants could speak of whom: found once when the ruleset is made, so that a decision looks at no others.

Each grant is found by what its `who` says without keys: by the groups that a person is in, by the person's name, or,
where it means anybody or hangs on more, for everyone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from pysshd.policy.grants import Effect, Grant
from pysshd.policy.people import Person

Bundle: TypeAlias = tuple[Grant, ...]
"""Allows of one person that say the same: the same permissions under the same conditions, `who` aside. Or one grant."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The tables. Made by `candidates_of`.

    groups: of everyone in exactly these groups, whatever the name; names: of a person of this name beside them.
    people: of whom the file has entries.
    """

    _groups: Mapping[frozenset[str], tuple[Grant, ...]] = field(default_factory=dict)
    _names: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    _bundled_groups: Mapping[frozenset[str], tuple[Bundle, ...]] = field(default_factory=dict)
    _bundled_names: Mapping[str, tuple[Bundle, ...]] = field(default_factory=dict)
    _people: frozenset[str] = frozenset()

    def of(self, person: Person) -> tuple[Grant, ...]:
        """The grants that could speak of a person."""
        common, own = self._groups.get(person.groups, ()), self._names.get(person.name)
        if own is None:
            return common
        return common + (own if person.name in self._people else _others(own, common))

    def bundles_of(self, person: Person) -> tuple[Bundle, ...]:
        """The same, in bundles."""
        common, own = self._bundled_groups.get(person.groups, ()), self._bundled_names.get(person.name)
        if own is None:
            return common
        if person.name in self._people:
            return common + own
        others = _others(self._names[person.name], self._groups.get(person.groups, ()))
        return common + tuple((grant,) for grant in others)


def _others(own: Iterable[Grant], common: Iterable[Grant]) -> tuple[Grant, ...]:
    """Of whom the file has no entry it is not known beforehand which groups the person is in."""
    found = set(map(id, common))
    return tuple(grant for grant in own if id(grant) not in found)


def candidates_of(
    people: Mapping[str, Person], unnamed: Iterable[frozenset[str]], grants: Iterable[Grant]
) -> Candidates:
    """Make the tables. people: by name; unnamed: the groups of others, of whom no entry speaks."""
    open_to_all: list[tuple[int, Grant]] = []
    by_group: dict[str, list[tuple[int, Grant]]] = {}
    by_name: dict[str, list[Grant]] = {}
    for placed in enumerate(grants):
        who = placed[1].conditions.who
        if who is None or who.anyone or who.by_more:
            open_to_all.append(placed)
            continue
        for group in who.groups:
            by_group.setdefault(group, []).append(placed)
        for name in who.people:
            if name not in people or who.groups.isdisjoint(people[name].groups):
                by_name.setdefault(name, []).append(placed[1])

    def common(groups: frozenset[str]) -> tuple[Grant, ...]:
        found = dict(open_to_all)
        for group in groups:
            found.update(by_group.get(group, ()))
        return tuple([found[place] for place in sorted(found)])

    of_groups = {groups: common(groups) for groups in {*unnamed, *(one.groups for one in people.values())}}
    bundler = _Bundler()
    return Candidates(
        MappingProxyType(of_groups),
        MappingProxyType({name: tuple(found) for name, found in by_name.items()}),
        MappingProxyType({groups: bundler.bundled(found) for groups, found in of_groups.items()}),
        MappingProxyType({name: bundler.bundled(found) for name, found in by_name.items()}),
        frozenset(people),
    )


class _Bundler:
    """Puts grants into bundles; those of many people are the same ones."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], Bundle] = {}

    def bundled(self, grants: Iterable[Grant]) -> tuple[Bundle, ...]:
        """The grants in the order of the first of each bundle, so that what is told first is the same as without."""
        found: dict[object, list[Grant]] = {}
        for grant in grants:
            conditions = grant.conditions
            # By identity: what is written alike is one (`compile`).
            alike = (id(grant.rights), *map(id, conditions.left), None, *map(id, conditions.unless))
            found.setdefault(alike if grant.effect is Effect.ALLOW else id(grant), []).append(grant)
        made = [(tuple(map(id, bundle)), bundle) for bundle in found.values()]
        return tuple([self._known.setdefault(key, tuple(bundle)) for key, bundle in made])
