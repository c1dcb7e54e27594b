"""The worst of each kind of pattern that is known to us, and about 1 kB of text for it."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from pysshd.patterns.destinations import parse_host_pattern
from pysshd.patterns.globs import parse_glob
from pysshd.patterns.paths import parse_path
from pysshd.patterns.regex import parse_regex
from pysshd.patterns.words import parse_words


@dataclass(frozen=True, slots=True)
class Worst:
    """A pattern and a text. matches: asks it of a text; text: makes one of so many characters, at most."""

    matches: Callable[[str], bool]
    text: Callable[[int], str]


def _two_letters(length: int) -> str:
    chance = random.Random(3)
    return "".join(chance.choice("ab") for _ in range(length))


def _all_different(length: int) -> str:
    return "".join(chr(0x4E00 + number) for number in range(length))


def _labels(length: int) -> str:
    return ".".join(["a" * 60] * (length // 61))


_STARS = parse_glob("*a" * 200 + "*b")
_GAPS = parse_glob("*" + "a?b" * 100 + "*")
_SUBSETS = parse_regex("(a|b)*a(a|b){126}")
_EVERYWHERE = parse_regex("(.*){250}x")
_FOLDERS = parse_path("/" + "**a" * 100 + "b")
_PARTS = parse_path("/" + "*a" * 400)
_HOSTS = parse_host_pattern("**." + "*a" * 28 + "*.x")
_COMMAND = parse_words("x " + "*a?" * 100 + "*b")

WORST: dict[str, tuple[Worst, ...]] = {
    "glob": (
        Worst(_STARS.matches, lambda length: "a" * length),
        Worst(_GAPS.matches, lambda length: "a" * length),
    ),
    "regex": (Worst(_SUBSETS.matches, _two_letters), Worst(_EVERYWHERE.matches, _all_different)),
    "path": (
        Worst(_FOLDERS.matches, lambda length: "/" + "a" * (length - 1)),
        Worst(_PARTS.matches, lambda length: "/" + "a" * (length - 1)),
    ),
    "host": (Worst(_HOSTS.permits_name, _labels),),
    "command": (Worst(lambda text: _COMMAND.matches(("x", text)), lambda length: "a" * length),),
}
"""By the room that holds them; the slowest of a row is what counts."""
