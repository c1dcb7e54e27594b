"""The smallest change that would allow what is refused: candidates are made of what nearly decided, and each is tried.

A change is tried on the rules as they are compiled, with the same engine. Whether a file that says so would be
accepted is for `check` to say: an allow more may clash, and a deny less may be what somebody wants.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import combinations
from typing import Final, TypeAlias

from pysshd.patterns.globs import parse_glob
from pysshd.patterns.words import WordsError, parse_words, quote, split_words
from pysshd.policy.changes_narrow import lifted
from pysshd.policy.changes_net import net_permission
from pysshd.policy.changes_sftp import sftp_permission, widened
from pysshd.policy.conditions import TRUE, Case, Condition, Conditions, Who
from pysshd.policy.decide import settled
from pysshd.policy.flow import quoted
from pysshd.policy.login import case_of
from pysshd.policy.model import BUILT_IN
from pysshd.policy.narrow import judged, narrowers_of
from pysshd.policy.nearly import Failed, failed_clauses, near_misses, permits_alone
from pysshd.policy.people import ALWAYS, Person
from pysshd.policy.query import (
    Break,
    Env,
    Exec,
    Login,
    Pty,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
)
from pysshd.policy.rights import ExecRight, Rights, ShellRight
from pysshd.policy.ruleset import Effect, Grant, LoginEntry, Ruleset, rebuilt
from pysshd.policy.scene import Scene, ask, facts_of, log_in
from pysshd.records import dataclass

EDITS_MAX: Final = 3
"""Edits of one change."""

CANDIDATES_MAX: Final = 16
"""Edits that are tried together with others."""

CHANGES_MAX: Final = 5
"""Changes that are told."""

_TRIED: Final = "tried"
_PATTERN_CHARS: Final = frozenset("*?[]{}")
"""Characters that would mean more in a pattern than in a command."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: what to do, and where in the file (`file:line`, or empty where something is to be added)."""

    text: str
    where: str
    apply: Callable[[Ruleset], Ruleset]


Change: TypeAlias = tuple[Edit, ...]
"""Edits that together are enough, and of which none is superfluous."""


RolesByGrant: TypeAlias = Mapping[str, tuple[str, ...]]
"""The names of the roles that a grant gives, by its `file:line`."""


def changes_for(ruleset: Ruleset, scene: Scene, request: Request, roles: RolesByGrant) -> tuple[Change, ...]:
    """The smallest changes after which a request would be allowed that is refused after a login that succeeded."""
    if settled(request) is not None:
        return ()
    narrowers = narrowers_of(ruleset, scene.person, scene.steps() or ())
    grants = _grant_edits(ruleset, scene, judged(request, narrowers), roles)
    edits = [*_standing_edits(scene), *_lifted(scene, type(request)), *grants]
    return _smallest(ruleset, scene, edits, lambda edited, as_in: ask(edited, as_in, request).allowed)


def changes_for_login(ruleset: Ruleset, scene: Scene) -> tuple[Change, ...]:
    """The smallest changes after which a login would succeed that is refused."""
    edits = [*_standing_edits(scene), *_lifted(scene, Login), *_login_edits(ruleset, scene)]
    return _smallest(ruleset, scene, edits, lambda edited, as_in: log_in(edited, as_in).admitted)


def _smallest(
    ruleset: Ruleset, scene: Scene, edits: Sequence[Edit], allowed: Callable[[Ruleset, Scene], bool]
) -> tuple[Change, ...]:
    # Of the people only the one who asks matters, and edits find them as they are: with what a source knows of them.
    base = rebuilt(ruleset, people=[scene.person])
    few = edits if len(edits) <= CANDIDATES_MAX else [*edits[: CANDIDATES_MAX - 4], *edits[-4:]]
    for size in range(1, EDITS_MAX + 1):
        found = []
        for change in combinations(edits if size == 1 else few, size):
            edited = _edited(base, change)
            if allowed(edited, replace(scene, person=edited.people[scene.person.name])):
                found.append(change)
        if found:
            return tuple(found[:CHANGES_MAX])
    return ()


def _edited(ruleset: Ruleset, change: Iterable[Edit]) -> Ruleset:
    for edit in change:
        ruleset = edit.apply(ruleset)
    return ruleset


# Grants


