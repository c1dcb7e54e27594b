"""What fills the slots of templates in one session, and why one has nothing to be filled with.

A value is one word, and one part of a path, or it is none: a principal is what an authority wrote, and must not become
an option, a second word or another folder.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pysshd.patterns.hosts import unmapped
from pysshd.patterns.slots import HOME, is_plain
from pysshd.patterns.words import SHELL_CHARACTERS
from pysshd.policy.people import Person
from pysshd.policy.query import Facts, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.templates import SLOTS

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


class SlotValues(Mapping[str, str]):
    """What fills the slots of one session; one with nothing to be filled with, or nothing that fits, is missing.

    Each is found when it is asked for: most requests meet no template, and a decision is made for each of them.
    """

    __slots__ = ("_facts", "_found", "_person", "_ruleset")

    def __init__(self, ruleset: Ruleset, facts: Facts, person: Person) -> None:
        self._ruleset = ruleset
        self._facts = facts
        self._person = person
        self._found: dict[str, str | None] = {"user": person.name, "account": facts.account}

    def __getitem__(self, slot: str) -> str:
        """What fills it; raises KeyError where nothing does."""
        found = self._found
        if slot not in found and slot in _READ:
            found[slot] = self._fitting(slot)
        value = found[slot]
        if value is None:
            raise KeyError(slot)
        return value

    def __iter__(self) -> Iterator[str]:
        return (slot for slot in SLOTS if slot in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _fitting(self, slot: str) -> str | None:
        fits = _is_home if slot == HOME else is_word
        value = _READ[slot](self._ruleset, self._facts, self._person)
        return value if fits(value) else None


def why_missing(slot: str, ruleset: Ruleset, facts: Facts, person: Person) -> str:
    """Why a slot has no value, for the trace: what an authority or the host wrote is not repeated."""
    principals = _principals(ruleset, facts)
    many = "several principals of the certificate may use the account"
    absent, unfit = {
        "key": ("no key was used", _NO_WORD),
        "principal": (many if principals else "no certificate was used", _NO_WORD),
        "source": ("the address of the client is not known", _NO_WORD),
        HOME: ("no home is known", "the home is no plain absolute path"),
    }[slot]
    return f"{{{slot}}} has no value: {unfit if _READ[slot](ruleset, facts, person) else absent}"


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


_READ: Final[Mapping[str, Callable[[Ruleset, Facts, Person], str]]] = {
    "key": lambda ruleset, facts, person: _key(facts, person),
    "principal": lambda ruleset, facts, person: _only(_principals(ruleset, facts)),
    "source": lambda ruleset, facts, person: _source(facts),
    HOME: lambda ruleset, facts, person: _home(facts, person),
}
"""What would fill the slots that may be missing; empty where there is nothing."""
