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
    for name in ("LD_PRELOAD", "BASH_ENV", "ENV", "IFS", "PATH", "PYTHONPATH", "SSH_CLIENT", "BASH_FUNC_x", "HOME"):
        assert names.is_never_accepted(name)
    assert not any(
        names.is_never_accepted(name) for name in ("LANG", "LC_ALL", "TZ", "EDITOR", "GIT_PROTOCOL", "ENVIRON")
    )


def test_values() -> None:
    assert names.is_safe_value(b"C.UTF-8")
    assert names.is_safe_value(b"x" * names.MAX_VARIABLE_VALUE)
    assert not any(names.is_safe_value(value) for value in (b"\0", b"() { :;}", b"x" * (names.MAX_VARIABLE_VALUE + 1)))
