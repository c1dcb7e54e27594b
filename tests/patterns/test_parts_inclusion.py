"""One pattern in parts inside another: a yes is never wrong."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.globs import Token
from pysshd.patterns.parts import PartsError, PartsGlob, parse_parts, parts_tokens
from pysshd.patterns.parts_inclusion import parts_within

LABELS = ["".join(chars) for length in (1, 2) for chars in product("ab", repeat=length)]
TEXTS = [".".join(labels) for count in (1, 2, 3) for labels in product(LABELS, repeat=count)]
PARTS = st.one_of(st.just("**"), st.text("ab*?", min_size=1, max_size=3).filter(lambda part: "**" not in part))
PATTERNS = st.lists(PARTS, min_size=1, max_size=3).map(".".join)


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        ("db1.corp", "db1.corp", True),
        ("db1.corp", "db*.corp", True),
        ("db*.corp", "db1.corp", False),
        ("db?.corp", "db*.corp", True),
        ("db*.corp", "db?.corp", False),
        ("*.corp", "**.corp", True),
        ("**.corp", "*.corp", False),
        ("a.b.corp", "**.corp", True),
        ("a.b.corp", "*.corp", False),
        ("a.**.corp", "**.corp", True),
        ("corp", "**.corp", False),
        ("*", "**", True),
        ("a*", "a?*", False),
        ("?*", "*?", False),
        ("*a?b", "*?b", True),
        ("*a", "**", True),
        ("**", "**", True),
        ("a.*.b", "a.**", True),
    ],
)
def test_names(small: str, big: str, expected: bool) -> None:
    assert parts_within(parts_tokens(small, "."), parts_tokens(big, "."), ".") is expected


def compiled(pattern: str) -> PartsGlob:
    try:
        return parse_parts(pattern, ".")
    except PartsError:  # pragma: no cover
        raise AssertionError(pattern) from None


@given(PATTERNS, PATTERNS)
def test_a_yes_is_true(small: str, big: str) -> None:
    a, b = compiled(small), compiled(big)
    assert parts_within(parts_tokens(small, "."), parts_tokens(small, "."), ".")
    if parts_within(parts_tokens(small, "."), parts_tokens(big, "."), "."):
        assert all(b.matches(text) for text in TEXTS if a.matches(text))


def test_a_slot_is_some_text_inside_a_part() -> None:
    def tokens(text: str) -> list[Token]:
        head, _, tail = text.partition("@")
        return [*parts_tokens(head, "/"), *([Token("{user}", wild=True)] if "@" in text else []),
                *parts_tokens(tail, "/")]  # fmt: skip

    for small, big, expected in (
        ("/run/@/x", "/run/@/x", True),
        ("/run/@/x", "/run/*/x", True),
        ("/run/@/x", "/run/**", True),
        ("/run/@/x", "/run/?/x", False),
        ("/run/*/x", "/run/@/x", False),
        ("/run/@.s", "/run/*.s", True),
    ):
        assert parts_within(tokens(small), tokens(big), "/") is expected


def test_two_stars_may_take_nothing() -> None:
    for small, big, least, expected in (("/a", "/a**", 0, True), ("/a", "/a**", 1, False), ("/a*", "/a**", 0, True)):
        deep = [Token("/"), Token("a"), Token("**", wild=True)]
        found = parts_within(parts_tokens(small, "/"), deep if "**" in big else [], "/", least=least)
        assert found is expected
