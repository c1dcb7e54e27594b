"""argon2id hashes in PHC form (RFC 9106; the PHC string format): read, and held to costs that a login can bear."""

import base64
import binascii
import re
from typing import Final

from pysshd.policy.people import PasswordHash, SecretText

MAX_MEMORY: Final = 1 << 20
"""KiB: 1 GiB."""
MAX_ITERATIONS: Final = 20
MAX_LANES: Final = 8

_PHC = re.compile(
    r"\$argon2id\$v=(\d{1,3})\$m=(0|[1-9]\d{0,9}),t=(0|[1-9]\d{0,9}),p=(0|[1-9]\d{0,9})"
    r"\$([A-Za-z0-9+/]{1,128})\$([A-Za-z0-9+/]{1,128})"
)
_BEGIN = "$argon2id$"
_FORM = "'$argon2id$v=19$m=…,t=…,p=…$salt$hash'"
_OTHER_HASH = re.compile(r"\$(?:argon2i|argon2d|2[abxy]?|[156]|y|gy|7|scrypt|pbkdf2[-a-z0-9]*|sha1|md5)\$")
_QUOTE = "put the whole hash between quotes: YAML cuts a text without quotes at a comma"


class PasswordError(ValueError):
    """A text is no usable hash. Neither message nor hint repeats any of it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def parse_password(text: str) -> PasswordHash:
    """The hash, or PasswordError."""
    if _OTHER_HASH.match(text):
        raise PasswordError("the hash is of another kind, expected argon2id", "make one with 'pysshd hash-password'")
    if not text.startswith(_BEGIN):
        raise PasswordError(f"the value is no argon2id hash, expected {_FORM}",
                            "never write a password itself here; make a hash with 'pysshd hash-password'")  # fmt: skip
    match = _PHC.fullmatch(text) if text.isascii() else None
    if match is None:
        hint = _QUOTE if text.count("$") < 5 else ""
        raise PasswordError(f"the argon2id hash is cut short or malformed, expected {_FORM}", hint)
    version, memory, iterations, lanes = (int(part) for part in match.groups()[:4])
    salt, digest = _base64(match[5]), _base64(match[6])
    if version != 19:
        raise PasswordError(f"the argon2id hash is of version {version}, expected 19")
    for name, cost, most in (("m", memory, MAX_MEMORY), ("t", iterations, MAX_ITERATIONS), ("p", lanes, MAX_LANES)):
        if not 1 <= cost <= most:
            raise PasswordError(f"the argon2id hash has {name}={cost}, expected 1 to {most}")
    if memory < 8 * lanes:
        raise PasswordError(f"the argon2id hash has m={memory}, expected at least 8 for each of its {lanes} lanes")
    if not 8 <= len(salt) <= 64:
        raise PasswordError(f"the argon2id hash has a salt of {len(salt)} bytes, expected 8 to 64")
    if not 16 <= len(digest) <= 64:
        raise PasswordError(f"the argon2id hash has {len(digest)} bytes, expected 16 to 64", "it may be cut short")
    return PasswordHash(SecretText(text), memory, iterations, lanes)


def _base64(text: str) -> bytes:
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if base64.b64encode(found).decode("ascii").rstrip("=") != text:
        raise PasswordError("the argon2id hash has base64 that is not in its one form", "it may be cut short")
    return found