def _grant_edits(ruleset: Ruleset, scene: Scene, request: Request, roles: RolesByGrant) -> Iterator[Edit]:
    facts = facts_of(ruleset, scene)
    case = case_of(scene.person, scene.account, facts, facts.methods)
    counting = {tried.where for tried in ask(ruleset, scene, request, trace=True).trace if tried.matched}
    for grant in ruleset.grants:
        if grant.effect is Effect.DENY and grant.where in counting:
            yield Edit(f"lift the deny {grant.name}", grant.where, _without_grant(grant))
    for miss in near_misses(ruleset, facts, request):
        yield from (_eased_grant(miss.grant, failed) for failed in miss.failed)
    permission = _permission(ruleset, scene, request)
    if permission is None:
        return
    words, rights = permission
    kinds = [one.name for one in fields(rights) if getattr(rights, one.name)]
    for grant in sorted(
        ruleset.grants_of(scene.person), key=lambda one: not any(getattr(one.rights, name) for name in kinds)
    ):
        holds = grant.effect is Effect.ALLOW and grant.conditions.truth(case) is TRUE
        if holds and not permits_alone(ruleset, facts, request, grant):
            yield from _widened_grant(grant, request, words, rights, _place(grant, roles.get(grant.where, ())))
    completed = next((one for one in ruleset.grants_of(scene.person) if _may_complete(one, case, request)), None)
    yield _new_grant(scene.person.name, words, rights, completed.conditions if completed else Conditions())


def _may_complete(grant: Grant, case: Case, request: Request) -> bool:
    """Whether a permission to be added would be of use by what this grant gives: a tree, or what runs."""
    rights = grant.rights
    gives = rights.sftp if isinstance(request, Sftp) else rights.runs if isinstance(request, Signal | Break) else ()
    return bool(gives) and grant.effect is Effect.ALLOW and grant.conditions.truth(case) is TRUE


def _widened_grant(grant: Grant, request: Request, words: str, rights: Rights, place: str) -> Iterator[Edit]:
    """A grant with a permission more; of several of SFTP nothing says which one it would be written to."""
    added = grant.rights | rights
    if isinstance(request, Sftp) and grant.rights.sftp:
        if len(grant.rights.sftp) > 1:
            return
        words, right = widened(grant.rights.sftp[0], rights.sftp[0], request)
        added = replace(grant.rights, sftp=(right,))
        if len(right.paths) == len(grant.rights.sftp[0].paths):
            yield Edit(f"change that path to {words} in {place}", grant.where, _with_rights(grant, added))
            return
    yield Edit(f"add {words} to {place}", grant.where, _with_rights(grant, added))


def _place(grant: Grant, roles: tuple[str, ...]) -> str:
    """Where a permission would be added: to a role that is the file's own, if the grant gives one."""
    own = next((role for role in roles if role not in BUILT_IN), None)
    return f"the role {own}, which {grant.name} gives" if own is not None else f"the allow of {grant.name}"


def _eased_grant(grant: Grant, failed: Failed) -> Edit:
    def apply(ruleset: Ruleset) -> Ruleset:
        return rebuilt(ruleset, grants=[_eased(one, failed) if one.number == grant.number else one
                                         for one in ruleset.grants])  # fmt: skip

    return Edit(f"let {grant.name} match: it asks for {failed.clause}", grant.where, apply)


def _eased(grant: Grant, failed: Failed) -> Grant:
    return replace(grant, conditions=_without(grant.conditions, failed))


def _without(conditions: Conditions, failed: Failed) -> Conditions:
    if failed.condition is None:
        return replace(conditions, unless=())
    return replace(conditions, own=_but(conditions.own, failed.condition))


def _but(conditions: Sequence[Condition], left_out: Condition) -> tuple[Condition, ...]:
    return tuple(one for one in conditions if one is not left_out)


def _without_grant(grant: Grant) -> Callable[[Ruleset], Ruleset]:
    return lambda ruleset: rebuilt(ruleset, grants=[one for one in ruleset.grants if one.number != grant.number])


def _with_rights(grant: Grant, rights: Rights) -> Callable[[Ruleset], Ruleset]:
    return lambda ruleset: rebuilt(
        ruleset, grants=[replace(one, rights=rights) if one.number == grant.number else one for one in ruleset.grants]
    )


def _new_grant(who: str, words: str, rights: Rights, kept: Conditions) -> Edit:
    """A grant for one person, under the conditions of the one that it completes."""
    own = tuple(one for one in kept.own if not isinstance(one, Who))
    clauses = [f"who: {who}", *(one.clause for one in own)]
    if kept.unless:
        clauses.append(f"unless: {{{', '.join(one.clause for one in kept.unless)}}}")
    # It is tried for the person of the scene alone, so that nobody else need be left out.
    added = Grant(_TRIED, _TRIED, 0, kept, Effect.ALLOW, rights)
    text = f"add a grant: {{{', '.join(clauses)}, allow: {{{words}}}}}"
    return Edit(text, "", lambda ruleset: rebuilt(ruleset, grants=[*ruleset.grants, added]))


def _permission(ruleset: Ruleset, scene: Scene, request: Request) -> tuple[str, Rights] | None:
    """The narrowest permission for a request, as a role would write it; None where that takes more than a line."""
    server = ruleset.settings.server
    confined = not (server.accounts == "system" or server.owner == scene.person.name)
    beside = ", confined: true" if confined else ""
    if isinstance(request, Signal | Break):
        name = request.name if isinstance(request, Signal) else "BREAK"
        return f"signals: [{name}]", Rights(signals=frozenset([name]))
    if isinstance(request, Shell | Session):
        return f"shell: true{beside}", Rights(runs=(ShellRight(None, confined, _TRIED),))
    if isinstance(request, Exec):
        return _exec_permission(request, confined, beside)
    if isinstance(request, Pty):
        return "pty: true", Rights(pty=True)
    if isinstance(request, Env):
        return f"env: {{accept: [{request.name}]}}", Rights(accept=(parse_glob(request.name),))
    return sftp_permission(request, _TRIED) if isinstance(request, Sftp) else net_permission(request, _TRIED)


