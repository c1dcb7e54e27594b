"""The document as a tree, built from YAML's events: the only place that knows YAML.

Scalars keep their text, and whatever could make a reader and a parser disagree (aliases, tags, merge keys, duplicate
keys, tabs, …) is an error with its place.
"""

import sys
from dataclasses import field
from typing import Any, Final

import yaml

from pysshd.patterns.names import MAX_NAME
from pysshd.policy.cut_texts import cut_at
from pysshd.policy.nodes import Broken, Mapping, Node, Scalar, Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report, Source, is_secret_key, show
from pysshd.policy.sections import Sections
from pysshd.policy.syntax import syntax_error
from pysshd.policy.text import check_text
from pysshd.records import dataclass

MAX_DEPTH: Final = 64
MAX_NODES: Final = 250_000
"""Texts, lists and mappings of one policy, in all of its files: some ten for each of ten thousand people, and room
beside them."""

MAX_TEXT: Final = 64 * 1024
"""Characters of one text: nothing in a policy needs more."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Nodes:
    """How many texts, lists and mappings were read so far, of all the files of one policy."""

    count: int = 0


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

    def __init__(self, source: Source, report: Report, nodes: Nodes) -> None:
        self._source = source
        self._comments = " #" in source.text
        self._report = report
        self._stack: list[_Open] = []
        self._documents = 0
        self._nodes = nodes
        self._line = 0
        self._secret_keys: dict[str, bool] = {}
        self.root: Node | None = None

    def feed(self, event: yaml.Event) -> bool:
        """Take one event; False where there is no sense in going on."""
        mark = self._mark(event.start_mark)
        self._nodes.count += isinstance(event, yaml.NodeEvent)
        if self._nodes.count > MAX_NODES:
            self._report.error(mark, f"the policy has more than {MAX_NODES} texts, lists and mappings")
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
            plain = event.style is None or event.style == ""
            cut = cut_at(self._source, self._mark(event.end_mark)) if plain and self._comments else None
            # Most short texts are keys and names, which stand in many places.
            text = sys.intern(event.value) if len(event.value) <= MAX_NAME else event.value
            found = Scalar(text, mark, plain, cut)
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
        lines = self._source.lines
        if mark.line >= len(lines):  # nothing at all, behind the last line's end
            return Mark(self._source.file, len(lines), len(lines[-1]) + 1)
        line = mark.line + 1
        if line != self._line:
            self._line = line
        # What is on one line shares its number: a number takes as much room as half a place.
        return Mark(self._source.file, self._line, mark.column + 1)

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
                               "leave it out, or put a text that begins with '!' between quotes")  # fmt: skip
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

    def _is_secret(self, key: str) -> bool:
        """Most keys stand in many places, and to compare words is slow."""
        known = self._secret_keys.get(key)
        if known is None:
            known = self._secret_keys[key] = is_secret_key(key)
        return known

    def _pair(self, top: _Open, key: Node, value: Node, event: yaml.Event) -> None:
        if not isinstance(key, Scalar) or (key.plain and key.text == "<<"):
            # What remains of a mapping without some of its keys is not judged: it would be complained of twice.
            # The sections of the document are judged all the same.
            top.broken = top.broken or len(self._stack) > 1
            if isinstance(key, Scalar):
                self._report.error(key.mark, "merge key '<<': merging is not part of the policy language",
                                   "write each record out; the roles of one grant add up")  # fmt: skip
            elif not isinstance(key, Broken):
                self._report.error(key.mark, "a list or a mapping stands as a key, expected a name")
            return
        if self._is_secret(key.text):
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


_WANTED: Final = {False: ("at least 'version: 1'", "'version: 1' and the sections of a policy"),
                  True: ("sections, such as users", "sections, such as users")}  # fmt: skip
"""What an empty file, and one that is no mapping, should hold; by whether it is an included one."""


_SECTIONS_MAX: Final = 16
"""Sections that may be lost before nothing more is looked at."""


def read_tree(source: Source, report: Report, nodes: Nodes | None = None, *, included: bool = False) -> Mapping | None:
    """The document of a source as a tree, or None where there is none to go on with; every problem is reported.

    A section that is no YAML stands there as what was complained of, and the source is `damaged`. nodes: counts those
    of all files of the policy; None: this is the only one. included: it is not the main file.
    """
    bad = check_text(source, report)
    if bad is None:
        return None
    sections = Sections(list(source.lines))
    for line in bad:
        sections.blank(line)
    builder = _build(source, report, nodes or Nodes(), sections)
    source.damaged = bool(bad or sections.lost)
    source.whole = builder is not None and not source.damaged
    if builder is None:
        return None
    if isinstance(builder.root, Mapping):
        return sections.with_lost(builder.root, source.file)
    if source.damaged:
        return None  # of what is left nothing can be said
    if builder.root is None:
        report.error(Mark(source.file, 0, 0), f"the file is empty, expected {_WANTED[included][0]}")
    elif isinstance(builder.root, Scalar | Sequence):
        report.error(builder.root.mark, f"the document is no mapping, expected {_WANTED[included][1]}")
    return None


def _build(source: Source, report: Report, nodes: Nodes, sections: Sections) -> _Builder | None:
    """The tree of what is YAML; a section with a fault is reported, lost, and the rest is read once more."""
    before = nodes.count
    for _ in range(_SECTIONS_MAX):
        nodes.count = before
        builder = _Builder(source, report, nodes)
        try:
            for event in yaml.parse(sections.text, Loader=_LOADER):
                if not builder.feed(event):
                    return None
        except yaml.YAMLError as error:
            mark, message, hint = syntax_error(source.file, source.lines, error)
            report.error(mark, message, hint)
            if not sections.lose(mark.line - 1):
                return None
        else:
            return builder
    return None
