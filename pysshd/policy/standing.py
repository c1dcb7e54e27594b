"""Whether the steps of a login make somebody stand on an account, whatever `login` and `grants` say."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pysshd.patterns.names import is_name
from pysshd.policy.narrow import Narrowers, expiries, fault_of, narrowers_of
from pysshd.policy.people import ALWAYS, Person, PersonKey, Window, place_of, window_of_certificate
from pysshd.policy.query import Facts, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import BY_KEY, Certificate, Step
from pysshd.records import dataclass

_PROVED_ELSEWHERE: Final = frozenset(["pam", "none"])
"""Of these steps a person's entry says nothing."""


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The first of some instants, None counting as never."""
    first = None
    for moment in moments:
        if moment is not None and (first is None or moment < first):
            first = moment
    return first


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether steps make somebody stand on an account.

    reason: why not; "" where they do. where: `file:line` or words of what says so. edge: when that may change.
    narrowers: what the keys and certificates of the steps leave of the rest.
    """

    reason: str
    where: str
    edge: datetime | None = None
    narrowers: Narrowers = ()


def standing(ruleset: Ruleset, person: Person | None, facts: Facts, steps: tuple[Step, ...]) -> Standing:
    """Whether these steps make this person stand on the account."""
    where = place_of(person)
    if not is_name(facts.account):
        return Standing("the account's name is of no form that is served", where)
    if person is None:
        return Standing("nobody is identified", where)
    if not person.may_use(facts.account):
        return Standing(f"{person.name} may not log in as this account", where)
    if not steps:
        return Standing("no step of a login is done", where)
    narrowers = narrowers_of(ruleset, person, steps)
    reason, edge = _reason(ruleset, person, facts, steps, expiries(narrowers))
    if narrowers and not reason:
        reason, where = fault_of(narrowers, facts.source, where)
    return Standing(reason, where, edge, narrowers)


def _reason(
    ruleset: Ruleset, person: Person, facts: Facts, steps: tuple[Step, ...], ends: Iterable[datetime]
) -> tuple[str, datetime | None]:
    """Why these steps do not count for a person, or ""; and when that may change. ends: of what their keys say."""
    account, now = facts.account, facts.now
    windows, fault = [] if person.window is ALWAYS else [person.window], ""
    windows += [Window(None, end) for end in ends]
    for step in steps:
        signing = _authority_key(ruleset, step, now)
        keys = (*person.entries_of(step), *person.certified_of(step), *(() if signing is None else (signing,)))
        windows += [key.window for key in keys if key.window is not ALWAYS]
        window, found = _counts(ruleset, person, facts, step)
        if window is not None and window is not ALWAYS:
            windows.append(window)
        fault = fault or found
    edge = earliest([window.next_edge(now) for window in windows]) if windows else None
    if windows and not all(window.holds(now) for window in windows):
        return f"{person.name} or a key of theirs is not valid at this time", edge
    return fault or _faults(person, account, steps) or _unix_fault(ruleset, person, facts, steps), edge


def _authority_key(ruleset: Ruleset, step: Step, now: datetime) -> PersonKey | None:
    """The key of an authority that signed the certificate of a step, where that is known and is still one of its."""
    authority = ruleset.authorities.get(step.certificate.authority) if step.certificate is not None else None
    return authority.signing(step.label, now) if authority is not None and step.label is not None else None


def _counts(ruleset: Ruleset, person: Person, facts: Facts, step: Step) -> tuple[Window | None, str]:
    """When one step counts, where it has a time, and why it never does, or ""."""
    certificate, method, account = step.certificate, step.method, facts.account
    if certificate is not None and not certificate.authority:
        return window_of_certificate(certificate), _signer_fault(person, account, step, certificate)
    if certificate is not None:
        gone = step.label is not None and _authority_key(ruleset, step, facts.now) is None
        fault = _certificate_fault(ruleset, person, account, certificate)
        return window_of_certificate(certificate), "a certificate is of no authority of the file" if gone else fault
    if method == "publickey":
        key = person.key_of(step)
        return (None, f"a key is not among the keys of {person.name}") if key is None else (key.window, "")
    if method == "password":
        return None, "" if person.has_password else f"{person.name} has no password"
    if method == "totp":
        return None, "" if person.totp is not None else f"{person.name} has no totp"
    return None, "" if method in _PROVED_ELSEWHERE else "a method is not served"


def _signer_fault(person: Person, account: str, step: Step, certificate: Certificate) -> str:
    """Why a certificate does not count that a key of the person signed, or ""; when the key does is not asked here."""
    key = person.signer_of(step)
    if key is None:
        return "a certificate is of no authority of the file"
    said = (key.narrowing, step.narrowing)
    if not any(one.authority for one in said):
        return f"key {key.name or certificate.signer} is no authority"
    if certificate.options:
        return f"a certificate has the critical option {min(certificate.options)!r}, which is not served"
    named = [one.principals for one in said if one.principals is not None] or [frozenset([account])]
    others = (*(one.narrowing for one in person.entries_of(step) if one is not key), *step.others)
    named += [frozenset([account]) if one.principals is None else one.principals for one in others if one.authority]
    if any(certificate.principals.isdisjoint(principals) for principals in named):
        return f"key {key.name or certificate.signer} lets no principal of the certificate log in as this account"
    return ""


def _certificate_fault(ruleset: Ruleset, person: Person, account: str, certificate: Certificate) -> str:
    authority = ruleset.authorities.get(certificate.authority)
    if authority is None:
        return "a certificate is of no authority of the file"
    if person.guests is not None or authority.names(certificate) != person.name:
        return f"a certificate of {authority.name} is not that of {person.name}"
    if certificate.options:
        # What restricts and is not understood makes the whole certificate invalid.
        return f"a certificate has the critical option {min(certificate.options)!r}, which is not served"
    if not authority.admits(account, certificate.principals):
        return f"{authority.name} lets no principal of the certificate log in as this account"
    return ""


def _faults(person: Person, account: str, steps: tuple[Step, ...]) -> str:
    """Why the steps count for nothing together, or ""."""
    if len(steps) > 1:
        fingerprints = [step.key for step in steps if step.method == "publickey"]
        if len(set(fingerprints)) < len(fingerprints):
            return "a key counts once"
        others = [step.method for step in steps if step.method != "publickey"]
        twice = next((method for method in others if others.count(method) > 1), None)
        if twice is not None:
            return f"a {twice} counts once"
    first = steps[0].kind
    guest = person.guests is not None and first == "none"
    if first not in BY_KEY and not guest and person.name != account:
        return f"a {first} first of all is only that of the person who has the account's name"
    if person.certified and first != "certificate":
        return f"only a certificate makes {person.name} a person"
    return ""


def _unix_fault(ruleset: Ruleset, person: Person, facts: Facts, steps: tuple[Step, ...]) -> str:
    """Why the session could not run as its Unix account, or ""."""
    server, unix = ruleset.settings.server, facts.unix
    if server.accounts != "system":
        return ""
    name = person.unix_name(facts.account)
    if unix is None or unix.name != name or isinstance(unix.uid, Unknown):
        return (unix.fault if unix is not None else "") or f"account {name} could not be looked up"
    certificates = (step.certificate for step in steps if step.certificate is not None)
    if unix.uid < server.min_uid and not ruleset.writes(name, person, certificates):
        return (
            f"account {name} has uid {unix.uid}, below min_uid {server.min_uid}, and the file does not write its name "
            f"for {person.name}"
        )
    return unix.fault
