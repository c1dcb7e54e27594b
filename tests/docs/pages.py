"""The pages that people read, and what stands in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page; `place` is `file:line` of its first line."""

    place: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 2}", found[1], found[2])
        for found in _BLOCK.finditer(text)
    ]


def words(page: Path) -> set[str]:
    """What a page writes as code in its sentences."""
    prose = _BLOCK.sub("", page.read_text("utf-8"))
    return set(re.findall(r"`([^`\n]+)`", prose))
