"""The matrix as a table for a terminal: as wide as that is, and with footnotes."""

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Final
from unicodedata import combining, east_asian_width

from pysshd.policy.matrix import DENIED, NO, YES, Cell, Matrix, Reason, Row
from pysshd.records import dataclass

_GAP: Final = "  "
_MARKS: Final = "if N: as note N says; denied N: given, and taken by note N; -: not at all"
_LEAST: Final = 40
"""Columns of a terminal below which nothing is cut any more."""


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def pad(text: str, columns: int) -> str:
    """A text, filled with blanks to so many columns."""
    return text + " " * (columns - width(text))


def fit(text: str, columns: int) -> str:
    """A text of at most so many columns; what is cut off ends in `…`."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in text:
        if width(kept + char) > columns - 1:
            break
        kept += char
    return kept + "…"


@dataclass(slots=True)
class _Notes:
    """Footnotes, each told once."""

    numbers: dict[tuple[str, str, str, bool], int] = field(default_factory=dict)

    def number(self, reason: Reason) -> int:
        """The number of the note that a reason has."""
        key = (reason.what if not reason.allows else "", reason.conditions, reason.where, reason.allows)
        return self.numbers.setdefault(key, len(self.numbers) + 1)


def table(found: Matrix, columns: int) -> str:
    """The matrix for a terminal of so many columns; what does not fit stands in further tables below."""
    columns = max(columns, _LEAST)
    notes = _Notes()
    texts = {row.person: [_text(row.cell(column), notes) for column in found.columns] for row in found.rows}
    name = min(max([width("person"), *(width(row.person) for row in found.rows)]), max(12, columns // 3))
    widths = [
        max([width(column), *(width(line[index]) for line in texts.values())])
        for index, column in enumerate(found.columns)
    ]
    lines: list[str] = []
    for block in _blocks(widths, columns - name):
        lines += [*_block(found, texts, block, widths, name, columns), ""]
    return "\n".join([*lines, *_legend(found.rows, notes, columns)])


def _blocks(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Which columns stand beside each other."""
    block: list[int] = []
    used = 0
    for index, wide in enumerate(widths):
        if block and used + wide + len(_GAP) > room:
            yield block
            block, used = [], 0
        block.append(index)
        used += wide + len(_GAP)
    yield block


def _block(
    found: Matrix, texts: dict[str, list[str]], block: Sequence[int], widths: Sequence[int], name: int, columns: int
) -> Iterator[str]:
    def line(first: str, cells: Sequence[str]) -> str:
        padded = [pad(text, widths[index]) for index, text in zip(block, cells, strict=True)]
        return fit(_GAP.join([pad(fit(first, name), name), *padded]).rstrip(), columns)

    yield line("person", [found.columns[index] for index in block])
    for row in found.rows:
        yield line(row.person, [texts[row.person][index] for index in block])


def _text(cell: Cell, notes: _Notes) -> str:
    if cell.state == NO:
        return "-"
    if cell.state == YES:
        return "yes"
    if cell.state == DENIED:
        numbers = sorted({notes.number(reason) for reason in cell.reasons if not reason.allows})
        return f"denied {','.join(map(str, numbers))}"
    said = [reason for reason in cell.reasons if reason.conditions or not reason.allows]
    return f"if {','.join(map(str, sorted({notes.number(reason) for reason in said or cell.reasons})))}"


def _legend(rows: Sequence[Row], notes: _Notes, columns: int) -> Iterator[str]:
    for (what, conditions, where, allows), number in notes.numbers.items():
        said = conditions or "always" if allows else f"denied: {what}{f' ({conditions})' if conditions else ''}"
        yield from _wrapped(f"{number:>3}  ", f"{said}  {where}", columns)
    together: dict[str, list[Row]] = {}
    for row in rows:
        if row.window:
            together.setdefault(row.window, []).append(row)
    for window, some in together.items():
        place = f"  {some[0].where}" if len(some) == 1 else ""
        yield from _wrapped("     ", f"{', '.join(row.person for row in some)}: {window}{place}", columns)
    if notes.numbers:
        yield ""
        yield from _wrapped("", _MARKS, columns)


def _wrapped(lead: str, text: str, columns: int) -> Iterator[str]:
    """A note, in as many lines as it needs."""
    line = lead
    for word in text.split(" "):
        if width(line) > len(lead) and width(line) + 1 + width(word) > columns:
            yield line.rstrip()
            line = " " * len(lead)
        line += word if width(line) == len(lead) else f" {word}"
    yield line.rstrip()
