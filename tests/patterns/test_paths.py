"""Paths of SFTP and patterns of them, beside a slow model that is obviously right."""

from functools import cache
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pysshd.patterns.paths import PATH_MAX, PathError, check_path, is_below, parse_path, virtual_path


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (b"/", "/"),
        (b"//", "/"),
        (b"/.", "/"),
        (b"/in", "/in"),
        (b"/in/", "/in"),
        (b"//in///a//", "/in/a"),
        (b"/./in/./a/.", "/in/a"),
        (b"/in/...", "/in/..."),
        (b"/in/..a", "/in/..a"),
        (b"/in/a b\n*", "/in/a b\n*"),
        ("/é".encode(), "/é"),
        (b"/\xff", "/\udcff"),
        (b"/" + b"a" * (PATH_MAX - 1), "/" + "a" * (PATH_MAX - 1)),
    ],
)
def test_a_path_has_one_way_to_be_written(path: bytes, written: str) -> None:
    assert virtual_path(path) == written


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (b"", "does not begin"),
        (b"in", "does not begin"),
        (b"./in", "does not begin"),
        (b"~/in", "does not begin"),
        (b"\\in", "does not begin"),
        (b"/..", r"'\.\.'"),
        (b"/in/../out", r"'\.\.'"),
        (b"/in/..", r"'\.\.'"),
        (b"/in/.//../", r"'\.\.'"),
        (b"/in\0", "NUL"),
        (b"/" + b"a" * PATH_MAX, "4096"),
    ],
)
def test_what_is_no_path_is_refused(path: bytes, why: str) -> None:
    with pytest.raises(PathError, match=why):
        virtual_path(path)


@given(st.binary(max_size=20).map(lambda path: b"/" + path))
def test_what_is_written_is_written_so_again(path: bytes) -> None:
    try:
        written = virtual_path(path)
    except PathError:
        return
    assert virtual_path(written.encode("utf-8", "surrogateescape")) == written
    assert written == "/" or not {"", ".", ".."} & set(written.split("/")[1:])


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/", "/", True),
        ("/", "/in", False),
        ("/in", "/in", True),
        ("/in", "/in/a", False),
        ("/in", "/inn", False),
        ("/in", "/", False),
        # what is under a folder is not the folder
        ("/in/**", "/in", False),
        ("/in/**", "/in/a", True),
        ("/in/**", "/in/a/b/c", True),
        ("/in/**", "/inn/a", False),
        ("/**", "/", False),
        ("/**", "/in", True),
        ("/*", "/", False),
        ("/*", "/in", True),
        ("/*", "/in/a", False),
        ("/in/*", "/in/.hidden", True),
        ("/in/*", "/in/a/b", False),
        ("/in/*.csv", "/in/a.csv", True),
        ("/in/*.csv", "/in/.csv", True),
        ("/in/*.csv", "/in/a/b.csv", False),
        ("/in/**.csv", "/in/a/b.csv", True),
        ("/in/?", "/in/a", True),
        ("/in/?", "/in/é", True),
        ("/in/?", "/in/ab", False),
        ("/in?a", "/in/a", False),
        ("/a/**/b", "/a/b", False),
        ("/a/**/b", "/a/x/b", True),
        ("/a/**/b", "/a/x/y/b", True),
        ("/a/**/b", "/a/x/bb", False),
        ("/a/*/b", "/a/x/y/b", False),
        ("/a**", "/a", True),
        ("/a**", "/ab/c", True),
        ("/*a*b", "/xaxxb", True),
        ("/*a*b", "/xbxa", False),
        ("/IN", "/in", False),
        ("/in/[a]", "/in/a", False),
        ("/in/[a]", "/in/[a]", True),
        ("/in/a", "/in/\udcff", False),
        ("/in/?", "/in/\udcff", True),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert parse_path(pattern).matches(path) is expected


@pytest.mark.parametrize(
    "text",
    ["", "in", "*", "**", "../in", "/in/", "//", "/in//a", "/./in", "/in/.", "/in/../a", "/..", "/in/***", "/in\0",
     "/in\n", "/in\u202e", "/" + "a" * PATH_MAX],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        parse_path(text)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [("/", ""), ("/in", "/in"), ("/in/**", "/in/"), ("/in*", "/in"), ("/in/?a", "/in/"), ("/**", "/"), ("/a?*", "/a")],
)
def test_the_literal_start(pattern: str, literal: str) -> None:
    assert parse_path(pattern).literal == literal


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/", "/", True),
        ("/in", "/", True),
        ("/in", "/in", True),
        ("/in/a", "/in", True),
        ("/inn", "/in", False),
        ("/", "/in", False),
    ],
)
def test_below(path: str, folder: str, expected: bool) -> None:
    assert is_below(path, folder) is expected


def slow(pattern: str, path: str) -> bool:
    """What the page says, in so many words: a path is its parts, each with a slash before it, and the root has none."""
    pattern, path = ("" if text == "/" else text for text in (pattern, path))

    @cache
    def rest(i: int, j: int) -> bool:
        if i == len(pattern):
            return j == len(path)
        if pattern[i : i + 2] == "**":
            return any(rest(i + 2, k) for k in range(j, len(path) + 1))
        if pattern[i] == "*":
            end = path.find("/", j)
            return any(rest(i + 1, k) for k in range(j, (len(path) if end < 0 else end) + 1))
        if j == len(path) or (pattern[i] == "?" and path[j] == "/"):
            return False
        return pattern[i] in ("?", path[j]) and rest(i + 1, j + 1)

    return rest(0, 0)


PATTERNS = st.text("ab/*?", max_size=9).map(lambda text: "/" + text)
PATHS = st.lists(st.text("ab", min_size=1, max_size=3), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(PATTERNS, PATHS)
@example("/**", "/")
@example("/*a**b?", "/aa/abb")
def test_patterns_are_what_the_slow_model_says(pattern: str, path: str) -> None:
    try:
        check_path(pattern)
        found = parse_path(pattern)
    except PathError:
        return
    assert found.matches(path) is slow(pattern, path)


@pytest.mark.parametrize("piece", ["*a", "**a", "?*a", "*a**b", "**a/*b"])
def test_no_pattern_is_slow(piece: str) -> None:
    pattern = parse_path("/" + piece * (1000 // len(piece)))
    path = "/" + "a" * 999 + "b"

    def match() -> float:
        start = perf_counter()
        pattern.matches(path)
        return perf_counter() - start

    assert min(match() for _ in range(20)) < 0.001
