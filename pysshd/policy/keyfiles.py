"""What is in the files that hold people's keys: one key per line, as in a `.pub` file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

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
