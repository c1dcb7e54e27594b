"""The model of `include`: which other files belong to the policy, and which sections they may hold."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import PlainValidator

from pysshd.policy.fields import path
from pysshd.policy.reading import Many, Record, Text, bad, text
from pysshd.policy.report import meant, show

MAIN_ONLY: Final = ("version", "server", "crypto", "limits", "login", "include")
"""Sections that stand in the main file only: what the daemon is, and the one list whose order decides."""

INCLUDABLE: Final = (
    "networks",
    "users",
    "user_defaults",
    "groups",
    "sources",
    "authorities",
    "roles",
    "grants",
    "tests",
)
"""Sections that other files may hold, where `may` names them."""

GRANTING: Final = frozenset(["user_defaults", "sources", "authorities", "roles", "grants"])
"""Those by which a file gives access to people of whom it says nothing else."""

WILD: Final = "*?"
_NO_PATTERN: Final = "[]{}\\"


def is_pattern(part: str) -> bool:
    """Whether a part of a path stands for any number of names."""
    return any(char in part for char in WILD)


def _files(node: object) -> Text:
    """A path, or a pattern of paths: `*` and `?` stand for characters of one part."""
    found = text(node)
    if "**" in found.text:
        raise bad(f"found {show(found.text)}: '**' has no place here", "write a '*' for each folder on the way")
    odd = next((char for char in _NO_PATTERN if char in found.text), None)
    if odd is not None:
        raise bad(f"found {show(found.text)} with {odd!r} in it, expected a path in which only '*' and '?' are wild")
    if found.text.endswith("/"):
        raise bad(f"found {show(found.text)}, which is a folder, expected files", f"such as {found.text}*.yaml")
    return path(node)


def _section(node: object) -> Text:
    """A section that other files may hold."""
    found = text(node)
    if found.text in MAIN_ONLY:
        raise bad(f"section {show(found.text)} stands in the main file only, expected any of {', '.join(INCLUDABLE)}")
    if found.text not in INCLUDABLE:
        raise bad(f"found {show(found.text)}, expected any of {', '.join(INCLUDABLE)}", meant(found.text, INCLUDABLE))
    return found


class IncludeModel(Record):
    """An item of `include`."""

    needed: ClassVar[Mapping[str, str]] = {"may": "the sections that these files may hold, as in may: [users]"}

    files: Many[Annotated[Text, PlainValidator(_files)]]
    may: Many[Annotated[Text, PlainValidator(_section)]]
