"""The sections of a text that could not be read: they are lost, and what is wrong in the others is still told."""

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from pysshd.policy.nodes import Broken, Mapping, Scalar
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

_SECTION: Final = re.compile(r"(?P<quote>[\"']?)(?P<name>[A-Za-z_]+)(?P=quote) *:(?: |\r?$)")
"""A key in the first column: YAML indents whatever is inside of a section."""


@dataclass(slots=True)
class Sections:
    """A text, of which sections can be taken away without moving any other line."""

    lines: list[str]
    lost: dict[str, int] = field(default_factory=dict)
    """The names of those that were taken away, and the line (from 0) in which each begins."""

    def lose(self, line: int) -> bool:
        """Take away the section that a line (from 0) stands in; False where it stands in none that is left.

        A line behind the last text means that one: what is not closed is noticed at the end.
        """
        line = min(line, max((number for number, text in enumerate(self.lines) if text.strip()), default=0))
        starts = list(self._starts())
        found = [(start, name) for start, name in starts if start <= line]
        if not found or not self.lines[line].strip():
            return False
        first, name = found[-1]
        last = next((start for start, _ in starts if start > line), len(self.lines))
        self.lines[first:last] = [""] * (last - first)
        self.lost.setdefault(name, first)
        return True

    def blank(self, line: int) -> None:
        """Take away what a line holds, with the section that it stands in."""
        self.lose(line)
        self.lines[line] = ""

    def _starts(self) -> Iterator[tuple[int, str]]:
        for number, text in enumerate(self.lines):
            found = _SECTION.match(text)
            if found is not None:
                yield number, found["name"]

    @property
    def text(self) -> str:
        """What is left."""
        return "\n".join(self.lines)

    def with_lost(self, tree: Mapping, file: str) -> Mapping:
        """A tree in which the sections that were lost stand as what was already complained of."""
        marks = {name: Mark(file, line + 1, 1) for name, line in self.lost.items() if name not in tree}
        lost = tuple((Scalar(name, mark), Broken(mark)) for name, mark in marks.items())
        return Mapping((*tree.entries, *lost), tree.mark)
