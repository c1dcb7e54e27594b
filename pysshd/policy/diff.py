"""Access gained and lost between two policies: not lines that changed, but who may now do what.

It never says that nothing was gained when somebody gained something: every case in which entries of either policy could
differ is looked at, and where it can not be shown that the old policy gave as much, the change counts as a gain.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from pysshd.patterns.globs import Glob
from pysshd.policy.conditions import TRUE, Condition, Conditions, Listener, Who
from pysshd.policy.decide import decide
from pysshd.policy.diff_alike import Likeness
from pysshd.policy.diff_certificates import STRANGER, Certified
from pysshd.policy.diff_narrow import widened_keys
from pysshd.policy.diff_net import requests_of
from pysshd.policy.diff_people import Comparison, UncomparableError
from pysshd.policy.diff_permissions import Gain, Session
from pysshd.policy.diff_rights import Atom, Contents, commands, is_net, variables
from pysshd.policy.diff_sessions import Side
from pysshd.policy.diff_settings import wider
from pysshd.policy.diff_sftp import operations
from pysshd.policy.diff_unknown import uncompared_logins, unknown_authorities, unknown_facts, unknown_settings
from pysshd.policy.people import Person, place_of
from pysshd.policy.query import (
    UNKNOWN,
    X11,
    Agent,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Facts,
    Global,
    Listen,
    ListenUnix,
    Pty,
    Query,
    Request,
    Sftp,
    Shell,
    Signal,
    Subsystem,
)
from pysshd.policy.rights import ExecRight, ForcedRight, ShellRight, SubsystemRight
from pysshd.policy.rights_sftp import SftpRight
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate
from pysshd.policy.verbs import say_request
from pysshd.policy.worlds import NOBODY, describe
from pysshd.records import dataclass

WORK_MAX: Final = 4_000_000
"""Entries that are tried on cases for one person, a few seconds; beyond that the person may have gained anything."""

EVERYONE: Final = "everyone"
ANYBODY: Final = "anybody of the host"
CERTIFIED: Final = "anybody with a certificate"
_SOMEBODY: Final = "some-account-of-the-host"
_SHOWN: Final = {_SOMEBODY: ANYBODY, STRANGER: CERTIFIED}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that people gained, or lost.

    sure: whether it is shown by a request; else it only could not be excluded.
    conditions: of the entry that gives it. example: a case in words, with a request where there is one.
    new, old: `file:line` that decides in each of the policies, or words such as "no grant".
    """

    people: tuple[str, ...]
    what: str
    sure: bool
    conditions: str
    example: str
    new: str
    old: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What was gained and what was lost."""

    gained: tuple[Change, ...]
    lost: tuple[Change, ...]


def difference(old: Side, new: Side) -> Difference:
    """Compare two accepted policies."""
    lost = tuple(replace(change, new=change.old, old=change.new) for change in _changes(old, new))
    return Difference(tuple(_changes(new, old)), lost)


def _changes(new: Side, old: Side) -> Iterator[Change]:
    """What is more in `new`; people to whom the same happens stand together."""
    unknown = (*unknown_settings(new, old), *unknown_authorities(new, old), *uncompared_logins(new, old))
    for one in (*wider(new, old), *unknown):
        yield Change((EVERYONE,), one.what, one.sure, "", "", one.where, one.was)
    together: dict[tuple[str, str, str], tuple[Change, list[str]]] = {}
    known: dict[Hashable, list[Change]] = {}
    same = Contents()
    alike = Likeness(new, old, same)
    for person, before, shown in _people(new, old):
        if alike.unchanged(person, before):
            continue
        kind = alike.kind(person, before)
        changes = known[kind] if kind in known else _of_person(new, old, person, before, same)
        if kind is not None:
            known[kind] = changes
        for change in changes:
            key = (change.what, change.new, change.old)
            together.setdefault(key, (change, []))[1].append(shown)
    for change, people in together.values():
        yield replace(change, people=tuple(people))


def _people(new: Side, old: Side) -> Iterator[tuple[Person, Person | None, str]]:
    """Everyone whom the new policy could let in, each with who they are under the old one, and what they are called."""
    for name, shown, asked in _names(new, old):
        person = new.person(name, asked=asked)
        if person is not None:
            yield person, old.person(name, asked=asked) or old.certified(name), shown
    for name in Certified(new, old).names():
        before = old.ruleset.people.get(name) or old.certified(name)
        yield Person(name, certified=True), before, _SHOWN.get(name, name)


def _names(new: Side, old: Side) -> Iterator[tuple[str, str, bool]]:
    """Everyone of the new policy: where it takes people whom it does not know, also whoever is named, and anybody.

    Each with what they are called, and whether a program that is asked is to know them.
    """
    ruleset, asked = new.ruleset, new.ruleset.asked
    names = dict.fromkeys(ruleset.people)
    if ruleset.open_ended:
        names |= dict.fromkeys(sorted(_named(ruleset) | _named(old.ruleset) | set(old.ruleset.people)))
    for name in names:
        yield name, name, False
    if ruleset.source is not None:
        yield _SOMEBODY, ANYBODY, False
    if asked is not None:
        for name in names:
            yield name, f"{name} {asked.holders}", True
        yield _SOMEBODY, f"anybody {asked.holders}", True


def _named(ruleset: Ruleset) -> set[str]:
    every = [*(entry.conditions for entry in ruleset.login), *(grant.conditions for grant in ruleset.grants)]
    return {name for one in every for condition in one.all for name in getattr(condition, "people", ())}


# One person


def _of_person(new: Side, old: Side, person: Person, before: Person | None, same: Contents) -> list[Change]:
    try:
        gains = Comparison(new, old, WORK_MAX, same).gains(person, before)
    except UncomparableError as error:
        return [Change((), f"anything: {error}", False, "", "", place_of(person),
                       place_of(before) if before is not None else "no such person")]  # fmt: skip
    changes = [_change(gain, new, old, before) for gain in gains]
    for more in widened_keys(new, old, person, before) if before is not None else ():
        changes.append(Change((), more.what, False, "", "", more.where, more.was))
    for fact in unknown_facts(person, before) if before is not None else ():
        changes.append(Change((), f"{fact} is another one", False, "", "", place_of(person), place_of(before)))
    return changes


def _change(gain: Gain, new: Side, old: Side, before: Person | None) -> Change:
    session = gain.session
    words = _described(gain, new)
    change = Change((), gain.what, gain.sure, gain.conditions, words, gain.where, gain.was)
    for request in _requests(gain.atom, session) if gain.atom is not None else ():
        now = decide(new.ruleset, _query(session, request))
        was = decide(old.ruleset, _query(gain.before, request)) if before is not None else None
        if now.allowed and (was is None or not was.allowed or was.way != now.way):
            sure = was is None or not was.allowed or gain.sure
            decided = was.decided_by if was is not None else "no such person"
            return replace(change, sure=sure, example=f"{words}: {_shown(request)}", old=decided)
    return change


def _described(gain: Gain, new: Side) -> str:
    """The case in which it is gained, with no more than its entries ask for."""
    case, entries = gain.session.case, _entries(gain, new)
    conditions = [condition for entry in entries for condition in entry.all]
    if not any(isinstance(condition, Listener) for condition in conditions):
        case = replace(case, listener=NOBODY)
    if not any(
        isinstance(condition, Who) and (condition.key_names or condition.fingerprints) for condition in conditions
    ):
        case = replace(case, key_names=frozenset(), fingerprints=frozenset())
    case = replace(case, certificates=tuple(_plain(one, conditions) for one in case.certificates))
    words = describe(case, entries).replace(STRANGER, "somebody")
    if case.source is UNKNOWN:
        words = words.replace(str(UNKNOWN), "an address that is not known")
    if case.unix is not None and case.unix.groups is UNKNOWN:
        words += ", where the groups of the host are not known"
    if case.is_root is TRUE:
        words += f", where {case.account} is uid 0"
    return words


def _plain(certificate: Certificate, conditions: Iterable[Condition]) -> Certificate:
    """A certificate with the extensions alone that conditions ask for."""
    named = {one for condition in conditions if isinstance(condition, Who) for _, one in condition.extensions}
    return replace(certificate, principals=certificate.principals - {STRANGER},
                   extensions=certificate.extensions & named)  # fmt: skip


def _entries(gain: Gain, new: Side) -> list[Conditions]:
    """The entries whose conditions the example is told in."""
    found = [entry.conditions for entry in new.ruleset.login if entry.where == gain.where]
    if gain.atom is not None:
        found.append(gain.atom.grant.conditions)
    return [*found, *gain.apart] or [entry.conditions for entry in new.ruleset.login]


def _query(session: Session, request: Request) -> Query:
    case = session.case
    steps = tuple(step.step for step in session.steps)
    name = case.person.name if case.person is not None else None
    client = getattr(case, "client", UNKNOWN)
    return Query(Facts(case.account, name, case.source, case.listener, client, case.now, steps, case.person, case.unix,
                       own_addresses=frozenset()), request)  # fmt: skip


def _requests(atom: Atom, session: Session) -> Iterator[Request]:
    """Requests that a permission permits, to show what it is."""
    item = atom.item
    if isinstance(item, ShellRight):
        yield Shell()
    elif isinstance(item, ExecRight):
        yield from (Exec(command) for command in commands(item))
    elif isinstance(item, SubsystemRight):
        yield Subsystem(item.name)
    elif isinstance(item, ForcedRight):
        yield from (Shell(), Exec(b"some-command"), Subsystem("some-subsystem"))
    elif isinstance(item, Glob):
        yield from (Env(name, b"x") for name in variables(item))
    elif isinstance(item, SftpRight):
        yield from operations(item)
    elif is_net(item):
        yield from requests_of(item)
    elif atom.kind == "pty":
        yield Pty("xterm")
    else:
        yield from (Signal(str(item), running) for running in (Shell(), Exec(b"id"), Exec(b"x")))


def _shown(request: Request) -> str:
    if isinstance(request, Exec):
        return f"exec {request.command.decode('utf-8', 'replace')!r}"
    if isinstance(request, Sftp):
        return f"{request.right} {request.path.decode('utf-8', 'replace')}"
    if isinstance(request, Connect | Listen | ConnectUnix | ListenUnix | Agent | X11 | Global):
        return say_request(request)
    words = {Subsystem: "name", Env: "name", Signal: "name"}
    kind = type(request)
    named = f" {getattr(request, words[kind])}" if kind in words else ""
    return f"{kind.__name__.lower()}{named}"
