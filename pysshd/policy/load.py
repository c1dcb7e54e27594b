"""From a file to a compiled policy: the only place that knows YAML, and the only one that reads files.

The tree is built here from YAML's events: scalars keep their text, and whatever could make a reader and a parser
disagree (aliases, tags, merge keys, duplicate keys, tabs, …) is an error with its place.
"""

import os
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from pysshd.policy.casebook import Verdict
from pysshd.policy.compile import compile_policy
from pysshd.policy.compile_tests import run_tests
from pysshd.policy.keyfiles import KeyFile, KeyFiles, parse_key_file
from pysshd.policy.model import Document, parse_policy
from pysshd.policy.nodes import Broken, Mapping, Node, Scalar, Sequence
from pysshd.policy.problems import Mark, PolicyError, Problem
from pysshd.policy.report import Report, Source, TooManyProblemsError, is_secret_key, one_of, show
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.text import MAX_BYTES, check_text, decode
from pysshd.policy.version import version_of

MAX_DEPTH: Final = 64
MAX_NODES: Final = 250_000
"""Texts, lists and mappings of one document: some ten for each of ten thousand people, and room beside them."""

MAX_TEXT: Final = 64 * 1024
"""Characters of one text: nothing in a policy needs more."""

_MAX_KEY_FILE: Final = 256 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An accepted policy, and what is to be said of it: warnings, what of its `tests` fails, and what of it this
    version does not serve.

    document, key_files: what it was compiled of. verdicts: on the cases of its `tests`.
    """

    ruleset: Ruleset
    document: Document
    warnings: tuple[Problem, ...] = ()
    key_files: KeyFiles | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def tests_failed(self) -> bool:
        """Whether a case of `tests` is decided otherwise than it says."""
        return not all(verdict.passed for verdict in self.verdicts)


@dataclass(slots=True)
class _Open:
    """A list or mapping that is not closed yet."""

    mark: Mark
    is_mapping: bool
    broken: bool
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    has_secret: bool = False
    key: Node | None = None

    def node(self) -> Node:
        """What it is now that it is closed."""
        if self.broken:
            return Broken(self.mark)
        return Mapping(tuple(self.entries), self.mark) if self.is_mapping else Sequence(tuple(self.items), self.mark)


class _Builder:
    """Makes the tree of one document from events, without recursion."""

    def __init__(self, source: Source, report: Report) -> None:
        self._source = source
        self._report = report
        self._stack: list[_Open] = []
        self._documents = 0
        self._nodes = 0
        self.root: Node | None = None

    def feed(self, event: yaml.Event) -> bool:
        """Take one event; False where there is no sense in going on."""
        mark = self._mark(event.start_mark)
        self._nodes += isinstance(event, yaml.NodeEvent)
        if self._nodes > MAX_NODES:
            self._report.error(mark, f"the document has more than {MAX_NODES} texts, lists and mappings")
            return False
        if isinstance(event, yaml.DocumentStartEvent):
            return self._document(event, mark)
        if isinstance(event, yaml.AliasEvent):
            self._report.error(mark, "an alias: aliases are not part of the policy language",
                               "put a text that begins with '*' between quotes")  # fmt: skip
            self._add(Broken(mark), event)
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_TEXT:
                self._report.error(mark, f"a text has {len(event.value)} characters, expected at most {MAX_TEXT}")
                return False
            found = Scalar(event.value, mark, event.style is None or event.style == "")
            self._add(Broken(mark) if self._refuse_properties(event, mark) else found, event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            refused = self._refuse_properties(event, mark)
            if len(self._stack) >= MAX_DEPTH:
                self._report.error(mark, f"the document is nested deeper than {MAX_DEPTH} levels")
                return False
            self._stack.append(_Open(mark, isinstance(event, yaml.MappingStartEvent), refused))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._add(self._stack.pop().node(), event)
        return True

    def _mark(self, mark: Any) -> Mark:
        return Mark(self._source.file, mark.line + 1, mark.column + 1)

    def _document(self, event: yaml.DocumentStartEvent, mark: Mark) -> bool:
        if event.version is not None or event.tags:
            self._report.error(mark, "YAML directives are not part of the policy language", "remove the line with '%'")
        self._documents += 1
        if self._documents > 1:
            self._report.error(mark, "a second document begins here, expected one", "remove the line '---'")
            return False
        return True

    def _refuse_properties(
        self, event: yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent, mark: Mark
    ) -> bool:
        """Report an anchor and a tag; whether there was one."""
        if event.anchor is not None:
            self._report.error(mark, "an anchor: anchors are not part of the policy language",
                               "put a text that begins with '&' between quotes")  # fmt: skip
        if event.tag is not None:
            self._report.error(mark, "a tag: tags are not part of the policy language",
                               "put a text that begins with '!' between quotes")  # fmt: skip
        return event.anchor is not None or event.tag is not None

    def _add(self, node: Node, event: yaml.Event) -> None:
        """Put a finished node where it belongs."""
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        if not top.is_mapping:
            top.items.append(node)
        elif top.key is None:
            top.key = node
        else:
            self._pair(top, top.key, node, event)
            top.key = None

    def _pair(self, top: _Open, key: Node, value: Node, event: yaml.Event) -> None:
        if not isinstance(key, Scalar) or (key.plain and key.text == "<<"):
            # What remains of a mapping without some of its keys is not judged: it would be complained of twice.
            # The sections of the document are judged all the same.
            top.broken = top.broken or len(self._stack) > 1
            if isinstance(key, Scalar):
                self._report.error(key.mark, "merge key '<<': merging is not part of the policy language")
            elif not isinstance(key, Broken):
                self._report.error(key.mark, "a list or a mapping stands as a key, expected a name")
            return
        if is_secret_key(key.text):
            top.has_secret = True
            end = self._mark(event.end_mark)
            cut = isinstance(value, Scalar) and value.plain
            self._source.hide((value.mark.line, value.mark.column), (end.line, end.column), to_line_end=cut)
        first = top.lines.setdefault(key.text, key.mark.line)
        if len(top.lines) == len(top.entries):
            name = "a key" if top.has_secret else f"key {show(key.text)}"
            self._report.error(key.mark, f"{name} stands twice, the first time in line {first}")
            return
        top.entries.append((key, value))


def read_tree(source: Source, report: Report) -> Mapping | None:
    """The document of a source as a tree, or None where there is none to go on with; every problem is reported."""
    if not check_text(source, report):
        return None
    builder = _Builder(source, report)
    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            if not builder.feed(event):
                return None
    except yaml.YAMLError as error:
        _report_syntax(source, report, error)
        return None
    source.whole = True
    if builder.root is None:
        report.error(Mark(source.file, 0, 0), "the file is empty, expected at least 'version: 1'")
    elif isinstance(builder.root, Scalar | Sequence):
        report.error(
            builder.root.mark, "the document is no mapping, expected 'version: 1' and the sections of a policy"
        )
    elif isinstance(builder.root, Mapping):
        return builder.root
    return None


_SYNTAX: Final = (
    # context, problem, message, hint, whether the context's place is meant
    ("scanning an alias", "", "a text that begins with '*' stands without quotes, and YAML takes it for an alias",
     "write it between quotes: \"*\"", True),
    ("scanning an anchor", "", "a text that begins with '&' stands without quotes, and YAML takes it for an anchor",
     "write it between quotes", True),
    ("", "cannot start any token", "no text without quotes may begin with this character in YAML",
     "write it between quotes", False),
    ("", "mapping values are not allowed", "a second ':' stands here, where a value was expected",
     "put a text that has ': ' in it between quotes, or mind the indentation", False),
    ("flow sequence", "", "the list that begins here with '[' is not closed, or a comma is missing", "", True),
    ("flow mapping", "", "the mapping that begins here with '{' is not closed, or a comma is missing", "", True),
    ("quoted scalar", "unexpected end", "the quote that opens here is not closed", "", True),
    ("scalar", "unknown escape", "the text that begins here has an escape with '\\' that YAML does not know",
     "between single quotes a backslash is a backslash", True),
    ("block mapping", "", "this does not fit the keys above it",
     "mind the indentation; nothing may follow a closing quote or bracket", False),
    ("block collection", "", "this does not fit the list above it", "mind the indentation", False),
)  # fmt: skip


def _report_syntax(source: Source, report: Report, error: yaml.YAMLError) -> None:
    context, problem, problem_mark, context_mark = (
        getattr(error, name, None) for name in ("context", "problem", "problem_mark", "context_mark")
    )
    place = problem_mark or context_mark
    message, hint = "the file is not YAML here", ""
    for wanted_context, wanted_problem, text, advice, at_context in _SYNTAX:
        if wanted_context in (context or "") and wanted_problem in (problem or ""):
            message, hint = text, advice
            place = (context_mark if at_context else None) or place
            break
    line, column = (place.line + 1, place.column + 1) if place is not None else (0, 0)
    report.error(Mark(source.file, line, column), message, hint)


def load_text(
    text: str, filename: str = "policy.yaml", *, key_files: KeyFiles | None = None, language: bool = False
) -> Loaded:
    """Compile a policy from its text; reads nothing. Raises PolicyError with every problem.

    key_files: what is known of the files that hold keys; None: they are taken to be there.
    language: as of `load_file`.
    """
    return _load(Source(filename, text), Report(), lambda paths: key_files, language)


def load_file(path: str, *, owner_uids: Collection[int], language: bool = False) -> Loaded:
    """Read, check and compile a policy file, and check the key files that it names.

    Every file must be a regular one, owned by one of `owner_uids` (root and the service user), and writable by nobody
    else. Raises PolicyError with every problem. language: judge what is written, also where this version of the daemon
    could not serve it; else a file that asks for such a thing is refused, for nothing is accepted and ignored.
    """
    report = Report()
    path = os.path.abspath(path)
    data = _read(path, owner_uids, MAX_BYTES + 1)
    if isinstance(data, str):
        raise PolicyError([Problem(path, 0, 0, data)])
    text = decode(data, path, report)
    if text is None:
        raise PolicyError(report.problems)

    def key_files(paths: Collection[str]) -> KeyFiles:
        return {name: _key_file(name, owner_uids) for name in paths}

    return _load(Source(path, text), report, key_files, language)


KeyFilesReader = Callable[[Collection[str]], KeyFiles | None]


def _load(source: Source, report: Report, read_key_files: KeyFilesReader, language: bool) -> Loaded:
    report.sources[source.file] = source
    try:
        tree = read_tree(source, report)
        if tree is None:
            raise PolicyError(report.problems)
        document = parse_policy(tree, report)
        key_files = read_key_files(document.key_files())
        ruleset = compile_policy(document, key_files, report)
        verdicts = run_tests(document, ruleset, key_files, report)
    except TooManyProblemsError:
        raise PolicyError(report.problems) from None
    problems = report.problems
    if report.refused or (not language and any(problem.severity == "unserved" for problem in problems)):
        raise PolicyError(problems)
    version = version_of((read.text for read in report.sources.values()), key_files)
    return Loaded(replace(ruleset, version=version), document, problems, key_files, verdicts)


def _key_file(path: str, owner_uids: Collection[int]) -> KeyFile:
    data = _read(path, owner_uids, _MAX_KEY_FILE + 1)
    if isinstance(data, str):
        return KeyFile(problem=data)
    if len(data) > _MAX_KEY_FILE:
        return KeyFile(problem=f"it has more than {_MAX_KEY_FILE} bytes")
    return parse_key_file(data)


def _read(path: str, owner_uids: Collection[int], most: int) -> bytes | str:
    """At most `most` bytes of a file that nobody else could have written, or what is wrong with it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        return f"the file can not be opened: {getattr(error, 'strerror', None) or 'no such name is possible'}"
    try:
        fault = _fault(os.fstat(descriptor), owner_uids)
        return fault or _read_all(descriptor, most)
    except OSError as error:
        return f"the file can not be read: {error.strerror}"
    finally:
        os.close(descriptor)


def _fault(status: os.stat_result, owner_uids: Collection[int]) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_uid not in owner_uids:
        wanted = one_of([str(uid) for uid in sorted(set(owner_uids))])
        return f"the file is owned by uid {status.st_uid}, expected {wanted}"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"the file has mode {stat.S_IMODE(status.st_mode):04o} and others may write to it: chmod go-w it"
    return ""


def _read_all(descriptor: int, most: int) -> bytes:
    found = b""
    while len(found) < most and (part := os.read(descriptor, most - len(found))):
        found += part
    return found
