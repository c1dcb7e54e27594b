"""What one person may do under one policy and could not do under another."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from pysshd.policy.conditions import Case, Conditions
from pysshd.policy.diff_permissions import Gain, Session, clauses, given, odd, permissions
from pysshd.policy.diff_rights import Contents
from pysshd.policy.diff_sessions import (
    GROUPS_MAX,
    Factor,
    Side,
    admits,
    deciding,
    environments,
    factors,
    groups_named,
    orders,
    with_steps,
)
from pysshd.policy.people import Person
from pysshd.policy.ruleset import Grant, LoginEntry


class UncomparableError(Exception):
    """There are more cases than can be tried, or some that are not known; the message says which."""


_TOO_MANY: Final = "there are more cases than can be tried"


class Comparison:
    """Compares what one person may do. work: how many entries may be tried on cases before it gives up."""

    def __init__(self, new: Side, old: Side, work: int, same: Contents) -> None:
        self._new, self._old = new, old
        self._left = work
        self._same = same

    def gains(self, person: Person, before: Person | None) -> list[Gain]:
        """All that `person` may do under the new policy and could not under the old one, as `before`.

        Raises UncomparableError.
        """
        found: dict[tuple[str, str], Gain] = {}
        for gain in self._gains(person, before):
            key = (gain.what, gain.where)
            if key not in found or (gain.sure and not found[key].sure):
                found[key] = gain
        return list(found.values())

    def _gains(self, person: Person, before: Person | None) -> Iterator[Gain]:
        new_grants = self._new.ruleset.grants_of(person)
        old_grants = self._old.ruleset.grants_of(before) if before is not None else ()
        entries: list[Conditions] = [
            *(entry.conditions for side in (self._new, self._old) for entry in side.ruleset.login),
            *(grant.conditions for grant in (*new_grants, *old_grants)),
        ]
        if len(groups_named(entries)) > GROUPS_MAX:
            raise UncomparableError(_TOO_MANY)
        if not person.accounts and person.guests is None:
            raise UncomparableError("whoever comes under a name that nobody has")
        named = _fingerprints(entries)
        have, had = factors(self._new, person, named), factors(self._old, before, named)
        logins = list(orders(self._new, have))
        for case, listener in environments(self._new, self._old, person, before, entries, (*have, *had)):
            self._left -= 1 + len(self._new.ruleset.login)
            if self._left < 0:
                raise UncomparableError(_TOO_MANY)
            for steps in logins:
                entry = admits(self._new, person, case, steps)
                if entry is None:
                    continue
                self._left -= len(entries)
                yield from self._session(
                    Session(with_steps(case, person, steps), steps),
                    entry, case_of_old(case, listener, before), before, had, new_grants, old_grants
                )  # fmt: skip

    def _session(
        self,
        session: Session,
        entry: LoginEntry,
        case: Case,
        before: Person | None,
        had: Sequence[Factor],
        new_grants: Sequence[Grant],
        old_grants: Sequence[Grant],
    ) -> Iterator[Gain]:
        """What one login of the new policy gains."""
        held = [factor for step in session.steps for factor in had if factor.identity == step.identity][:4]
        entered = [(steps, admits(self._old, before, case, steps)) for steps in orders(self._old, held)]
        reached = [Session(with_steps(case, before, steps), steps) for steps, by in entered if by is not None]
        yield from _other_settings(session, entry, reached, [by for _, by in entered if by is not None])
        if not reached:
            unreached = Session(with_steps(case, before, session.steps), session.steps)
            yield self._login(session, unreached, entry, before, had)
            reached = [Session(with_steps(case, before, held), tuple(held))] if held else [unreached]
        new = given(new_grants, session)
        olds = [given(old_grants, one) for one in reached]
        person = session.case.person
        assert person is not None
        yield from _other_account(session, reached[0], person, before, self._new)
        moved = before is not None and person.home != before.home
        if moved or all(self._same(new.matching) != self._same(old.matching) or odd(new, old) for old in olds):
            yield from permissions(new, olds, moved)

    def _login(
        self, session: Session, unreached: Session, entry: LoginEntry, before: Person | None, had: Sequence[Factor]
    ) -> Gain:
        known = {factor.identity for factor in had}
        added = [step for step in session.steps if step.identity not in known]
        methods = "+".join(step.method for step in session.steps)
        what, where, was = f"login by {methods}", entry.where, ""
        apart: tuple[Conditions, ...] = ()
        account, person = session.case.account, session.case.person
        if before is None:
            was = "no such person"
        elif not before.may_use(account):
            what, was = f"{what} as {account}", f"{before.where}, without this account"
        elif added:
            key = added[0].key
            what, was = f"{what} with {added[0]}", f"{before.where}, without it"
            where = key.where if key is not None else person.where if person is not None else where
        else:
            refusing = deciding(self._old, unreached.case)
            was = refusing.where if refusing is not None else "no login entry"
            apart = (refusing.conditions,) if refusing is not None else ()
        return Gain(what, session, unreached, where, was, clauses(entry.conditions), apart=apart)


def _other_settings(
    session: Session, entry: LoginEntry, reached: Sequence[Session], before: Sequence[LoginEntry]
) -> Iterator[Gain]:
    """Something that the deciding entry says of the connection, where none of the old ones said the same."""
    if before and all(_settings_of(one) != _settings_of(entry) for one in before):
        yield Gain("what the login entry sets for the connection", session, reached[0], entry.where, before[0].where,
                   clauses(entry.conditions), False)  # fmt: skip


def _settings_of(entry: LoginEntry) -> LoginEntry:
    """What an entry says beside whom it admits, and how."""
    return replace(entry, number=0, where="", conditions=Conditions(), chains=())


def case_of_old(case: Case, listener: str, before: Person | None) -> Case:
    """The case as the old policy has it: by its name of the listener, and of its account of the host."""
    unix = case.unix
    if before is not None and unix is not None:
        unix = replace(unix, name=before.unix_name(case.account))
    return replace(case, listener=listener, unix=unix)


def _fingerprints(entries: Iterable[Conditions]) -> set[str]:
    found: set[str] = set()
    for entry in entries:
        for condition in entry.all:
            found |= getattr(condition, "fingerprints", frozenset())
    return found


def _other_account(
    session: Session, reached: Session, person: Person, before: Person | None, side: Side
) -> Iterator[Gain]:
    """As which account of the host the sessions run, where it is another one now."""
    account = session.case.account
    if side.settings.server.accounts == "system" and before is not None:
        now, was = person.unix_name(account), before.unix_name(account)
        if now != was:
            yield Gain(f"sessions as {account} run as the host's {now}", session, reached, person.where,
                       f"{before.where}, as {was}", "", False)  # fmt: skip
