"""Commands as words: POSIX quoting, shell characters refused, patterns word by word."""

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.words import (
    SHELL_CHARACTERS,
    WordsError,
    common_command,
    parse_words,
    quote,
    split_words,
    to_bytes,
)

PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters=SHELL_CHARACTERS), max_size=12
)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (b"ls", ("ls",)),
        (b"  ls\t-l  x ", ("ls", "-l", "x")),
        (b"a 'b c' \"d e\"", ("a", "b c", "d e")),
        (b"a 'b'\"c\"d", ("a", "bcd")),
        (b"a ''", ("a", "")),
        (b"a b\\ c \\'", ("a", "b c", "'")),
        (b'a "\\" \\\\ \\n"', ("a", '" \\ \\n')),
        (b"a 'x\\'", ("a", "x\\")),
        (b"a --b=c d=e", ("a", "--b=c", "d=e")),
        ("é ü".encode(), ("é", "ü")),
    ],
)
def test_split(command: bytes, words: tuple[str, ...]) -> None:
    assert split_words(command) == words


@pytest.mark.parametrize(
    "command",
    [b"", b"  ", b"'' a", b"A=b c", b"'A=b' c", b"a\nb", b"a\rb", b"a\0b", b"a\x7fb", b"a\x1bb", b"'a", b'"a', b"a\\",
     b'"a\\',
     *(f"a {char}".encode() for char in SHELL_CHARACTERS), *(f"a '{char}'".encode() for char in SHELL_CHARACTERS),
     *(f"a \\{char}".encode() for char in SHELL_CHARACTERS)],
)  # fmt: skip
def test_not_words(command: bytes) -> None:
    with pytest.raises(WordsError):
        split_words(command)


@given(st.lists(PLAIN, min_size=1, max_size=5))
def test_what_is_quoted_comes_back(words: list[str]) -> None:
    if not words[0] or "=" in words[0]:
        words[0] = "x"
    command = " ".join(quote(word) for word in words)
    assert split_words(command.encode()) == tuple(words)
    assert shlex.split(command) == words


@given(st.binary(max_size=30))
def test_any_bytes_are_words_or_not(command: bytes) -> None:
    try:
        words = split_words(command)
    except WordsError as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    assert all(
        word in command
        for word in to_bytes(words)
        if b"\\" not in command and b"'" not in command and b'"' not in command
    )


@pytest.mark.parametrize("shell", [shell for shell in ("dash", "bash", "sh") if shutil.which(shell)])
@pytest.mark.parametrize("command", ['a \'b c\'"d" e\\ f "\\\\" \'\\\' "\\a" \\b', "x '' \"\" y''z -n", "a\tb  c"])
def test_a_shell_reads_the_same_words(shell: str, command: str) -> None:
    script = f"printf '%s\\0' {command}"
    found = subprocess.run([shell, "-c", script], capture_output=True, check=True).stdout
    assert tuple(found.decode().split("\0")[:-1]) == split_words(command.encode())


@pytest.mark.parametrize(
    ("pattern", "command", "matches"),
    [
        ("systemctl status *", b"systemctl status nginx", True),
        ("systemctl status *", b"systemctl status nginx x", False),
        ("systemctl status *", b"systemctl status", False),
        ("systemctl status *", b"systemctl status ''", False),
        ("systemctl status *", b"systemctl status -H x", False),
        ("systemctl status *", b"systemctl status -x", False),
        ("systemctl status *", b"systemctl status '-x'", False),
        ("systemctl status ?x", b"systemctl status -x", False),
        ("systemctl status -*", b"systemctl status -x", True),
        ("cat /srv/*", b"cat /srv/a/b", True),
        ("cat /srv/*", b"cat /srv/../etc/passwd", False),
        ("cat /srv/*", b"cat /srv/a/..", False),
        ("cat /srv/*", b"cat /srv/..a", True),
        ("cat *", b"cat ../x", True),
        ("cat /srv/..", b"cat /srv/..", True),
        ("echo 'a b' c\\ d", b"echo 'a b' 'c d'", True),
        ("echo 'a b'", b"echo a b", False),
        ("* x", b"anything x", True),
        ("a?c", b"abc", True),
        ("a?c", b"ac", False),
        ("ls", b"/bin/ls", False),
        ("LS", b"ls", False),
    ],
)
def test_patterns(pattern: str, command: bytes, matches: bool) -> None:
    assert parse_words(pattern).matches(split_words(command)) is matches


@pytest.mark.parametrize("pattern", ["", "a | b", "'*'", "\\?", "A=1 b", "'a", "a;b", "$(x)", "'' x", "a ~", "a\nb"])
def test_patterns_that_could_never_match(pattern: str) -> None:
    with pytest.raises(WordsError):
        parse_words(pattern)


@given(
    st.lists(st.text("a*?-", min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(st.text("a*?-", min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_a_common_command_is_one(left: list[str], right: list[str]) -> None:
    a, b = parse_words(" ".join(left)), parse_words(" ".join(right))
    found = common_command(a, b)
    if found is not None:
        words = split_words(found)
        assert a.matches(words)
        assert b.matches(words)


@given(
    st.lists(st.text("a*?-", min_size=1, max_size=3), min_size=1, max_size=2),
    st.lists(st.text("a*?-", min_size=1, max_size=3), min_size=1, max_size=2),
    st.lists(st.text("ab-", max_size=4), min_size=1, max_size=2),
)
def test_where_there_is_none_no_command_is_in_both(left: list[str], right: list[str], words: list[str]) -> None:
    a, b = parse_words(" ".join(left)), parse_words(" ".join(right))
    if common_command(a, b) is None:
        assert not (a.matches(tuple(words)) and b.matches(tuple(words)))


def test_a_common_command_is_quoted() -> None:
    assert common_command(parse_words("echo 'a b' ''"), parse_words("echo * ''")) == b"echo 'a b' ''"
    assert quote("it's") == "'it'\\''s'"


@given(st.text("ab-=/.\t %+@,:_09'\"\\", max_size=20))
def test_plain_commands_are_the_same_words_as_ever(text: str) -> None:
    try:
        expected = tuple(shlex.split(text))
    except ValueError:
        expected = ()
    if not expected or not expected[0] or "=" in expected[0]:
        with pytest.raises(WordsError):
            split_words(text.encode())
    else:
        assert split_words(text.encode()) == expected


def test_guards_of_a_wildcard_do_not_hold_in_a_deny() -> None:
    pattern = parse_words("cat /srv/secret/*")
    for words in (("cat", "/srv/secret/a"), ("cat", "/srv/secret/x/../a")):
        assert pattern.touches(words)
    assert not pattern.matches(("cat", "/srv/secret/x/../a"))
    assert not pattern.touches(("cat", "/srv/public/a"))
    assert not pattern.touches(("cat", "/srv/secret/a", "b"))
    assert parse_words("cat *").touches(("cat", "-n"))
