"""No pattern is worse than linear: twice the text takes twice the steps, of the worst patterns that we know.

Steps are counted, not timed: each line of code that is run in the room of patterns is one.
"""

import sys
from types import FrameType
from typing import Any

import pytest

from pysshd.patterns.regex import parse_regex
from tests.bench.engine.worst import WORST, Worst


def steps(one: Worst, text: str) -> int:
    """How many lines run while a text is matched."""
    count = 0

    def line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        one.matches(text)
    finally:
        sys.settrace(before)
    return count


CASES = [
    *((f"{name}{number}", one) for name, some in WORST.items() for number, one in enumerate(some)),
    ("nested", Worst(parse_regex("((a*)*(a*)*)*b").matches, lambda length: "a" * length)),
    ("optional", Worst(parse_regex("(a?){250}").matches, lambda length: "a" * min(length, 250))),
]


@pytest.mark.parametrize("one", [one for _, one in CASES], ids=[name for name, _ in CASES])
def test_twice_the_text_takes_twice_the_steps(one: Worst) -> None:
    short, long = one.text(500), one.text(1000)
    # What is paid once, as for tables, makes the short one dearer, never the long one.
    assert steps(one, long) <= 2.2 * steps(one, short) + 100
    # Of 256 positions each set is looked up in 32 tables, at four lines each.
    assert steps(one, long) <= 160 * len(long) + 60_000


def test_a_long_word_is_matched_as_a_short_one_is() -> None:
    """From some length on an expression is followed by tables."""
    language = parse_regex("(a|b)*a(a|b){60}")
    text = "ab" * 300
    assert language.matches(text + "a" + "b" * 60)
    assert not language.matches(text + "b" + "a" * 60)
    assert not language.matches(text + "c")
    for length in range(55, 66):
        assert language.matches("a" * length) is (length > 60)
