"""The files of one policy: which ones `include` names, each once, within bounds, and what each of them may hold.

Pure: whoever calls says how files are found.
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from pysshd.patterns.globs import parse_glob
from pysshd.policy import nodes
from pysshd.policy.model_include import IncludeModel, is_pattern
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text, check, listed, read
from pysshd.policy.report import Report, Source, show
from pysshd.policy.text import decode
from pysshd.records import dataclass

MAX_FILES: Final = 4096
"""Files of one policy beside its main one."""

MAX_TOTAL: Final = 10 * 1024 * 1024
"""Bytes of all files of one policy together."""

Identity: TypeAlias = tuple[int, int]
"""What tells one file from another, whatever names lead to it."""


MAIN: Final[Identity] = (0, 0)
"""That of the main file, where none of them is a file."""


@dataclass(frozen=True, slots=True)
class Content:
    """What was read of one file."""

    data: bytes
    identity: Identity


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or a folder on the way, that a pattern led to. content: a text: why it is of no use."""

    path: str
    content: Content | str


Finder: TypeAlias = Callable[[str], Iterable[Found]]
"""The files of an absolute path or pattern; may go on for ever, for whoever asks knows when it is too much."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """An included file that was found, and what it may hold.

    name: its path, from the folder of the main file where it lies below. may: by section, and where that is said.
    """

    source: Source
    name: str
    may: Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class Part:
    """An included file that was read."""

    fragment: Fragment
    tree: nodes.Mapping


def includes_of(node: nodes.Node, report: Report) -> list[IncludeModel]:
    """The entries of the section `include`; what could not be read is reported and left out."""
    entries = [read(IncludeModel, item, report) for item in check(node, listed, report) or ()]
    return [entry for entry in entries if entry is not None]


def folders_of(entries: Iterable[IncludeModel]) -> tuple[str, ...]:
    """The folders in which files are looked for, up to the first part that is a pattern."""
    found = {_plain_part(pattern.text) for entry in entries for pattern in entry.files}
    return tuple(sorted(found))


def _plain_part(path: str) -> str:
    parts = posixpath.dirname(path).split("/")
    wild = next((number for number, part in enumerate(parts) if is_pattern(part)), len(parts))
    return "/".join(parts[:wild]) or "/"


def stands_twice(report: Report, what: str, mark: Mark, first: Mark) -> None:
    """Report what one file says twice, or another one says too."""
    report.error(mark, f"{what} stands twice, the first time at {first.where}")


def joined(records: Sequence[nodes.Mapping], report: Report) -> nodes.Mapping | None:
    """One mapping with the keys of several; a key of two of them is reported. None: there are none."""
    if len(records) < 2:
        return records[0] if records else None
    entries: dict[str, tuple[nodes.Scalar, nodes.Node]] = {}
    for key, value in (entry for record in records for entry in record.entries):
        first, _ = entries.setdefault(key.text, (key, value))
        if first is not key:
            stands_twice(report, f"key {show(key.text)}", key.mark, first.mark)
    return nodes.Mapping(tuple(entries.values()), records[0].mark)


class Gatherer:
    """Finds the files of a policy; every problem is reported at the entry that leads to it."""

    def __init__(self, main: str, content: Content, find: Finder, report: Report) -> None:
        self._folder = f"{folder}/" if (folder := posixpath.dirname(main).rstrip("/")) or main.startswith("/") else ""
        self._find = find
        self._report = report
        self._named: dict[Identity, str] = {content.identity: ""}
        self._size = len(content.data)
        self._count = 0
        self._full = False

    def gather(self, entries: Sequence[IncludeModel]) -> list[Fragment]:
        """The files of all entries by their names; what is of no use is reported and left out."""
        found = [fragment for entry in entries for fragment in self._of_entry(entry)]
        return sorted(found, key=lambda fragment: fragment.source.file)

    def _of_entry(self, entry: IncludeModel) -> Iterable[Fragment]:
        may = {section.text: section.mark for section in entry.may}
        for pattern in entry.files:
            # Files are found one after the other, so that there may be any number of them.
            for found in () if self._full else self._find(pattern.text):
                self._count += 1
                source = self._source(pattern, found)
                self._full = self._is_too_much(pattern)
                if self._full:
                    break
                if source is not None:
                    yield Fragment(source, found.path.removeprefix(self._folder), may)

    def _is_too_much(self, pattern: Text) -> bool:
        if self._count > MAX_FILES:
            self._report.error(pattern.mark, f"the policy has more than {MAX_FILES} included files")
        if self._size > MAX_TOTAL:
            self._report.error(pattern.mark, f"the policy has more than {MAX_TOTAL} bytes in all of its files")
        return self._count > MAX_FILES or self._size > MAX_TOTAL

    def _source(self, pattern: Text, found: Found) -> Source | None:
        """The text of a file that was found, or None where it is of no use."""
        if isinstance(found.content, str):
            self._report.error(pattern.mark, f"{found.path}: {found.content}")
            return None
        first = self._named.get(found.content.identity)
        if first is not None:
            what = (
                f"is included twice, the first time as {first}" if first else "is the policy file, and includes itself"
            )
            self._report.error(pattern.mark, f"file {found.path} {what}", "each file of a policy is read once")
            return None
        self._named[found.content.identity] = found.path
        self._size += len(found.content.data)
        text = decode(found.content.data, found.path, self._report)
        return Source(found.path, text) if text is not None else None


def finder_of(main: str, texts: Mapping[str, str]) -> Finder:
    """Finds files among these texts, by their names; for policies that are no files. The main one is among them."""
    numbers = {name: number for number, name in enumerate(sorted(texts), 1)} | {main: MAIN[1]}

    def find(path: str) -> Iterable[Found]:
        names = [name for name in sorted(numbers) if _leads_to(path, name)]
        if not names and not is_pattern(path):
            yield Found(path, NO_FILE)
        for name in names:
            yield Found(name, Content(texts.get(name, "").encode("utf-8", "surrogatepass"), (0, numbers[name])))

    return find


NO_FILE: Final = "it can not be opened: No such file or directory"
"""What is said of a file that is not there."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name is of a pattern of names; one that begins with a dot only where the pattern does."""
    glob, hidden = parse_glob(pattern), pattern.startswith(".")
    return lambda name: glob.matches(name) and (hidden or not name.startswith("."))


def _leads_to(pattern: str, path: str) -> bool:
    parts, names = pattern.split("/"), path.split("/")
    return len(parts) == len(names) and all(
        matcher(part)(name) if is_pattern(part) else part == name for part, name in zip(parts, names, strict=True)
    )
