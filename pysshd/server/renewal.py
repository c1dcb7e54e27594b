"""A login asked again: who the steps that were done would be found to be now, by whatever rules are in force.

What a factor proved is asked again by what it was proven with: a key by whose it is, a password by whether the hash
that it fitted still stands. A secret is not asked for again.
"""

import hmac
from collections.abc import Callable, Hashable
from dataclasses import replace

from pysshd.policy.people import PasswordHash, Person
from pysshd.policy.ruleset import Ruleset
from pysshd.server.known import NOTHING_KNOWN, Known
from pysshd.server.login_steps import Found, LoginSteps
from pysshd.server.ports import Clock
from pysshd.server.rules import Rules
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey


async def renewed(
    login: LoginSteps, rules: Rules, clock: Clock, peer: Hashable, wanted: Callable[[], bool], *, ask_host: bool = True
) -> tuple[LoginSteps, str]:
    """Return the login as it is by `rules` now, and why a step of it is not what it was, or "".

    ask_host: ask anew what the host says of the account; else what it said before counts (`suffices`).
    wanted: whether anybody still waits for it; else a host that said nothing is not asked once more.
    A step that is not found any more means nothing: with it done, the login stands for nobody, and every request of it
    is refused.
    """
    known = login.known
    if known is not None:
        if ask_host:
            known = await _looked_up(login.account, rules, peer, wanted)
        else:
            known = carried_over(login, known, rules.ruleset)
    again = login.renewed(rules.ruleset, known, {})
    found: dict[tuple[str, str | None], Found] = {}
    fault = ""
    for key, before in login.all_found.items():
        now = await _found_again(again, before, rules, clock)
        if isinstance(now, str):
            fault = fault or now
        else:
            found[key] = now
    return login.renewed(rules.ruleset, known, found), fault


def suffices(login: LoginSteps, ruleset: Ruleset) -> bool:
    """Whether what the host said before is all that `ruleset` asks of it, so that it can be judged by at once."""
    known, old, new = login.known, login.ruleset.source, ruleset.source
    if known is None:
        return True
    if known.unanswered or not ruleset.system_groups <= login.ruleset.system_groups:
        return False
    if not set(ruleset.commands) <= set(login.ruleset.commands):
        return False
    if new is not None and (old is None or not set(new.keys) <= set(old.keys) or new.min_uid < old.min_uid):
        return False
    if ruleset.commands and ruleset.settings.server.accounts != "system":
        return True  # no session is an account of the host
    people = carried_over(login, known, ruleset).people
    holders = {
        found.person: people.get(found.person) or ruleset.people.get(found.person) for found in login.all_found.values()
    }
    return all(one is None or one.unix_name(login.account) in known.accounts for one in holders.values())


def carried_over(login: LoginSteps, known: Known, ruleset: Ruleset) -> Known:
    """What the host said before, with what another ruleset says of the people whom it has."""
    source = ruleset.source
    people: dict[str, Person] = {}
    for name in known.people.keys() - known.not_of_host if source is not None else ():
        assert source is not None
        person, account = source.person(name, ruleset.people.get(name)), known.accounts.get(name)
        if person.may_use(login.account) and (account is None or account.uid >= source.min_uid):
            people[name] = person
    files = {*source.keys, *(command.label for command in source.commands)} if source is not None else set()
    keys = {
        key: tuple((name, file, said) for name, file, said in held if name in people and file in files)
        for key, held in known.keys.items()
    }
    old, new = login.ruleset.asked, ruleset.asked
    same = old is not None and new is not None and old.command == new.command
    heard = known.by_program if same else frozenset[str]()
    return _with_program(login, replace(known, people=people, keys=keys, by_program=heard), known, ruleset)


def _with_program(login: LoginSteps, found: Known, known: Known, ruleset: Ruleset) -> Known:
    """`found`, with what a program said before of whom it has, where the same one is asked."""
    asked = ruleset.asked
    if asked is None:
        return found
    people, keys = dict(found.people), dict(found.keys)
    for name, person in known.people.items():
        if person.unknown_groups and (entry := people.get(name) or ruleset.people.get(name)) is not None:
            people[name] = asked.perhaps(entry)
    label = asked.command.label
    for name in {name for held in known.keys.values() for name, by, _ in held if by == label}:
        person = asked.person(name, people.get(name) or ruleset.people.get(name))
        if person.may_use(login.account):
            people[name] = person
    for key, held in known.keys.items():
        said = tuple((name, by, says) for name, by, says in held if by == label and name in people)
        keys[key] = tuple(dict.fromkeys((*keys.get(key, ()), *said)))
    return replace(found, people=people, keys=keys)


async def _looked_up(account: str, rules: Rules, peer: Hashable, wanted: Callable[[], bool]) -> Known:
    """What the host says of the account now; once more where it said nothing, for what it does not say counts too."""
    known = await rules.identity.look_up(account, peer)
    if (known.unanswered or known.unobtained) and wanted():
        return await rules.identity.look_up(account, peer)
    return known


async def _found_again(login: LoginSteps, before: Found, rules: Rules, clock: Clock) -> Found | str:
    """What is found out about a step now, or why it is not the same person's any more."""
    known, now = login.known or NOTHING_KNOWN, clock.wall()
    if isinstance(before.proof, Certificate):
        found = await rules.identity.certificate_holder(login.account, before.proof, now, known)
        if isinstance(found, str):
            return f"a certificate lets nobody in under this account name any more: {found}"
        if found.person != before.person:
            return f"a certificate is of {found.person} now, not of {before.person}"
        return Found(found.person, found.step, before.proof)
    if not isinstance(before.proof, PublicKey):
        person = login.person(before.person)
        if person is None:
            return f"{before.person} is not in the policy any more"
        return before if _is_same(person.password, before.proof) else f"the password of {before.person} has changed"
    holder = await rules.identity.key_holder(login.account, before.proof, now, known)
    fingerprint = before.proof.fingerprint
    if holder is None:
        unknown = known.fault or known.unobtained
        why = unknown or rules.ruleset.why_no_holder(login.account, fingerprint, now, known.people)
        return f"key {fingerprint} lets nobody in under this account name any more: {why}"
    if holder.person != before.person:
        return f"key {fingerprint} is of {holder.person} now, not of {before.person}"
    return Found(holder.person, holder.step, before.proof)


def _is_same(one: PasswordHash | None, other: PasswordHash | None) -> bool:
    """Whether it is the same hash, or none at all."""
    if one is None or other is None:
        return one is other
    return hmac.compare_digest(one.phc.reveal().encode(), other.phc.reveal().encode())
