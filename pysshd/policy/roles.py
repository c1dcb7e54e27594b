"""The roles of a policy, as they are written, and who holds them by which grants."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pysshd.policy.conditions import Who
from pysshd.policy.flow import write_flow
from pysshd.policy.model import Document
from pysshd.policy.people import Person
from pysshd.policy.ruleset import Grant, Ruleset
from pysshd.records import dataclass

BUILT_IN_TEXTS: Final[Mapping[str, str]] = MappingProxyType({
    "login-shell": '{shell: true, exec: any, pty: true, env: {accept: [LANG, "LC_*"]}}',
    "sftp": '{sftp: {mounts: {/: /}, start: "{home}", paths: {/: all, "/**": all}}}',
    "sftp-readonly": '{sftp: {mounts: {/: /}, start: "{home}", paths: {/: [list, download], "/**": [list, download]}}}',
})  # fmt: skip
"""The built-in roles, as a policy would write them."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A grant that gives a role.

    people: those of `users` whom it can mean; conditions: of the grant, in the words of the file, without whom it means
    by name.
    """

    grant: str
    where: str
    who: str
    people: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """One role: its permissions as YAML, `file:line` (empty where it is built in), and how it is given."""

    name: str
    text: str
    where: str
    holdings: tuple[Holding, ...] = ()


def roles_of(document: Document | None, ruleset: Ruleset | None) -> tuple[Role, ...]:
    """The built-in roles, then those of the document in the order of the file."""
    given = dict[str, list[Holding]]()
    for name, grant in _gifts(document, ruleset) if document is not None and ruleset is not None else ():
        assert ruleset is not None
        given.setdefault(name, []).append(_holding(grant, ruleset))
    own = document.roles.items() if document is not None else ()
    return (
        *(Role(name, text, "", tuple(given.get(name, ()))) for name, text in BUILT_IN_TEXTS.items()),
        *(
            Role(name, write_flow(model.node), mark.where, tuple(given.get(name, ())))
            for name, (mark, model) in own
            if model is not None
        ),
    )


def roles_by_grant(document: Document, ruleset: Ruleset) -> dict[str, tuple[str, ...]]:
    """The roles that each grant gives, by the grant's `file:line`."""
    found: dict[str, tuple[str, ...]] = {}
    for name, grant in _gifts(document, ruleset):
        found[grant.where] = (*found.get(grant.where, ()), name)
    return found


def _gifts(document: Document, ruleset: Ruleset) -> Iterator[tuple[str, Grant]]:
    for model, grant in zip(document.grants, ruleset.grants, strict=True):
        for name in model.roles or ():
            yield name.text, grant


def _holding(grant: Grant, ruleset: Ruleset) -> Holding:
    who = grant.conditions.who
    people = tuple(person.name for person in ruleset.people.values() if _means(who, person))
    others = [one.clause for one in grant.conditions.own if one is not who]
    if grant.conditions.unless:
        others.append(f"unless: {{{', '.join(one.clause for one in grant.conditions.unless)}}}")
    return Holding(grant.name, grant.where, who.clause if who is not None else "everyone", people, tuple(others))


def _means(who: Who | None, person: Person) -> bool:
    """Whether an entry can mean a person, by who they are or by a key of theirs."""
    if who is None or who.names(person):
        return True
    return any(key.name in who.key_names or key.fingerprint in who.fingerprints for key in person.keys)
