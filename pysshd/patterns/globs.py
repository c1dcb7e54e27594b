"""Patterns with `*` (any characters, or none) and `?` (one character), matched in linear time.

A pattern is cut at its stars into pieces of fixed length. The first and the last are held to the ends of the text, and
each of the others is looked for once, from where the one before it ended: the leftmost place is always as good as any.
"""

from dataclasses import field

from pysshd.records import dataclass

STAR = "*"
ANY = "?"


@dataclass(frozen=True, slots=True)
class Token:
    """One character of a pattern; `wild` where it is `*` or `?` in their own meaning."""

    char: str
    wild: bool = False

    @property
    def is_star(self) -> bool:
        """Whether it takes any number of characters."""
        return self.wild and self.char == STAR


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of fixed length between stars: its literal text if it has no `?`, else a table for the search."""

    length: int
    literal: str | None
    masks: tuple[tuple[str, int], ...] = ()
    others: int = 0

    def at(self, text: str, start: int) -> bool:
        """Whether the text holds this piece at `start`."""
        return self.find(text, start, start + self.length) == start

    def find(self, text: str, start: int, stop: int) -> int:
        """Leftmost place in text[start:stop] where this piece lies, or -1."""
        if self.literal is not None:
            return text.find(self.literal, start, stop)
        # Shift-and: bit i is set while the last i + 1 characters are the first i + 1 of the piece.
        masks, state, final = dict(self.masks), 0, 1 << (self.length - 1)
        for position in range(start, min(stop, len(text))):
            state = ((state << 1) | 1) & masks.get(text[position], self.others)
            if state & final:
                return position - self.length + 1
        return -1


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern for a whole text.

    literal: the one text that it matches, or None if it has wildcards.
    """

    source: str
    tokens: tuple[Token, ...]
    pieces: tuple[Piece, ...]
    literal: str | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "literal", self.pieces[0].literal if len(self.pieces) == 1 else None)

    @property
    def begins_wild(self) -> bool:
        """Whether its first character is a wildcard."""
        return bool(self.tokens) and self.tokens[0].wild

    def matches(self, text: str) -> bool:
        """Whether the whole text is of this form; linear in its length."""
        if self.literal is not None:
            return text == self.literal
        first, *rest = self.pieces
        if not rest:
            return len(text) == first.length and first.at(text, 0)
        last = rest.pop()
        end = len(text) - last.length
        position = first.length
        if position > end or not first.at(text, 0) or not last.at(text, end):
            return False
        for piece in rest:
            found = piece.find(text, position, end)
            if found < 0:
                return False
            position = found + piece.length
        return True


def _piece(tokens: list[Token]) -> Piece:
    if not any(token.wild for token in tokens):
        return Piece(len(tokens), "".join(token.char for token in tokens))
    others = sum(1 << index for index, token in enumerate(tokens) if token.wild)
    masks: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if not token.wild:
            masks[token.char] = masks.get(token.char, others) | 1 << index
    return Piece(len(tokens), None, tuple(masks.items()), others)


def glob_of(tokens: list[Token], source: str) -> Glob:
    """Compile tokens; `source` is how the pattern was written."""
    runs: list[list[Token]] = [[]]
    kept: list[Token] = []
    for token in tokens:
        if token.is_star:
            if not (kept and kept[-1].is_star):
                kept.append(token)
                runs.append([])
            continue
        kept.append(token)
        runs[-1].append(token)
    return Glob(source, tuple(kept), tuple(_piece(run) for run in runs))


def parse_glob(text: str) -> Glob:
    """A pattern in which every `*` and `?` is a wildcard."""
    return glob_of([Token(char, char in (STAR, ANY)) for char in text], text)


def common_text(left: Glob, right: Glob, *, first_not: str = "", nonempty: bool = False) -> str | None:
    """A shortest text that both patterns match, or None where there is none.

    first_not: characters that the text must not begin with; nonempty: whether it must have one.
    """
    a, b = left.tokens, right.tokens
    todo: list[tuple[int, int, str]] = [(0, 0, "")]
    # Whether a text is still empty is part of the state: only then do the two conditions on its beginning apply.
    seen: set[tuple[int, int, bool]] = {(0, 0, True)}

    def visit(i: int, j: int, text: str) -> None:
        if (i, j, not text) not in seen:
            seen.add((i, j, not text))
            todo.append((i, j, text))

    for i, j, text in todo:  # grows while it is walked: breadth first
        if i == len(a) and j == len(b) and (text or not nonempty):
            return text
        if i < len(a) and a[i].is_star:
            visit(i + 1, j, text)
        if j < len(b) and b[j].is_star:
            visit(i, j + 1, text)
        if i < len(a) and j < len(b):
            char = _common_char(a[i], b[j], "" if text else first_not)
            if char:
                visit(i + (not a[i].is_star), j + (not b[j].is_star), text + char)
    return None


def _common_char(a: Token, b: Token, forbidden: str) -> str:
    """A character that both tokens take, or "" where there is none."""
    if a.wild and b.wild:
        return "x"
    char = b.char if a.wild else a.char
    if char in forbidden or not (a.wild or b.wild or a.char == b.char):
        return ""
    return char
