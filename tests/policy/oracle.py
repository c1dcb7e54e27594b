"""A plain reading of a ruleset, slow and written from docs/policy.md: what the engine must say of requests.

It goes through every grant, and asks every condition and every permission. Of patterns (words, names, hosts, paths) it
asks the room that holds them: those have tests of their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any

from pysshd.patterns.names import variable_fault
from pysshd.patterns.words import WordsError, split_words
from pysshd.policy import conditions as c
from pysshd.policy.bounds import Limit, Record
from pysshd.policy.people import Person
from pysshd.policy.query import UNKNOWN, Break, Env, Exec, Facts, Pty, Query, Session, Shell, Signal, Subsystem
from pysshd.policy.rights import ExecRight, ForcedRight, Rights, RunRight, ShellRight, SubsystemRight
from pysshd.policy.ruleset import Effect, Grant, Ruleset

NO, PERHAPS, YES = 0, 1, 2
Run = Shell | Exec | Subsystem
JUDGED = (Shell, Exec, Subsystem, Session, Pty, Env, Signal, Break)
"""The requests that it knows."""


@dataclass
class Verdict:
    """What is decided: whether, by which grants, in which ways a program could be run, and what bounds it."""

    allowed: bool
    names: set[str] = field(default_factory=set)
    ways: set[Any] = field(default_factory=set)
    limits: frozenset[Limit] = frozenset()
    record: Record = Record.OFF


def judge(ruleset: Ruleset, person: Person, query: Query) -> Verdict:
    """Decide a request of somebody who stands on their account."""
    facts, request = query.facts, query.request
    if refused_by_the_language(request):
        return Verdict(False)
    values = values_of(facts, person)
    truth = {grant.number: holds(grant.conditions, person, facts) for grant in ruleset.grants}
    # Where a fact is not known, an allow does not match, a deny and a bound do.
    allows = [one for one in ruleset.grants if one.effect is Effect.ALLOW and truth[one.number] == YES]
    others = [one for one in ruleset.grants if one.effect is not Effect.ALLOW and truth[one.number] != NO]
    if any(one.effect is Effect.DENY and (one.everything or touches(one.rights, request, values)) for one in others):
        return Verdict(False)
    permitting = [one for one in allows if permits(one.rights, request, values)]
    if isinstance(request, Signal | Break) and not any(_programs(one.rights, request, values) for one in allows):
        permitting = []  # one grant may name the signal, and another run the program
    if not permitting:
        return Verdict(False)
    bounds = [one.bounds for one in (*permitting, *(one for one in others if one.effect is Effect.BOUND))]
    found = Verdict(True, {one.name for one in permitting})
    found.limits = frozenset(limit for one in bounds for limit in one.limits)
    found.record = max((one.record for one in bounds), default=Record.OFF)
    if isinstance(request, Run):
        found.ways = ways(allows, request, values)
        found.allowed = len(found.ways) == 1 and all(
            way.confined or ruleset.settings.server.owner == person.name for way in found.ways
        )
    return found


def refused_by_the_language(request: object) -> bool:
    """What is never accepted, whatever the file says, as far as the requests that are drawn go."""
    running = request.running if isinstance(request, Signal | Break) else request
    if isinstance(request, Signal) and request.name not in ("INT", "KILL"):
        return True
    if isinstance(request, Env):
        return bool(variable_fault(request.name, request.value))
    if isinstance(request, Pty):
        return "\n" in request.term
    return isinstance(running, Subsystem) and not running.name


def values_of(facts: Facts, person: Person) -> dict[str, str]:
    """`{user}`, `{account}` and `{key}`: the name of the key of the login, else its fingerprint."""
    values = {"user": person.name, "account": facts.account}
    for step in reversed(facts.methods):
        if step.method == "publickey" and step.key is not None:
            named = [key.name for key in person.keys if key.fingerprint == step.key and key.name]
            values["key"] = named[0] if named else step.key.replace("/", "_").replace("+", "-")
    return values


# Conditions: between keys all must hold, within a list any one; `unless` takes away where all of its keys hold.


def holds(entry: c.Conditions, person: Person, facts: Facts) -> int:
    """YES, NO, or PERHAPS where a fact is not known."""
    truth = min((_holds(one, person, facts) for one in entry.own), default=YES)
    if entry.unless:
        truth = min(truth, YES - min(_holds(one, person, facts) for one in entry.unless))
    return truth


def _holds(one: c.Condition, person: Person, facts: Facts) -> int:
    if isinstance(one, c.From):
        return PERHAPS if facts.source is UNKNOWN else _yes(_is_from(one, facts))
    if isinstance(one, c.Client):
        if not isinstance(facts.client, str):
            return PERHAPS
        version = facts.client.removeprefix("SSH-2.0-")
        return _yes(any(fnmatchcase(version, pattern.source) for pattern in one.patterns))
    if isinstance(one, c.Who):
        return _yes(_is_meant(one, person, facts))
    if isinstance(one, c.Account):
        return _yes(facts.account in one.accounts)
    if isinstance(one, c.Listener):
        return _yes(facts.listener in one.listeners)
    if isinstance(one, c.With):
        used = [step.method for step in facts.methods]
        return _yes(any(all(used.count(step) >= chain.count(step) for step in chain) for chain in one.chains))
    assert isinstance(one, c.Within | c.When)
    return _yes(one.window.holds(facts.now))


def _yes(found: bool) -> int:
    return YES if found else NO


def _is_from(one: c.From, facts: Facts) -> bool:
    if facts.source is None or facts.source is UNKNOWN:
        return False
    address = ip_address(str(facts.source))
    address = getattr(address, "ipv4_mapped", None) or address
    return any(
        version == address.version and first <= int(address) <= last for version, first, last in one.addresses.ranges
    )


def _is_meant(who: c.Who, person: Person, facts: Facts) -> bool:
    used = {step.key for step in facts.methods if step.method == "publickey"}
    names = {key.name for key in person.keys if key.fingerprint in used}
    return (
        who.anyone
        or person.name in who.people
        or bool(who.groups & person.groups)
        or bool(who.fingerprints & used)
        or bool(who.key_names & names)
    )


# Permissions.


def permits(rights: Rights, request: object, values: dict[str, str]) -> bool:
    """Whether some permission permits the request."""
    if isinstance(request, Pty):
        return rights.pty
    if isinstance(request, Session):
        return bool(rights.runs or rights.sftp)
    if isinstance(request, Env):
        return any(fnmatchcase(request.name, pattern.source) for pattern in rights.accept)
    if isinstance(request, Signal | Break):
        return _takes(rights, request, values)
    assert isinstance(request, Run)
    return any(_runs(right, request, values) for right in rights.runs)


def touches(rights: Rights, request: object, values: dict[str, str]) -> bool:
    """A deny touches what it would permit were it an allow, and what wildcards and slots leave out besides."""
    if isinstance(request, Session):
        return False  # what opens a session runs nothing yet
    if isinstance(request, Signal | Break):
        return _signal(request) in rights.signals
    if isinstance(request, Run):
        return any(_touches_run(right, request, values) for right in rights.runs)
    return permits(rights, request, values)


def _signal(request: Signal | Break) -> str:
    return request.name if isinstance(request, Signal) else "BREAK"


def _takes(rights: Rights, request: Signal | Break, values: dict[str, str]) -> bool:
    """Whether it lets the signal be sent: it names it, or runs what it is sent to and says nothing of signals."""
    return _signal(request) in rights.signals or any(one.all_signals for one in _programs(rights, request, values))


def _programs(rights: Rights, request: Signal | Break, values: dict[str, str]) -> list[ShellRight | ExecRight]:
    """What runs that a signal is sent to: a forced command and a subsystem take none."""
    programs = [one for one in rights.runs if isinstance(one, ShellRight | ExecRight)]
    return [one for one in programs if _runs(one, request.running, values)]


def _words(request: Run) -> tuple[str, ...] | None:
    try:
        return split_words(request.command) if isinstance(request, Exec) else None
    except WordsError:
        return None


def _runs(right: RunRight, request: Run, values: dict[str, str]) -> bool:
    if isinstance(right, ForcedRight):
        return True
    if isinstance(right, ShellRight):
        return isinstance(request, Shell)
    if isinstance(right, SubsystemRight):
        return isinstance(request, Subsystem) and request.name == right.name
    return right.permits(request, _words(request), values)


def _touches_run(right: RunRight, request: Run, values: dict[str, str]) -> bool:
    if isinstance(right, ExecRight):
        return right.touches(request, _words(request), values)
    return _runs(right, request, values)


def ways(allows: Iterable[Grant], request: Run, values: dict[str, str]) -> set[Any]:
    """The ways in which it would be run: a profile goes before words, these before literal, and that before any."""
    env = {
        setting.name: value
        for grant in allows
        for setting in grant.rights.sets
        if setting.kind == "env" and (value := setting.value.fill(values)) is not None
    }
    other = {
        setting.kind: value
        for grant in allows
        for setting in grant.rights.sets
        if setting.kind != "env" and (value := setting.value.fill(values)) is not None
    }
    found: dict[int, set[Any]] = {}
    for right in [right for grant in allows for right in grant.rights.runs if _runs(right, request, values)]:
        way = right.way(request, _words(request), values, tuple(sorted(env.items())))
        if way is not None:
            umask = int(other["umask"], 8) if "umask" in other else None
            found.setdefault(_rank(right), set()).add(replace(way, umask=umask, folder=other.get("working_folder")))
    return found[min(found)] if found else set()


def _rank(right: RunRight) -> int:
    if not isinstance(right, ExecRight) or right.profile is not None:
        return 0
    return 1 if right.words is not None else 2 if right.literal is not None else 3
