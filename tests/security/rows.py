"""The table of docs/security.md: what each row says, and whether it is shown or waits for a capability."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"

_ROW = re.compile(r"^\| (S\d\d+) \| (.+) \| (shown|waits for ([^|]+)) \|$")


@dataclass(frozen=True, slots=True)
class Row:
    """One property; `waits_for` is the capability without which there is nothing to show, or None where it is shown."""

    name: str
    words: str
    waits_for: str | None


@cache
def table() -> dict[str, Row]:
    """Every row by its name, in the order of the page; ValueError for a line that can not be read."""
    found: dict[str, Row] = {}
    for line in PAGE.read_text("utf-8").splitlines():
        if not line.startswith("| S"):
            continue
        read = _ROW.match(line)
        if read is None or read[1] in found:
            raise ValueError(f"{PAGE.name} has a row that can not be read, or twice: {line}")
        found[read[1]] = Row(read[1], read[2], read[4])
    return found


def marks() -> Iterator[tuple[str, str]]:
    """Every `security` mark of the tests: the row that it names, and `file:line`."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        if "mark.security" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.security"):
                for argument in node.args:
                    yield str(ast.literal_eval(argument)), f"{path.relative_to(ROOT)}:{node.lineno}"
