"""People of folders: each file has the keys of one person, who is named like it."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace

from pysshd.patterns.names import is_name
from pysshd.patterns.narrowing import narrows
from pysshd.policy.fields import NAME_FORM
from pysshd.policy.keyfiles import KeyFile, KeyFolders, split_pattern
from pysshd.policy.model import Document
from pysshd.policy.model_sources import SourceModel
from pysshd.policy.people import Person, PersonKey, UserDefaults
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report, show
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Joined:
    """The people of `users:` and of folders. places: of those of whom folders alone speak."""

    people: list[Person]
    places: Mapping[str, Mark]


def join_folders(
    document: Document,
    listed: Iterable[Person],
    folders: KeyFolders,
    defaults: UserDefaults,
    report: Report,
    fingerprints: Callable[[PersonKey], Iterable[str]],
) -> Joined:
    """The people of a document, with what folders add: keys, groups, and people who have no entry.

    fingerprints: the keys of an entry, those in its file too. An entry is missing among `listed` where its record has
    an error; then nothing more is said of that person.
    """
    people = {person.name: person for person in listed}
    own = {name: {one for key in person.keys for one in fingerprints(key)} for name, person in people.items()}
    places: dict[str, Mark] = {}
    for source in document.sources:
        folder = folders.get(source.directory.text) if source.directory is not None else None
        if source.directory is None or folder is None:
            continue
        mark, groups = source.directory.mark, groups_of(source)
        if folder.problem:
            report.error(mark, folder.problem)
        for name, file in folder.files:
            path = _path(source.directory.text, name)
            problem = _problem(document, name, file)
            if problem:
                report.error(mark, f"key file {path}: {problem}")
            elif name in people or name not in document.users:
                if name not in people:
                    people[name] = defaults.person(name, source.mark.where)
                    places[name] = source.mark
                people[name] = _with_keys(people[name].joined(groups), own.get(name, frozenset()), file, path)
    return Joined(list(people.values()), places)


def groups_of(source: SourceModel) -> frozenset[str]:
    """The groups of everyone whom a source has."""
    return frozenset(group.text for group in source.groups or ())


def _problem(document: Document, name: str, file: KeyFile) -> str:
    """Why a file is not that of a person, or ""."""
    if not is_name(name):
        return f"{show(name)} in its name is no name of a person, expected {NAME_FORM}"
    _, entry = document.users.get(name, (None, None))
    if entry is not None and entry.names is not None:
        return f"{name} of users stands for whoever comes, and has no keys of a folder"
    return file.problem


def _with_keys(person: Person, own: Set[str], file: KeyFile, path: str) -> Person:
    """A key of the person's entry (`own`) counts as it stands there: by its name and in its time. One that another
    folder has too is there once more where something is said of it, for both narrow.
    """
    held = {key.fingerprint for key in person.keys}
    found = {
        key.fingerprint: key
        for key in file.keys
        if key.fingerprint not in own and (key.fingerprint not in held or narrows(file.narrowing(key.fingerprint)))
    }
    keys = tuple(
        PersonKey(name, blob=key.blob, fingerprint=name, where=path, narrowing=file.narrowing(name))
        for name, key in found.items()
    )
    return replace(person, keys=person.keys + keys)


def _path(pattern: str, name: str) -> str:
    folder, before, after = split_pattern(pattern)
    return f"{folder.rstrip('/')}/{before}{name}{after}"
