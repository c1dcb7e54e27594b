"""Virtual paths of SFTP and patterns of them: `*` and `?` stay inside a part, `**` crosses parts.

A path is judged as it is written, so it must have one way to be written: absolute, no empty part, no `.` and no `..`.
What `..` is depends on where links lead; whoever opens files resolves it before asking.
"""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Final

from pysshd.records import dataclass

SEPARATOR: Final = "/"
ROOT: Final = "/"
PATH_MAX: Final = 4096
"""Bytes of a path (Linux, limits.h); a longer one names nothing."""

_STAR, _ANY, _DEEP = "*", "?", "**"


class PathError(ValueError):
    """A text is no path, or no pattern of paths: the message says what stands in the way."""


def virtual_path(path: bytes) -> str:
    """The one way to write what a client asks for; repeated slashes, `.` and a slash at the end are left out.

    Bytes that are not UTF-8 become surrogate escapes. Raises PathError for a relative path, `..`, a NUL, and a path
    that is too long.
    """
    if len(path) > PATH_MAX:
        raise PathError(f"it has more than {PATH_MAX} bytes")
    text = path.decode("utf-8", "surrogateescape")
    if not text.startswith(SEPARATOR):
        raise PathError("it does not begin with '/'")
    if "\0" in text:
        raise PathError("it has a NUL")
    # Most are written so already, and this is asked for every operation.
    if "//" not in text and "/." not in text and not text.endswith(SEPARATOR):
        return text
    parts = [part for part in text.split(SEPARATOR) if part not in ("", ".")]
    if ".." in parts:
        raise PathError("it has '..', which must be resolved first")
    return SEPARATOR + SEPARATOR.join(parts)


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies under it; both as `virtual_path` writes them."""
    return folder == ROOT or path == folder or path.startswith(folder + SEPARATOR)


def check_path(text: str) -> None:
    """Raise PathError where a path of the policy is not written in the one way, or not as everybody would read it."""
    if not text.startswith(SEPARATOR):
        raise PathError("it does not begin with '/'")
    for char in text:
        if not char.isprintable():
            raise PathError(f"it has {char!r}, which can not be seen: '?' takes any character")
    if len(text.encode("utf-8", "surrogateescape")) > PATH_MAX:
        raise PathError(f"it has more than {PATH_MAX} bytes")
    for part in text.split(SEPARATOR)[1:] if text != ROOT else ():
        if part in (".", ".."):
            raise PathError(f"it has the part '{part}', which no request has")
        if not part:
            raise PathError("it has an empty part, which no request has")


@dataclass(frozen=True, slots=True)
class _Tail:
    """What follows the literal start, as a machine of which all states are bits of one number.

    Bit `i` is set while the first `i` tokens have taken all that was read. A step is a few operations on numbers, so a
    match is linear in the path whatever the pattern is.
    """

    takes: Mapping[str, int]
    others: int
    stars: int
    deep: int
    final: int

    def matches(self, text: str) -> bool:
        """Whether the whole of a text is of this form."""
        takes, others, stars, deep = self.takes, self.others, self.stars, self.deep
        state = 1 | (stars & 1) << 1
        for char in text:
            stays = state & (deep if char == SEPARATOR else stars)
            state = (state & takes.get(char, others)) << 1 | stays
            state |= (state & stars) << 1
            if not state:
                return False
        return bool(state & self.final)


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern of whole paths, as `virtual_path` writes them. Two are equal that are written alike.

    literal: what stands before its first wildcard.
    """

    source: str
    literal: str = field(compare=False)
    _tail: _Tail | None = field(compare=False, repr=False)
    _anything: bool = field(compare=False, repr=False)

    def matches(self, path: str) -> bool:
        """Whether a path is of this form; linear in its length."""
        # The root is the only path that ends with a slash; it is what is left of one where that is taken away.
        path = "" if path == ROOT else path
        if not path.startswith(self.literal):
            return False
        if self._tail is None:
            return len(path) == len(self.literal)
        return self._anything or self._tail.matches(path[len(self.literal) :])


def parse_path(text: str) -> PathPattern:
    """Compile a pattern: `/in` is the folder itself, `/in/**` all that is under it. Raises PathError."""
    check_path(text)
    if "***" in text:
        raise PathError("it has '***', expected '*' or '**'")
    path = "" if text == ROOT else text
    wild = [place for place in (path.find(_STAR), path.find(_ANY)) if place >= 0]
    if not wild:
        return PathPattern(text, path, None, False)
    start = min(wild)
    tokens = _tokens(path[start:])
    return PathPattern(text, path[:start], _tail(tokens), tokens == [_DEEP])


def _tokens(text: str) -> list[str]:
    """Characters, `*` and `?` among them, and `**`."""
    tokens: list[str] = []
    for char in text:
        if char == _STAR and tokens and tokens[-1] == _STAR:
            tokens[-1] = _DEEP
        else:
            tokens.append(char)
    return tokens


def _tail(tokens: list[str]) -> _Tail:
    others = stars = deep = 0
    literals: dict[str, int] = {SEPARATOR: 0}
    for index, token in enumerate(tokens):
        bit = 1 << index
        if token in (_STAR, _DEEP):
            stars |= bit
            deep |= bit if token == _DEEP else 0
        elif token == _ANY:
            others |= bit
        else:
            literals[token] = literals.get(token, 0) | bit
    takes = {char: bits | (0 if char == SEPARATOR else others) for char, bits in literals.items()}
    return _Tail(MappingProxyType(takes), others, stars, deep, 1 << len(tokens))
