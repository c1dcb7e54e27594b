"""Writes a policy: keys in their order, comments above, quotes where YAML would read something else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pysshd.records import dataclass

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*|[0-9]+|[0-9]+[smhdB%]")
_TRAPS: Final = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])
WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Commented:
    """A part of a policy, and the lines that stand above it."""

    comment: tuple[str, ...]
    value: object


def scalar(text: str) -> str:
    """A text, quoted where it has to be."""
    if _PLAIN.fullmatch(text) and text.lower() not in _TRAPS:
        return text
    made = []
    for char in text:
        if char in '"\\':
            made.append("\\" + char)
        elif char == "\n":
            made.append("\\n")
        elif char == "\t":
            made.append("\\t")
        elif not char.isprintable():
            made.append(f"\\U{ord(char):08x}")
        else:
            made.append(char)
    return '"' + "".join(made) + '"'


def flow(value: object) -> str:
    """A part in one line."""
    if value is True:
        return "true"
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    raise TypeError(f"found {type(value).__name__}, expected a text, True, a list or a mapping")


def block(value: object, indent: str = "") -> Iterator[str]:
    """A part in lines: what is short or has no inner part stands in one."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _item(f"{indent}{scalar(str(key))}:", one, indent + "  ")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _item(f"{indent}-", one, indent + "  ")


def _item(head: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, Commented):
        lead = head[: len(head) - len(head.lstrip())]
        yield from (f"{lead}# {line}".rstrip() for line in value.comment)
        value = value.value
    line = f"{head} {flow(value)}" if not _holds_comments(value) else ""
    if isinstance(value, str) or value is True or (line and len(line) <= WIDTH and not _is_section(head)):
        yield line
        return
    if head.endswith("-") and isinstance(value, Mapping):
        first, *rest = list(block(value, indent))
        yield head + " " + first.lstrip()
        yield from rest
        return
    yield head
    yield from block(value, indent)


def _is_section(head: str) -> bool:
    return not head.startswith((" ", "-"))


def _holds_comments(value: object) -> bool:
    if isinstance(value, Commented):
        return True
    if isinstance(value, Mapping):
        return any(_holds_comments(one) for one in value.values())
    return isinstance(value, Sequence) and not isinstance(value, str) and any(_holds_comments(one) for one in value)
