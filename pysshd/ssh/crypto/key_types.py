"""What a key type is to the rest of this room: a row that parses, verifies and signs (RFC 4253 §6.6)."""

from collections.abc import Callable
from typing import Any

from pysshd.records import dataclass
from pysshd.ssh.wire.codec import Reader


@dataclass(frozen=True, slots=True)
class KeyType:
    """One type of public key.

    `material` is the library's public key object, `private` its private one; each function belongs to one type and
    knows its own. A parse or a check that fails is a `DecodeError` or `InvalidKeyError`, a signature that does
    not verify `InvalidSignatureError` (or `DecodeError`, where its blob is malformed).
    """

    name: str
    """The type word, first in every public key blob."""

    algorithms: tuple[str, ...]
    """The signature algorithms that keys of this type make, best first."""

    parse: Callable[[Reader], tuple[Any, int]]
    """What follows the type word in a blob, to its end: the material and the size in bits."""

    verify: Callable[[Any, str, Reader, bytes], None]
    """(material, algorithm, what follows the algorithm's name in a signature blob, signed data)."""

    blob: Callable[[Any], bytes]
    """The public key blob without its type word of a material."""

    sign: Callable[[Any, str, bytes], bytes]
    """(private, algorithm, data): what follows the algorithm's name in a signature blob."""
