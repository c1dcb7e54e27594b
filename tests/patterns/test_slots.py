"""Slots of a command that is written as a list."""

import pytest

from pysshd.patterns.regex import parse_regex
from pysshd.patterns.slots import MAX_WORD, EnumSlot, PathSlot, RegexSlot, Slot, is_plain
from pysshd.patterns.words import WordsError, common_command, is_askable, parse_word, words_of

LOGS = PathSlot(("/var/log",))
OWN = PathSlot(("/srv/", "user", "/out"))
NUMBER = RegexSlot("[0-9-]+", parse_regex("[0-9-]+"))
ALICE = {"user": "alice"}


@pytest.mark.parametrize(
    ("slot", "takes", "touches", "neither"),
    [
        (EnumSlot(("a", "b")), ["a", "b"], [], ["", "ab", "-a"]),
        (NUMBER, ["1", "1-2"], ["-1", "x" * (MAX_WORD + 1)], ["", "x"]),
        (LOGS, ["/var/log/a", "/var/log/a/b/", "/var/log/..a"],
         ["/var/log", "/var/log/", "a", "", "-a", "/var/log/../../etc", "/etc/../var/log/a", "/var//log/a",
          "/./var/log/x"],
         ["/var/logs", "/etc", "/"]),
        (PathSlot(("",)), ["/a", "/etc/x"], ["/", "a", "/a/..", "//a"], []),
        (OWN, ["/srv/alice/out/x"], ["/srv/alice/out", "out"], ["/srv/bob/out/x", "/srv/{user}/out/x"]),
    ],
)  # fmt: skip
def test_what_a_slot_takes_and_what_a_deny_of_it_touches(
    slot: Slot, takes: list[str], touches: list[str], neither: list[str]
) -> None:
    for word in takes:
        assert slot.matches(word, ALICE)
        assert slot.touches(word, ALICE)
    for word in touches:
        assert not slot.matches(word, ALICE)
        assert slot.touches(word, ALICE), word
    for word in neither:
        assert not slot.matches(word, ALICE)
        assert not slot.touches(word, ALICE)


@pytest.mark.parametrize("values", [{}, {"user": ".."}, {"user": "a/b"}, {"user": ""}])
def test_a_folder_whose_slot_has_no_value_permits_nothing(values: dict[str, str]) -> None:
    assert not OWN.matches("/srv/alice/out/x", values)
    assert not OWN.matches("/srv//out/x", values)
    assert OWN.touches("/etc/passwd", values)


def test_a_longer_word_is_not_asked_about() -> None:
    assert NUMBER.matches("1" * MAX_WORD, {})
    assert not NUMBER.matches("1" * (MAX_WORD + 1), {})


def test_plain_paths() -> None:
    assert [path for path in ("/", "/a", "/a/", "/a/b") if not is_plain(path)] == []
    assert [path for path in ("", "a", "a/", "//", "/a//", "/a/./b", "/..", "/a/..") if is_plain(path)] == []


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        ([LOGS], [PathSlot(("/var",))], "/var/log/x"),
        ([LOGS], [PathSlot(("/srv",))], None),
        ([OWN], [PathSlot(("/srv/bob",))], "/srv/bob/out/x"),
        ([EnumSlot(("start", "stop"))], [parse_word("st?p")], "stop"),
        ([EnumSlot(("start",))], [EnumSlot(("stop",))], None),
        ([NUMBER], [parse_word("*")], "0"),
        ([NUMBER], [parse_word("-1")], None),
        ([NUMBER], [RegexSlot(".[a-z]", parse_regex(".[a-z]"))], None),
        ([parse_word("*x*")], [parse_word("y*")], "yx"),
        ([NUMBER], [NUMBER, NUMBER], None),
    ],
)
def test_common_commands(left: list[Slot], right: list[Slot], common: str | None) -> None:
    first, second = (words_of((parse_word("x"), *some), "") for some in (left, right))
    assert common_command(first, second) == (f"x {common}".encode() if common is not None else None)


def test_what_cannot_be_excluded_is_a_common_command() -> None:
    left, right = (RegexSlot(text, parse_regex(text)) for text in (".{0,255}a", "(.?){0,255}[^a]"))
    assert common_command(words_of((parse_word("x"), left), ""), words_of((parse_word("x"), right), "")) is not None


@pytest.mark.parametrize("form", ["$x", "-", ";", "()"])
def test_words_that_no_request_has(form: str) -> None:
    assert not is_askable(RegexSlot(form, parse_regex("[-$;]+" if form != "()" else form)))
    assert is_askable(EnumSlot(("a b",)))


@pytest.mark.parametrize("word", ["$x", "a;b", "a\nb", "[x]", "{usr}", "{user", "user}", "a{home}", "{home}x"])
def test_words_that_are_refused(word: str) -> None:
    with pytest.raises(WordsError):
        parse_word(word)


@pytest.mark.parametrize("first", [NUMBER, parse_word("-x"), parse_word("A=1"), parse_word("{user}")])
def test_the_first_word_is_a_program(first: Slot) -> None:
    with pytest.raises(WordsError):
        words_of((first,), "")
