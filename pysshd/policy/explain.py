"""Why a request is decided as it is: the login, every entry that was tried, what decided, and what would change it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pysshd.patterns.narrowing import shown
from pysshd.patterns.special import LOCALHOST, LOCALHOST_ADDRESSES
from pysshd.policy.bounds import LIMITS, Bounds, Limit
from pysshd.policy.changes import Change, RolesByGrant, changes_for, changes_for_login
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.found import REFUSED
from pysshd.policy.misfit import Misfit, nearest, nearest_login
from pysshd.policy.narrow import judged, narrowers_of
from pysshd.policy.nearly import lacking, lacking_for_login
from pysshd.policy.query import UNKNOWN, Connect, Request, Step
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.scene import LoggedIn, Scene, ask, certificates_of, chains_of, facts_of, log_in
from pysshd.policy.steps import Chain
from pysshd.policy.verbs import say_request
from pysshd.policy.ways import FileWay, Forced, LoginShell, Mount, Program, SftpWay, ShellCommand, Way, Words
from pysshd.policy.ways_net import LookUpWay
from pysshd.records import dataclass

LOGIN: Final = "login"
"""The effect of an entry of `login`."""

NARROWS: Final = "narrows"
"""The effect of a key, a certificate or an authority."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer.

    decision: on the request, as it is after the login; where the login is refused, as it would be.
    effects: of the entries in the trace of that, in its order.
    logins: chains by which the same person would be let in, where the login is refused.
    changes: the smallest ones by which the login (where that is refused) or the request would be allowed.
    lacking: facts of the scene that are not known and on which the refusal hangs: `from`, `client`, `system_groups`.
    assumed: what only a program could say that nobody asks for an explanation, and what is taken for granted of it.
    nearest: where no grant allows the request, the permission that comes nearest, and why it is not permitted by it;
        where the login is refused, what keeps them from the account.
    """

    scene: Scene
    request: Request
    login: LoggedIn
    decision: Decision
    effects: tuple[str, ...]
    logins: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    lacking: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    nearest: Misfit | None = None

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed, the login included; a name that may be looked up is not allowed yet."""
        return self.login.admitted and self.decision.allowed and not self.looked_up

    @property
    def looked_up(self) -> bool:
        """Whether there is no answer but that a name may be looked up: each of its addresses is asked for by itself."""
        return self.login.admitted and isinstance(self.decision.way, LookUpWay)


def explain(
    ruleset: Ruleset, scene: Scene, request: Request, held: Sequence[Step], roles: RolesByGrant = MappingProxyType({})
) -> Explanation:
    """Explain one request; `held` has a step for each key of the person, those that are to be used first."""
    return replace(_explained(ruleset, scene, request, held, roles), assumed=_assumed(ruleset, scene))


def _assumed(ruleset: Ruleset, scene: Scene) -> tuple[str, ...]:
    """What would have to be asked of programs: whom they have keys for, and whether a key is one of these."""
    asked, used = ruleset.asked, {step.label for step in scene.keys}
    found = []
    for command in dict.fromkeys(ruleset.commands):
        of_source = asked is not None and command == asked.command
        groups = ", ".join(sorted(asked.groups)) if asked is not None and of_source else ""
        groups = f", and so is in {groups}" if groups else ""
        if of_source or command.label in used:
            found.append(f"{scene.person.name} has a key by {command.program}{groups}")
    return tuple(found)


def _explained(
    ruleset: Ruleset, scene: Scene, request: Request, held: Sequence[Step], roles: RolesByGrant
) -> Explanation:
    login = log_in(ruleset, scene, trace=True)
    request = _at_its_address(ruleset, scene, request)
    decision = ask(ruleset, scene, request, trace=True)
    tried = sorted(ruleset.grants_of(scene.person), key=lambda grant: grant.number) if decision.trace else ()
    narrowing = (NARROWS,) * (len(decision.trace) - len(tried))
    effects = (*narrowing, *(grant.effect.value for grant in tried))
    if not login.admitted:
        logins, changes = _other_logins(ruleset, scene, held), changes_for_login(ruleset, scene)
        unknown = lacking_for_login(ruleset, facts_of(ruleset, scene)) if login.decision.trace else ()
        near = nearest_login(scene.person, scene.account, scene.now, scene.keys)
        return Explanation(scene, request, login, decision, effects, logins, changes, unknown, nearest=near)
    if decision.allowed:
        return Explanation(scene, request, login, decision, effects)
    changes = changes_for(ruleset, scene, request, roles)
    unknown = lacking(ruleset, facts_of(ruleset, scene), request, decision.trace) if decision.trace else ()
    # What a deny touches may well be permitted; and where a key forces a command, it is that which no grant permits.
    put = judged(request, narrowers_of(ruleset, scene.person, scene.steps() or ()))
    near = nearest(ruleset, facts_of(ruleset, scene), put) if decision.decided_by == REFUSED.decided_by else None
    return Explanation(scene, request, login, decision, effects, (), changes, unknown, nearest=near)


