"""The bytes of a policy before YAML sees them: every place is told, and no kind of mistake hides another."""

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.report import Report
from pysshd.policy.text import MAX_BYTES, decode


def told(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_text(text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_lines_may_end_as_on_windows() -> None:
    assert load_text("version: 1\r\nserver: {banner: hi}\r\n").ruleset.settings.server.banner == "hi"


def test_a_carriage_return_inside_a_line_is_told_with_its_place() -> None:
    assert told("version: 1\r\n# a\rb\r\n") == ["p.yaml:2:4: a carriage return inside a line is not allowed"]


def test_a_lone_surrogate_is_told_with_its_place() -> None:
    assert told("version: 1\n# \ud800\n") == ["p.yaml:2:3: a lone surrogate is not allowed"]
    assert told("version: 1\n# \udfff\n") == ["p.yaml:2:3: a lone surrogate is not allowed"]


def test_of_each_kind_the_first_five_are_told() -> None:
    found = told("version: 1\n" + "#\t\n" * 9 + "# \x07\n")
    tab = "a tab is not allowed (indent with spaces; in a text between double quotes write \\t)"
    assert found == [
        *(f"p.yaml:{line}:2: {tab}" for line in range(2, 7)),
        "p.yaml:11:3: the control character 0x07 is not allowed",
    ]


ORDER = " (it changes the order in which a line is shown)"
LINE = " (YAML takes it for the end of a line, and nobody sees it)"


@pytest.mark.parametrize(
    ("char", "words"),
    [
        ("\0", "a NUL is not allowed (save the file as UTF-8)"),
        ("\x01", "the control character 0x01 is not allowed"),
        ("\x08", "the control character 0x08 is not allowed"),
        ("\x1f", "the control character 0x1f is not allowed"),
        ("\x7f", "the control character 0x7f is not allowed"),
        ("\x80", "the control character 0x80 is not allowed"),
        ("\x84", "the control character 0x84 is not allowed"),
        ("\x86", "the control character 0x86 is not allowed"),
        ("\x9f", "the control character 0x9f is not allowed"),
        ("\x85", f"the next-line character U+0085 is not allowed{LINE}"),
        ("\u2028", f"the line separator U+2028 is not allowed{LINE}"),
        ("\u2029", f"the paragraph separator U+2029 is not allowed{LINE}"),
        ("\ufeff", "a byte order mark is not allowed (save the file as UTF-8 without a byte order mark)"),
        ("\u061c", f"the invisible character U+061C is not allowed{ORDER}"),
        ("\u200e", f"the invisible character U+200E is not allowed{ORDER}"),
        ("\u200f", f"the invisible character U+200F is not allowed{ORDER}"),
        ("\u202a", f"the invisible character U+202A is not allowed{ORDER}"),
        ("\u202e", f"the invisible character U+202E is not allowed{ORDER}"),
        ("\u2066", f"the invisible character U+2066 is not allowed{ORDER}"),
        ("\u2069", f"the invisible character U+2069 is not allowed{ORDER}"),
        ("\ufffe", "the character U+FFFE, which is none is not allowed"),
        ("\uffff", "the character U+FFFF, which is none is not allowed"),
    ],
)
def test_what_the_eye_and_a_parser_could_see_differently(char: str, words: str) -> None:
    assert told(f"version: 1\n# é{char}x\n") == [f"p.yaml:2:4: {words}"]


@pytest.mark.parametrize("char", "\x20\x7e\xa0\u061b\u061d\u200d\u2010\u2027\u202f\u2065\u206a\ufffd\U0001f600")
def test_their_neighbours_are_allowed(char: str) -> None:
    load_text(f"version: 1\n# é{char}x\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff", "p.yaml:1:1: byte 0xff is not UTF-8"),
        (b"version: 1\n# \xc3\xa9\xe9\n", "p.yaml:2:4: byte 0xe9 is not UTF-8"),
        (b"\n\n\x0a#\xc3", "p.yaml:4:2: byte 0xc3 is not UTF-8"),
    ],
)
def test_bytes_that_are_no_utf8_are_told_with_their_place(data: bytes, words: str) -> None:
    report = Report()
    assert decode(data, "p.yaml", report) is None
    assert [str(problem) for problem in report.problems] == [f"{words} (save the file as UTF-8)"]


def test_the_longest_file() -> None:
    report = Report()
    assert decode(b"#" * MAX_BYTES, "p.yaml", report) == "#" * MAX_BYTES
    assert decode(b"#" * (MAX_BYTES + 1), "p.yaml", report) is None
    assert [str(problem) for problem in report.problems] == [
        f"p.yaml: the file has {MAX_BYTES + 1} bytes, expected at most {MAX_BYTES}"
    ]
    assert told("version: 1 #" + "é" * (MAX_BYTES // 2 - 5)) == [f"p.yaml: the text is longer than {MAX_BYTES} bytes"]
    load_text("version: 1 #" + "é" * (MAX_BYTES // 2 - 6))
