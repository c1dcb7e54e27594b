"""Whether the steps of a login make somebody stand on an account, whatever `login` and `grants` say."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pysshd.patterns.names import is_name
from pysshd.policy.people import ALWAYS, Person, Window, window_of_certificate
from pysshd.policy.query import Facts, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import BY_KEY, Certificate, Step

_PROVED_ELSEWHERE: Final = frozenset(["pam", "none"])
"""Of these steps a person's entry says nothing."""


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The first of some instants, None counting as never."""
    first = None
    for moment in moments:
        if moment is not None and (first is None or moment < first):
            first = moment
    return first


def standing(
    ruleset: Ruleset, person: Person | None, facts: Facts, steps: tuple[Step, ...]
) -> tuple[str, datetime | None]:
    """Why these steps do not make this person stand on the account, or "" where they do; and when that may change."""
    account, now = facts.account, facts.now
    if not is_name(account):
        return "the account's name is of no form that is served", None
    if person is None:
        return "nobody is identified", None
    if not person.may_use(account):
        return f"{person.name} may not log in as this account", None
    if not steps:
        return "no step of a login is done", None
    windows, fault = [] if person.window is ALWAYS else [person.window], ""
    for step in steps:
        window, found = _counts(ruleset, person, account, step)
        if window is not None and window is not ALWAYS:
            windows.append(window)
        fault = fault or found
    edge = earliest([window.next_edge(now) for window in windows]) if windows else None
    if windows and not all(window.holds(now) for window in windows):
        return f"{person.name} or a key of theirs is not valid at this time", edge
    return fault or _faults(person, account, steps) or _unix_fault(ruleset, person, facts), edge


def _counts(ruleset: Ruleset, person: Person, account: str, step: Step) -> tuple[Window | None, str]:
    """When one step counts, where it has a time, and why it never does, or ""."""
    certificate, method = step.certificate, step.method
    if certificate is not None:
        return window_of_certificate(certificate), _certificate_fault(ruleset, person, account, certificate)
    if method == "publickey":
        key = person.key_of(step)
        return (None, f"a key is not among the keys of {person.name}") if key is None else (key.window, "")
    if method == "password":
        return None, "" if person.has_password else f"{person.name} has no password"
    if method == "totp":
        return None, "" if person.totp is not None else f"{person.name} has no totp"
    return None, "" if method in _PROVED_ELSEWHERE else "a method is not served"


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


def _unix_fault(ruleset: Ruleset, person: Person, facts: Facts) -> str:
    """Why the session could not run as its Unix account, or ""."""
    server, unix = ruleset.settings.server, facts.unix
    if server.accounts != "system":
        return ""
    name = person.unix_name(facts.account)
    if unix is None or unix.name != name or isinstance(unix.uid, Unknown):
        return (unix.fault if unix is not None else "") or f"account {name} could not be looked up"
    if unix.uid < server.min_uid and name not in ruleset.written:
        return (
            f"account {name} has uid {unix.uid}, below min_uid {server.min_uid}, and the file does not write its name"
        )
    return unix.fault
