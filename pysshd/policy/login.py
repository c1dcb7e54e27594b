"""How people prove who they are: the ordered half of the engine."""

from collections.abc import Iterable
from datetime import datetime

from pysshd.patterns.names import is_name
from pysshd.policy.conditions import FALSE, TRUE, UNSURE, Account, Case, Condition, Truth, Who
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.people import Person
from pysshd.policy.query import Facts, Login, Step, Unknown
from pysshd.policy.ruleset import LoginEntry, Ruleset
from pysshd.policy.ways import LoginWay

NO_ENTRY = "no login entry"


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The first of some instants, None counting as never."""
    return min((moment for moment in moments if moment is not None), default=None)


def standing(
    ruleset: Ruleset, person: Person | None, facts: Facts, steps: tuple[Step, ...]
) -> tuple[str, datetime | None]:
    """Why these steps do not make this person stand on the account, or "" where they do; and when that may change."""
    account, now = facts.account, facts.now
    if not is_name(account):
        return "the account's name is of no form that is served", None
    if person is None:
        return "nobody is identified", None
    if account not in person.accounts:
        return f"{person.name} may not log in as this account", None
    if not steps:
        return "no step of a login is done", None
    keys = [person.key_of(step) for step in steps if step.method == "publickey"]
    windows = [person.window, *(key.window for key in keys if key is not None)]
    edge = earliest(window.next_edge(now) for window in windows)
    if not all(window.holds(now) for window in windows):
        return f"{person.name} or a key of theirs is not valid at this time", edge
    return _faults(person, account, steps, None in keys) or _unix_fault(ruleset, person, facts), edge


def _unix_fault(ruleset: Ruleset, person: Person, facts: Facts) -> str:
    """Why the session could not run as its Unix account, or ""."""
    server, unix = ruleset.settings.server, facts.unix
    if server.accounts != "system":
        return ""
    name = person.unix_name(facts.account)
    if unix is None or unix.name != name or isinstance(unix.uid, Unknown):
        return (unix.fault if unix is not None else "") or f"account {name} could not be looked up"
    if unix.uid < server.min_uid and name not in ruleset.written:
        return (
            f"account {name} has uid {unix.uid}, below min_uid {server.min_uid}, and the file does not write its name"
        )
    return unix.fault


def _faults(person: Person, account: str, steps: tuple[Step, ...], foreign_key: bool) -> str:
    if foreign_key:
        return f"a key is not among the keys of {person.name}"
    if any(step.method not in ("publickey", "password") for step in steps):
        return "a method is not served"
    fingerprints = [step.key for step in steps if step.method == "publickey"]
    if len(set(fingerprints)) < len(fingerprints):
        return "a key counts once"
    passwords = len(steps) - len(fingerprints)
    if passwords > 1:
        return "a password counts once"
    if passwords and not person.has_password:
        return f"{person.name} has no password"
    if steps[0].method == "password" and person.name != account:
        return "a password first of all is only that of the person who has the account's name"
    return ""


def case_of(person: Person | None, account: str, facts: Facts, steps: tuple[Step, ...]) -> Case:
    """The facts of a query, as conditions read them."""
    names, fingerprints = [], []
    for step in steps if person is not None else ():
        if step.method == "publickey" and person is not None:
            key = person.key_of(step)
            if key is not None and key.name is not None:
                names.append(key.name)
            if step.key is not None:
                fingerprints.append(step.key)
    methods = tuple(step.method for step in steps)
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
    )


def decide_login(ruleset: Ruleset, facts: Facts, request: Login, *, trace: bool) -> Decision:
    """Decide one step of a login: the first entry whose conditions hold decides, also where its methods then fail."""
    steps = (*request.done, request.step)
    person = ruleset.holder(facts)
    reason, edge = standing(ruleset, person, facts, steps)
    if reason:
        return Decision(False, None, valid_until=edge, decided_by="users", reason=reason)
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
        return Decision(
            way is not None, way, valid_until=edge, trace=tuple(tried), decided_by=entry.where, reason=reason
        )
    return Decision(
        False, None, valid_until=edge, trace=tuple(tried), decided_by=NO_ENTRY, reason="no login entry matches"
    )


def _answer(entry: LoginEntry, truth: Truth, used: tuple[str, ...]) -> tuple[LoginWay | None, str]:
    """What the entry that decides says to the methods used so far."""
    entry_name = f"login entry {entry.number}"
    if truth is UNSURE:
        return None, f"{entry_name} hangs on a fact that is unknown"
    if entry.refuse:
        return None, f"{entry_name} refuses"
    going = [chain for chain in entry.chains if chain[: len(used)] == used]
    if not going:
        wanted = ", ".join("+".join(chain) for chain in entry.chains)
        return None, f"{entry_name} asks for {wanted}, not {'+'.join(used)}"
    if any(len(chain) == len(used) for chain in going):
        return LoginWay(True), f"{entry_name} is met by {'+'.join(used)}"
    following = tuple(dict.fromkeys(chain[len(used)] for chain in going))
    return LoginWay(False, following), f"{entry_name} goes on with {', '.join(following)}"


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
        return TRUE if condition.anyone and not condition.but_root else UNSURE
    return UNSURE if isinstance(condition, Account) else condition.test(case)
