"""OpenSSH certificates of hosts and users (PROTOCOL.certkeys): parsed strictly, the authority's signature verified.

A certificate that parses is signed by the key that it names as its authority; whether that authority, the time, the
principal and the options are welcome is for `check_certificate` and whoever calls it. Nothing is signed with SHA-1, and
an authority is a plain key, never a certificate.
"""

from collections.abc import Callable, Collection
from dataclasses import field
from enum import IntEnum, unique
from itertools import pairwise
from typing import Final, TypeVar

from pysshd.errors import DecodeError, InvalidKeyError, InvalidSignatureError
from pysshd.records import dataclass
from pysshd.ssh.crypto.keys import (
    KEY_TYPES,
    SIGNATURE_ALGORITHMS,
    PublicKey,
    parse_public_key,
    split_public_key_line,
)
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

CERTIFICATE_SIZE_MAX: Final = 16384
"""Bytes of a certificate's blob: two RSA keys of 16384 bits, a signature and a long list of principals."""

PRINCIPALS_MAX: Final = 256
OPTIONS_MAX: Final = 64
"""Names in one certificate, and options in one of its two lists."""

FOREVER: Final = (1 << 64) - 1
"""`valid_before` of a certificate that does not expire."""

_SUFFIX = "-cert-v01@openssh.com"

CERTIFICATE_TYPES: Final[dict[str, str]] = {f"{plain}{_SUFFIX}": plain for plain in KEY_TYPES}
"""The type word of every certificate, and the plain type of the key that it certifies."""

CERTIFICATE_ALGORITHMS: Final[dict[str, str]] = {f"{plain}{_SUFFIX}": plain for plain in SIGNATURE_ALGORITHMS}
"""Every algorithm that is negotiated with a certificate, and the plain one by which its key signs."""

_KEY_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2}
_KEY_FIELDS_OF_CURVES = 2

_T = TypeVar("_T")


def plain_algorithm(name: str) -> str:
    """The signature algorithm behind the algorithm of a certificate; a plain name is its own."""
    return CERTIFICATE_ALGORITHMS.get(name, name)


def certificate_algorithms(key: PublicKey) -> tuple[str, ...]:
    """The algorithms by which a certificate for `key` is offered, best first."""
    return tuple(f"{algorithm}{_SUFFIX}" for algorithm in key.algorithms)


@unique
class CertificateKind(IntEnum):
    """Whom a certificate is for."""

    USER = 1
    HOST = 2


