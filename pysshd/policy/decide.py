"""The engine: one pure, total function from a compiled ruleset and a query to a decision."""

from pysshd.policy.decide_language import settled, settled_alone
from pysshd.policy.decide_net import Asked, asked_of
from pysshd.policy.decision import Decision
from pysshd.policy.judgement import Judgement
from pysshd.policy.kinds import kind_of
from pysshd.policy.login import case_of, decide_login, first_methods
from pysshd.policy.narrow import narrowed
from pysshd.policy.people import Person, place_of
from pysshd.policy.query import (
    Break,
    Env,
    Exec,
    Facts,
    Login,
    Query,
    Request,
    Sftp,
    Shell,
    Signal,
    Subsystem,
    Unknown,
)
from pysshd.policy.questions import OfVariable, OnFile, OnItsKind, Question, ToReach
from pysshd.policy.questions_run import ToRun, ToSignal
from pysshd.policy.rights import Values
from pysshd.policy.rights_net import HOME
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.standing import standing

__all__ = ["decide", "first_methods", "settled"]


def decide(ruleset: Ruleset, query: Query, *, trace: bool = False) -> Decision:
    """Decide one query. Never raises for any facts or request; the trace is made only when asked for."""
    facts, request = query.facts, query.request
    if isinstance(request, Login):
        return decide_login(ruleset, facts, request, trace=trace)
    person = ruleset.holder(facts, facts.methods)
    stands, edge = standing(ruleset, person, facts, facts.methods)
    if person is None or stands:
        return Decision(False, None, valid_until=edge, decided_by=place_of(person), reason=stands)
    always = settled_alone(request)
    if always is not None:
        return always
    values = _values(facts, person)
    asked = asked_of(request, None if isinstance(facts.own_addresses, Unknown) else facts.own_addresses, values)
    if isinstance(asked, str):
        return Decision(False, None, valid_until=edge, decided_by="the language", reason=asked)
    reason = narrowed(request, facts.methods)
    if reason:
        return Decision(False, None, valid_until=edge, decided_by="the certificate", reason=reason)
    server = ruleset.settings.server
    free = server.accounts == "system" or server.owner == person.name
    case = case_of(person, facts.account, facts, facts.methods)
    found = Judgement(_question(request, asked, values, free), kind_of(request), case, edge)
    return found.traced(ruleset.grants_of(person)) if trace else found.of(ruleset.bundles_of(person))


def _question(request: Request, asked: Asked | None, values: Values, free: bool) -> Question:
    """What the grants are asked.

    asked: a request that reaches beyond the session, read; free: what is not confined may be run too, for it is not
    the daemon's own user.
    """
    if isinstance(request, Exec | Shell | Subsystem):
        return ToRun(request, values, free)
    if asked is not None:
        return ToReach(asked)
    if isinstance(request, Sftp):
        return OnFile(request, values)
    if isinstance(request, Env):
        return OfVariable(request.name)
    if isinstance(request, Signal | Break):
        return ToSignal(request, values)
    return OnItsKind(request)


def _values(facts: Facts, person: Person) -> Values:
    """What fills the slots: `{key}` is the name of the first key of the login, else its fingerprint.

    The fingerprint's `/` and `+` are written as `_` and `-`, so that it is one part of a path. The home is that of the
    session's account, else what `users` says.
    """
    values = {"user": person.name, "account": facts.account}
    for step in facts.methods:
        if step.method == "publickey":
            key = person.key_of(step)
            name = key.name if key is not None else None
            values["key"] = name or (step.key or "").replace("/", "_").replace("+", "-")
            break
    home = facts.unix.home if facts.unix is not None else person.home
    if home is not None:
        values[HOME] = home
    return values
