"""The engine: one pure, total function from a compiled ruleset and a query to a decision."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from pysshd.policy.decide_language import settled, settled_alone
from pysshd.policy.decide_net import Asked, asked_of
from pysshd.policy.decision import Decision
from pysshd.policy.grants import Effect, Grant
from pysshd.policy.judgement import Judgement
from pysshd.policy.kinds import kind_of
from pysshd.policy.lacking import Wanted, lacking_slots, wanted_of
from pysshd.policy.login import accepted_options, case_of, decide_login, first_methods, signed_by_a_line, unaccepted
from pysshd.policy.narrow import environment, judged, narrowed, traced
from pysshd.policy.query import (
    Break,
    Env,
    Exec,
    Login,
    Query,
    Request,
    Run,
    Sftp,
    Shell,
    Signal,
    Subsystem,
    Unknown,
)
from pysshd.policy.questions import OfVariable, OnFile, OnItsKind, Question, ToReach
from pysshd.policy.questions_run import ToRun, ToSignal
from pysshd.policy.rights import Values
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.slot_values import SlotValues, why_missing
from pysshd.policy.standing import earliest, standing

__all__ = ["decide", "first_methods", "settled"]


def decide(ruleset: Ruleset, query: Query, *, trace: bool = False) -> Decision:
    """Decide one query. Never raises for any facts or request; the trace is made only when asked for."""
    facts, request = query.facts, query.request
    if isinstance(request, Login):
        return decide_login(ruleset, facts, request, trace=trace)
    person = ruleset.holder(facts, facts.methods)
    stands = standing(ruleset, person, facts, facts.methods)
    edge = stands.edge
    if person is None or stands.reason:
        return Decision(False, None, valid_until=edge, decided_by=stands.where, reason=stands.reason)
    always = settled_alone(request)
    if always is not None:
        return always
    narrowers = stands.narrowers
    if narrowers:
        request = judged(request, narrowers)
    values = SlotValues(ruleset, facts, person)
    asked = asked_of(request, None if isinstance(facts.own_addresses, Unknown) else facts.own_addresses, values)
    if isinstance(asked, str):
        return Decision(False, None, valid_until=edge, decided_by="the language", reason=asked)
    case = case_of(person, facts.account, facts, facts.methods)
    if signed_by_a_line(facts.methods):
        accepted, until = accepted_options(ruleset, case)
        edge = earliest((edge, until))
        if reason := unaccepted(facts.methods, accepted):
            return Decision(False, None, valid_until=edge, decided_by="login", reason=f"the login entry {reason}")
    server = ruleset.settings.server
    free = server.accounts == "system" or server.owner == person.name
    own: dict[str, str] = {}
    if narrowers and isinstance(request, Run) and any(one.limits.environment for one in narrowers):
        accepted, until = accepted_options(ruleset, case)
        own = environment(narrowers) if "environment" in accepted else {}
        edge = earliest((edge, until))
    found = Judgement(_question(request, asked, values, free, own), kind_of(request), case, edge)
    if not trace:
        made = found.of(ruleset.bundles_of(person))
    else:
        wanted = wanted_of(request, asked)
        why = partial(why_missing, ruleset=ruleset, facts=facts, person=person)
        made = found.traced(ruleset.grants_of(person), partial(_lacking, wanted=wanted, values=values, why=why))
        made = replace(made, trace=(*traced(query.request, narrowers), *made.trace))
    return narrowed(made, query.request, narrowers, edge) if narrowers else made


def _question(
    request: Request, asked: Asked | None, values: Values, free: bool, environment: Mapping[str, str]
) -> Question:
    """What the grants are asked.

    asked: a request that reaches beyond the session, read; free: what is not confined may be run too, for it is not
    the daemon's own user; environment: what keys set for it.
    """
    if isinstance(request, Exec | Shell | Subsystem):
        return ToRun(request, values, free, environment)
    if asked is not None:
        return ToReach(asked)
    if isinstance(request, Sftp):
        return OnFile(request, values)
    if isinstance(request, Env):
        return OfVariable(request.name)
    if isinstance(request, Signal | Break):
        return ToSignal(request, values)
    return OnItsKind(request)


def _lacking(grant: Grant, wanted: Wanted, values: Values, why: Callable[[str], str]) -> str:
    """Why an allow has nothing to say for want of what would fill a slot, or ""."""
    if grant.effect is not Effect.ALLOW:
        return ""
    return "; ".join(map(why, sorted(lacking_slots(grant.rights, wanted, values))))
