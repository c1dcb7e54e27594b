"""From what sshd does for each kind of account, listener and stretch of addresses to login entries and grants.

Grants have no order and login entries are ordered, so both are written for parts that have nothing in common: each kind
of account excludes the others, and the addresses are written out.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import field
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from pysshd.importing.rights import Behaviour
from pysshd.importing.stretches import Stretch, joined
from pysshd.importing.subjects import Subject, Subjects
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

Area: TypeAlias = frozenset[tuple[str, Stretch]]
"""Listeners, by their texts, and stretches."""

Origin: TypeAlias = Callable[[Subject, str, Stretch], tuple[Mark, ...]]
Behaviours: TypeAlias = Mapping[Subject, Mapping[tuple[str, Stretch], Behaviour]]


@dataclass(frozen=True, slots=True)
class Where:
    """From where and on which listeners; both None: anywhere."""

    networks: tuple[str, ...] | None = None
    listeners: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: whom it means, where, and what it says. origins: the Match blocks that hold for all that it means."""

    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    unless: tuple[str, ...]
    where: Where
    subjects: tuple[Subject, ...]
    behaviour: Behaviour = field(default_factory=Behaviour)
    origins: tuple[Mark, ...] = ()


class Plan:
    """Makes entries of behaviours. listeners: the texts of all of them; cuts: every stretch; origin: which Match blocks
    hold for somebody in a place.
    """

    def __init__(
        self,
        behaviours: Behaviours,
        subjects: Subjects,
        listeners: Sequence[str],
        cuts: Sequence[Stretch],
        origin: Origin,
    ) -> None:
        self._origin = origin
        self._behaviours = behaviours
        self._subjects = subjects
        self._listeners = tuple(listeners)
        self._cuts = tuple(cuts)

    def login(self) -> tuple[Entry, ...]:
        """Who comes in by what; no entry stands above one that asks for less, for it would seem to be meant there."""
        found = self._entries(lambda one: Behaviour(one.chains))
        demands = dict.fromkeys(one.behaviour.chains for one in found)
        order = _least_first(tuple(demands))
        return tuple(sorted(found, key=lambda one: order.index(one.behaviour.chains)))

    def grants(self) -> tuple[Entry, ...]:
        """Who may do what."""
        found = self._entries(lambda one: Behaviour((), one.rights) if one.chains else Behaviour())
        return tuple(one for one in found if not one.behaviour.rights.nothing)

    def _entries(self, take: Callable[[Behaviour], Behaviour]) -> list[Entry]:
        nothing = Behaviour()
        found: list[Entry] = []
        areas: dict[tuple[Behaviour, Area, Hashable], list[Subject]] = {}
        for subject, by_place in self._behaviours.items():
            own: dict[Behaviour, set[tuple[str, Stretch]]] = {}
            for place, behaviour in by_place.items():
                own.setdefault(take(behaviour), set()).add(place)
            for behaviour, places in own.items():
                if behaviour != nothing:
                    areas.setdefault((behaviour, frozenset(places), self._together(subject)), []).append(subject)
        for (behaviour, area, _), subjects in areas.items():
            conditions, unless = self._whom(subjects)
            origins = self._origins(subjects, area)
            found += [
                Entry(conditions, unless, where, tuple(subjects), behaviour, origins) for where in self._wheres(area)
            ]
        return found

    def _origins(self, subjects: Sequence[Subject], area: Area) -> tuple[Mark, ...]:
        """The Match blocks that hold wherever the entry does."""
        held = [self._origin(subject, *place) for subject in subjects for place in area]
        return tuple(mark for mark in held[0] if all(mark in one for one in held))

    def _together(self, subject: Subject) -> Hashable:
        """Subjects alike in this stand in one entry."""
        if subject.kind == "account" and subject.key is None and not self._subjects.special.get(subject.name):
            return ("account", subject.groups)
        return subject

    def _whom(self, subjects: Sequence[Subject]) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], tuple[str, ...]]:
        """The conditions that mean these subjects, and whom they do not mean."""
        first = subjects[0]
        others = tuple(f"system-group:{group}" for group in self._subjects.groups if group not in first.groups)
        names = tuple(one.name for one in subjects)
        if first.kind == "rest":
            return (("who", ("*",)),), (*others, *self._known(but_root=True))
        if first.kind == "group":
            return (("who", (f"system-group:{first.name}",)),), (*others, *self._known(but_root=False))
        special = [key for key in self._subjects.special.get(first.name, ()) if key is not first.key]
        unless = (*others, *(f"key:{key.key.fingerprint}" for key in special))
        if first.key is not None:
            return (("account", names), ("who", (f"key:{first.key.key.fingerprint}",))), unless
        if first.groups:
            held = tuple(f"system-group:{group}" for group in sorted(first.groups)[:1])
            return (("account", names), ("who", held)), unless
        return (("who", names),), unless

    def _known(self, *, but_root: bool) -> tuple[str, ...]:
        """The accounts that have entries of their own; a star leaves whoever is uid 0 out by itself."""
        named = {one.name: one.uid for one in self._behaviours if one.kind == "account"}
        return tuple(name for name, uid in named.items() if not (but_root and uid == 0))

    def _wheres(self, area: Area) -> Iterable[Where]:
        """The area as rectangles: listeners that see the same addresses stand together."""
        by_listener: dict[frozenset[Stretch], list[str]] = {}
        for listener in self._listeners:
            seen = frozenset(stretch for one, stretch in area if one == listener)
            if seen:
                by_listener.setdefault(seen, []).append(listener)
        for seen, listeners in by_listener.items():
            networks = None if len(seen) == len(self._cuts) else tuple(str(one) for one in joined(seen))
            yield Where(networks, None if len(listeners) == len(self._listeners) else tuple(listeners))


Chains: TypeAlias = tuple[tuple[str, ...], ...]


def _least_first(demands: tuple[Chains, ...]) -> tuple[Chains, ...]:
    """Demands in an order in which none comes behind one that asks for more; where there is none, by their length."""
    graph = {one: [other for other in demands if other != one and _asks_less(other, one)] for one in demands}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return tuple(sorted(demands, key=lambda one: min(len(chain) for chain in one)))


def _asks_less(some: Chains, other: Chains) -> bool:
    """Whether a chain of some asks for less than every one of the others (as the check of `login` sees it)."""
    shortest = min(len(chain) for chain in other)
    for chain in some:
        have = Counter(chain)
        wanted = [Counter(one) for one in other]
        if not any(one <= have for one in wanted) and (len(chain) < shortest or any(have <= one for one in wanted)):
            return True
    return False
