"""Sources: the host's people, those whom a program knows, and what a document needs for that."""

from collections.abc import Iterable, Mapping
from typing import Final

from pysshd.policy.compile_folders import groups_of
from pysshd.policy.keyfiles import split_pattern
from pysshd.policy.model import Document
from pysshd.policy.model_sources import SourceKeysModel, SourceModel
from pysshd.policy.people import DEFAULT_TIMEOUT, AskedSource, KeyCommand, Person, PersonKey, SystemSource, UserDefaults
from pysshd.policy.report import Report
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.settings import Limits, Server

_SOMEBODY: Final = "somebody"


def source_of(document: Document, server: Server, defaults: UserDefaults) -> SystemSource | None:
    """The source of the host's people, or None where the document has none."""
    model = next((one for one in document.sources if one.system is not None), None)
    if model is None or model.system is None or server.accounts != "system":
        return None
    items = model.keys or ()
    named = [one.authorized_keys.text for one in items if one.authorized_keys is not None]
    return SystemSource(
        model.system.min_uid or server.min_uid,
        tuple(dict.fromkeys(named)),
        model.password is not None,
        model.mark.where,
        defaults,
        tuple(dict.fromkeys(found for one in items if (found := _command(one)) is not None)),
        groups_of(model),
    )


def asked_of(document: Document, defaults: UserDefaults) -> AskedSource | None:
    """The source of whom a program knows, or None where the document has none."""
    model = next((one for one in document.sources if one.command is not None), None)
    command = _command(model) if model is not None else None
    if model is None or command is None:
        return None
    return AskedSource(command, groups_of(model), model.mark.where, defaults)


def _command(model: SourceModel | SourceKeysModel) -> KeyCommand | None:
    """The program that an item asks for keys, where it does."""
    if model.command is None:
        return None
    account = model.run_as.text if model.run_as is not None else None
    return KeyCommand(model.command.words, account, model.timeout or DEFAULT_TIMEOUT, model.mark.where)


def outside_of(document: Document) -> tuple[str, ...]:
    """The folders of keys and the programs that say who people are."""
    folders = [split_pattern(pattern)[0] for pattern in document.key_folders()]
    return tuple(dict.fromkeys([*folders, *(program.words[0].parts[0] for program in document.programs())]))


def strangers_of(
    document: Document, ruleset: Ruleset, defaults: UserDefaults, named: Iterable[str]
) -> tuple[Person, ...]:
    """Whom a source or an authority has is not known, or may be others tomorrow; for the checks there is somebody of
    each kind, and whoever is named; and entries, with what sources add to them."""
    found: dict[Person, None] = {}
    for name in (_SOMEBODY, *sorted(named)):
        for source in document.sources:
            if source.directory is not None:
                # Of a folder that was not read, any key may be theirs.
                keys = (PersonKey(source.directory.text),) if document.unread else ()
                found[defaults.person(name, source.mark.where).joined(groups_of(source), keys)] = None
        for host, asked in ((True, False), (False, True), (True, True)):
            person = ruleset.person_of(name, host=host, asked=asked)
            found |= {person: None} if person is not None else {}
        if ruleset.authorities:
            found[Person(name, certified=True)] = None
    groups = (ruleset.source.groups if ruleset.source is not None else frozenset()) | (
        ruleset.asked.groups if ruleset.asked is not None else frozenset())  # fmt: skip
    for name in ruleset.people if groups else ():
        for host, asked in ((True, False), (False, True), (True, True)):
            person = ruleset.person_of(name, host=host, asked=asked)
            found |= {person: None} if person is not None else {}
    return tuple(found)


def check_programs(document: Document, problems: Mapping[str, str], report: Report) -> None:
    """Report programs that can not be asked: by what is said of them, and by what stands there."""
    grace = (document.limits.login_grace if document.limits is not None else None) or Limits().login_grace
    system = document.server is not None and document.server.accounts == "system"
    for one in (one for source in document.sources for one in source.asking):
        assert one.command is not None
        mark = one.mark_of("command")
        if problem := problems.get(one.command.words[0].parts[0], ""):
            report.error(mark, problem)
        if (one.timeout or DEFAULT_TIMEOUT) >= grace:
            report.error(one.mark_of("timeout"), f"the program may take {one.timeout or DEFAULT_TIMEOUT:g}s, and a "
                         f"login has {grace:g}s: whoever waits for it would be cut off",
                         "give it less than limits.login_grace")  # fmt: skip
        if "server" in document.broken:
            continue
        if system and one.run_as is None:
            report.error(mark, "command without run_as: the daemon is root, and the program would be too",
                         "name the account that it is: run_as: nobody, or, if that is meant, run_as: root")  # fmt: skip
        if not system and one.run_as is not None:
            report.error(one.run_as.mark, "run_as beside accounts: service: the program is the daemon's own user there",
                         "leave it out")  # fmt: skip
