"""Patterns in parts: equal to a plain definition, and one step for each character whatever the pattern."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.globs import Token
from pysshd.patterns.parts import PartsError, PartsGlob, parse_parts, parts_glob

PART = st.text("ab*?", min_size=1, max_size=4).map(lambda part: part.replace("**", "*"))
PATTERNS = st.lists(st.one_of(PART, st.just("**")), min_size=1, max_size=5).map(".".join)
TEXTS = st.lists(st.text("abx", min_size=1, max_size=3), min_size=1, max_size=6).map(".".join)


def as_regex(pattern: str) -> re.Pattern[str]:
    wild = {"*": r"[^.]*", "?": r"[^.]"}
    parts = [
        r"[^.]+(?:\.[^.]+)*" if part == "**" else "".join(wild.get(char, char) for char in part)
        for part in pattern.replace("***", "**").split(".")
    ]
    return re.compile(r"\.".join(parts))


@given(PATTERNS, TEXTS)
def test_matches_what_the_definition_says(pattern: str, text: str) -> None:
    if any("**" in part and part != "**" for part in pattern.split(".")):
        return
    assert parse_parts(pattern, ".").matches(text) is (as_regex(pattern).fullmatch(text) is not None)


@pytest.mark.parametrize(
    ("pattern", "separator", "matched", "others"),
    [
        ("db*.corp", ".", "db.corp db1.corp dbx-y.corp", "db.x.corp corp xdb.corp db1.corp.x db1corp"),
        ("**.corp", ".", "a.corp a.b.c.corp", "corp .corp acorp a.corp.x"),
        ("a.**.b", ".", "a.x.b a.x.y.b a.b.b", "a.b a.xb ax.b"),
        ("**", ".", "a a.b", ""),
        ("*", ".", "a", "a.b"),
        ("?.a", ".", "b.a", "a bb.a ..a"),
        ("/run/*/x", "/", "/run/a/x /run/.a/x", "/run/a/b/x /run/x /run//a/x"),
        ("/in/**", "/", "/in/a /in/a/b", "/in /ina"),
        ("/a*b/?", "/", "/ab/c /axxb/c", "/a/b/c /ab/ /ab/cc"),
        ("/plain", "/", "/plain", "/plain/ /plai /plainx"),
    ],
)
def test_cases(pattern: str, separator: str, matched: str, others: str) -> None:
    glob = parse_parts(pattern, separator)
    assert [text for text in matched.split() if not glob.matches(text)] == []
    assert [text for text in others.split() if glob.matches(text)] == []


@pytest.mark.parametrize("text", ["a**", "**b", "***", "x.a**b", "**.**c"])
def test_two_stars_stand_alone(text: str) -> None:
    with pytest.raises(PartsError, match="expected it as a whole part between"):
        parse_parts(text, ".")


def test_literal() -> None:
    assert parse_parts("a.b", ".").literal == "a.b"
    assert parse_parts("a.*", ".").literal is None
    assert parts_glob([Token("*"), Token("?")], "x", "/").literal == "*?"


def test_equal_where_equally_written() -> None:
    assert parse_parts("a.*", ".") == parse_parts("a.*", ".")
    assert len({parse_parts("a.*", "."), parse_parts("a.*", "."), parse_parts("a.?", ".")}) == 2


class _Counting(dict[str, int]):
    looked_up = 0

    def get(self, key: str, default: int = 0) -> int:  # type: ignore[override]
        self.looked_up += 1
        return super().get(key, default)


def _counted(glob: PartsGlob) -> tuple[PartsGlob, _Counting]:
    table = _Counting(glob._enter)
    return replace(glob, _enter=table), table


@pytest.mark.security("S124")
@pytest.mark.parametrize(
    "pattern",
    ["/" + "*a" * 300 + "*b", "/**" * 200 + "/b", "/" + "?*" * 300 + "b", "/" + "/**/a*".join(["a"] * 100),
     "/" + "*a/" * 200 + "b"],
)  # fmt: skip
@pytest.mark.parametrize("text", ["/" + "a" * 1000, "/a" * 500])
def test_no_pattern_takes_more_than_a_step_for_each_character(pattern: str, text: str) -> None:
    glob, table = _counted(parse_parts(pattern, "/"))
    assert not glob.matches(text)
    assert table.looked_up <= len(text)
    # Every state is a bit of one number: no more of them than the pattern has characters.
    assert max(glob._final, *table.values()).bit_length() <= len(pattern) + 1
