"""Values of sshd_config(5), read into the words in which `sshd -T` shows them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

Words: TypeAlias = tuple[str, ...]
Reader: TypeAlias = Callable[[Sequence[str], str], Words]
"""Reads the words of a line, or its rest as it stands; ValueError says what was expected."""

_SPAN: Final = re.compile(r"(?:\d+[smhdwSMHDW]?)+")
_SPAN_PART: Final = re.compile(r"(\d+)([smhdw]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE: Final = re.compile(r"(\d+)([kmgKMG]?)")
_FACTOR: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _one(words: Sequence[str]) -> str:
    if len(words) != 1 or not words[0]:
        raise ValueError("expected one value")
    return words[0]


def choice(shown: Mapping[str, str]) -> Reader:
    """One of some words, in any letters."""

    def read(words: Sequence[str], raw: str) -> Words:
        found = shown.get(_one(words).lower())
        if found is None:
            raise ValueError(f"expected one of {', '.join(shown)}")
        return (found,)

    return read


FLAG: Final = choice({"yes": "yes", "true": "yes", "no": "no", "false": "no"})


def number(least: int = 0, most: int = 1 << 31) -> Reader:
    """A whole number."""

    def read(words: Sequence[str], raw: str) -> Words:
        word = _one(words)
        if not word.isascii() or not word.isdigit() or not least <= int(word) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return (str(int(word)),)

    return read


def seconds(text: str) -> int:
    """A span of time such as `1h30m`; ValueError for anything else."""
    if _SPAN.fullmatch(text) is None:
        raise ValueError("expected a span of time such as 90, 2m or 1h30m")
    return sum(int(count) * _SECONDS[unit.lower()] for count, unit in _SPAN_PART.findall(text.lower()))


def span(words: Sequence[str], raw: str) -> Words:
    """A span of time, in seconds; `none` stays."""
    word = _one(words)
    return ("none",) if word.lower() == "none" else (str(seconds(word)),)


def word(words: Sequence[str], raw: str) -> Words:
    """One word, as it stands."""
    return (_one(words),)


def many(words: Sequence[str], raw: str) -> Words:
    """One word or more."""
    if not words or "" in words:
        raise ValueError("expected one value or more")
    return tuple(words)


def rest(words: Sequence[str], raw: str) -> Words:
    """The rest of the line as it stands."""
    if not raw:
        raise ValueError("expected something behind it")
    return (raw,)


def settings(words: Sequence[str], raw: str) -> Words:
    """`NAME=value`, of each name the first."""
    found: dict[str, str] = {}
    for word in many(words, raw):
        name, equals, _ = word.partition("=")
        if not equals:
            raise ValueError(f"found {word!r}, expected NAME=value")
        found.setdefault(name, word)
    return tuple(found.values())


def startups(words: Sequence[str], raw: str) -> Words:
    """`start:rate:full`, or one number for all of them."""
    parts = _one(words).split(":")
    if len(parts) not in (1, 3) or not all(part.isdigit() for part in parts):
        raise ValueError("expected a number or start:rate:full")
    start, rate, full = (int(part) for part in (parts if len(parts) == 3 else (parts[0], "30", parts[0])))
    if start < 1 or not 1 <= rate <= 100 or start > full:
        raise ValueError("expected start:rate:full with a rate up to 100 and start at most full")
    return (f"{start}:{rate}:{full}",)


def rekey(words: Sequence[str], raw: str) -> Words:
    """Bytes (0: the cipher's own amount) and seconds (0: no limit)."""
    if len(words) not in (1, 2):
        raise ValueError("expected an amount of data, and perhaps a span of time")
    found = _SIZE.fullmatch(words[0])
    if words[0].lower() != "default" and found is None:
        raise ValueError("expected an amount of data such as 1G")
    amount = int(found[1]) * _FACTOR[found[2].lower()] if found else 0
    interval = 0 if len(words) == 1 or words[1].lower() == "none" else seconds(words[1])
    return str(amount), str(interval)


def subsystem(words: Sequence[str], raw: str) -> Words:
    """The name, and the command with its words."""
    if len(words) < 2 or not (words[0] and words[1]):
        raise ValueError("expected a name and a command")
    return words[0], " ".join(words[1:])


def ports(words: Sequence[str], raw: str) -> Words:
    """Destinations or places to listen: `any`, `none`, or `host:port`."""
    found = many(words, raw)
    if len(found) > 1 and not {"any", "none"}.isdisjoint(found):
        raise ValueError("expected any or none alone, or places")
    return found


def listens(words: Sequence[str], raw: str) -> Words:
    """The same, where a port alone means any host."""
    found = ports(words, raw)
    return found if found in (("any",), ("none",)) else tuple(one if ":" in one else f"*:{one}" for one in found)
