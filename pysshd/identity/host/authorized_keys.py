"""A file of authorized keys as its owner wrote it: hostile, so each line counts for itself or not at all."""

from datetime import UTC
from typing import Final

from pysshd.errors import InvalidKeyError
from pysshd.patterns.key_options import KeyOptionsError, parse_options, split_key_line
from pysshd.records import dataclass
from pysshd.ssh.crypto.keys import KEY_TYPES, LINE_SIZE_MAX, PublicKey, parse_public_key_line

FILE_SIZE_MAX: Final = 1024 * 1024
"""Bytes of one file."""

LINES_MAX: Final = 4096
"""Lines that are looked at, comments among them."""

NOTES_MAX: Final = 8
"""Lines that are complained of one by one."""

OPTIONS_SIZE_MAX: Final = 2048
"""Bytes of the options in front of one key: whoever holds up logins by reading them reads no more at a time."""

_OTHER_TYPES = ("ssh-", "ecdsa-", "sk-", "webauthn-")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with a key: its number, and the options in front of it, which can all be kept."""

    key: PublicKey
    number: int
    options: str = ""


@dataclass(frozen=True, slots=True)
class AuthorizedKeys:
    """What a file holds: lines with keys, and what is to be said of those that are passed over.

    What is said tells the options of a line that can not be kept, and nothing else of its text.
    """

    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    refused: frozenset[bytes] = frozenset()
    """Keys (their blobs) of lines whose options can not be kept: no later line, here or in another file, gives them."""

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys, in their order."""
        return tuple(line.key for line in self.lines)


def parse_authorized_keys(content: bytes, refused: frozenset[bytes] = frozenset()) -> AuthorizedKeys:
    """Read a file. A line that is not `[options] type base64 [comment]` lets nobody in, and so does one with an option
    that is not known or can not be kept; the others do. Of a key that stands twice the first line counts.

    refused: keys of lines in earlier files.
    """
    keys: dict[bytes, Line] = {}
    never = set(refused)
    notes: list[str] = []
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:LINES_MAX], 1):
        found = _line(line, number, never)
        if isinstance(found, str):
            notes.append(f"line {number} is passed over: {found}")
        elif found is not None:
            first = keys.setdefault(found.key.blob, found)
            if first.options != found.options:
                notes.append(f"line {number} is passed over: its key is that of line {first.number}, which counts")
    if len(lines) > LINES_MAX + 1:
        notes.append(f"it has {len(lines)} lines, of which {LINES_MAX} were looked at")
    if (more := len(notes) - NOTES_MAX) > 0:
        notes = [*notes[:NOTES_MAX], f"{more} more lines are passed over"]
    return AuthorizedKeys(tuple(keys.values()), tuple(notes), frozenset(never))


def _line(line: bytes, number: int, never: set[bytes]) -> Line | str | None:
    """The key of a line, why it has none, or None for a line that says nothing."""
    stripped = line.strip(b" \t\r")
    if not stripped or stripped.startswith(b"#"):
        return None
    if len(line) > LINE_SIZE_MAX:
        return f"it is longer than {LINE_SIZE_MAX} bytes"
    # A comment may be in any encoding; keys and their types are ASCII.
    text = line.removesuffix(b"\r").strip(b" \t").decode("utf-8", "surrogateescape")
    try:
        options, rest = split_key_line(text, KEY_TYPES)
    except KeyOptionsError as error:
        return str(error)
    try:
        key = parse_public_key_line(rest)
    except InvalidKeyError:
        return _why(rest)
    if key.blob in never:
        return "an earlier line of its key can not be kept"
    try:
        _check(options)
    except KeyOptionsError as error:
        never.add(key.blob)
        return str(error)
    return Line(key, number, options)


def _check(options: str) -> None:
    """Raise KeyOptionsError for options that can not be kept."""
    size = len(options.encode("utf-8", "surrogateescape"))
    if size > OPTIONS_SIZE_MAX:
        raise KeyOptionsError(f"its options have {size} bytes, expected {OPTIONS_SIZE_MAX} at most")
    if options:
        parse_options(options, UTC)  # the zone of its times plays no part in whether they are good


def _why(text: str) -> str:
    first = text.replace("\t", " ").split(" ")[0]
    if not first.startswith(_OTHER_TYPES):
        return "it begins neither with options nor with a type of key"
    return "its key is malformed, weak, or of a type that is not accepted"
