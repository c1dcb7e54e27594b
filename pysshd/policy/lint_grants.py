"""What is odd about roles and grants, though nothing is wrong: warnings."""

from collections.abc import Iterable, Mapping, Sequence

from pysshd.policy.conditions import Who
from pysshd.policy.model import Document
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import Rights
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds


def warn_unused_roles(document: Document, used: Iterable[str], report: Report) -> None:
    """Roles that no grant gives."""
    used = set(used)
    for name, (mark, _) in document.roles.items():
        if name not in used:
            report.warning(mark, f"no grant gives the role {name}")


def warn_empty(
    grants: Iterable[Grant], people: Sequence[Person], worlds: Worlds, report: Report, marks: Mapping[str, Mark]
) -> None:
    """Grants that match nobody."""
    named: dict[str, list[Person]] = {}
    for person in people:
        for word in (f"person {person.name}", *(f"group {group}" for group in person.groups)):
            named.setdefault(word, []).append(person)
    for grant in grants:
        seen: set[Signature] = set()
        who = grant.conditions.who
        by_name = who is not None and not (who.anyone or who.by_more)
        for person in [one for word in named_by(grant) for one in named.get(word, ())] if by_name else people:
            if not grant.conditions.concerns(person):
                continue
            signature = worlds.signature(person, [grant.conditions])
            if signature not in seen and worlds.together(person, [grant.conditions]) is not None:
                break
            seen.add(signature)
        else:
            report.warning(marks[grant.where], f"{grant.name} matches nobody")


def warn_shadowed(grants: Iterable[Grant], people: Iterable[Person], report: Report, marks: Mapping[str, Mark]) -> None:
    """Allows that give nothing which another, without conditions but `who`, does not give to the same people."""
    ways = {f"person {one.name}": frozenset(f"group {group}" for group in one.groups) for one in people}
    allows = [grant for grant in grants if grant.effect is Effect.ALLOW and grant.rights != Rights()]
    everyone: list[Grant] = []
    by_item: dict[str, list[Grant]] = {}
    for grant in allows:
        if len(grant.conditions.own) > 1 or grant.conditions.unless or not only_who(grant):
            continue
        if anyone(grant):
            everyone.append(grant)
        for item in named_by(grant):
            by_item.setdefault(item, []).append(grant)
    for grant in allows:
        items = named_by(grant)
        # Whoever is named is named too by each of their groups.
        named = [frozenset([item]) | ways.get(item, frozenset()) for item in items]
        first = sorted(named[0]) if named and not anyone(grant) else ()
        wider = [*everyone, *(other for item in first for other in by_item.get(item, ()))]
        for other in wider:
            if other is not grant and _shadows(other, grant, named):
                report.warning(marks[grant.where], f"{grant.name} gives nothing that {other.name} at {other.where} "
                                                   "does not give to the same people")  # fmt: skip
                break


def _shadows(other: Grant, grant: Grant, named: Sequence[frozenset[str]]) -> bool:
    """named: for each whom `grant` names, the words that mean them."""
    theirs, items = named_by(other), named_by(grant)
    if not grant.rights <= other.rights or not (anyone(other) or all(words & theirs for words in named)):
        return False
    if not _left_out(other) <= _left_out(grant):
        return False
    # Of two that shadow each other the later one is odd.
    mutual = other.rights <= grant.rights and len(grant.conditions.all) <= 1 and (
        anyone(grant) or (not anyone(other) and theirs <= items)
    )  # fmt: skip
    return not mutual or other.number < grant.number


def _left_out(grant: Grant) -> frozenset[str]:
    """Who must be named to be given anything by it."""
    who = grant.conditions.who
    flags = {"uid 0": who.but_root, "guests": who.but_guests} if who is not None else {}
    return frozenset(kind for kind, left_out in flags.items() if left_out)


def only_who(grant: Grant) -> bool:
    """Whether it has no condition but `who`, its `unless` aside."""
    return all(isinstance(condition, Who) for condition in grant.conditions.own)


def anyone(grant: Grant) -> bool:
    """Whether it means everybody."""
    who = grant.conditions.who
    return who is None or who.anyone


def named_by(grant: Grant) -> frozenset[str]:
    """Whom `who` names, each by a word of its own."""
    who = grant.conditions.who
    if who is None:
        return frozenset()
    return frozenset(
        [*(f"person {name}" for name in who.people), *(f"group {name}" for name in who.groups),
         *(f"system-group {name}" for name in who.system_groups),
         *(f"key {name}" for name in (*who.key_names, *who.fingerprints)),
         *(f"authority {name}" for name in who.authorities),
         *(f"principal {name}/{principal}" for name, principal in who.principals),
         *(f"extension {name}/{extension}" for name, extension in who.extensions)]
    )  # fmt: skip
