"""Edits of a list of algorithms, as administrators know them: `a,b`, `+a,b`, `-a*`, `^a`."""

from collections.abc import Callable, Collection
from fnmatch import fnmatchcase
from typing import Final


class AlgorithmListError(ValueError):
    """An edit that can not be done; `name` is the word that is at fault, empty where the whole text is."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


def edit(default: tuple[str, ...], all_names: Collection[str], text: str) -> tuple[str, ...]:
    """The list that `text` makes of `default`; `AlgorithmListError` where it says what does not exist.

    Names are separated by commas, spaces around them are nothing. The first character says what becomes of them:
    `+` puts those at the end that are not there yet, `^` puts them at the front, `-` takes those away that match one
    of its patterns (`*` any characters, `?` one), and without any of these they are the whole list. `all_names` are
    the names that there are; a pattern has to match one of them. A list that comes out empty is refused.
    """
    text = text.strip()
    act = _ACTS.get(text[:1])
    words = [word.strip() for word in (text[1:] if act else text).split(",")]
    if not all(words):
        raise AlgorithmListError(f"list {text!r} has an empty name, expected names with commas between them")
    if twice := [word for at, word in enumerate(words) if word in words[:at]]:
        raise AlgorithmListError(f"list {text!r} names {twice[0]!r} twice", twice[0])
    if act is _remove:
        _check_patterns(all_names, words)
    else:
        _check_names(all_names, words)
    made = (act or _replace)(default, words)
    if not made:
        raise AlgorithmListError(f"list {text!r} leaves nothing of {','.join(default)}, expected one name at least")
    return made


def _check_names(all_names: Collection[str], words: list[str]) -> None:
    for word in words:
        if word in all_names:
            continue
        if "*" in word or "?" in word:
            raise AlgorithmListError(f"{word!r} is a pattern, expected a name: patterns only stand behind '-'", word)
        raise AlgorithmListError(f"{word!r} is no algorithm of this kind", word)


def _check_patterns(all_names: Collection[str], words: list[str]) -> None:
    for word in words:
        if not any(_matches(word, name) for name in all_names):
            raise AlgorithmListError(f"{word!r} matches no algorithm of this kind", word)


def _append(default: tuple[str, ...], words: list[str]) -> tuple[str, ...]:
    return (*default, *(word for word in words if word not in default))


def _remove(default: tuple[str, ...], words: list[str]) -> tuple[str, ...]:
    return tuple(name for name in default if not any(_matches(word, name) for word in words))


def _to_head(default: tuple[str, ...], words: list[str]) -> tuple[str, ...]:
    return (*words, *(name for name in default if name not in words))


def _replace(default: tuple[str, ...], words: list[str]) -> tuple[str, ...]:
    return tuple(words)


_ACTS: Final[dict[str, Callable[[tuple[str, ...], list[str]], tuple[str, ...]]]] = {
    "+": _append,
    "-": _remove,
    "^": _to_head,
}


def _matches(pattern: str, name: str) -> bool:
    # A bracket is a bracket here, not a set of characters.
    return fnmatchcase(name, pattern.replace("[", "[[]"))
