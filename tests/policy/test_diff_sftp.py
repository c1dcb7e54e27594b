"""Permissions of SFTP under two policies: which paths, and which rights there."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.paths import parse_path
from pysshd.policy.diff_sftp import operations, path_within, sftp_title, sftp_within
from pysshd.policy.query import Sftp
from pysshd.policy.rights_sftp import SftpRight, by_literal_start
from tests.policy.sftp import grants, load
from tests.policy.test_diff import SFTP, compared

PATHS = ["/", *("/" + "/".join(parts) for count in (1, 2, 3) for parts in product(["a", "b", "ab"], repeat=count))]
SOURCES = [
    "/",
    "/*",
    "/**",
    "/a",
    "/a/*",
    "/a/**",
    "/?/b",
    "/a*",
    "/a**",
    "/*/b",
    "/**/b",
    "/a/b",
    "/a?",
    "/b/**",
    "/a/*/b",
]
PATTERNS = st.sampled_from(SOURCES)
RIGHTS = st.frozensets(st.sampled_from(["list", "upload", "delete"]), min_size=1)


@st.composite
def permissions(draw: st.DrawFn) -> SftpRight:
    paths = draw(st.dictionaries(PATTERNS, RIGHTS, min_size=1, max_size=4))
    return SftpRight((), by_literal_start((parse_path(path), rights) for path, rights in paths.items()), None, "")


def test_a_pattern_inside_another_one() -> None:
    for small, big in product(SOURCES, SOURCES):
        a, b = parse_path(small), parse_path(big)
        assert path_within(a, b) is all(b.matches(path) for path in PATHS if a.matches(path)), (small, big)


@given(permissions(), permissions())
def test_a_permission_inside_another_one(small: SftpRight, big: SftpRight) -> None:
    assert sftp_within(small, small)
    if sftp_within(small, big):
        for right, path in product(["list", "upload", "delete"], PATHS):
            assert not small.permits(right, path) or big.permits(right, path)


BOTH, LIST, UPLOAD = frozenset(["list", "upload"]), frozenset(["list"]), frozenset(["upload"])
PERMISSIONS: dict[str, dict[str, frozenset[str]]] = {
    "all": {"/**": BOTH},
    "root": {"/": LIST},
    "list all": {"/**": LIST},
    "all and root": {"/**": BOTH, "/": BOTH},
    "a": {"/a/**": BOTH},
    "list a": {"/a/**": LIST},
    "upload in a": {"/**": LIST, "/a/**": UPLOAD},
    "not in a": {"/**": BOTH, "/a/**": LIST},
    "one a": {"/a/*": BOTH},
    "a/b": {"/a/b": BOTH},
    "a but b": {"/a/*": BOTH, "/a/b": LIST},
    "a?": {"/a?": UPLOAD},
    "a*": {"/a*": UPLOAD},
    "ab": {"/ab": UPLOAD},
    "any b": {"/*/b": BOTH},
    "a, b": {"/a/**": BOTH, "/b/**": LIST},
    "two stars": {"/a/*": LIST, "/*/b": UPLOAD},
    "one length": {"/a/*": BOTH, "/a/**": LIST},
    "but a": {"/**": BOTH, "/a/**": frozenset()},
    "nothing": {"/a/b": frozenset()},
}
NOT_SHOWN = [("a?", "not in a"), ("a?", "ab"), ("a?", "but a"), ("a*", "not in a"), ("a*", "but a"),
             ("two stars", "not in a"), ("one length", "list all")]  # fmt: skip
"""What is within and can not be shown to be, or only is so where no other letters are."""


def test_each_permission_beside_each() -> None:
    made = {
        name: SftpRight((), by_literal_start((parse_path(path), rights) for path, rights in paths.items()), None, "")
        for name, paths in PERMISSIONS.items()
    }
    for small, big in product(made, made):
        asked = (one for one in product(BOTH, PATHS) if made[small].permits(*one))
        expected = all(made[big].permits(*one) for one in asked) and (small, big) not in NOT_SHOWN
        assert sftp_within(made[small], made[big]) is expected, (small, big)


def test_a_permission_in_short() -> None:
    for text, said in (
        ("mounts: {/: /srv, /a: '{home}'}, paths: {/: [list]}",
         "sftp: {mounts: {/: /srv, /a: {home}}, paths: {/: [list, stat]}}"),
        ("mounts: {/: /srv}", "sftp: {mounts: {/: /srv}}"),
        ("paths: {'/x/**': [upload], /: [stat]}", "sftp: {paths: {/x/**: [upload], /: [stat]}}"),
    ):  # fmt: skip
        (grant,) = load(grants(f"who: alice, allow: {{sftp: {{{text}}}}}")).grants
        assert sftp_title(grant.rights.sftp[0]) == said


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
    assert list(operations(right)) == [Sftp("upload", b"/in/x"), Sftp("upload", b"/in/x/x")]
    right = SftpRight((), by_literal_start([(parse_path("/?/*.y/**"), BOTH)]), None, "")
    assert list(operations(right)) == [
        Sftp(one, path) for path in (b"/x/x.y/x", b"/x/x.y/x/x") for one in ("list", "upload")
    ]