def _at_its_address(ruleset: Ruleset, scene: Scene, request: Request) -> Request:
    """The request, at an address of `localhost` where that is meant and what is said of all of them is the same."""
    way = ask(ruleset, scene, request).way
    if not (isinstance(request, Connect) and isinstance(way, LookUpWay) and way.host == LOCALHOST):
        return request
    there = [replace(request, address=address) for address in LOCALHOST_ADDRESSES]
    return there[0] if len({ask(ruleset, scene, one).allowed for one in there}) == 1 else request


def default_login(ruleset: Ruleset, scene: Scene, held: Sequence[Step]) -> Scene:
    """The scene with the first login of the policy that lets the person in; else with a key alone."""
    tried = [one for chain in chains_of(ruleset) for one in _with_any_certificate(ruleset, scene, chain, held)]
    admitted = (one for one in tried if log_in(ruleset, one).admitted)
    return next(admitted, with_login(scene, ("publickey",), held))


def login_by(ruleset: Ruleset, scene: Scene, chain: Chain, held: Sequence[Step]) -> Scene:
    """The scene with a login by this chain: with a certificate by which it succeeds, where it asks for one."""
    tried = _with_any_certificate(ruleset, scene, chain, held)
    return next((one for one in tried if log_in(ruleset, one).admitted), with_login(scene, chain, held))


def with_login(scene: Scene, chain: Chain, held: Sequence[Step]) -> Scene:
    """The scene with a login by this chain, with the first keys of `held`."""
    return replace(scene, chain=chain, keys=tuple(held[: chain.count("publickey")]))


def _with_any_certificate(ruleset: Ruleset, scene: Scene, chain: Chain, held: Sequence[Step]) -> list[Scene]:
    """The scenes of a chain, one for each authority that could certify the person, where it asks for that."""
    scene = with_login(scene, chain, held)
    if "certificate" not in chain or scene.certificate is not None:
        return [scene]
    return [replace(scene, certificate=one) for one in certificates_of(ruleset, scene.person, scene.account)]


def _other_logins(ruleset: Ruleset, scene: Scene, held: Sequence[Step]) -> tuple[str, ...]:
    tried = [one for chain in chains_of(ruleset) for one in _with_any_certificate(ruleset, scene, chain, held)]
    return tuple(dict.fromkeys("+".join(one.chain) for one in tried if log_in(ruleset, one).admitted))


# In words


def said_way(way: Way) -> str:
    """How a request is answered, in words; empty where a yes says it all."""
    said = _SAID.get(type(way))
    confined = ", confined" if getattr(way, "confined", False) else ""
    return said(way) + confined if said is not None else ""


_SAID: Final[Mapping[type, Callable[[Any], str]]] = MappingProxyType({
    LoginShell: lambda way: "the account's own shell",
    ShellCommand: lambda way: f"by the account's own shell, with -c{_instead(way)}",
    Words: lambda way: f"without a shell: {_words(way.argv)}",
    Program: lambda way: f"a program of the policy: {_words(way.argv)}",
    Forced: lambda way: f"a forced program: {_words(way.argv)}",
    SftpWay: lambda way: f"the daemon's own {'scp' if way.scp else 'SFTP server'}, over {_mounts(way.mounts)}",
    FileWay: lambda way: f"at {way.mount.folder}{way.below}" if way.mount is not None else "",
})  # fmt: skip


def _instead(way: ShellCommand) -> str:
    """The command, where it is not the one that was asked for."""
    return f": {shown(way.command)}" if way.asked is not None else ""


def _mounts(mounts: tuple[Mount, ...]) -> str:
    return ", ".join(f"{mount.at} ({mount.folder})" for mount in mounts)


