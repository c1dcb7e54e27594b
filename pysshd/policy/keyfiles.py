"""What is in the files that hold people's keys: one key per line, with options in front as in authorized_keys files."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, tzinfo
from typing import Final, TypeAlias

from pysshd.errors import InvalidKeyError
from pysshd.patterns.key_options import KeyOptionsError, parse_options, split_key_line
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing, narrows
from pysshd.records import dataclass
from pysshd.ssh.crypto.keys import KEY_TYPES, LINE_SIZE_MAX, PublicKey, parse_public_key_line


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file as it was when it was read.

    fingerprints: of its keys, in their order; keys: themselves, as far as they are known.
    problem: why it is of no use, or empty; never tells what stands in the file.
    narrowings: what the line of a key says, by its fingerprint; of a key that stands twice the first line counts.
    """

    fingerprints: tuple[str, ...] = ()
    problem: str = ""
    keys: tuple[PublicKey, ...] = field(default=(), compare=False)
    narrowings: tuple[tuple[str, Narrowing], ...] = ()

    def narrowing(self, fingerprint: str) -> Narrowing:
        """What the file says of one of its keys."""
        return next((found for key, found in self.narrowings if key == fingerprint), NO_NARROWING)


KeyFiles: TypeAlias = Mapping[str, KeyFile]
"""By absolute path."""


def read_of(files: KeyFiles | None, path: str | None) -> KeyFile | None:
    """What a file held when it was read; None where it was not, or there is none."""
    return files.get(path) if files is not None and path is not None else None


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


def parse_key_line(line: str, zone: tzinfo, where: str = "") -> tuple[PublicKey, Narrowing]:
    """A key, and what the options in front of it leave.

    KeyOptionsError for options that are none or can not be kept, InvalidKeyError where there is no key.
    """
    if len(line.encode("utf-8", "surrogatepass")) > LINE_SIZE_MAX:
        raise InvalidKeyError(f"public key line is longer than {LINE_SIZE_MAX} bytes")
    options, rest = split_key_line(line, KEY_TYPES)
    return parse_public_key_line(rest), parse_options(options, zone, where) if options else NO_NARROWING


def parse_key_file(data: bytes, name: str = "", zone: tzinfo = UTC) -> KeyFile:
    """Read the content of a key file. Blank lines and lines that begin with `#` are passed over.

    name: of the file, for places; zone: of times in options that say none.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return KeyFile(problem="it is not UTF-8")
    found: list[PublicKey] = []
    narrowings: dict[str, Narrowing] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r") or line.startswith("#"):
            continue
        try:
            key, narrowing = parse_key_line(line, zone, f"{name}:{number}")
        except KeyOptionsError as error:
            return KeyFile(problem=f"its line {number} can not be kept: {error}")
        except InvalidKeyError:
            return KeyFile(problem=f"its line {number} is not 'type base64 comment' of an accepted public key")
        found.append(key)
        narrowings.setdefault(key.fingerprint, narrowing)
    return KeyFile(
        tuple(key.fingerprint for key in found), "" if found else "it holds no key", tuple(found),
        tuple((key, one) for key, one in narrowings.items() if narrows(one)),
    )  # fmt: skip
