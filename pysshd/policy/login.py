"""How people prove who they are: the ordered half of the engine."""

from collections.abc import Iterable
from datetime import datetime

from pysshd.policy.conditions import FALSE, TRUE, UNSURE, Account, Case, Condition, Truth, Who
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.people import Person
from pysshd.policy.query import Facts, Login, Step
from pysshd.policy.ruleset import LoginEntry, Ruleset
from pysshd.policy.standing import earliest, standing
from pysshd.policy.steps import Chain, begins
from pysshd.policy.ways import LoginWay

NO_ENTRY = "no login entry"


def case_of(person: Person | None, account: str, facts: Facts, steps: tuple[Step, ...]) -> Case:
    """The facts of a query, as conditions read them."""
    names, fingerprints, certificates = [], [], []
    for step in steps if person is not None else ():
        if step.method == "publickey" and person is not None:
            key = person.key_of(step)
            if key is not None and key.name is not None:
                names.append(key.name)
            if step.key is not None:
                fingerprints.append(step.key)
            if step.certificate is not None:
                certificates.append(step.certificate)
    methods = tuple([step.kind for step in steps])
    return Case(
        person,
        account,
        facts.source,
        facts.listener,
        facts.now,
        methods,
        frozenset(names),
        frozenset(fingerprints),
        facts.unix,
        facts.client,
        tuple(certificates),
    )


def decide_login(ruleset: Ruleset, facts: Facts, request: Login, *, trace: bool) -> Decision:
    """Decide one step of a login: the first entry whose conditions hold decides, also where its methods then fail."""
    steps = (*request.done, request.step)
    person = ruleset.holder(facts, steps)
    stands = standing(ruleset, person, facts, steps)
    edge = stands.edge
    if stands.reason:
        return Decision(False, None, valid_until=edge, decided_by=stands.where, reason=stands.reason)
    case = case_of(person, facts.account, facts, steps)
    tried: list[Tried] = []
    for entry in ruleset.login:
        truth = entry.conditions.truth(case)
        edge = earliest((edge, entry.conditions.next_edge(facts.now)))
        if trace:
            failed = entry.conditions.failed(case)
            tried.append(Tried(f"login entry {entry.number}", entry.where, truth is TRUE, failed))
        if truth is FALSE:
            continue
        way, reason = _answer(entry, truth, case.methods)
        if way is not None and (reason_not := unaccepted(steps, entry.settings.key_options)):
            way, reason = None, f"login entry {entry.number} {reason_not}"
        return Decision(
            way is not None, way, valid_until=edge, trace=tuple(tried), decided_by=entry.where, reason=reason
        )
    return Decision(
        False, None, valid_until=edge, trace=tuple(tried), decided_by=NO_ENTRY, reason="no login entry matches"
    )


def unaccepted(steps: Iterable[Step], accepted: frozenset[str]) -> str:
    """Why the entry that decides does not take these steps, as the end of a sentence about it; or ""."""
    by_line = signed_by_a_line(steps)
    return "does not accept the option cert-authority" if by_line and "cert-authority" not in accepted else ""


def signed_by_a_line(steps: Iterable[Step]) -> bool:
    """Whether there is a certificate that the key of a line with `cert-authority` signed."""
    return any(step.certificate is not None and not step.certificate.authority for step in steps)


def accepted_options(ruleset: Ruleset, case: Case) -> tuple[frozenset[str], datetime | None]:
    """The options of keys that widen and that the deciding entry accepts, and when that may change."""
    edge = None
    for entry in ruleset.login:
        truth = entry.conditions.truth(case)
        edge = earliest((edge, entry.conditions.next_edge(case.now)))
        if truth is not FALSE:
            return (entry.settings.key_options if truth is TRUE else frozenset()), edge
    return frozenset(), edge


def _answer(entry: LoginEntry, truth: Truth, used: Chain) -> tuple[LoginWay | None, str]:
    """What the entry that decides says to the methods used so far."""
    entry_name = f"login entry {entry.number}"
    if truth is UNSURE:
        return None, f"{entry_name} hangs on a fact that is unknown"
    if entry.refuse:
        return None, f"{entry_name} refuses"
    going = [chain for chain in entry.chains if begins(used, chain)]
    if not going:
        wanted = ", ".join("+".join(chain) for chain in entry.chains)
        return None, f"{entry_name} asks for {wanted}, not {'+'.join(used)}"
    if any(len(chain) == len(used) for chain in going):
        return LoginWay(True, settings=entry.settings), f"{entry_name} is met by {'+'.join(used)}"
    following = tuple(dict.fromkeys(chain[len(used)] for chain in going))
    return LoginWay(False, following, entry.settings), f"{entry_name} goes on with {', '.join(following)}"


def first_methods(ruleset: Ruleset, facts: Facts) -> tuple[str, ...]:
    """The methods that a client sees before a factor has succeeded, in the order of the file.

    They follow from `facts.listener`, `.source`, `.client` and `.now` alone: account and person are not read, and every
    entry counts that could decide for somebody.
    """
    case = Case(None, "", facts.source, facts.listener, facts.now, client=facts.client)
    found: dict[str, None] = {}
    for entry in ruleset.login:
        truth = min((_anyone(condition, case) for condition in entry.conditions.own), default=TRUE)
        if entry.conditions.unless:
            excluded = min(_anyone(condition, case) for condition in entry.conditions.unless)
            truth = min(truth, Truth(TRUE - excluded))
        if truth is FALSE:
            continue
        found.update(dict.fromkeys(entry.first_steps()))
        if truth is TRUE:
            break
    return tuple(found)


def _anyone(condition: Condition, case: Case) -> Truth:
    """Whether a condition holds where person and account could be any."""
    if isinstance(condition, Who):
        return TRUE if condition.anyone and not (condition.but_root or condition.but_guests) else UNSURE
    return UNSURE if isinstance(condition, Account) else condition.test(case)
