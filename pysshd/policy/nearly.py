"""Grants that nearly decided: which allow would permit a request, and which of its conditions do not hold."""

from dataclasses import dataclass, replace

from pysshd.policy.conditions import FALSE, TRUE, Case, Condition, Conditions
from pysshd.policy.decide import decide
from pysshd.policy.login import case_of
from pysshd.policy.query import Facts, Query, Request
from pysshd.policy.ruleset import Effect, Grant, Ruleset, rebuilt


@dataclass(frozen=True, slots=True)
class Failed:
    """A clause of an entry that does not hold; `condition` is None where that is its `unless`."""

    condition: Condition | None
    clause: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An allow that would permit a request, and why it does not count."""

    grant: Grant
    failed: tuple[Failed, ...]


def failed_clauses(conditions: Conditions, case: Case) -> tuple[Failed, ...]:
    """Every clause that does not hold or is unknown, not the first alone."""
    found = [Failed(one, one.clause) for one in conditions.own if one.test(case) is not TRUE]
    if conditions.unless and min(one.test(case) for one in conditions.unless) is not FALSE:
        clauses = ", ".join(one.clause for one in conditions.unless)
        found.append(Failed(None, f"unless: {{{clauses}}}"))
    return tuple(found)


def permits_alone(ruleset: Ruleset, facts: Facts, request: Request, grant: Grant) -> bool:
    """Whether an allow would permit a request if it were the only grant, and its conditions held."""
    if grant.effect is not Effect.ALLOW or facts.holder is None:
        return False
    alone = rebuilt(ruleset, people=[facts.holder], login=(), grants=[replace(grant, conditions=Conditions())])
    return decide(alone, Query(facts, request)).allowed


def near_misses(ruleset: Ruleset, facts: Facts, request: Request) -> list[NearMiss]:
    """The allows that would permit the request if their conditions held, those that lack least first."""
    case = case_of(facts.holder, facts.account, facts, facts.methods)
    missed = [NearMiss(grant, failed_clauses(grant.conditions, case)) for grant in ruleset.grants]
    found = [miss for miss in missed if miss.failed and permits_alone(ruleset, facts, request, miss.grant)]
    return sorted(found, key=lambda miss: (len(miss.failed), miss.grant.number))
