"""From `options` and `from` of a key or an authority, and from the options in front of a key, to what they leave."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pysshd.patterns.key_options import KeyOptionsError, parse_options
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing, narrows
from pysshd.patterns.source_lists import source_list
from pysshd.policy import values
from pysshd.policy.compile_places import from_clause, networks_of
from pysshd.policy.fields_places import Place
from pysshd.policy.login_settings import LoginSettings
from pysshd.policy.model import Document
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text
from pysshd.policy.report import Report
from pysshd.policy.settings import EARLIEST


def options_timezone(document: Document) -> str:
    """The zone of times in options that say none."""
    server = document.server
    return server.timezone if server is not None and server.node.key_mark("timezone") is not None else EARLIEST


def narrowing_of(
    options: Iterable[str], places: Sequence[Place], mark: Mark, document: Document, report: Report
) -> Narrowing:
    """What options, in their order, and a `from` leave together."""
    found, text = NO_NARROWING, ",".join(options)
    try:
        found = parse_options(text, values.timezone(options_timezone(document))) if text else NO_NARROWING
    except KeyOptionsError as error:
        report.error(mark, f"options together: {error}", error.hint)
    if places:
        inside = source_list(from_clause(places).removeprefix("from: "), networks_of(places, document, report))
        found = replace(found, sources=(*found.sources, inside))
    return replace(found, where=mark.where) if narrows(found) else found


def texts(options: Iterable[Text] | None) -> list[str]:
    """The texts of a list of options."""
    return [option.text for option in options or ()]


def warn_unaccepted(found: Narrowing, mark: Mark, entries: Iterable[LoginSettings], report: Report) -> None:
    """Warn of what an option would add, and no login entry accepts, and of what says nothing."""
    accepted = {option for entry in entries for option in entry.key_options}
    if found.environment and "environment" not in accepted:
        report.warning(mark, "option environment sets nothing: no login entry accepts it",
                       "write set: {key_options: environment} there, or env: {set: …} in a role")  # fmt: skip
    if found.authority and "cert-authority" not in accepted:
        report.warning(mark, "option cert-authority lets nobody in: no login entry accepts it",
                       "write set: {key_options: cert-authority} there, or name the key in authorities")  # fmt: skip
    if found.principals is not None and not found.authority:
        report.warning(mark, "option principals says nothing without cert-authority", "leave it out")
