"""Which grants could speak of whom: found once when the ruleset is made, so that a decision looks at no others.

Each grant is found by what its `who` says without keys: by the groups that a person is in, by the person's name, or,
where it means anybody or hangs on more, for everyone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TypeAlias

from pysshd.policy.grants import Effect, Grant
from pysshd.policy.people import Person
from pysshd.records import dataclass

Bundle: TypeAlias = tuple[Grant, ...]
"""Allows of one person that say the same: the same permissions under the same conditions, `who` aside. Or one grant."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The tables. Made by `candidates_of`.

    groups: of everyone in exactly these groups, whatever the name; beside: of whom the file has an entry, what else
    speaks of that name, where the groups are those of the entry; by_name: all that speaks of a name.
    entries: the groups of whom the file has entries.
    """

    _grants: tuple[Grant, ...] = ()
    _groups: Mapping[frozenset[str], tuple[Grant, ...]] = field(default_factory=dict)
    _beside: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    _by_name: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    _bundled_groups: Mapping[frozenset[str], tuple[Bundle, ...]] = field(default_factory=dict)
    _bundled_beside: Mapping[str, tuple[Bundle, ...]] = field(default_factory=dict)
    _entries: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, person: Person) -> tuple[Grant, ...]:
        """The grants that could speak of a person."""
        groups = _perhaps(person)
        if self._entries.get(person.name) == groups:
            return self._groups[groups] + self._beside.get(person.name, ())
        common = self._common(groups)
        return common + self._others(person, common)

    def bundles_of(self, person: Person) -> tuple[Bundle, ...]:
        """The same, in bundles; one by one where it is not known of all that they speak of the person."""
        if person.unknown_groups:
            return tuple((grant,) for grant in self.of(person))
        groups = person.groups
        if self._entries.get(person.name) == groups:
            return self._bundled_groups[groups] + self._bundled_beside.get(person.name, ())
        common = self._common(groups)
        bundles = self._bundled_groups.get(groups) or tuple((grant,) for grant in common)
        return bundles + tuple((grant,) for grant in self._others(person, common))

    def _common(self, groups: frozenset[str]) -> tuple[Grant, ...]:
        """Of whoever is in these groups; where nobody was known to be, each grant is looked at."""
        found = self._groups.get(groups)
        return tuple(grant for grant in self._grants if _means(grant, groups)) if found is None else found

    def _others(self, person: Person, common: Iterable[Grant]) -> tuple[Grant, ...]:
        """What speaks of the name and is not among `common`."""
        own = self._by_name.get(person.name, ())
        found = set(map(id, common)) if own else ()
        return tuple(grant for grant in own if id(grant) not in found)


def _perhaps(person: Person) -> frozenset[str]:
    """The groups that a person is in or may be in."""
    return person.groups | person.unknown_groups if person.unknown_groups else person.groups


def _is_open(grant: Grant) -> bool:
    """Whether anybody may be meant, as far as name and groups go."""
    who = grant.conditions.who
    return who is None or who.anyone or who.by_more


def _means(grant: Grant, groups: frozenset[str]) -> bool:
    """Whether somebody of some of these groups may be meant, whatever the name."""
    who = grant.conditions.who
    return who is None or _is_open(grant) or not who.groups.isdisjoint(groups)


def candidates_of(
    people: Mapping[str, Person], unnamed: Iterable[frozenset[str]], grants: Iterable[Grant]
) -> Candidates:
    """Make the tables. people: by name; unnamed: the groups of others, of whom no entry speaks."""
    grants = tuple(grants)
    open_to_all: list[tuple[int, Grant]] = []
    by_group: dict[str, list[tuple[int, Grant]]] = {}
    by_name: dict[str, list[Grant]] = {}
    for placed in enumerate(grants):
        who = placed[1].conditions.who
        if who is None or _is_open(placed[1]):
            open_to_all.append(placed)
            continue
        for group in who.groups:
            by_group.setdefault(group, []).append(placed)
        for name in who.people:
            by_name.setdefault(name, []).append(placed[1])

    def common(groups: frozenset[str]) -> tuple[Grant, ...]:
        found = dict(open_to_all)
        for group in groups:
            found.update(by_group.get(group, ()))
        return tuple([found[place] for place in sorted(found)])

    def beside(name: str) -> tuple[Grant, ...]:
        return tuple(grant for grant in by_name[name] if not _means(grant, entries[name]))

    entries = {name: person.groups for name, person in people.items()}
    of_groups = {groups: common(groups) for groups in {*unnamed, *entries.values()}}
    of_names = {name: found for name in by_name if name in entries and (found := beside(name))}
    bundler = _Bundler()
    return Candidates(
        grants,
        MappingProxyType(of_groups),
        MappingProxyType(of_names),
        MappingProxyType({name: tuple(found) for name, found in by_name.items()}),
        MappingProxyType({groups: bundler.bundled(found) for groups, found in of_groups.items()}),
        MappingProxyType({name: bundler.bundled(found) for name, found in of_names.items()}),
        MappingProxyType(entries),
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