Option = tuple[str, bytes]
"""An option's name, and its data: empty for a flag, else a string in its wire encoding."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose signature verified; times in seconds since 1970, `valid_before` not included."""

    key_type: str
    blob: bytes = field(repr=False)
    key: PublicKey
    """The key that is certified."""

    serial: int
    kind: CertificateKind
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    critical_options: tuple[Option, ...]
    extensions: tuple[Option, ...]
    authority: PublicKey
    signature_algorithm: str

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms by which it is offered, best first."""
        return certificate_algorithms(self.key)


def parse_certificate(blob: bytes) -> Certificate:
    """The certificate in a blob; `InvalidKeyError` where it is malformed, weak, or its signature does not verify."""
    if len(blob) > CERTIFICATE_SIZE_MAX:
        raise InvalidKeyError(f"certificate has {len(blob)} bytes, expected at most {CERTIFICATE_SIZE_MAX}")
    try:
        return _parse(blob)
    except DecodeError as error:
        raise InvalidKeyError(f"certificate is malformed: {error}") from None
    except InvalidSignatureError as error:
        raise InvalidKeyError(f"certificate is not signed by its authority: {error}") from None


def parse_certificate_line(line: str) -> Certificate:
    """The certificate in a line `type base64 [comment]`, as in a `-cert.pub` file; `InvalidKeyError` for others."""
    word, blob, _ = split_public_key_line(line, CERTIFICATE_TYPES)
    certificate = parse_certificate(blob)
    if certificate.key_type != word:
        raise InvalidKeyError(f"certificate line says {word}, but its blob holds a {certificate.key_type}")
    return certificate


def check_certificate(
    certificate: Certificate,
    kind: CertificateKind,
    now: float,
    principal: str | None = None,
    options: Collection[str] = (),
) -> None:
    """Refuse with `InvalidKeyError` a certificate of another kind, out of its time, or with an unknown critical option.

    `principal`: the name that must stand among the principals, letter by letter, so that a certificate without any is
    refused; None where a name means nothing, as for a host's own. `options`: the critical options that the caller
    enforces.
    """
    what = f"certificate {certificate.key_id[:64]!r}"
    if certificate.kind is not kind:
        raise InvalidKeyError(f"{what} is of kind {certificate.kind.name.lower()}, expected {kind.name.lower()}")
    if now < certificate.valid_after:
        raise InvalidKeyError(f"{what} is not valid yet")
    if now >= certificate.valid_before:
        raise InvalidKeyError(f"{what} has expired")
    if principal is not None and principal not in certificate.principals:
        raise InvalidKeyError(f"{what} does not name {principal[:64]!r} as a principal")
    for name, _ in certificate.critical_options:
        if name not in options:
            raise InvalidKeyError(f"{what} has the critical option {name[:64]!r}, which is not known here")


def _parse(blob: bytes) -> Certificate:
    reader = Reader(blob)
    key_type = reader.string().decode("ascii", "replace")
    plain = CERTIFICATE_TYPES.get(key_type)
    if plain is None:
        raise InvalidKeyError(f"certificate is of type {key_type[:64]!r}, which is not accepted")
    reader.string()  # nonce
    fields = [reader.string() for _ in range(_KEY_FIELDS.get(plain, _KEY_FIELDS_OF_CURVES))]
    key = parse_public_key(codec.text(plain) + b"".join(map(codec.string, fields)))
    serial = reader.uint64()
    kind = _kind(reader.uint32())
    key_id = reader.text()
    principals = _list(reader.string(), Reader.text, PRINCIPALS_MAX, "principals")
    valid_after, valid_before = reader.uint64(), reader.uint64()
    critical_options = _options(reader.string(), "critical options")
    extensions = _options(reader.string(), "extensions")
    if reader.string():
        raise InvalidKeyError("certificate has something in its reserved field, expected nothing")
    authority = _authority(reader.string())
    signed = blob[: len(blob) - reader.remaining]
    signature = reader.string()
    reader.end()
    return Certificate(
        key_type,
        blob,
        key,
        serial,
        kind,
        key_id,
        principals,
        valid_after,
        valid_before,
        critical_options,
        extensions,
        authority,
        _verify(authority, signature, signed),
    )


def _kind(number: int) -> CertificateKind:
    try:
        return CertificateKind(number)
    except ValueError:
        raise InvalidKeyError(f"certificate is of kind {number}, expected 1 (user) or 2 (host)") from None


def _list(data: bytes, read: Callable[[Reader], _T], most: int, what: str) -> tuple[_T, ...]:
    reader = Reader(data)
    items: list[_T] = []
    while reader.remaining:
        if len(items) == most:
            raise InvalidKeyError(f"certificate has more than {most} {what}")
        items.append(read(reader))
    return tuple(items)


def _options(data: bytes, what: str) -> tuple[Option, ...]:
    options = _list(data, lambda reader: (reader.text(), reader.string()), OPTIONS_MAX, what)
    names = [name.encode() for name, _ in options]
    if any(later <= earlier for earlier, later in pairwise(names)):
        raise InvalidKeyError(f"certificate has {what} that are not in order, or twice")
    return options


def _authority(blob: bytes) -> PublicKey:
    try:
        return parse_public_key(blob)
    except InvalidKeyError as error:
        # The types of certificates are none of a plain key: what certifies may not be certified itself.
        raise InvalidKeyError(f"authority of the certificate: {error}") from None


def _verify(authority: PublicKey, signature: bytes, signed: bytes) -> str:
    algorithm = Reader(signature).string().decode("ascii", "replace")
    if algorithm not in SIGNATURE_ALGORITHMS:
        raise InvalidKeyError(f"certificate is signed with {algorithm[:64]!r}, which is not accepted")
    authority.verify(algorithm, signature, signed)
    return algorithm
