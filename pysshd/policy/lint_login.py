"""The checks on `login`: entries that nothing reaches, and people who fall through to an entry that asks for less."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pysshd.policy.conditions import TRUE, Account, Case, Conditions, Who
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.ruleset import LoginEntry
from pysshd.policy.steps import Chain, includes
from pysshd.policy.worlds import Signature, Worlds, describe

WORK_MAX: Final = 3_000_000
"""Entries that are tried on cases, a second or two: cases multiply with accounts, networks and dates."""


def check_login(
    login: Sequence[LoginEntry],
    people: Iterable[Person],
    groups: Iterable[str],
    worlds: Worlds,
    report: Report,
    marks: Mapping[str, Mark],
) -> None:
    """Report unreachable entries and falls through; every kind of person is tried in every case that could be."""
    check = _LoginCheck(login, worlds, report, marks)
    for person in _universe(people, groups):
        if not check.walk(person):
            report.warning(
                marks[login[0].where],
                "login entries differ in so many ways that only some of the cases were tried",
                "entries that nothing reaches, or that admit somebody with less, may be among them",
            )
            return
    check.report_unreached()


def _universe(people: Iterable[Person], groups: Iterable[str]) -> list[Person]:
    """Everyone, and somebody for each group that has nobody yet, so that an entry for such a group is no error."""
    found = list(people)
    present = {group for person in found for group in person.groups}
    found += [Person("somebody", frozenset([group]), ("somebody",)) for group in groups if group not in present]
    return found or [Person("somebody", frozenset(), ("somebody",))]


class _LoginCheck:
    def __init__(self, login: Sequence[LoginEntry], worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._login = login
        self._entries = [entry.conditions for entry in login]
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._seen: set[Signature] = set()
        self._reached: set[int] = set()
        self._taken: dict[int, Counter[int]] = {}
        self._fallen: set[tuple[int, int]] = set()
        self._lesser: dict[tuple[int, int], Chain | None] = {}
        self._left = WORK_MAX

    def walk(self, person: Person) -> bool:
        """Try every case of one person, if nobody alike was tried before; False where there are too many."""
        signature = self._worlds.signature(person, self._entries)
        if signature in self._seen:
            return True
        self._seen.add(signature)
        for case in self._worlds.cases(person, self._entries):
            self._left -= len(self._login)
            if self._left < 0:
                return False
            matching = [entry for entry in self._login if entry.conditions.truth(case) is TRUE]
            if not matching:
                continue
            first = matching[0]
            self._reached.add(first.number)
            for entry in matching[1:]:
                self._taken.setdefault(entry.number, Counter())[first.number] += 1
            self._check_fall(person, case, first)
        return True

    def _check_fall(self, person: Person, case: Case, deciding: LoginEntry) -> None:
        for entry in self._login[: deciding.number - 1]:
            pair = (entry.number, deciding.number)
            if pair in self._fallen or entry.refuse or deciding.refuse:
                continue
            if pair not in self._lesser:
                self._lesser[pair] = _less(deciding.chains, entry.chains)
            less = self._lesser[pair]
            if less is None or not _holds_by_name(entry.conditions, case):
                continue
            self._fallen.add(pair)
            wanted = " or ".join("+".join(chain) for chain in entry.chains)
            self._report.error(
                self._marks[deciding.where],
                f"{person.name} is held to {wanted} by {entry.where}, but this entry admits "
                f"{describe(case, self._entries)} with less: {'+'.join(less)}",
                f"refuse them between the two: {{{_who_clause(entry.conditions)}, refuse: true}}",
            )

    def report_unreached(self) -> None:
        """Report the entries that never decided."""
        for entry in self._login:
            if entry.number in self._reached:
                continue
            taken = self._taken.get(entry.number)
            if taken:
                other = self._login[taken.most_common(1)[0][0] - 1]
                message = f"login entry is never reached: what it matches is decided before it, by {other.where}"
            else:
                message = "login entry is never reached: there is nobody whom it matches"
            self._report.error(self._marks[entry.where], message, "remove it, or move it up")


def _holds_by_name(conditions: Conditions, case: Case) -> bool:
    """Whether the entry speaks of this person by name, group or account, and its other conditions alone do not hold."""
    naming = [
        condition
        for condition in conditions.own
        if isinstance(condition, Account) or (isinstance(condition, Who) and not condition.anyone)
    ]
    who = conditions.who
    return (
        bool(naming)
        and all(condition.test(case) is TRUE for condition in naming)
        and (who is None or who.test(case) is TRUE)
    )


def _who_clause(conditions: Conditions) -> str:
    naming = [one.clause for one in conditions.own if isinstance(one, Account | Who)]
    return ", ".join(naming)


def _less(chains: Sequence[Chain], wanted: Sequence[Chain]) -> Chain | None:
    """A chain that asks for less than every one of those that are wanted, or None."""
    shortest = min(len(chain) for chain in wanted)
    for chain in chains:
        if any(includes(chain, other) for other in wanted):
            continue
        if len(chain) < shortest or any(includes(other, chain) for other in wanted):
            return chain
    return None
