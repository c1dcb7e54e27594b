"""The forms of names."""

import pytest

from pysshd.patterns import names


@pytest.mark.security("S67")
@pytest.mark.parametrize("text", ["alice", "_a", "0", "a.b@c-d", "a" * 64])
def test_names(text: str) -> None:
    assert names.is_name(text)


@pytest.mark.security("S67")
@pytest.mark.parametrize(
    "text", ["", "-l", ".", "..", "../x", "a/b", "a b", "é", "a" * 65, "a\0", "a\n", "@a", "аlice", "{user}"]
)
def test_no_names(text: str) -> None:
    assert not names.is_name(text)


def test_terms() -> None:
    assert all(names.is_term(text) for text in ("xterm", "xterm-256color", "screen.xterm+x", "a" * 64, ""))
    assert not any(names.is_term(text) for text in ("x\x1b", "../x", "a/b", "a" * 65, "é", "x\n"))


def test_subsystems() -> None:
    assert all(names.is_subsystem(text) for text in ("sftp", "a@b.c"))
    assert not any(names.is_subsystem(text) for text in ("", "sftp ", "../x", "-x", "a" * 65))


def test_variables() -> None:
    assert all(names.is_variable(text) for text in ("LANG", "_", "a1"))
    assert not any(names.is_variable(text) for text in ("", "1A", "A=B", "A-B", "A\0", "é", "A" * 256))
    assert names.is_variable_pattern("LC_*")
    assert not any(names.is_variable_pattern(text) for text in ("", "1*", "A B", "{a}"))
    assert not names.is_variable_pattern("-")


@pytest.mark.security("S85")
def test_variables_that_are_never_accepted() -> None:
    for name in ("LD_PRELOAD", "BASH_ENV", "ENV", "IFS", "PATH", "PYTHONPATH", "SSH_CLIENT", "BASH_FUNC_x", "HOME",
                 "TERM", "SUDO_ASKPASS", "PHPRC", "LUA_PATH", "OPENSSL_CONF", "GIT_TRACE", "GIT_PAGER", "GIT_SSH",
                 "GIT_AUTHOR", "ld_preload", "__X"):  # fmt: skip
        assert names.is_never_accepted(name)
    assert not any(
        names.is_never_accepted(name)
        for name in ("LANG", "LC_ALL", "TZ", "EDITOR", "GIT_PROTOCOL", "GIT_AUTHOR_NAME", "GIT_COMMITTER_DATE",
                     "ENVIRON", "COLORTERM", "X__")
    )  # fmt: skip


def test_a_pattern_is_never_accepted_where_nothing_of_it_is() -> None:
    assert all(map(names.is_never_accepted, ("LD_*", "GIT_S*", "GIT_CONFIG*", "SSH_?")))
    assert not any(map(names.is_never_accepted, ("*", "L*", "GIT_*", "GIT_AUTHOR_*", "TERM*")))


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LANG", b"C.UTF-8", ""),
        ("X", b"x" * names.MAX_VARIABLE_VALUE, ""),
        ("X", b"x" * (names.MAX_VARIABLE_VALUE + 1), "has 4097 bytes, expected 4096 at most"),
        ("X", b"\0", "has a NUL, or looks like a shell function"),
        ("X", b" ()\t{ :;}", "has a NUL, or looks like a shell function"),
        ("LC_ALL", b"../x", "is a locale that names a file"),
        ("LANG", b"%n", "is a locale that names a file"),
        ("TZ", b"Europe/Paris", ""),
        ("A B", b"", "has no acceptable name"),
        ("A" * (names.MAX_VARIABLE + 1), b"", "has no acceptable name"),
        ("TERM", b"xterm", "is never accepted from a client"),
    ],
)
def test_what_a_client_may_not_send(name: str, value: bytes, fault: str) -> None:
    assert names.variable_fault(name, value) == fault
