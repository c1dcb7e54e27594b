"""An `sshd_config` as a list of lines, each with the Match blocks around it. Included files are given."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from pysshd.importing.globbing import place
from pysshd.importing.keywords import ALIASES, DEAD, KEYWORDS, Keyword
from pysshd.importing.matching import Match, read_match
from pysshd.importing.notes import Remarks, SshdConfigError
from pysshd.importing.values import Words
from pysshd.importing.words import keyword_of, words_of
from pysshd.policy.problems import Mark
from pysshd.policy.report import meant
from pysshd.records import dataclass

_MAX_DEPTH: Final = 16
FOLDER: Final = "/etc/ssh"
"""Where the relative paths of Include lie."""

Includes: TypeAlias = Callable[[str], Sequence[tuple[str, str]]]
"""The files of a pattern of Include, sorted, with their names and texts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One setting: its keyword, its value, where it stands, and the Match blocks that must all hold."""

    keyword: Keyword
    value: Words
    mark: Mark
    scope: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class SshdConfig:
    """A whole configuration, in the order in which sshd reads it."""

    lines: tuple[Line, ...]
    file: str

    def of(self, key: str) -> Iterator[Line]:
        """The lines of one keyword."""
        return (line for line in self.lines if line.keyword.key == key)

    @property
    def blocks(self) -> tuple[Match, ...]:
        """Every Match block that has a line."""
        return tuple(dict.fromkeys(match for line in self.lines for match in line.scope))


def parse_sshd_config(text: str, file: str, includes: Includes, remarks: Remarks) -> SshdConfig:
    """Read a configuration. Raises SshdConfigError at the first line with which sshd would not start."""
    return SshdConfig(tuple(_Reader(includes, remarks).read(text, file, (), 0)), file)


class _Reader:
    def __init__(self, includes: Includes, remarks: Remarks) -> None:
        self._includes = includes
        self._remarks = remarks

    def read(self, text: str, file: str, outer: tuple[Match, ...], depth: int) -> Iterator[Line]:
        """The lines of one file; a Match in it ends with the file."""
        scope = outer
        for number, line in enumerate(text.split("\n"), 1):
            mark = Mark(file, number, 1)
            if "\0" in line:
                raise SshdConfigError(mark, "the line has a NUL")
            name, rest = keyword_of(line)
            key = name.lower()
            if not name:
                continue
            if key == "match":
                scope = (*outer, read_match(rest, mark))
            elif key == "include":
                yield from self._include(rest, mark, scope, depth)
            elif key in DEAD:
                self._remarks.note(mark, f"{name} is old, and sshd passes it over too")
            else:
                yield self._line(name, rest, mark, scope)

    def _include(self, rest: str, mark: Mark, scope: tuple[Match, ...], depth: int) -> Iterator[Line]:
        patterns = words_of(rest, mark)
        if not all(patterns or [""]):
            raise SshdConfigError(mark, "Include has no path behind it")
        if depth >= _MAX_DEPTH:
            raise SshdConfigError(mark, f"Include is nested deeper than {_MAX_DEPTH} files")
        for pattern in patterns:
            path = pattern if pattern.startswith(("/", "~")) else f"{FOLDER}/{pattern}"
            found = self._includes(path)
            if not found:
                self._remarks.note(mark, f"Include {pattern}: there is no such file now, as sshd sees it too")
            for file, text in found:
                yield from self.read(text, file, scope, depth + 1)

    def _line(self, name: str, rest: str, mark: Mark, scope: tuple[Match, ...]) -> Line:
        key = ALIASES.get(name.lower(), name.lower())
        keyword = KEYWORDS.get(key)
        if keyword is None:
            hint = meant(name, [one.name for one in KEYWORDS.values()])
            raise SshdConfigError(mark, f"keyword {name!r} is none of sshd's" + (f" ({hint})" if hint else ""))
        if scope and not keyword.in_match:
            raise SshdConfigError(mark, f"{keyword.name} behind Match, where sshd does not take it")
        try:
            value = keyword.read(words_of(rest, mark), rest)
            if key in ("allowusers", "denyusers"):
                _check_places(value)
        except ValueError as error:
            raise SshdConfigError(mark, f"{keyword.name} {rest}: {error}") from None
        return Line(keyword, value, mark, scope)


def _check_places(users: Words) -> None:
    """ValueError (AddressError) where `USER@HOST` has a prefix that is none, or nothing in a pattern's place."""
    for word in users:
        for pattern in word.rpartition("@")[2].split(",") if "@" in word else ():
            if pattern in ("", "!"):
                raise ValueError("expected a pattern of hosts behind the @, found an empty one")
            place(pattern.removeprefix("!"))