def _exec_permission(request: Exec, confined: bool, beside: str) -> tuple[str, Rights] | None:
    try:
        command = request.command.decode("utf-8")
    except UnicodeDecodeError:
        return None
    try:
        words = split_words(request.command)
    except WordsError:
        words = ()
    plain = bool(words) and all(word == quote(word) and not set(word) & _PATTERN_CHARS for word in words)
    if plain:
        right = ExecRight(command, confined, _TRIED, words=parse_words(command))
        return f"exec: {quoted(command)}{beside}", Rights(runs=(right,))
    right = ExecRight(command, confined, _TRIED, literal=request.command)
    return f"exec: {{literal: {quoted(command)}}}{beside}", Rights(runs=(right,))


# Logins


def _standing_edits(scene: Scene) -> Iterator[Edit]:
    """What would make the person stand on the account at that time."""
    person, account = scene.person, scene.account
    if not person.may_use(account):
        yield Edit(
            f"add {account} to the accounts of {person.name}",
            person.where,
            _with_person(person, lambda one: replace(one, accounts=(*one.accounts, account))),
        )
    if not person.window.holds(scene.now):
        text = f"change not_before or not_after of {person.name}"
        yield Edit(text, person.where, _with_person(person, lambda one: replace(one, window=ALWAYS)))
    for key in person.keys:
        if not key.window.holds(scene.now) and any(person.key_of(step) is key for step in scene.keys):
            text = f"change not_before or not_after of the key {key.label}"
            yield Edit(text, key.where, _with_person(person, partial(_with_valid_key, key.label)))


def _lifted(scene: Scene, kind: type) -> Iterator[Edit]:
    for option, where, change in lifted(scene.person, scene.keys, kind):
        yield Edit(f"take the option {option}", where, _with_person(scene.person, change))


def _with_valid_key(label: str, person: Person) -> Person:
    keys = tuple(replace(key, window=ALWAYS) if key.label == label else key for key in person.keys)
    return replace(person, keys=keys)


def _with_person(person: Person, change: Callable[[Person], Person]) -> Callable[[Ruleset], Ruleset]:
    return lambda ruleset: rebuilt(ruleset, people=[change(ruleset.people[person.name])])


def _login_edits(ruleset: Ruleset, scene: Scene) -> Iterator[Edit]:
    facts = facts_of(ruleset, scene)
    steps = facts.methods
    case = case_of(scene.person, scene.account, facts, steps)
    chain = "+".join(scene.chain)
    added = LoginEntry(0, _TRIED, Conditions(), (scene.chain,))
    first = f"{{who: {scene.person.name}, methods: {chain}}}"
    if not ruleset.has_login_section:
        # A section takes the place of the built-in entry, which lets everybody in.
        section = f'login: [{first}, {{who: "*", methods: publickey}}]'
        yield Edit(f"add a section {section}", "", lambda ruleset: rebuilt(ruleset, login=[added, *ruleset.login]))
        return
    for entry in ruleset.login:
        failed = failed_clauses(entry.conditions, case)
        name = f"login entry {entry.number}"
        if entry.refuse and not failed:
            yield Edit(f"take {name} away, which refuses", entry.where, _without_entry(entry))
        elif not failed and scene.chain not in entry.chains:
            yield Edit(f"add {chain} to the methods of {name}", entry.where, _with_chain(entry, scene.chain))
        elif len(failed) == 1 and not entry.refuse:
            yield Edit(f"let {name} match: it asks for {failed[0].clause}", entry.where, _eased_entry(entry, failed[0]))
    text = f"add a login entry above the others: {first}"
    yield Edit(text, "", lambda ruleset: rebuilt(ruleset, login=[added, *ruleset.login]))


def _without_entry(entry: LoginEntry) -> Callable[[Ruleset], Ruleset]:
    return lambda ruleset: rebuilt(ruleset, login=[one for one in ruleset.login if one.number != entry.number])


def _with_chain(entry: LoginEntry, chain: tuple[str, ...]) -> Callable[[Ruleset], Ruleset]:
    return _with_entry(replace(entry, chains=(*entry.chains, chain)))


def _eased_entry(entry: LoginEntry, failed: Failed) -> Callable[[Ruleset], Ruleset]:
    return _with_entry(replace(entry, conditions=_without(entry.conditions, failed)))


def _with_entry(entry: LoginEntry) -> Callable[[Ruleset], Ruleset]:
    return lambda ruleset: rebuilt(
        ruleset, login=[entry if one.number == entry.number else one for one in ruleset.login]
    )
