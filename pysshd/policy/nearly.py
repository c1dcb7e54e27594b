"""Grants that nearly decided: which allow would permit a request, which of its conditions do not hold, and which facts
are lacking."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pysshd.policy.conditions import FALSE, TRUE, UNSURE, Case, Client, Condition, Conditions, From, Who
from pysshd.policy.decide import decide
from pysshd.policy.decision import Trace
from pysshd.policy.login import case_of
from pysshd.policy.query import Facts, Query, Request
from pysshd.policy.ruleset import Effect, Grant, Ruleset, rebuilt
from pysshd.records import dataclass


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
    alone = rebuilt(ruleset, people=[facts.holder], grants=[replace(grant, conditions=Conditions())])
    return decide(alone, Query(facts, request)).allowed


def near_misses(ruleset: Ruleset, facts: Facts, request: Request) -> list[NearMiss]:
    """The allows that would permit the request if their conditions held, those that lack least first."""
    case = case_of(facts.holder, facts.account, facts, facts.methods)
    missed = [NearMiss(grant, failed_clauses(grant.conditions, case)) for grant in ruleset.grants]
    found = [miss for miss in missed if miss.failed and permits_alone(ruleset, facts, request, miss.grant)]
    return sorted(found, key=lambda miss: (len(miss.failed), miss.grant.number))


_FACTS: Final = {From: "from", Client: "client", Who: "system_groups"}
"""What a condition that is unknown asks for: the address, the client's version, the groups of the host."""


def lacking_for_login(ruleset: Ruleset, facts: Facts) -> tuple[str, ...]:
    """The unknown facts, by the names of `_FACTS`, that the login entry which decides hangs on."""
    case = case_of(facts.holder, facts.account, facts, facts.methods)
    deciding = (entry.conditions for entry in ruleset.login if entry.conditions.truth(case) is not FALSE)
    return _unknown([one for one in [next(deciding, None)] if one is not None], case)


def lacking(ruleset: Ruleset, facts: Facts, request: Request, trace: Trace) -> tuple[str, ...]:
    """The unknown facts that a refusal hangs on: by a deny that counts because of one, or an allow that does not.

    trace: of the refusal. Empty where a deny holds whatever they are.
    """
    case = case_of(facts.holder, facts.account, facts, facts.methods)
    counting = {tried.where for tried in trace if tried.matched}
    denies = [one.conditions for one in ruleset.grants if one.effect is Effect.DENY and one.where in counting]
    if any(one.truth(case) is TRUE for one in denies):
        return ()
    allows = [miss.grant.conditions for miss in near_misses(ruleset, facts, request)]
    return _unknown([*denies, *allows], case)


def _unknown(entries: Iterable[Conditions], case: Case) -> tuple[str, ...]:
    unsure = [one for entry in entries if entry.truth(case) is UNSURE for one in entry.all if one.test(case) is UNSURE]
    return tuple(name for kind, name in _FACTS.items() if any(isinstance(one, kind) for one in unsure))
