"""Whether every text of one pattern in parts is of another one, such as names of hosts and paths.

A yes is certain. A no may only mean that it could not be shown: whoever asks takes it for the worse.
"""

from collections.abc import Sequence

from pysshd.patterns.globs import ANY, Token
from pysshd.patterns.parts import CROSSING


def parts_within(small: Sequence[Token], big: Sequence[Token], separator: str, *, least: int = 1) -> bool:
    """Whether every text of `small` is one of `big`: its tokens are taken by `big` as if they were characters.

    Texts have no empty parts. A wild token that is no wildcard is a slot: some text inside a part, the same in both.
    least: how many characters `**` takes at least, 0 or 1.
    """
    row = [True, *(False for _ in small)]  # what the tokens of `big` so far take of the beginning of `small`
    for token in big:
        if token == CROSSING:
            row = _crossed(row, small, separator, least)
        elif token.is_star:
            row = _starred(row, small, separator)
        else:
            row = [False, *(row[place] and _takes(token, taken, separator) for place, taken in enumerate(small))]
    return row[-1]


def _takes(token: Token, taken: Token, separator: str) -> bool:
    """Whether a token of one character, or a slot, takes what `taken` stands for."""
    one = taken.char == ANY if taken.wild else taken.char != separator
    return token == taken or (token.wild and token.char == ANY and one)


def _starred(row: Sequence[bool], small: Sequence[Token], separator: str) -> list[bool]:
    following = [row[0]]
    for place, taken in enumerate(small, 1):
        inside = taken != CROSSING and (taken.wild or taken.char != separator)
        following.append(row[place] or (following[place - 1] and inside))
    return following


def _crossed(row: Sequence[bool], small: Sequence[Token], separator: str, least: int) -> list[bool]:
    following = [row[0] and not least]
    empty = row[0]  # whether it may stand here and have taken nothing for certain so far
    for place in range(1, len(small) + 1):
        full = _is_full(small, place - 1, separator)
        following.append(following[place - 1] or (full and empty) or (row[place] and not least))
        empty = row[place] or (empty and not full)
    return following


def _is_full(small: Sequence[Token], place: int, separator: str) -> bool:
    """Whether a token stands for one character at least, for no part of a text is empty."""
    if not small[place].is_star:
        return True
    before, after = small[:place][-1:], small[place + 1 :][:1]
    return all(beside == (Token(separator),) for beside in (tuple(before), tuple(after)) if beside)
