"""What is in the files that hold people's keys: one key per line, as in a `.pub` file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pysshd.errors import InvalidKeyError
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key_line


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file as it was when it was read.

    fingerprints: of its keys, in their order; keys: themselves, as far as they are known.
    problem: why it is of no use, or empty; never tells what stands in the file.
    """

    fingerprints: tuple[str, ...] = ()
    problem: str = ""
    keys: tuple[PublicKey, ...] = field(default=(), compare=False)


KeyFiles: TypeAlias = Mapping[str, KeyFile]
"""By absolute path."""

NAME: Final = "*"
"""In the pattern of a folder: the name of a person."""


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """A folder of key files as it was when it was read.

    files: those whose names fit the pattern, in their order, each with what stands in the place of the star.
    problem: why none was read, or empty.
    """

    files: tuple[tuple[str, KeyFile], ...] = ()
    problem: str = ""


KeyFolders: TypeAlias = Mapping[str, KeyFolder]
"""By absolute pattern, such as `/etc/pysshd/keys/*.pub`."""


def split_pattern(pattern: str) -> tuple[str, str, str]:
    """The folder, and what stands before and behind a person's name in the names of its files."""
    folder, _, form = pattern.rpartition("/")
    before, _, after = form.partition(NAME)
    return folder or "/", before, after


def name_in(filename: str, before: str, after: str) -> str | None:
    """What stands in the place of the star; None for a file that does not fit. A hidden file fits no star."""
    length = len(filename) - len(before) - len(after)
    if length < 1 or not filename.startswith(before) or not filename.endswith(after) or filename.startswith("."):
        return None
    return filename[len(before) : len(before) + length]


def parse_key_file(data: bytes) -> KeyFile:
    """Read the content of a key file. Blank lines and lines that begin with `#` are passed over."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return KeyFile(problem="it is not UTF-8")
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r") or line.startswith("#"):
            continue
        try:
            found.append(parse_public_key_line(line))
        except InvalidKeyError:
            return KeyFile(problem=f"its line {number} is not 'type base64 comment' of an accepted public key")
    return KeyFile(tuple(key.fingerprint for key in found), "" if found else "it holds no key", tuple(found))
