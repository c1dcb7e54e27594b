"""Why the permission that comes nearest to a request does not permit it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pysshd.patterns.paths import virtual_path
from pysshd.policy.conditions import TRUE
from pysshd.policy.decide import settled
from pysshd.policy.decide_net import asked_of
from pysshd.policy.lacking import lacking_each, wanted_of
from pysshd.policy.login import case_of
from pysshd.policy.misfit_net import net_fault
from pysshd.policy.misfit_words import exec_fault, is_of_program, program_of
from pysshd.policy.people import Person, place_of
from pysshd.policy.query import Env, Exec, Facts, Request, Sftp, Step, Subsystem
from pysshd.policy.query_net import Connect, ConnectUnix, Listen, ListenUnix
from pysshd.policy.report import meant, show
from pysshd.policy.rights import ExecRight, SubsystemRight, Values
from pysshd.policy.rights_sftp import SftpRight
from pysshd.policy.ruleset import Effect, Grant, Ruleset
from pysshd.policy.slot_values import SlotValues, why_missing
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Misfit:
    """A permission and why it does not permit a request; or what keeps somebody from an account.

    permission: in the words of the policy; empty where there are some of this kind, and none is near.
    where: `file:line` of the permission; grant: the name of the grant that gives it.
    score: how near it comes; of two of one score the first in the file is told.
    """

    why: str
    hint: str = ""
    permission: str = ""
    where: str = ""
    grant: str = ""
    score: int = 0


def nearest(ruleset: Ruleset, facts: Facts, request: Request) -> Misfit | None:
    """The permission that comes nearest, among those of grants that count; None where there is none of this kind.

    request: one that was refused because no grant allows it. What permits it but for a slot that has no value is the
    nearest of all.
    """
    person = facts.holder
    if person is None or settled(request) is not None:
        return None
    case = case_of(person, facts.account, facts, facts.methods)
    counting = [
        grant
        for grant in sorted(ruleset.grants_of(person), key=lambda grant: grant.number)
        if grant.effect is Effect.ALLOW and grant.conditions.truth(case) is TRUE
    ]
    values = SlotValues(ruleset, facts, person)
    for right, grant, slots in _unfilled(request, counting, values):
        why = "; ".join(why_missing(slot, ruleset, facts, person) for slot in sorted(slots))
        return _with(Misfit(why), right, grant)
    finder = _FINDERS.get(type(request))
    found = finder(request, counting, values) if finder is not None else ()
    return max(found, key=lambda one: one.score, default=None)


def nearest_login(person: Person, account: str, now: datetime, steps: Iterable[Step]) -> Misfit | None:
    """Why somebody, or a key of theirs, does not stand on the account; None where they do."""
    if not person.may_use(account):
        accounts = ", ".join(person.accounts) or "the names that nobody has"
        return Misfit(f"{person.name} may log in as {accounts}", meant(account, person.accounts))
    keys = [key for step in steps if (key := person.key_of(step)) is not None]
    for name, window, where in (
        (person.name, person.window, place_of(person)),
        *((f"the key {key.label}", key.window, key.where) for key in keys),
    ):
        if window.end is not None and now >= window.end:
            return Misfit(f"{name} has expired: valid until {_told(window.end, now)}", where=where)
        if window.start is not None and now < window.start:
            return Misfit(f"{name} is not valid yet: valid from {_told(window.start, now)}", where=where)
    return None


def _told(moment: datetime, now: datetime) -> str:
    return moment.astimezone(now.tzinfo).isoformat(timespec="minutes")


def _with(fault: Misfit, right: Any, grant: Grant) -> Misfit:
    return replace(fault, permission=str(right), where=right.where, grant=grant.name)


def _unfilled(
    request: Request, grants: Iterable[Grant], values: Values
) -> Iterator[tuple[object, Grant, frozenset[str]]]:
    """Permissions that would answer the request, and the slots for want of whose values they do not."""
    asked = asked_of(request, frozenset(), values)
    assert not isinstance(asked, str)  # it is settled else
    wanted = wanted_of(request, asked)
    for grant in grants:
        for right, slots in lacking_each(grant.rights, wanted, values):
            elsewhere = (
                isinstance(request, Sftp)
                and isinstance(right, SftpRight)
                and not right.permits(request.right, virtual_path(request.path))
            )
            if slots and not elsewhere:
                yield right, grant, slots


def _of_exec(request: Exec, grants: Iterable[Grant], values: Values) -> Iterator[Misfit]:
    pairs = [(right, grant) for grant in grants for right in grant.rights.runs if isinstance(right, ExecRight)]
    near = [(right, grant) for right, grant in pairs if is_of_program(right, request)]
    for right, grant in near:
        score, why, hint = exec_fault(right, request, values)
        yield _with(Misfit(why, hint, score=score), right, grant)
    if pairs and not near:
        known = sorted({program for right, _ in pairs if (program := program_of(right))})
        asked = request.command.decode("utf-8", "replace").partition(" ")[0]
        base = asked.rpartition("/")[2]
        other = f"{base!r} is another word than {asked!r}" if base in known else ""
        yield Misfit(f"no exec permission is of {show(asked)}; there are some of {', '.join(known)}",
                     meant(asked, known) or other)  # fmt: skip


def _of_subsystem(request: Subsystem, grants: Iterable[Grant], values: Values) -> Iterator[Misfit]:
    runs = [right for grant in grants for right in grant.rights.runs if isinstance(right, SubsystemRight)]
    known = {right.name for right in runs} | {"sftp" for grant in grants for right in grant.rights.sftp if right.mounts}
    if known:
        yield Misfit(f"no subsystem is {show(request.name)}; permitted are {', '.join(sorted(known))}",
                     meant(request.name, known))  # fmt: skip


def _of_env(request: Env, grants: Iterable[Grant], values: Values) -> Iterator[Misfit]:
    known = [pattern.source for grant in grants for pattern in grant.rights.accept]
    if known:
        yield Misfit(f"no pattern takes {request.name}; accepted are {', '.join(known)}")


def _of_sftp(request: Sftp, grants: Iterable[Grant], values: Values) -> Iterator[Misfit]:
    path = virtual_path(request.path)
    for grant in grants:
        for right in grant.rights.sftp:
            if right.paths:
                yield _with(_path_fault(right, path), right, grant)


def _path_fault(right: SftpRight, path: str) -> Misfit:
    deciding = right.deciding(path)
    if deciding:
        permitted = frozenset.intersection(*(rights for _, rights in deciding))
        sources = " and ".join(pattern.source for pattern, _ in deciding)
        return Misfit(f"at {show(path)} decides {sources}, which permits {', '.join(sorted(permitted)) or 'nothing'}",
                      score=2)  # fmt: skip
    if any(pattern.source == f"{path.rstrip('/')}/**" for pattern, _ in right.paths):
        return Misfit(f"{path.rstrip('/')}/** is what is under {show(path)}, and not the folder itself", score=1)
    patterns = ", ".join(sorted(pattern.source for pattern, _ in right.paths))
    return Misfit(f"no pattern is of {show(path)}; there are {patterns}")


def _of_net(request: Request, grants: Iterable[Grant], values: Values) -> Iterator[Misfit]:
    for grant in grants:
        for right in grant.rights.net:
            fault = net_fault(right, request, values)
            if fault is not None:
                score, why, hint = fault
                yield _with(Misfit(why, hint, score=score), right, grant)


_FINDERS: Final[dict[type, Callable[[Any, list[Grant], Values], Iterator[Misfit]]]] = {
    Exec: _of_exec,
    Subsystem: _of_subsystem,
    Env: _of_env,
    Sftp: _of_sftp,
    **dict.fromkeys((Connect, Listen, ConnectUnix, ListenUnix), _of_net),
}
