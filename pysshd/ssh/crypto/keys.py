"""Public keys: parsed strictly once, then they verify signatures (RFC 4253 §6.6, RFC 8332 §3).

A key that parses is one that may be relied on: sizes, curves and points are checked here, for whoever loads it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import field, replace
from typing import Any

from pysshd.errors import DecodeError, InvalidKeyError, InvalidSignatureError
from pysshd.records import dataclass
from pysshd.ssh.crypto.key_ecdsa import ECDSA_TYPES
from pysshd.ssh.crypto.key_ed25519 import ED25519
from pysshd.ssh.crypto.key_rsa import RSA
from pysshd.ssh.crypto.key_types import KeyType
from pysshd.ssh.wire.codec import Reader

BLOB_SIZE_MAX = 8192
"""Bytes of a public key or signature blob: an RSA key of 16384 bits needs a quarter of it."""

LINE_SIZE_MAX = 16384
"""Bytes of one public key line."""

KEY_TYPES: dict[str, KeyType] = {row.name: row for row in (ED25519, *ECDSA_TYPES, RSA)}
"""Every type of plain public key, by the type word of its blob."""

SIGNATURE_ALGORITHMS: dict[str, str] = {name: row.name for row in KEY_TYPES.values() for name in row.algorithms}
"""Every signature algorithm, and the type of the keys that make it."""

_CONTROL = re.compile("[\0-\x08\x0a-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: equal to another when the blobs are.

    `bits` is the size that people know a key by, `comment` what stood behind it in its file.
    """

    key_type: str
    blob: bytes = field(repr=False)
    bits: int = field(compare=False)
    fingerprint: str = field(compare=False)
    comment: str = field(compare=False)
    _material: Any = field(repr=False, compare=False)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The signature algorithms that fit this key, best first."""
        return KEY_TYPES[self.key_type].algorithms

    @property
    def outline(self) -> "KeyOutline":
        """What it is, without the means to verify by it."""
        return KeyOutline(self.key_type, self.blob, self.bits, self.fingerprint)

    @property
    def line(self) -> str:
        """The key as one line of a `.pub` file, without a line end."""
        encoded = base64.b64encode(self.blob).decode("ascii")
        return f"{self.key_type} {encoded} {self.comment}".rstrip(" ")

    def verify(self, algorithm: str, signature: bytes, data: bytes) -> None:
        """Verify a signature blob by this key over `data`; `InvalidSignatureError` for whatever does not hold.

        `algorithm` is what the request named: it has to fit the key, and to stand in the blob.
        """
        if SIGNATURE_ALGORITHMS.get(algorithm) != self.key_type:
            raise InvalidSignatureError(f"signature algorithm {algorithm[:64]!r} does not fit a key of {self.key_type}")
        if len(signature) > BLOB_SIZE_MAX:
            raise InvalidSignatureError(f"signature blob has {len(signature)} bytes, expected at most {BLOB_SIZE_MAX}")
        try:
            reader = Reader(signature)
            named = reader.string()
            if named != algorithm.encode("ascii"):
                raise InvalidSignatureError(f"signature blob names {named[:64]!r}, the request {algorithm}")
            KEY_TYPES[self.key_type].verify(self._material, algorithm, reader, data)
        except DecodeError as error:
            raise InvalidSignatureError(f"signature blob is malformed: {error}") from None


@dataclass(frozen=True, slots=True)
class KeyOutline:
    """What a public key is, for whoever only lists it: a tenth of the memory, for it can not verify anything.

    As of `PublicKey`.
    """

    key_type: str
    blob: bytes = field(repr=False)
    bits: int = field(compare=False)
    fingerprint: str = field(compare=False)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The signature algorithms that fit this key, best first."""
        return KEY_TYPES[self.key_type].algorithms


def fingerprint(blob: bytes) -> str:
    """`SHA256:` and the unpadded base64 of a blob's hash, as every SSH tool prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode("ascii")


def parse_public_key(blob: bytes, comment: str = "") -> PublicKey:
    """The public key in a blob; `InvalidKeyError` where it is malformed, weak or of a type that is not accepted."""
    if len(blob) > BLOB_SIZE_MAX:
        raise InvalidKeyError(f"public key blob has {len(blob)} bytes, expected at most {BLOB_SIZE_MAX}")
    try:
        reader = Reader(blob)
        name = reader.string()
        row = KEY_TYPES.get(name.decode("ascii", "replace"))
        if row is None:
            raise InvalidKeyError(f"public key is of type {name[:64]!r}, which is not accepted")
        material, bits = row.parse(reader)
    except DecodeError as error:
        raise InvalidKeyError(f"public key blob is malformed: {error}") from None
    return PublicKey(row.name, blob, bits, fingerprint(blob), comment, material)


def parse_public_key_line(line: str) -> PublicKey:
    """The key in a line `type base64 [comment]`, as in a `.pub` file; `InvalidKeyError` for anything else.

    Only spaces and tabs separate. Options in front of a key are no part of it: whoever takes them cuts them off before.
    """
    word, blob, comment = split_public_key_line(line, KEY_TYPES)
    key = parse_public_key(blob)
    if key.key_type != word:
        raise InvalidKeyError(f"public key line says {word}, but its blob holds a key of {key.key_type}")
    return replace(key, comment=comment)


def split_public_key_line(line: str, words: Iterable[str]) -> tuple[str, bytes, str]:
    """The type word, the blob and the comment of a line; `InvalidKeyError` where its word is none of `words`."""
    if len(line.encode("utf-8", "surrogatepass")) > LINE_SIZE_MAX:
        raise InvalidKeyError(f"public key line is longer than {LINE_SIZE_MAX} bytes")
    line = line.removesuffix("\n").removesuffix("\r").strip(" \t")
    if _CONTROL.search(line):
        raise InvalidKeyError("public key line has a control character")
    word, _, behind = line.replace("\t", " ").partition(" ")
    if word not in (known := tuple(words)):
        raise InvalidKeyError(f"public key line starts with {word[:64]!r}, expected one of {', '.join(known)}")
    encoded, _, comment = behind.lstrip(" ").partition(" ")
    return word, _base64(encoded), comment.strip(" ")


def _base64(encoded: str) -> bytes:
    try:
        blob = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidKeyError("public key line has no valid base64 behind its type") from None
    if base64.b64encode(blob).decode("ascii") != encoded:
        raise InvalidKeyError("public key line has base64 that is not in its one form")
    return blob
