"""One pattern inside another: a yes is never wrong."""

from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.globs import parse_glob
from pysshd.patterns.inclusion import glob_within, words_meet, words_touched, words_within
from pysshd.patterns.words import WordsError, WordsPattern, parse_words

TEXTS = ["".join(chars) for length in range(5) for chars in product("a-./", repeat=length)]
GLOBS = st.text("a-./*?", max_size=5)
PATTERNS = st.lists(st.text("a-./*?", min_size=1, max_size=4), min_size=1, max_size=2).map(" ".join)
REQUESTS = [(one,) for one in TEXTS] + [(one, two) for one in TEXTS[:40] for two in TEXTS[:90]]


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        ("", "", True),
        ("", "*", True),
        ("a", "a", True),
        ("a", "?", True),
        ("?", "a", False),
        ("*", "?", False),
        ("a*", "a**", True),
        ("*", "?*", False),
        ("?*", "*?", False),
        ("*a?b", "*?b", True),
        ("a*c*", "a*", True),
        ("a*", "*c", False),
        ("abc", "a*c", True),
        ("a*bc", "a*b?", True),
    ],
)
def test_globs(small: str, big: str, expected: bool) -> None:
    assert glob_within(parse_glob(small), parse_glob(big)) is expected


@given(GLOBS, GLOBS)
def test_a_yes_about_globs_is_true(small: str, big: str) -> None:
    a, b = parse_glob(small), parse_glob(big)
    assert glob_within(a, a)
    if glob_within(a, b):
        assert all(b.matches(text) for text in TEXTS if a.matches(text))


@dataclass(frozen=True)
class Other:
    """A word of a form that is not known here."""

    what: str


def test_words_of_other_forms_are_the_same_or_not() -> None:
    one, other, text = (WordsPattern("", (word,)) for word in (Other("a"), Other("b"), parse_words("*").words[0]))  # type: ignore[arg-type]
    assert words_within(one, one)
    assert words_touched(one, one)
    assert not words_within(one, other)
    assert not words_within(one, text)
    assert not words_touched(one, text)
    assert words_meet(one, other)
    assert words_meet(text, other)


def words(text: str) -> WordsPattern | None:
    try:
        return parse_words(text)
    except WordsError:
        return None


@given(PATTERNS, PATTERNS)
def test_a_yes_about_words_is_true(small: str, big: str) -> None:
    a, b = words(small), words(big)
    if a is None or b is None:
        return
    taken = [request for request in REQUESTS if a.matches(request)]
    if words_within(a, b):
        assert all(b.matches(request) for request in taken)
    if words_touched(a, b):
        assert all(b.touches(request) for request in REQUESTS if a.touches(request))
    if not words_meet(a, b):
        assert not any(b.touches(request) for request in taken)
    assert words_within(a, a)
