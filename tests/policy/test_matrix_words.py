"""Whole matrices, of the files in `odd/` and of those in `matrices/`: `NAME.txt`, a line for each reason of a cell."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from pysshd.policy.diff_sessions import Side
from pysshd.policy.load import load_text
from pysshd.policy.matrix import Matrix, Ranges, matrix

HERE = Path(__file__).parent
FOLDER = HERE / "matrices"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def source_of(name: str) -> Path:
    own = FOLDER / f"{name}.yaml"
    return own if own.exists() else HERE / "odd" / f"{name}.yaml"


def span(ranges: Ranges | None) -> str:
    """Whence: the first and the last address of each range."""
    if ranges is None:
        return "anywhere"
    kinds = {4: IPv4Address, 6: IPv6Address}
    return " ".join(f"{kinds[version](first)}-{kinds[version](last)}" for version, first, last in ranges)


def told(found: Matrix) -> Iterator[str]:
    yield " | ".join(found.columns)
    for row in found.rows:
        yield f"{row.person} ({', '.join(row.groups)}) {row.where} {row.window}".rstrip()
        for column in found.columns:
            cell = row.cell(column)
            yield f"  {column}: {cell.state}"
            for one in cell.reasons:
                kind = "allow" if one.allows else "deny of all" if one.whole else "deny"
                parts = [kind, one.what, one.conditions, one.where, one.name]
                yield "    " + " | ".join([*parts, span(one.sources), span(one.others), "nothing else" * one.bare])


def made(name: str) -> list[str]:
    text = source_of(name).read_text(encoding="utf-8")
    return list(told(matrix(Side(load_text(text, f"{name}.yaml", language=True).ruleset))))


def test_there_are_cases() -> None:
    assert len(CASES) >= 14


@pytest.mark.parametrize("name", CASES)
def test_a_matrix(name: str) -> None:
    assert made(name) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
