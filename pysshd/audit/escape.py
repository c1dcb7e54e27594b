"""Text that a peer chose, made harmless for a log and for the terminal that shows it.

No control byte, line end, bidirectional override or broken UTF-8 of a peer may reach a line.
"""

import unicodedata

MAX_TEXT = 512
"""Characters of one value that a log line keeps; what is longer ends in an ellipsis and its length."""

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(value: str | bytes, most: int = MAX_TEXT) -> str:
    """Return `value` with everything that a terminal might obey written as an escape; broken UTF-8 as `\\xNN`.

    `most`: characters that are kept.
    """
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    length = len(text)
    shown = text[:most]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(_escape(character) for character in shown)
    return shown if length <= most else f"{shown}… ({length} characters)"


def masked(name: str | bytes) -> str:
    """Stand in for a name that nobody has: people type passwords where a name is asked for (row S120)."""
    return f"<unknown name of {len(name)} characters>"


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
