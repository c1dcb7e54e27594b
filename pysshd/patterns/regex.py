"""Regular expressions of a policy: the part of the usual notation that is regular, read into an automaton.

Characters, `.`, classes such as `[a-z0-9_-]` and `[^/]`, `\\d` `\\w` `\\s` (ASCII) and their opposites, groups, `|`,
`*` `+` `?` `{n}` `{n,}` `{n,m}`. An expression is held to the whole text. Back-references, look-around, lazy and
possessive repetitions, flags and anchors are refused: what is regular is matched in linear time, and the rest not.
"""

import string
from typing import Final, TypeAlias

from pysshd.patterns.regular import ANY, MAX_POSITIONS, Automaton, Builder, Part, Ranges, characters, ranges, without
from pysshd.records import dataclass

_DIGITS: Final = characters(string.digits)
_WORD: Final = characters(string.ascii_letters + string.digits + "_")
_BLANKS: Final = characters(" \t")
_CLASSES: Final = {
    "d": _DIGITS, "w": _WORD, "s": _BLANKS,
    "D": without(ANY, _DIGITS), "W": without(ANY, _WORD), "S": without(ANY, _BLANKS),
}  # fmt: skip
_REPEATS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_MAX_DEPTH: Final = 20


class RegexError(ValueError):
    """A text is no regular expression that is served: the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class _One:
    chars: Ranges
    size: int = 1


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple["_Tree", ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Any:
    parts: tuple["_Tree", ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: "_Tree"
    least: int
    most: int | None
    size: int


_Tree: TypeAlias = _One | _All | _Any | _Repeat


def parse_regex(text: str) -> Automaton:
    """Compile an expression for whole texts. Raises RegexError."""
    tree = _Parser(text).parse()
    builder = Builder()
    return builder.automaton(_build(builder, tree))


def _build(builder: Builder, tree: _Tree) -> Part:
    if isinstance(tree, _One):
        return builder.one(tree.chars)
    if isinstance(tree, _Repeat):
        return _build_repeat(builder, tree)
    join = builder.then if isinstance(tree, _All) else builder.either
    found: Part | None = None
    for one in tree.parts:
        part = _build(builder, one)
        found = part if found is None else join(found, part)
    return found if found is not None else Part()


def _build_repeat(builder: Builder, tree: _Repeat) -> Part:
    """As many copies as it counts; those that may be left out are optional, and the last of an open count repeats."""
    found = Part()
    copies = tree.most if tree.most is not None else max(tree.least, 1)
    for number in range(1, copies + 1):
        part = _build(builder, tree.part)
        if tree.most is None and number == copies:
            part = builder.often(part)
        found = builder.then(found, part if number <= tree.least else builder.maybe(part))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0

    def parse(self) -> _Tree:
        """The whole expression."""
        tree = self._alternatives()
        if self._peek() == ")":
            raise RegexError("it has a ')' that closes nothing")
        return tree

    def _peek(self, count: int = 1) -> str:
        return self._text[self._position : self._position + count]

    def _take(self, otherwise: str) -> str:
        char = self._peek()
        if not char:
            raise RegexError(otherwise)
        self._position += 1
        return char

    def _alternatives(self) -> _Tree:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise RegexError(f"its groups are nested deeper than {_MAX_DEPTH} levels")
        found = [self._sequence()]
        while self._peek() == "|":
            self._position += 1
            found.append(self._sequence())
        self._depth -= 1
        return found[0] if len(found) == 1 else _Any(tuple(found), _sized(sum(one.size for one in found)))

    def _sequence(self) -> _Tree:
        found: list[_Tree] = []
        while (char := self._peek()) and char not in "|)":
            found.append(self._repeated(self._atom()))
        return _All(tuple(found), _sized(sum(one.size for one in found)))

    def _atom(self) -> _Tree:
        char = self._take("")
        if char == "(":
            return self._group()
        if char == "[":
            return _One(self._class())
        if char == "\\":
            return _One(self._escape())
        if char == ".":
            return _One(ANY)
        if char in "^$":
            raise RegexError(f"it has {char!r}: an expression is held to the whole word anyway; leave it out")
        if char in "*+?{":
            raise RegexError(f"it has {char!r} with nothing before it to repeat")
        return _One(self._character(char))

    def _character(self, char: str) -> Ranges:
        found = characters(char)
        if without(found, ANY):
            raise RegexError("it has a control character")
        return found

    def _group(self) -> _Tree:
        if self._peek() == "?":
            if self._peek(2) != "?:":
                raise RegexError(
                    "it has '(?', which begins look-around, a flag or a name; only (…) and (?:…) are served"
                )
            self._position += 2
        tree = self._alternatives()
        self._take("it has a '(' that is not closed")  # alternatives end before a bracket, or at the end
        return tree

    def _repeated(self, tree: _Tree) -> _Tree:
        bounds = self._bounds()
        if bounds is None:
            return tree
        least, most = bounds
        if self._peek() and self._peek() in "*+?{":
            raise RegexError(f"it has {self._peek()!r} behind a repetition: lazy, possessive and doubled ones are not "
                             "served, and a whole word is matched in any case")  # fmt: skip
        copies = most if most is not None else max(least, 1)
        return _Repeat(tree, least, most, _sized(tree.size * copies))

    def _bounds(self) -> tuple[int, int | None] | None:
        char = self._peek()
        if char in _REPEATS:
            self._position += 1
            return _REPEATS[char]
        if char != "{":
            return None
        end = self._text.find("}", self._position)
        least, comma, most = self._text[self._position + 1 : end if end >= 0 else None].partition(",")
        self._position = end + 1
        if end < 0 or not _is_count(least) or (most and not _is_count(most)):
            raise RegexError("it has a '{' that begins no count such as {3}, {1,} or {1,4}; write '\\{' for the brace")
        low = int(least)
        high = None if comma and not most else int(most) if comma else low
        if high is not None and (high < low or high == 0):
            raise RegexError(f"it counts {{{least},{most}}}, expected the greater number behind, and more than 0")
        return low, high

    def _escape(self) -> Ranges:
        char = self._take("it has a backslash at its end")
        if char in _CLASSES:
            return _CLASSES[char]
        if char in string.digits:
            raise RegexError(f"it has '\\{char}': back-references are not served, for no linear matching is possible")
        if char in string.ascii_letters:
            raise RegexError(f"it has '\\{char}', which is none of \\d \\w \\s \\D \\W \\S")
        return self._character(char)

    def _class(self) -> Ranges:
        unclosed = "it has a '[' that is not closed"
        negated = self._peek() == "^"
        self._position += negated
        found: list[Ranges] = []
        while (char := self._take(unclosed)) != "]":
            if char == "[":
                raise RegexError("it has '[' inside of a class; write '\\[' for the bracket itself")
            low = self._escape() if char == "\\" else self._character(char)
            if self._peek() == "-" and self._peek(2) not in ("-", "-]"):
                self._position += 1
                char = self._take(unclosed)
                low = _span(low, self._escape() if char == "\\" else self._character(char))
            found.append(low)
        if not found:
            raise RegexError("it has a class with nothing in it; write '\\]' for the bracket itself")
        whole = ranges(pair for some in found for pair in some)
        return without(ANY, whole) if negated else whole


def _span(low: Ranges, high: Ranges) -> Ranges:
    if low != ((low[0][0], low[0][0]),) or high != ((high[0][0], high[0][0]),) or low > high:
        raise RegexError("it has a '-' in a class that is between no two characters in order; write '\\-' for itself")
    return ranges([(low[0][0], high[0][0])])


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _sized(size: int) -> int:
    """The number of positions, as long as it is bounded; what is empty counts too, for it may be repeated."""
    if size > MAX_POSITIONS:
        raise RegexError(f"it stands for more than {MAX_POSITIONS} characters, counted repetitions counted out")
    return max(size, 1)
