"""Patterns of texts in parts, such as the labels of a host and the parts of a path.

`*` (any characters, or none) and `?` (one) stay inside a part; `**` stands as a whole part and takes one part or more.
A text is read once, from left to right, whatever the pattern: all places in it that could be meant are followed side by
side as the bits of one number (Glushkov's automaton). Texts have no empty parts; whoever asks has seen to that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field

from pysshd.patterns.globs import ANY, STAR, Token
from pysshd.records import dataclass

CROSSING = Token("**", wild=True)
"""Takes one part or more."""


class PartsError(ValueError):
    """A text is no pattern in parts: the message says why."""


@dataclass(frozen=True, slots=True)
class PartsGlob:
    """A compiled pattern for a whole text.

    literal: the one text that it matches, or None if it has wildcards.

    Of the numbers, bit i speaks of the state in which i characters of the pattern are read: `_enter` and `_enter_else`
    say into which states a character leads from the one before, `_stay` and `_cross` in which states a character that
    is not, or is, the separator may be passed over.
    """

    source: str
    separator: str
    literal: str | None = None
    _enter: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    _enter_else: int = field(default=0, compare=False, repr=False)
    _stay: int = field(default=0, compare=False, repr=False)
    _cross: int = field(default=0, compare=False, repr=False)
    _final: int = field(default=1, compare=False, repr=False)

    def matches(self, text: str) -> bool:
        """Whether the whole text is of this form; one step for each of its characters."""
        if self.literal is not None:
            return text == self.literal
        enter, enter_else, separator = self._enter, self._enter_else, self.separator
        state = 1
        for char in text:
            passed = self._cross if char == separator else self._stay
            state = ((state << 1) & enter.get(char, enter_else)) | (state & passed)
            if not state:
                return False
        return bool(state & self._final)


def parts_tokens(text: str, separator: str) -> list[Token]:
    """The tokens of a pattern; PartsError where `**` does not stand as a whole part."""
    found: list[Token] = []
    for number, part in enumerate(text.split(separator)):
        if number:
            found.append(Token(separator))
        if part == CROSSING.char:
            found.append(CROSSING)
        elif CROSSING.char in part:
            raise PartsError(f"'**' stands beside other characters, expected it as a whole part between {separator!r}")
        else:
            found += [Token(char, char in (STAR, ANY)) for char in part]
    return found


def parts_glob(tokens: Iterable[Token], source: str, separator: str) -> PartsGlob:
    """Compile tokens; `source` is how the pattern was written."""
    tokens = tuple(tokens)
    if not any(token.wild for token in tokens):
        return PartsGlob(source, separator, "".join(token.char for token in tokens))
    literals: dict[str, int] = {separator: 0}
    inside = crossing = stay = cross = 0
    state = 0
    for token in tokens:
        if token.is_star:
            stay |= 1 << state
            continue
        state += 1
        if token == CROSSING:
            crossing |= 1 << state
            cross |= 1 << state
        elif token.wild:
            inside |= 1 << state
        else:
            literals[token.char] = literals.get(token.char, 0) | 1 << state
    enter = {char: bits | crossing | (0 if char == separator else inside) for char, bits in literals.items()}
    return PartsGlob(source, separator, None, enter, inside | crossing, stay | cross, cross, 1 << state)


def parse_parts(text: str, separator: str) -> PartsGlob:
    """Compile a pattern in which every `*` and `?` is a wildcard. Raises PartsError."""
    return parts_glob(parts_tokens(text, separator), text, separator)
