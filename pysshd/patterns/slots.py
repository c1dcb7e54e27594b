"""Slots of a command that is written as a list: words of which a pattern says more than a text with wildcards can.

A slot takes no empty word and none that begins with `-`: what is meant for a name or a path is never read as an option.
A deny touches such words too, and whatever it can not tell: what a slot does not take is there to permit less.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from pysshd.patterns.regular import ANY, Automaton, Builder, Part, characters, without
from pysshd.records import dataclass

Values: TypeAlias = Mapping[str, str]
"""Of the slots of templates, by their names."""

NAMED: Final = ("user", "account", "key", "principal", "source")
"""The slots of templates whose values are words, and parts of paths."""

HOME: Final = "home"
"""The slot that may only begin a path: its value is an absolute path."""

MAX_WORD: Final = 1024
"""Characters of a word that an expression is asked about."""


@dataclass(frozen=True, slots=True)
class EnumSlot:
    """One of some words."""

    words: tuple[str, ...]

    def matches(self, word: str, values: Values) -> bool:
        """Whether it is one of the words."""
        return word in self.words

    def touches(self, word: str, values: Values) -> bool:
        """The same: each of them is written out."""
        return word in self.words

    def automaton(self) -> Automaton:
        """Its words as a language."""
        builder = Builder()
        whole = builder.text(self.words[0])
        for word in self.words[1:]:
            whole = builder.either(whole, builder.text(word))
        return builder.automaton(whole)

    def __str__(self) -> str:
        return f"{{enum: [{', '.join(self.words)}]}}"


@dataclass(frozen=True, slots=True)
class RegexSlot:
    """A word that an expression matches from its beginning to its end, of up to `MAX_WORD` characters."""

    source: str
    language: Automaton

    def matches(self, word: str, values: Values) -> bool:
        """Whether the whole word matches."""
        return word[:1] not in ("", "-") and len(word) <= MAX_WORD and self.language.matches(word)

    def touches(self, word: str, values: Values) -> bool:
        """Also where it begins with `-`, and where it is too long to be asked about."""
        return len(word) > MAX_WORD or self.language.matches(word)

    def automaton(self) -> Automaton:
        """What it matches."""
        return self.language

    def __str__(self) -> str:
        return f"{{regex: {self.source!r}}}"


@dataclass(frozen=True, slots=True)
class PathSlot:
    """The absolute path of something in a folder, without empty parts and without `.` and `..`; links are not known.

    parts: the folder without a `/` at its end, texts at even places, names of template slots at odd ones.
    """

    parts: tuple[str, ...]

    def matches(self, word: str, values: Values) -> bool:
        """Whether it lies in the folder; a `/` at its end is no part."""
        folder = filled(self.parts, values)
        return folder is not None and is_below(word, folder)

    def touches(self, word: str, values: Values) -> bool:
        """Whether it could lie in the folder: also where it is relative, or leads there by `..`."""
        folder = filled(self.parts, values)
        if folder is None or not word.startswith("/") or ".." in word.split("/"):
            return True
        plain = [part for part in word.split("/") if part not in ("", ".")]
        inside = [part for part in folder.split("/") if part]
        return plain[: len(inside)] == inside

    def automaton(self) -> Automaton:
        """The folder, and anything behind it: what `..` excludes is taken to match."""
        builder = Builder()
        whole = Part()
        for index, part in enumerate(self.parts):
            whole = builder.then(whole, slot_part(builder, part) if index % 2 else builder.text(part))
        return builder.automaton(builder.then(builder.then(whole, builder.text("/")), builder.often(builder.one(ANY))))

    def __str__(self) -> str:
        shown = "".join(f"{{{part}}}" if index % 2 else part for index, part in enumerate(self.parts))
        return f"{{path_under: {shown or '/'}}}"


Slot: TypeAlias = EnumSlot | RegexSlot | PathSlot

_PART: Final = without(ANY, characters("/"))


def slot_part(builder: Builder, name: str) -> Part:
    """What a slot of a template could be filled with."""
    if name == HOME:
        return builder.maybe(builder.often(builder.one(ANY)))
    return builder.often(builder.one(_PART))


def filled(parts: tuple[str, ...], values: Values) -> str | None:
    """The text of a template, or None where one of its slots has no value that could stand there."""
    found = [value_of(part, values) if index % 2 else part for index, part in enumerate(parts)]
    return "".join(text for text in found if text is not None) if None not in found else None


def value_of(name: str, values: Values) -> str | None:
    """What fills a slot: one part of a path, or the absolute path of a home without a `/` at its end; else None."""
    value = values.get(name, "")
    if name == HOME:
        return value.rstrip("/") if is_plain(value) else None
    return value if value not in ("", ".", "..") and "/" not in value else None


def is_below(path: str, folder: str) -> bool:
    """Whether a plain absolute path lies in a folder, which has no `/` at its end; the folder itself does not."""
    if not path.startswith(folder + "/"):
        return False
    return is_plain(path) and path != folder + "/"


def is_plain(path: str) -> bool:
    """Whether a path is absolute and has no empty part, no `.` and no `..`; it may end with `/`."""
    head, *parts = path.split("/")
    if parts and not parts[-1]:
        parts.pop()
    return not head and path.startswith("/") and not any(part in ("", ".", "..") for part in parts)
