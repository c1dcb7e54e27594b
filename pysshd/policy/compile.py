"""From a document to a ruleset: references resolved, and every check that needs the whole document."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pysshd.policy import values
from pysshd.policy.clash import ClashCheck
from pysshd.policy.compile_accounts import check_accounts
from pysshd.policy.compile_authorities import authorities_of
from pysshd.policy.compile_crypto import warn_unusable_keys, warn_unusable_of_folders
from pysshd.policy.compile_entries import EntriesCompiler
from pysshd.policy.compile_people import PeopleCompiler, settings_of
from pysshd.policy.compile_sources import asked_of, check_programs, outside_of, source_of, strangers_of
from pysshd.policy.enforce import OwnerCheck, PatternCheck
from pysshd.policy.enforce_record import RecordCheck
from pysshd.policy.keyfiles import KeyFiles, KeyFolders
from pysshd.policy.lint_bounds import BoundCheck, warn_lesser_bounds, warn_limits_of_nothing
from pysshd.policy.lint_commands import warn_interpreters
from pysshd.policy.lint_conditions import (
    warn_groups_of_one_name,
    warn_ipv4_only,
    warn_keys_of_nobody,
    warn_unused_listeners,
)
from pysshd.policy.lint_denies import DenyCheck
from pysshd.policy.lint_forward import ShellBesideForward, warn_denied_ipv4, warn_denied_names
from pysshd.policy.lint_grants import warn_empty, warn_shadowed, warn_unused_roles
from pysshd.policy.lint_include import warn_granting_files, warn_root_elsewhere
from pysshd.policy.lint_login import check_login
from pysshd.policy.lint_people import NeverAdmitted
from pysshd.policy.lint_profiles import ProfileCheck
from pysshd.policy.lint_sftp import ShellBesidePaths
from pysshd.policy.lint_shell import AnyWithoutShell
from pysshd.policy.model import Document
from pysshd.policy.people import Person
from pysshd.policy.report import Report
from pysshd.policy.ruleset import Ruleset, ruleset_of
from pysshd.policy.worlds import Worlds

_NO_PROGRAMS: Final[Mapping[str, str]] = MappingProxyType({})


def compile_policy(
    document: Document,
    key_files: KeyFiles | None,
    report: Report,
    folders: KeyFolders | None = None,
    programs: Mapping[str, str] = _NO_PROGRAMS,
) -> Ruleset:
    """Compile what could be read. The ruleset is of use only where the report refuses nothing.

    key_files: what is known of the files that hold keys; None: they are taken to be there, and may hold any key.
    folders: what is in folders of keys; None: not known. programs: what is wrong with some that are asked, by path.
    """
    document.unread = folders is None and bool(document.key_folders())
    settings = settings_of(document, report)
    zone = values.timezone(settings.server.timezone)
    people_compiler = PeopleCompiler(document, key_files, zone, report, folders)
    people = people_compiler.people()
    entries = EntriesCompiler(document, people, zone, report)
    login, grants = entries.login(), entries.grants()
    for record in document.loose:
        people_compiler.check_references(record)
        entries.check_references(record)
    entries.check_unused_roles()
    source = source_of(document, settings.server, people_compiler.defaults)
    asked = asked_of(document, people_compiler.defaults)
    authorities = authorities_of(document, key_files, zone, report)
    ruleset = ruleset_of(settings, people, login, grants, source, authorities, asked, outside_of(document))
    strangers = strangers_of(document, ruleset, people_compiler.defaults, entries.conditions.who.people_of_source)
    everyone = (*people, *strangers)
    held = _held_keys(people, people_compiler, key_files)
    worlds = Worlds((chain for entry in login for chain in entry.chains), held, authorities)
    # What follows says what is wrong or odd about rules that are known as they stand.
    known = not report.refused
    check_accounts(document, people_compiler.places, report)
    check_programs(document, programs, report)
    if document.broken.isdisjoint({"login", "users", "groups", "networks", "server"}) and document.login is not None:
        check_login(login, everyone, document.groups, worlds, report, entries.marks)
    ClashCheck(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    PatternCheck(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    RecordCheck(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    owner = settings.server.owner
    if settings.server.accounts == "service":
        nobodies = {person.name for person in people if person.guests is not None} | {one.name for one in strangers}
        owner = OwnerCheck(worlds, report, entries.marks).owner(everyone, ruleset.grants_of, owner, nobodies)
    if known:
        warn_granting_files(document, report)
        warn_root_elsewhere(document, report)
        warn_unusable_keys(document, key_files, settings.crypto, report)
        warn_unusable_of_folders(document, folders or {}, settings.crypto, report)
        warn_unused_roles(document, entries.roles_used, report)
        warn_unused_listeners(document, report)
        warn_groups_of_one_name(document, report)
        warn_ipv4_only(document, settings.server.listen, report)
        warn_keys_of_nobody(document, None if ruleset.open_ended or document.unread else _all_of(people, held), report)
        warn_empty(grants, everyone, worlds, report, entries.marks)
        warn_shadowed(grants, people, report, entries.marks)
        if not ruleset.open_ended and not authorities:
            places = people_compiler.places
            NeverAdmitted(ruleset.login, worlds, report, places).check(people, ruleset.grants_of)
        ShellBesidePaths(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
        ShellBesideForward(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
        warn_denied_names(grants, report, entries.marks)
        warn_denied_ipv4(grants, settings.server.listen, report, entries.marks)
        warn_interpreters(grants, report, entries.marks)
        system = settings.server.accounts == "system"
        ProfileCheck(worlds, report, entries.marks, system=system).check(everyone, ruleset.grants_of)
        warn_lesser_bounds(grants, report, entries.marks)
        warn_limits_of_nothing(grants, report, entries.marks)
        BoundCheck(everyone, ruleset.grants_of, worlds).check(grants, report, entries.marks)
        DenyCheck(worlds, report, entries.marks).check(grants, everyone, ruleset.grants_of)
        AnyWithoutShell(worlds, report, entries.marks).check(everyone, ruleset.grants_of)
    return replace(ruleset, settings=replace(settings, server=replace(settings.server, owner=owner)))


def _held_keys(
    people: Sequence[Person], compiler: PeopleCompiler, key_files: KeyFiles | None
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The keys of each entry of `users`; an entry is missing where its file was not read."""
    return {
        (person.name, key.label): compiler.fingerprints(key)
        for person in people
        for key in person.keys
        if not key.is_open or (key.file is not None and key_files is not None)
    }


def _all_of(people: Sequence[Person], held: Mapping[tuple[str, str], tuple[str, ...]]) -> set[str] | None:
    """The fingerprints of everybody's keys, or None where some are not known."""
    labels = {(person.name, key.label) for person in people for key in person.keys}
    return {fingerprint for found in held.values() for fingerprint in found} if labels <= held.keys() else None
