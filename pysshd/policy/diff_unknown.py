"""What a comparison does not know the meaning of: where it has changed, somebody may have gained.

Settings and facts of people that a later version adds are found here until a module beside this one compares them.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final

from pysshd.policy.diff_alike import authorities, bare
from pysshd.policy.diff_certificates import two_certificates
from pysshd.policy.diff_rights import Contents
from pysshd.policy.diff_sessions import Side
from pysshd.policy.diff_settings import COMPARED, Wider
from pysshd.policy.people import Person

_OF_A_RULESET: Final = frozenset(
    [
        "settings", "people", "login", "grants", "source", "asked", "outside", "system_groups", "version", "files",
        "folders", "authorities",
    ]
)  # fmt: skip
"""What is compared elsewhere, or follows from the rest."""

_OF_A_PERSON: Final = frozenset(
    ["name", "groups", "accounts", "keys", "password", "home", "window", "where", "run_as", "system_password", "listed",
     "by_default", "unknown_groups", "certified"]
)  # fmt: skip
_OF_AN_AUTHORITY: Final = frozenset(["name", "keys", "person", "accounts", "where"])
_HARMLESS: Final = frozenset(
    [
        "where", "server.host_keys", "server.state", "server.timezone", "server.options_timezone", "server.banner",
        "server.version_addendum",
        "server.worker_user", "server.listen", "crypto.profile", "crypto.rekey_bytes", "crypto.rekey_seconds",
        "crypto.algorithms", "limits.startups",
    ]
)  # fmt: skip
"""Settings that give nobody access, and those that are compared part by part. A zone is in what it was applied to."""


def unknown_settings(new: Side, old: Side) -> Iterator[Wider]:
    """Everything of the policies as a whole that differs and that nothing else compares."""
    for section in ("server", "crypto", "limits"):
        here, there = getattr(new.settings, section), getattr(old.settings, section)
        for one in fields(here):
            key = f"{section}.{one.name}"
            if not {key, one.name} & _HARMLESS and key not in COMPARED:
                yield from _differing(key, getattr(here, one.name), getattr(there, one.name))
    for one in fields(new.settings):
        if one.name not in ("server", "crypto", "limits"):
            yield from _differing(one.name, getattr(new.settings, one.name), getattr(old.settings, one.name))
    for one in fields(new.ruleset):
        if one.name not in _OF_A_RULESET and not one.name.startswith("_"):
            yield from _differing(one.name, getattr(new.ruleset, one.name), getattr(old.ruleset, one.name))


def uncompared_logins(new: Side, old: Side) -> Iterator[Wider]:
    """Logins by two certificates, one after the other, are not among those that are compared: where anything has
    changed that could decide what they give, it may be more."""
    if not two_certificates(new):
        return
    contents = Contents()
    logins, before = ([replace(one, number=0, where="") for one in side.ruleset.login] for side in (new, old))
    people, others = ({name: bare(one) for name, one in side.ruleset.people.items()} for side in (new, old))
    same = logins == before and people == others and authorities(new) == authorities(old)
    if not same or contents(new.ruleset.grants) != contents(old.ruleset.grants):
        yield Wider("logins by two certificates, which are not compared", "authorities", "authorities", sure=False)


def unknown_authorities(new: Side, old: Side) -> Iterator[Wider]:
    """The facts of an authority that differ and that nothing else compares."""
    for name, here in new.ruleset.authorities.items():
        there = old.ruleset.authorities.get(name)
        for one in fields(here) if there is not None else ():
            if one.name not in _OF_AN_AUTHORITY:
                yield from _differing(f"authorities.{name}.{one.name}", getattr(here, one.name),
                                      getattr(there, one.name, None))  # fmt: skip


def _differing(key: str, here: object, there: object) -> Iterator[Wider]:
    if here != there:
        yield Wider(f"{key} is another one", key, key, sure=False)


def unknown_facts(person: Person, before: Person) -> list[str]:
    """The facts of a person that differ and that nothing else compares."""
    return [
        one.name
        for one in fields(person)
        if one.name not in _OF_A_PERSON and getattr(person, one.name) != getattr(before, one.name)
    ]
