"""What one person may do under one policy and could not do under another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pysshd.policy.conditions import Case, Conditions, Within
from pysshd.policy.diff_certificates import NO_PRINCIPAL, STRANGER, Certified, TooManyError
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
from pysshd.policy.people import Person, Window, place_of
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
        self._certified = Certified(new, old)

    def gains(self, person: Person, before: Person | None) -> list[Gain]:
        """All that `person` may do under the new policy and could not under the old one, as `before`.

        Raises UncomparableError.
        """
        found: dict[tuple[str, str], Gain] = {}
        for gain in self._gains(person, before):
            found.setdefault((gain.what, gain.where), gain)
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
        if not person.accounts and person.guests is None and not person.certified:
            raise UncomparableError("whoever comes under a name that nobody has")
        named = _fingerprints(entries)
        have, had = factors(self._new, person, named), factors(self._old, before, named)
        logins = list(orders(self._new, have))
        opened = self._certified.accounts(person, before, entries)
        certified = {account: self._by_certificate(person, account, entries, named) for account in opened}
        for case, listener in environments(
            self._new, self._old, person, before, entries, (*have, *had), opened
        ):  # fmt: skip
            self._left -= 1 + len(self._new.ruleset.login)
            if self._left < 0:
                raise UncomparableError(_TOO_MANY)
            signed, known = certified.get(case.account, ((), ()))
            for steps in orders(self._new, (*have, *signed)) if signed else logins:
                self._left -= len(steps)
                entry = admits(self._new, person, case, steps)
                if entry is None:
                    continue
                self._left -= len(entries)
                yield from self._session(
                    Session(with_steps(case, person, steps), steps),
                    entry, case_of_old(case, listener, before), before, (*had, *known), new_grants, old_grants
                )  # fmt: skip

    def _by_certificate(
        self, person: Person, account: str, entries: Sequence[Conditions], named: set[str]
    ) -> tuple[tuple[Factor, ...], tuple[Factor, ...]]:
        """The certificates for an account, as both policies take them."""
        try:
            pairs = list(self._certified.factors(person, account, entries, named))
        except TooManyError:
            raise UncomparableError(_TOO_MANY) from None
        return tuple(now for now, _ in pairs), tuple(was for _, was in pairs if was is not None)

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
        known = {factor.identity: factor for factor in had}
        added = [step for step in session.steps if step.identity not in known]
        account, person = session.case.account, session.case.person
        what, where = f"login by {_by(self._new, session)}", entry.where
        apart: tuple[Conditions, ...] = ()
        if before is None:
            was, where = "no such person", self._place(session, where)
        elif not before.may_use(account):
            what = what if what.endswith(f" as {account}") else f"{what} as {account}"
            was = f"{place_of(before)}, without this account"
        elif added:
            what = f"{what} with {added[0]}" if added[0].certificate is None else what
            was = f"{place_of(before)}, without it" if added[0].certificate is None else self._unknown(added[0])
            where = added[0].place.where if added[0].place is not None else place_of(person)
        elif (closed := self._closed(account, session.steps, known)) is not None:
            was, where = closed, self._place(session, where)
        elif (shut := _shut(before, [known[step.identity] for step in session.steps], session.case)) is not None:
            (window, was), where = shut, self._place(session, where)
            apart = (Conditions((Within("", window),)),)
        else:
            refusing = deciding(self._old, unreached.case)
            was = refusing.where if refusing is not None else "no login entry"
            apart = (refusing.conditions,) if refusing is not None else ()
        return Gain(what, session, unreached, where, was, clauses(entry.conditions), apart=apart)

    def _place(self, session: Session, where: str) -> str:
        """The authority of the new policy whose certificate lets them in, or the login entry."""
        said = next((step.certificate for step in session.steps if step.certificate is not None), None)
        return self._new.ruleset.authorities[said.authority].where if said is not None else where

    def _unknown(self, step: Factor) -> str:
        """Why the old policy knows no such certificate of this person."""
        authority = self._certified.before(step)
        return (
            "no authority with this key" if authority is None else f"{authority.where}, where it names another person"
        )

    def _closed(self, account: str, steps: Iterable[Factor], known: Mapping[tuple[str, ...], Factor]) -> str | None:
        """The authority of the old policy that keeps a certificate from the account, or None."""
        for step in steps:
            said = known[step.identity].certificate
            authority = self._old.ruleset.authorities[said.authority] if said is not None else None
            if said is not None and authority is not None and not authority.admits(account, said.principals):
                return f"{authority.where}, not for this account"
        return None


def _shut(before: Person, held: Iterable[Factor], case: Case) -> tuple[Window, str] | None:
    """The time of somebody, or of a key of theirs, that kept them out under the old policy, and where that stands."""
    places = [(before.window, place_of(before))]
    places += [(one.window, one.place.where) for one in held if one.place is not None]
    return next(((window, f"{where}, not valid then") for window, where in places if not window.holds(case.now)), None)


def _by(side: Side, session: Session) -> str:
    """The methods of a login, and of a certificate what opens the account."""
    methods = "+".join(step.method for step in session.steps)
    said = next((step.certificate for step in session.steps if step.certificate is not None), None)
    if said is None:
        return methods
    account, authority = session.case.account, side.ruleset.authorities[said.authority]
    if account == STRANGER:
        return f"{methods} of {authority.name} with any principal as the account of its name"
    opening = authority.opening(account, said.principals)
    shown = "any principal" if authority.admits(account, frozenset([NO_PRINCIPAL])) else f"principal {opening[0]}"
    return f"{methods} of {authority.name} with {shown} as {account}"


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
                       f"{place_of(before)}, as {was}", "", False)  # fmt: skip
