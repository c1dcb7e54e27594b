"""The words of differences: what may be gained, with the case that shows it and the lines of both files that decide.

A case is a file of `differences/`: the old policy, the new one, and what is said, with `---` between them. A change is
a line: `+` gained or `-` lost, with a question mark where it is not shown; who, what, conditions, example, new, old.
"""

from pathlib import Path

import pytest

from pysshd.policy.diff import Difference
from tests.policy.support import PEOPLE
from tests.policy.test_diff import compared

FOLDER = Path(__file__).parent / "differences"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def told(found: Difference) -> list[str]:
    return [
        " | ".join(
            (
                sign + "?" * (not one.sure),
                ", ".join(one.people),
                one.what,
                one.conditions,
                one.example,
                one.new,
                one.old,
            )
        )
        for sign, changes in (("+", found.gained), ("-", found.lost))
        for one in changes
    ]


def lines_of(old: str, new: str, name: str) -> list[str]:
    """What is said; a policy without people has the usual ones, unless the case is about settings."""
    before, after = (PEOPLE if "users:" not in text and not name.startswith("set") else "" for text in (old, new))
    return told(compared(old, new, before, after))


def test_there_are_cases() -> None:
    assert len(CASES) >= 24


@pytest.mark.parametrize("name", CASES)
def test_a_difference_is_told_with_these_words(name: str) -> None:
    old, new, expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("---\n")
    assert lines_of(old, new, name) == expected.splitlines()
