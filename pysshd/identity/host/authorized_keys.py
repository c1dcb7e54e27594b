"""A file of authorized keys as its owner wrote it: hostile, so each line counts for itself or not at all."""

from dataclasses import dataclass
from typing import Final

from pysshd.errors import InvalidKeyError
from pysshd.ssh.crypto.keys import LINE_SIZE_MAX, PublicKey, parse_public_key_line

FILE_SIZE_MAX: Final = 1024 * 1024
"""Bytes of one file."""

LINES_MAX: Final = 4096
"""Lines that are looked at, comments among them."""

NOTES_MAX: Final = 8
"""Lines that are complained of one by one."""

_OTHER_TYPES = ("ssh-", "ecdsa-", "sk-", "webauthn-")


@dataclass(frozen=True, slots=True)
class AuthorizedKeys:
    """What a file holds: keys, and what is to be said of lines that are passed over; it never tells their text."""

    keys: tuple[PublicKey, ...] = ()
    notes: tuple[str, ...] = ()


def parse_authorized_keys(content: bytes) -> AuthorizedKeys:
    """Read a file. A line that is not `type base64 [comment]` alone lets nobody in; the others do."""
    keys: list[PublicKey] = []
    notes: list[str] = []
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:LINES_MAX], 1):
        found = _line(line)
        if isinstance(found, str):
            notes.append(f"line {number} is passed over: {found}")
        elif found is not None:
            keys.append(found)
    if len(lines) > LINES_MAX + 1:
        notes.append(f"it has {len(lines)} lines, of which {LINES_MAX} were looked at")
    if (more := len(notes) - NOTES_MAX) > 0:
        notes = [*notes[:NOTES_MAX], f"{more} more lines are passed over"]
    return AuthorizedKeys(tuple(keys), tuple(notes))


def _line(line: bytes) -> PublicKey | str | None:
    """The key of a line, why it has none, or None for a line that says nothing."""
    stripped = line.strip(b" \t\r")
    if not stripped or stripped.startswith(b"#"):
        return None
    if len(line) > LINE_SIZE_MAX:
        return f"it is longer than {LINE_SIZE_MAX} bytes"
    # A comment may be in any encoding; keys and their types are ASCII.
    text = line.removesuffix(b"\r").strip(b" \t").decode("utf-8", "surrogateescape")
    try:
        return parse_public_key_line(text)
    except InvalidKeyError:
        return _why(text)


def _why(text: str) -> str:
    first = text.replace("\t", " ").split(" ")[0]
    if not first.startswith(_OTHER_TYPES) or "=" in first or "," in first:
        return "it begins with options, which this version does not honour, or with no type of key"
    return "its key is malformed, weak, or of a type that is not accepted"