def _words(argv: tuple[bytes, ...]) -> str:
    return "[" + ", ".join(_text(word) for word in argv) + "]"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def said_bounds(bounds: Bounds) -> tuple[str, ...]:
    """What a request is held to, each in words; of what is not counted together only the strictest."""
    limits = sorted(bounds.limits, key=lambda limit: (limit.name, limit.amount, limit.per, limit.grant))
    record = [f"record: {bounds.record.name.lower()}"] if bounds.record else []
    return (*(_limit(limit) for limit in limits if _is_shared(limit) or limit == _strictest(limits, limit)), *record)


def _is_shared(limit: Limit) -> bool:
    """Whether use is charged to it; else it is compared with, and only the strictest matters."""
    return bool(LIMITS[limit.name].scopes)


def _strictest(limits: Sequence[Limit], like: Limit) -> Limit:
    return next(limit for limit in limits if limit.name == like.name)


def _limit(limit: Limit) -> str:
    per = f" per {limit.per}" if _is_shared(limit) else ""
    by = f" by {limit.grant}" if limit.grant else ""
    return f"{limit.name}: {limit.written}{per}{by}"


# For machines


def plain(explanation: Explanation) -> dict[str, Any]:
    """The whole answer as texts, numbers, lists and mappings, for JSON; docs/tools.md has its shape."""
    scene, login, decision = explanation.scene, explanation.login, explanation.decision
    looks_up = isinstance(decision.way, LookUpWay)
    return {
        "allowed": None if explanation.looked_up else explanation.allowed,
        "as": scene.person.name,
        "account": scene.account,
        "from": _plain(scene.source),
        "listener": scene.listener,
        "client": _plain(scene.client),
        "at": scene.now.isoformat(),
        "with": "+".join(scene.chain),
        "keys": [step.key for step in scene.keys],
        "certificate": _plain(scene.certificate),
        "system_groups": _plain(scene.system_groups),
        "request": say_request(explanation.request),
        "login": _decision(login.decision, login.admitted, [LOGIN] * len(login.decision.trace)),
        "decision": _decision(decision, None if looks_up else decision.allowed, explanation.effects)
        | {"way": _way(decision.way), "bounds": _bounds(decision.bounds)},
        "nearest": _misfit(explanation.nearest),
        "lacking": list(explanation.lacking),
        "assumed": list(explanation.assumed),
        "other_logins": list(explanation.logins),
        "changes": [[{"edit": edit.text, "where": edit.where or None} for edit in one] for one in explanation.changes],
    }


def _decision(decision: Decision, allowed: bool | None, effects: Sequence[str]) -> dict[str, Any]:
    until = decision.valid_until
    return {
        "allowed": allowed,
        "decided_by": decision.decided_by,
        "reason": decision.reason,
        "valid_until": until.isoformat() if until is not None else None,
        "trace": [_tried(tried, effect) for tried, effect in zip(decision.trace, effects, strict=True)],
    }


def _misfit(found: Misfit | None) -> dict[str, Any] | None:
    if found is None:
        return None
    named = {"permission": found.permission, "where": found.where, "grant": found.grant, "hint": found.hint}
    return {"why": found.why} | {key: value or None for key, value in named.items()}


def _tried(tried: Tried, effect: str) -> dict[str, Any]:
    return {
        "entry": tried.entry,
        "where": tried.where,
        "effect": effect,
        "matched": tried.matched,
        "failed": tried.failed or None,
    }


def _way(way: Way | None) -> dict[str, Any] | None:
    if way is None:
        return None
    return {"kind": type(way).__name__} | {field.name: _plain(getattr(way, field.name)) for field in fields(way)}


def _bounds(bounds: Bounds) -> dict[str, Any]:
    limits = [_plain(limit) | {"amount": int(limit.amount)} for limit in sorted(bounds.limits)]
    return {"limits": limits, "record": bounds.record.name.lower()}


def _plain(value: Any) -> Any:
    """What JSON can hold: bytes as text, sets in order, records by the names of their fields."""
    if isinstance(value, bytes):
        return _text(value)
    if value is UNKNOWN or value is None:
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, frozenset):
        return sorted((_plain(item) for item in value), key=str)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value.isoformat() if isinstance(value, datetime) else str(value)
