"""Globs: equal to a plain definition, linear in time, and what two of them have in common."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.globs import common_text, parse_glob

PATTERNS = st.text("ab*?", max_size=8)
TEXTS = st.text("abx", max_size=10)


def as_regex(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.DOTALL)


@given(PATTERNS, TEXTS)
def test_matches_what_the_definition_says(pattern: str, text: str) -> None:
    assert parse_glob(pattern).matches(text) is (as_regex(pattern).fullmatch(text) is not None)


@given(PATTERNS, PATTERNS, TEXTS)
def test_common_text_is_one_and_is_found(left: str, right: str, text: str) -> None:
    found = common_text(parse_glob(left), parse_glob(right))
    if found is None:
        assert not (parse_glob(left).matches(text) and parse_glob(right).matches(text))
    else:
        assert parse_glob(left).matches(found)
        assert parse_glob(right).matches(found)


@pytest.mark.parametrize(
    ("left", "right", "first_not", "nonempty", "expected"),
    [
        ("*", "-*", "-", False, None),
        ("*", "-*", "", False, "-"),
        ("*", "*", "-", True, "x"),
        ("*", "", "", True, None),
        ("*a", "b*", "", False, "ba"),
        ("a?", "?b", "", False, "ab"),
        ("a", "b", "", False, None),
        ("?", "??", "", False, None),
    ],
)
def test_common_text(left: str, right: str, first_not: str, nonempty: bool, expected: str | None) -> None:
    assert common_text(parse_glob(left), parse_glob(right), first_not=first_not, nonempty=nonempty) == expected


@pytest.mark.security("S124")
@pytest.mark.parametrize(
    "pattern",
    ["*a" * 100 + "*b", "*a?" * 100 + "*b", "?" * 500 + "*?a*b", "*" * 1000 + "b", "*?" * 300 + "b", "a*" * 300 + "b"],
)
def test_no_pattern_is_worse_than_linear(pattern: str) -> None:
    glob = parse_glob(pattern)
    text = "a" * 1000
    best = min(_seconds(glob.matches, text) for _ in range(5))
    assert best < 0.001
    assert not glob.matches(text)


def _seconds(match: object, text: str) -> float:
    assert callable(match)
    start = time.perf_counter()
    match(text)
    return time.perf_counter() - start


def test_literal() -> None:
    assert parse_glob("abc").literal == "abc"
    assert parse_glob("a?c").literal is None
    assert parse_glob("a*").literal is None
    assert (parse_glob("*a").begins_wild, parse_glob("a*").begins_wild, parse_glob("").begins_wild) == (
        True,
        False,
        False,
    )
