"""Permissions of SFTP under two policies: which paths, and which rights there."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.paths import parse_path
from pysshd.policy.diff_sftp import operations, path_within, sftp_within
from pysshd.policy.rights_sftp import SftpRight, by_literal_start
from tests.policy.test_diff import SFTP, compared

PATHS = ["/", *("/" + "/".join(parts) for count in (1, 2, 3) for parts in product(["a", "b", "ab"], repeat=count))]
PATTERNS = st.sampled_from(
    ["/", "/*", "/**", "/a", "/a/*", "/a/**", "/?/b", "/a*", "/a**", "/*/b", "/**/b", "/a/b", "/a?", "/b/**", "/a/*/b"]
)
RIGHTS = st.frozensets(st.sampled_from(["list", "upload", "delete"]), min_size=1)


@st.composite
def permissions(draw: st.DrawFn) -> SftpRight:
    paths = draw(st.dictionaries(PATTERNS, RIGHTS, min_size=1, max_size=4))
    return SftpRight((), by_literal_start((parse_path(path), rights) for path, rights in paths.items()), None, "")


@given(PATTERNS, PATTERNS)
def test_a_pattern_inside_another_one(small: str, big: str) -> None:
    a, b = parse_path(small), parse_path(big)
    assert path_within(a, a)
    if path_within(a, b):
        assert all(b.matches(path) for path in PATHS if a.matches(path))


@given(permissions(), permissions())
def test_a_permission_inside_another_one(small: SftpRight, big: SftpRight) -> None:
    assert sftp_within(small, small)
    if sftp_within(small, big):
        for right, path in product(["list", "upload", "delete"], PATHS):
            assert not small.permits(right, path) or big.permits(right, path)


TREE = "mounts: {/: /srv}, paths: {%s}"


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("'/**': all", "'/in/**': [list]", False),
        ("'/in/**': [list]", "'/**': [list]", True),
        ("'/**': all, '/in/**': [list]", "'/**': all", True),
        ("'/**': all", "'/**': all, '/in/**': [list]", False),
        ("'/in/**': [list, upload]", "'/in/*': [upload]", False),
        ("'/in/*': [upload]", "'/in/**': [upload]", True),
        ("'/in/*': [upload]", "/in/x: [upload]", False),
        ("'/in/*': [upload], '/in/x*': [list]", "/in/xy: [upload]", True),
        ("'/in/*': [upload], '/out/x': [list]", "/in/xy: [upload]", False),
        ("'/**': all", "/: [list]", True),
        ("'/**': all, /: all", "/: [list]", False),
        ("'/in/?*': [upload]", "'/in/a*': [upload]", False),
    ],
)
def test_paths(old: str, new: str, more: bool) -> None:
    assert bool(compared(SFTP % (TREE % old), SFTP % (TREE % new)).gained) is more


def test_a_deny_of_more_paths() -> None:
    allow = SFTP % (TREE % "'/**': all")
    narrow, wide = (
        allow.replace("}}}]", "}}}, {name: d, who: '*', deny: {sftp: {paths: {'" + path + "': [upload]}}}}]")
        for path in ("/in/**", "/**")
    )
    assert compared(narrow, wide).gained == ()
    assert compared(wide, narrow).gained


def test_an_example_is_an_operation_that_is_permitted() -> None:
    right = SftpRight((), by_literal_start([(parse_path("/in/**"), frozenset(["upload"]))]), None, "")
    assert [one.path for one in operations(right)] == [b"/in/x", b"/in/x/x"]
