"""Guests: entries of `users` that stand for whoever comes under a name that nobody has."""

from collections.abc import Iterable
from dataclasses import replace

from pysshd.patterns.globs import common_text, parse_glob
from pysshd.policy.model import Document
from pysshd.policy.model_settings import UserModel
from pysshd.policy.people import Guests, Person
from pysshd.policy.report import Report


def guests_of(document: Document, people: Iterable[Person], report: Report) -> list[Person]:
    """The people, those with `names` made guests; two of these must not want one name."""
    models = {name: user for name, (_, user) in document.users.items() if user is not None and user.names is not None}
    own = {person.name: person for person in people}
    taken = frozenset(
        name for person in own.values() if person.name not in models for name in (person.name, *person.accounts)
    )
    guests: dict[str, Guests] = {}
    for name, model in models.items():
        _check(document, name, model, report)
        guests[name] = Guests(tuple(parse_glob(pattern.text) for pattern in model.names or ()), taken)
        for other in (other for other in guests if other != name):
            both = _common(guests[other], guests[name])
            if both is not None:
                where = own[other].where
                report.error(model.mark_of("names"), f"names of {name} and of {other} at {where} both take {both!r}",
                             "a name means one person")  # fmt: skip
    return [replace(one, accounts=(), guests=guests[one.name]) if one.name in guests else one for one in own.values()]


def _check(document: Document, name: str, model: UserModel, report: Report) -> None:
    """Report what does not go with being nobody in particular."""
    if model.accounts is not None:
        report.error(model.mark_of("accounts"), "accounts beside names: guests come under the names that nobody has")
    server = document.server
    if document.open_ended:
        report.error(model.mark_of("names"), "names beside sources of the host or of a program: which names its "
                                             "people have is not known before somebody asks")  # fmt: skip
    elif server is not None and server.accounts == "system" and _own_account(document, model) is None:
        report.error(model.mark_of("names"), "guests need run_as with accounts: system: the host has no account of a "
                                             "name that nobody has", "name the account that they are")  # fmt: skip
    if server is not None and server.owner is not None and server.owner.text == name:
        report.error(server.owner.mark, f"owner {name} stands for guests, and the owner is the daemon's own user")


def _own_account(document: Document, model: UserModel) -> str | None:
    """The Unix account that the entry or the defaults name."""
    common = document.user_defaults
    found = model.run_as or (common.run_as if common is not None else None)
    return found.text if found is not None else None


def _common(first: Guests, second: Guests) -> str | None:
    """A name that both take, as far as patterns tell."""
    both = (common_text(left, right, nonempty=True) for left in first.patterns for right in second.patterns)
    return next((found for found in both if found is not None), None)
