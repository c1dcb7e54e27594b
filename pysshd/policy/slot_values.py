"""What fills the slots of templates in one session, and why one has nothing to be filled with.

A value is one word, and one part of a path, or it is none: a principal is what an authority wrote, and must not become
an option, a second word or another folder.
"""

from typing import Final

from pysshd.patterns.hosts import unmapped
from pysshd.patterns.slots import HOME, is_plain
from pysshd.patterns.words import SHELL_CHARACTERS
from pysshd.policy.people import Person
from pysshd.policy.query import Facts, Unknown
from pysshd.policy.rights import Values
from pysshd.policy.ruleset import Ruleset

_NO_WORD: Final = "what would fill it is no word"
_NOT_IN_A_WORD: Final = SHELL_CHARACTERS | frozenset("/'\"\\ ")


def is_word(value: str) -> bool:
    """Whether a value may fill a slot: one word that no shell reads otherwise, no option, and one part of a path."""
    return (
        value not in ("", ".", "..")
        and value[0] != "-"
        and value.isprintable()
        and _NOT_IN_A_WORD.isdisjoint(value)
    )  # fmt: skip


def values_of(ruleset: Ruleset, facts: Facts, person: Person) -> Values:
    """What fills the slots; one that has nothing to be filled with, or nothing that is a word, is missing."""
    values = {"user": person.name, "account": facts.account}
    for slot, value in (
        ("key", _key(facts, person)),
        ("principal", _only(_principals(ruleset, facts))),
        ("source", _source(facts)),
    ):
        if is_word(value):
            values[slot] = value
    home = _home(facts, person)
    if _is_home(home):
        values[HOME] = home
    return values


def why_missing(slot: str, ruleset: Ruleset, facts: Facts, person: Person) -> str:
    """Why a slot has no value, for the trace: what an authority or the host wrote is not repeated."""
    principals = _principals(ruleset, facts)
    many = "several principals of the certificate may use the account"
    absent, value, otherwise = {
        "key": ("no key was used", _key(facts, person), _NO_WORD),
        "principal": (many if principals else "no certificate was used", _only(principals), _NO_WORD),
        "source": ("the address of the client is not known", _source(facts), _NO_WORD),
        HOME: ("no home is known", _home(facts, person), "the home is no plain absolute path"),
    }[slot]
    return f"{{{slot}}} has no value: {otherwise if value else absent}"


def _key(facts: Facts, person: Person) -> str:
    """The name of the first key of the login, else its fingerprint, as one part of a path."""
    step = next((step for step in facts.methods if step.method == "publickey"), None)
    if step is None:
        return ""
    key = person.key_of(step)
    name = key.name if key is not None else None
    return name or (step.key or "").replace("/", "_").replace("+", "-")


def _principals(ruleset: Ruleset, facts: Facts) -> tuple[str, ...]:
    """The principals by each of which the first certificate of the login opens the account."""
    certificate = next((step.certificate for step in facts.methods if step.certificate is not None), None)
    authority = ruleset.authorities.get(certificate.authority) if certificate is not None else None
    if certificate is None or authority is None:
        return ()
    return authority.opening(facts.account, certificate.principals)


def _only(found: tuple[str, ...]) -> str:
    return found[0] if len(found) == 1 else ""


def _source(facts: Facts) -> str:
    return "" if facts.source is None or isinstance(facts.source, Unknown) else str(unmapped(facts.source))


def _home(facts: Facts, person: Person) -> str:
    """The home of the session's account, else what `users` says."""
    return (facts.unix.home if facts.unix is not None else person.home) or ""


def _is_home(home: str) -> bool:
    return is_plain(home) and home.isprintable()
