"""From a document to a ruleset: references resolved, and every check that needs the whole document."""

from collections.abc import Sequence
from dataclasses import replace

from pysshd.policy import values
from pysshd.policy.clash import ClashCheck
from pysshd.policy.compile_accounts import check_accounts, source_of
from pysshd.policy.compile_crypto import warn_unusable_keys
from pysshd.policy.compile_entries import EntriesCompiler
from pysshd.policy.compile_people import PeopleCompiler, settings_of
from pysshd.policy.enforce import OwnerCheck, PatternCheck
from pysshd.policy.keyfiles import KeyFiles
from pysshd.policy.lint_grants import warn_empty, warn_shadowed, warn_unused_roles
from pysshd.policy.lint_login import check_login
from pysshd.policy.lint_sftp import ShellBesidePaths
from pysshd.policy.model import Document
from pysshd.policy.people import Person
from pysshd.policy.report import Report
from pysshd.policy.ruleset import Ruleset, ruleset_of
from pysshd.policy.worlds import Worlds

_SOMEBODY = "somebody"


def compile_policy(document: Document, key_files: KeyFiles | None, report: Report) -> Ruleset:
    """Compile what could be read. The ruleset is of use only where the report refuses nothing.

    key_files: what is known of the files that hold keys; None: they are taken to be there, and may hold any key.
    """
    settings = settings_of(document, report)
    zone = values.timezone(settings.server.timezone)
    people_compiler = PeopleCompiler(document, key_files, zone, report)
    people = people_compiler.people()
    entries = EntriesCompiler(document, people, zone, report)
    login, grants = entries.login(), entries.grants()
    for record in document.loose:
        people_compiler.check_references(record)
        entries.check_references(record)
    source = source_of(document, settings.server)
    ruleset = ruleset_of(settings, people, login, grants, source)
    # Whom a source has is not known; for the checks there is somebody, and whoever is named.
    strangers = tuple(Person(name, accounts=(name,)) for name in (_SOMEBODY, *sorted(entries.people_of_source)))
    everyone = (*people, *strangers) if source is not None else people
    worlds = Worlds(
        (chain for entry in login for chain in entry.chains), _held_keys(people, people_compiler, key_files)
    )
    check_accounts(document, report)
    if document.broken.isdisjoint({"login", "users", "groups", "networks", "server"}) and document.login is not None:
        check_login(login, everyone, document.groups, worlds, report, entries.marks)
    ClashCheck(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    PatternCheck(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    owner = settings.server.owner
    if settings.server.accounts == "service":
        owner = OwnerCheck(worlds, report, entries.marks).owner(people, ruleset.grants_of, owner)
    if not report.refused:
        warn_unusable_keys(document, key_files, settings.crypto, report)
        warn_unused_roles(document, entries.roles_used, report)
        warn_empty(grants, everyone, worlds, report, entries.marks)
        warn_shadowed(grants, report, entries.marks)
        ShellBesidePaths(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    return replace(ruleset, settings=replace(settings, server=replace(settings.server, owner=owner)))


def _held_keys(
    people: Sequence[Person], compiler: PeopleCompiler, key_files: KeyFiles | None
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The keys of each entry of `users`; an entry is missing where its file was not read."""
    return {
        (person.name, key.label): compiler.fingerprints(key)
        for person in people
        for key in person.keys
        if key.file is None or key_files is not None
    }
