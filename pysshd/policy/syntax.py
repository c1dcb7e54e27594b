"""What is no YAML, said as a person would want it: what stands there, and what was probably meant."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from pysshd.policy.problems import Mark
from pysshd.records import dataclass

_COMMENT: Final = re.compile(r"(?:^|\s)#")
_SLOT: Final = re.compile(r"\{\w+\}$")
_SLASHES: Final = re.compile(r"(?:^|\s)//(?:\s|$)")
_DASH: Final = re.compile(r" *-[^\s-]")
_CLOSES: Final = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a text is no YAML, and why. lines: of the file; context, problem: places in it; line and column from 0."""

    lines: Sequence[str]
    context: tuple[int, int]
    problem: tuple[int, int]

    @property
    def opener(self) -> str:
        """The character at the beginning of what was being read."""
        return self._at(self.context)

    @property
    def found(self) -> str:
        """The character that does not fit, or nothing at the end of a line."""
        return self._at(self.problem)

    @property
    def before(self) -> str:
        """What stands on its line in front of it."""
        line, column = self.problem
        return self.lines[line][:column] if line < len(self.lines) else ""

    def _at(self, place: tuple[int, int]) -> str:
        line, column = place
        return self.lines[line][column : column + 1] if line < len(self.lines) else ""


def _not_closed(fault: Fault) -> str:
    """Why a list or a mapping between brackets seems not to be closed."""
    closing = _CLOSES.get(fault.opener, "")
    first, (last, column) = fault.context[0], fault.problem
    for number, text in enumerate(fault.lines[first : last + 1], first):
        comment = _COMMENT.search(text, fault.context[1] if number == first else 0)
        if closing and comment is not None and closing in text[comment.end() :]:
            return (f"the '{closing}' in line {number + 1} stands behind a '#', where a comment begins: put the text "
                    "that has ' #' in it between quotes")  # fmt: skip
    if any(map(_SLASHES.search, fault.lines[first : last + 1])):
        return "a comment begins with '#', also in JSON, and never with '//'"
    if last >= len(fault.lines) or (last > first and _indent(fault.lines[last]) <= _indent(fault.lines[first])):
        return f"write '{closing}' where it ends, before line {last + 1}"
    if _SLOT.search(fault.before):
        return "put a text that begins with a brace between quotes"
    place = f"line {last + 1}, column {column + 1}"
    if fault.found in _CLOSES.values():
        return f"'{fault.found}' in {place} closes another one: close this one first with '{closing}'"
    if fault.found == ":":
        return f"a ':' stands in {place}: put ',' before its key, or the text that has ': ' in it between quotes"
    return f"put ',' before {place}, or the text that goes on there between quotes"


def _no_value(fault: Fault) -> str:
    """Why a value is missing."""
    if any(text.strip() for text in fault.lines[fault.problem[0] :]):
        return "take a bracket or a comma away that is too much"
    return "a bracket above is not closed"


def _second_colon(fault: Fault) -> str:
    """Why a ':' stands where none is expected."""
    line = fault.problem[0]
    if any(_DASH.match(text) for text in fault.lines[max(line - 1, 0) : line + 1]):
        return "the '-' of a list has a blank behind it"
    return "put a text that has ': ' in it between quotes, or mind the indentation"


def _not_fitting(fault: Fault) -> str:
    """Why a line does not go on with the keys above it."""
    line, column = fault.problem
    if fault.found in _CLOSES.values():
        return f"nothing is open that this '{fault.found}' would close"
    if fault.before.strip():
        return "nothing may follow a closing quote or bracket: put the whole text between quotes, or ',' between two"
    if fault.found == "-":
        return "the '-' of a list begins at least as far to the right as the key that the list belongs to"
    texts = (text for text in reversed(fault.lines[:line]) if text.strip(" \r") and text.lstrip(" ")[0] != "#")
    above = next(texts, "")
    return (f"mind the indentation: it begins in column {column + 1}, and the line above in column "
            f"{_indent(above) + 1}; keys that belong together begin in one column")  # fmt: skip


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


_Hint = str | Callable[[Fault], str]

_RULES: Final[tuple[tuple[str, str, str, _Hint, bool], ...]] = (
    # context, problem, message, hint, whether the context's place is meant
    ("scanning an alias", "", "a text that begins with '*' stands without quotes, and YAML takes it for an alias",
     "write it between quotes: \"*\"", True),
    ("scanning an anchor", "", "a text that begins with '&' stands without quotes, and YAML takes it for an anchor",
     "write it between quotes", True),
    ("", "cannot start any token", "no text without quotes may begin with this character in YAML",
     "write it between quotes", False),
    ("", "mapping values are not allowed", "a second ':' stands here, where a value was expected", _second_colon,
     False),
    ("", "<document start>", "this belongs to nothing above it",
     "a policy is sections from its first line to its last: remove what stands above 'version: 1'", False),
    ("flow node", "", "a value is expected here", _no_value, False),
    ("", "sequence entries are not allowed", "a list can not begin here, behind its key",
     "begin it on a line of its own, or write [a, b]", False),
    ("flow sequence", "", "the list that begins here with '[' is not closed, or a comma is missing", _not_closed, True),
    ("flow mapping", "", "the mapping that begins here with '{' is not closed, or a comma is missing", _not_closed,
     True),
    ("quoted scalar", "unexpected end", "the quote that opens here is not closed",
     "a quote inside of the text is written twice between single quotes, and as \\\" between double ones", True),
    ("scalar", "unknown escape", "the text that begins here has an escape with '\\' that YAML does not know",
     "between single quotes a backslash is a backslash", True),
    ("block scalar", "", "behind '>' or '|' a text of several lines begins, on the next line",
     "put a text that begins with it between quotes", True),
    ("simple key", "", "this line is neither a key nor a value", "a key has ':' behind it; a text that goes on is "
     "indented more than its key", True),
    ("block mapping", "", "this does not fit the keys above it", _not_fitting, False),
    ("block collection", "", "this does not fit the list above it",
     "each item begins with '-', and the keys of an item in one column behind it; a key of the level of the list "
     "begins further left", False),
)  # fmt: skip


def syntax_error(file: str, lines: Sequence[str], error: object) -> tuple[Mark, str, str]:
    """Where a file is no YAML, what is wrong there, and what to do. error: the parser's, with places or without."""
    context, problem, at, begun = (
        getattr(error, name, None) for name in ("context", "problem", "problem_mark", "context_mark")
    )
    context, problem, place = context or "", problem or "", at or begun
    fault = Fault(lines, _place(begun or place), _place(place))
    for wanted_context, wanted_problem, message, hint, at_context in _RULES:
        if wanted_context in context and wanted_problem in problem:
            said = hint if isinstance(hint, str) else hint(fault)
            return _mark(file, fault, fault.context if at_context else fault.problem), message, said
    return _mark(file, fault, fault.problem), "the file is not YAML here", ""


def _mark(file: str, fault: Fault, place: tuple[int, int]) -> Mark:
    """A place in a file; what is behind its end is told of its last line."""
    line, column = place if place[0] < len(fault.lines) else (len(fault.lines) - 1, len(fault.lines[-1]))
    return Mark(file, line + 1, column + 1)


def _place(mark: Any) -> tuple[int, int]:
    return (int(mark.line), int(mark.column)) if mark is not None else (0, 0)
