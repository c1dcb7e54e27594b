"""Regular languages as automata without backtracking, matched in linear time.

An automaton has one position for each character that its expression writes (V. M. Glushkov, 1961): after some text it
stands on a set of positions, and each further character makes one set of another. So a text costs at most its length
times an eighth of the positions, whatever the expression is, and the same set again one look-up.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from pysshd.records import dataclass

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""A set of characters: first and last code points of its ranges, sorted, none touching another."""

MAX_POSITIONS: Final = 256
"""Characters that an expression may write, those of a counted repetition as often as it counts."""

_MAX_EDGES: Final = 20_000
"""Steps after which a search for a common text gives up."""

_NICE: Final = "xabcdefghijklmnopqrstuvwyz0123456789XABCDEFGHIJKLMNOPQRSTUVWYZ/._-"
"""Characters of which an example is made where it may be."""


def ranges(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """A set of characters from ranges in any order."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def characters(text: Iterable[str]) -> Ranges:
    """The set of these characters."""
    return ranges((ord(char), ord(char)) for char in text)


ANY: Final = ranges([(9, 9), (0x20, 0x7E), (0x80, 0x10FFFF)])
"""Every character that a word may have: no control characters but the tab, and no DEL."""


def without(some: Ranges, others: Ranges) -> Ranges:
    """The characters of the one set that are not in the other."""
    found = list(some)
    for first, last in others:
        found = [
            part
            for low, high in found
            for part in ((low, min(high, first - 1)), (max(low, last + 1), high))
            if part[0] <= part[1]
        ]
    return tuple(found)


def both(left: Ranges, right: Ranges) -> Ranges:
    """The characters of both sets."""
    return without(left, without(((0, 0x10FFFF),), right))


def has(some: Ranges, char: str) -> bool:
    """Whether a character is in a set."""
    code = ord(char)
    for first, last in some:  # noqa: SIM110 (a generator costs twice as much here)
        if first <= code <= last:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Automaton:
    """A regular language.

    chars: the characters of each position; classes: each set of characters with the positions that have it.
    first, last: where a text may begin and end; follow: what may come after each position. Positions are bits.
    empty: whether the empty text is in the language.
    """

    chars: tuple[Ranges, ...]
    classes: tuple[tuple[Ranges, int], ...]
    first: int
    last: int
    follow: tuple[int, ...]
    empty: bool

    def matches(self, text: str) -> bool:
        """Whether the whole text is in the language; its length times an eighth of the positions at most."""
        if not text:
            return self.empty
        masks: dict[str, int] = {}
        reached: dict[int, int] = {}
        tables: list[list[int]] = []
        spent, enough = 0, self._cost_of_tables
        state = self.first & self._mask(text[0])
        for char in text[1:]:
            after = reached.get(state)
            if after is None:
                spent += state.bit_count()
                if spent > enough and not tables:
                    tables = self._tables()
                after = reached[state] = _looked_up(tables, state) if tables else self._reach(state)
            mask = masks.get(char)
            if mask is None:
                mask = masks[char] = self._mask(char)
            state = after & mask
            if not state:
                return False
        return bool(state & self.last)

    def _mask(self, char: str) -> int:
        found = 0
        for some, positions in self.classes:
            if has(some, char):
                found |= positions
        return found

    def _reach(self, state: int) -> int:
        """What may come after a set of positions, one by one."""
        found = 0
        for position in _bits(state):
            found |= self.follow[position]
        return found

    @property
    def _cost_of_tables(self) -> int:
        return (len(self.follow) + 7) // 8 << 8

    def _tables(self) -> list[list[int]]:
        """The same for each eight positions: what may come after each of their sets.

        A long text pays for them; they are made for it alone, so that what is kept of an expression stays small.
        """
        tables = []
        for start in range(0, len(self.follow), 8):
            table = [0]
            for after in self.follow[start : start + 8]:
                table += [before | after for before in table]
            tables.append(table)
        return tables


def _looked_up(tables: list[list[int]], state: int) -> int:
    found = 0
    for table, some in zip(tables, state.to_bytes(len(tables), "little"), strict=True):
        if some:
            found |= table[some]
    return found


def _bits(state: int) -> Iterator[int]:
    while state:
        low = state & -state
        yield low.bit_length() - 1
        state ^= low


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an automaton under construction: whether it takes nothing, where it begins, and where it ends."""

    empty: bool = True
    first: int = 0
    last: int = 0


class Builder:
    """Puts an automaton together; each part is used once."""

    def __init__(self) -> None:
        self._chars: list[Ranges] = []
        self._follow: list[int] = []

    def one(self, some: Ranges) -> Part:
        """One character of a set."""
        bit = 1 << len(self._chars)
        self._chars.append(some)
        self._follow.append(0)
        return Part(False, bit, bit)

    def then(self, left: Part, right: Part) -> Part:
        """One after the other."""
        for position in _bits(left.last):
            self._follow[position] |= right.first
        return Part(
            left.empty and right.empty,
            left.first | (right.first if left.empty else 0),
            right.last | (left.last if right.empty else 0),
        )

    def either(self, left: Part, right: Part) -> Part:
        """One of both."""
        return Part(left.empty or right.empty, left.first | right.first, left.last | right.last)

    def often(self, part: Part) -> Part:
        """Once or any number of times."""
        for position in _bits(part.last):
            self._follow[position] |= part.first
        return part

    def maybe(self, part: Part) -> Part:
        """Once or not at all."""
        return Part(True, part.first, part.last)

    def text(self, text: str) -> Part:
        """These very characters."""
        found = Part()
        for char in text:
            found = self.then(found, self.one(characters(char)))
        return found

    def automaton(self, whole: Part) -> Automaton:
        """What was built."""
        classes: dict[Ranges, int] = {}
        for position, some in enumerate(self._chars):
            classes[some] = classes.get(some, 0) | 1 << position
        return Automaton(
            tuple(self._chars), tuple(classes.items()), whole.first, whole.last, tuple(self._follow), whole.empty
        )


class UndecidedError(Exception):
    """Whether there is a common text was not found out in a bounded number of steps."""


def common_text(left: Automaton, right: Automaton, allowed: Ranges, *, first_not: str, nonempty: bool) -> str | None:
    """A shortest text of allowed characters that is in both languages, or None where there is none.

    first_not: characters with which it must not begin. Raises UndecidedError where the search is too long.
    """
    if left.empty and right.empty and not nonempty:
        return ""
    beginning = without(allowed, characters(first_not))
    seen: set[tuple[int, int]] = set()
    todo = [(left.first, right.first, "")]
    edges = 0
    for first, second, text in todo:  # grows while it is walked: breadth first
        usable = allowed if text else beginning
        for i in _bits(first):
            mine = both(left.chars[i], usable)
            for j in _bits(second):
                edges += 1
                if edges > _MAX_EDGES:
                    raise UndecidedError
                if (i, j) in seen or not (shared := both(mine, right.chars[j])):
                    continue
                seen.add((i, j))
                longer = text + _nicest(shared)
                if left.last >> i & 1 and right.last >> j & 1:
                    return longer
                todo.append((left.follow[i], right.follow[j], longer))
    return None


def _nicest(some: Ranges) -> str:
    return next((char for char in _NICE if has(some, char)), chr(some[0][0]))
