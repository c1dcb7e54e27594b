"""One attempt to prove who somebody is: what is asked of identity and of the policy, and what the two say together.

An attempt waits, for helpers and for the host. By then a reload may have put other rules in force, so an attempt
decides nothing: whoever made it looks whether the rules are still the same, and makes another one where they are not.
"""

from typing import Final

from pysshd.policy.decision import Decision
from pysshd.policy.query import Step
from pysshd.records import dataclass
from pysshd.server.connection import Connection
from pysshd.server.keys import PKey
from pysshd.server.known import Known
from pysshd.server.login_steps import LoginSteps, Proof
from pysshd.server.ports import Identity, KeyHolder
from pysshd.server.sources import peer_of

_NOBODY: Final = ""
"""Stands for a person whom no policy can name, so that a check that cannot succeed takes the same path."""

ATTEMPTS_MAX: Final = 3
"""How often an attempt is made for one request, where a reload comes between each time."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt came to. decision: None where the policy was not asked; fits: whether the secret is right."""

    step: Step
    done: tuple[Step, ...]
    person: str | None
    decision: Decision | None
    fits: bool
    reason: str
    proof: Proof = None


async def look_up(login: LoginSteps, identity: Identity, connection: Connection, named: bool) -> Known:
    """What the host says of the account, once; a name that can be none costs the same."""
    if login.known is None:
        account = login.account if named else ""
        login.known = await identity.look_up(account, peer_of(connection.source))
    return login.known


async def by_password(
    login: LoginSteps, identity: Identity, connection: Connection, named: bool, secret: bytes
) -> Attempt:
    """Right for the settled person, or, where it comes first, for the person of the account's own name."""
    step = Step("password")
    known = await look_up(login, identity, connection, named)
    settled = login.done()
    if settled is None:
        return Attempt(step, (), None, None, False, "steps of this login do not fit one person")
    person, done = settled
    if person is None and named:
        person = login.person_of_password()
    decision = login.judge(person, done, step)
    usable = named and person is not None and decision.allowed
    # Whoever cannot come in costs the same work as whoever can (S70).
    now = connection.clock.wall()
    whose = person if usable and person else _NOBODY
    matches = await identity.password_matches(whose, secret, now, peer_of(connection.source), known)
    if not usable or person is None:
        reason = decision.reason if named and person is not None else "nobody has this account name as their own"
        return Attempt(step, done, person, decision, False, reason)
    if matches and decision.valid_until is not None and connection.clock.wall() >= decision.valid_until:
        reason = "decision ran out while the password was checked"
        return Attempt(step, done, person, decision, False, reason)
    holder = login.person(person)
    proof = holder.password if holder is not None else None
    return Attempt(step, done, person, decision, matches, "" if matches else "password does not match", proof)


async def by_key(login: LoginSteps, identity: Identity, connection: Connection, named: bool, key: PKey) -> Attempt:
    """A key of the one person who may have this account by it; the signature is verified by the daemon."""
    known = await look_up(login, identity, connection, named)
    now = connection.clock.wall()
    found: KeyHolder | str | None
    if key.certificate is None:
        found = await identity.key_holder(login.account, key.public, now, known)
    else:
        found = await identity.certificate_holder(login.account, key.certificate, now, known)
    holder = found if isinstance(found, KeyHolder) else None
    settled = login.done()
    if holder is None or settled is None or not named:
        why = "the login is another's"
        if isinstance(found, str):
            why = found
        elif found is None:
            why = (
                known.fault
                or known.unobtained
                or login.ruleset.why_no_holder(login.account, key.fingerprint, now, known.people)
            )
        reason = f"it lets nobody in under this account name: {why}"
        done = (settled or (None, ()))[1]
        return Attempt(Step("publickey", key.fingerprint), done, None, None, False, reason)
    person, done = settled
    if person is not None and person != holder.person:
        reason = f"key {key.fingerprint} is not of the person whom an earlier factor identified"
        return Attempt(holder.step, done, None, None, False, reason)
    decision = login.judge(holder.person, done, holder.step)
    return Attempt(holder.step, done, holder.person, decision, decision.allowed, decision.reason,
                   key.certificate or key.public)  # fmt: skip
