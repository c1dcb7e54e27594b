"""The checks on a policy file's bytes before YAML sees them: what the eye and the parser could see differently."""

import re
from typing import Final

from pysshd.policy.problems import Mark
from pysshd.policy.report import Report, Source

MAX_BYTES: Final = 4 * 1024 * 1024
_SHOWN_PER_KIND: Final = 5

_BAD: dict[str, str] = {
    "\0": "a NUL",
    "\ufeff": "a byte order mark",
    "\u0085": "the next-line character U+0085",
    "\u2028": "the line separator U+2028",
    "\u2029": "the paragraph separator U+2029",
}
_BAD |= {chr(code): f"the control character 0x{code:02x}" for code in (*range(1, 32), *range(127, 160)) if code != 0x85}
_INVISIBLE = (0x00AD, 0x200B, 0x2060)
_ODD_BLANKS: Final = frozenset("\u00a0\u202f\u205f\u3000") | {chr(code) for code in range(0x2000, 0x200B)}
_AS_BLANK: Final = re.compile(f"(?:^ *|[^\"'#]*[:,\\[{{-] *)([{''.join(sorted(_ODD_BLANKS))}])")
"""Where YAML has a blank of its own and a typesetter's stands, outside of quotes and comments: a text begins there that
nobody meant.
"""

_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_BAD |= {chr(code): f"the invisible character U+{code:04X}" for code in (*_INVISIBLE, *_DIRECTIONS)}
_BAD |= {chr(c): f"the character U+{c:04X}, which is none" for c in (0xFFFE, 0xFFFF)}
_BAD["\t"] = "a tab"
del _BAD["\n"], _BAD["\r"]
_HINTS = (
    {
        "\t": "indent with spaces; in a text between double quotes write \\t",
        "\ufeff": "save the file as UTF-8 without a byte order mark",
        "\0": "save the file as UTF-8",
        "\u0085": "YAML takes it for the end of a line, and nobody sees it",
        "\u2028": "YAML takes it for the end of a line, and nobody sees it",
        "\u2029": "YAML takes it for the end of a line, and nobody sees it",
    }
    | dict.fromkeys(
        _ODD_BLANKS, "YAML takes it for a letter; write a blank of the keyboard, or put the text between quotes"
    )
    | {chr(code): "it changes the order in which a line is shown" for code in _DIRECTIONS}
)


def decode(data: bytes, file: str, report: Report) -> str | None:
    """The text of a file, or None where it is too long or not UTF-8, which is reported."""
    if len(data) > MAX_BYTES:
        report.error(Mark(file, 0, 0), f"the file has {len(data)} bytes, expected at most {MAX_BYTES}")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        report.error(Mark(file, line, column), f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None


def check_text(source: Source, report: Report) -> list[int] | None:
    """Report every character that may not be in a policy: the lines (from 0) that have one; None: it is too long."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        report.error(Mark(source.file, 0, 0), f"the text is longer than {MAX_BYTES} bytes")
        return None
    characters = set(source.text)
    odd = not _ODD_BLANKS.isdisjoint(characters)
    if not (odd or _BAD.keys() & characters or "\r" in source.text or _has_surrogate(source.text)):
        return []
    bad: dict[int, None] = {}
    shown: dict[str, int] = {}
    for number, line in enumerate(source.lines, 1):
        as_blank = _AS_BLANK.match(line) if odd else None
        for column, char in enumerate(line, 1):
            message = _complaint(char, column == len(line))
            if as_blank is not None and column == as_blank.end():
                message = f"the blank U+{ord(char):04X}"
            if message is None:
                continue
            bad[number - 1] = None
            shown[char] = shown.get(char, 0) + 1
            if shown[char] <= _SHOWN_PER_KIND:
                report.error(Mark(source.file, number, column), f"{message} is not allowed", _HINTS.get(char, ""))
    return list(bad)


def _complaint(char: str, last: bool) -> str | None:
    if char == "\r":
        return None if last else "a carriage return inside a line"
    if "\ud800" <= char <= "\udfff":
        return "a lone surrogate"
    return _BAD.get(char)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
