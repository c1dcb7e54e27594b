"""Private keys of the host: loaded from a file's bytes, they sign, and check each signature before it leaves."""

import base64
import binascii
import re
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from pysshd.errors import DecodeError, InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.key_ecdsa import ECDSA_NAMES
from pysshd.ssh.crypto.keys import KEY_TYPES, PublicKey, parse_public_key
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

FILE_SIZE_MAX = 65536
"""Bytes of a private key file."""

HOST_RSA_BITS_LEAST = 3072
"""The smallest RSA key that a host may have."""

_OPENSSH_MAGIC = b"openssh-key-v1\0"
_PEM = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----\s(.*?)-----END \1-----", re.DOTALL)
_PEM_LABELS = frozenset({b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"})
_DAMAGED = "private key is malformed, damaged or of a type that is not accepted"
_ENCRYPTED = "private key is protected by a passphrase: a host key must be stored without one"


class PrivateKey:
    """A private key. `repr` shows its public half; only `private_key_to_openssh` gives the private one back."""

    __slots__ = ("_private", "_row", "public")
    public: PublicKey

    def __init__(self, private: Any) -> None:
        """From the library's object; `InvalidKeyError` for a type or a size that is not accepted."""
        self._private = private
        self._row = KEY_TYPES[_type_name(private)]
        blob = codec.text(self._row.name) + self._row.blob(private.public_key())
        self.public = parse_public_key(blob)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The signature algorithms of this key, best first; a host key is offered by these names."""
        return self._row.algorithms

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """The signature blob over `data`.

        It is verified before it is returned: a faulty signature by RSA or Ed25519 gives the private key away, so it
        must not leave. `InvalidSignatureError` where it does not verify, or the algorithm does not fit the key.
        """
        if algorithm not in self._row.algorithms:
            raise InvalidSignatureError(
                f"signature algorithm {algorithm[:64]!r} does not fit a key of {self._row.name}"
            )
        signature = codec.text(algorithm) + self._row.sign(self._private, algorithm, data)
        self.public.verify(algorithm, signature, data)
        return signature

    def __repr__(self) -> str:
        return f"<PrivateKey {self.public.key_type} {self.public.fingerprint}>"

    def __reduce__(self) -> Any:
        raise TypeError("a private key can not be pickled")


def _type_name(private: object) -> str:
    if isinstance(private, Ed25519PrivateKey):
        return "ssh-ed25519"
    if isinstance(private, RSAPrivateKey):
        return "ssh-rsa"
    if isinstance(private, EllipticCurvePrivateKey):
        if private.curve.name not in ECDSA_NAMES:
            raise InvalidKeyError(f"private key is on curve {private.curve.name}, expected {', '.join(ECDSA_NAMES)}")
        return ECDSA_NAMES[private.curve.name]
    raise InvalidKeyError("private key is of a type that is not accepted, expected ed25519, rsa or ecdsa")


def load_private_key(data: bytes, rsa_bits_least: int = HOST_RSA_BITS_LEAST) -> PrivateKey:
    """The private key in the bytes of a file, in OpenSSH's format or PEM (PKCS #8, PKCS #1, SEC 1).

    `InvalidKeyError` where it is malformed, weak, protected by a passphrase or of a type that is not accepted.
    """
    if len(data) > FILE_SIZE_MAX:
        raise InvalidKeyError(f"private key file has {len(data)} bytes, expected at most {FILE_SIZE_MAX}")
    found = _PEM.search(data)
    if found is None:
        raise InvalidKeyError("private key file has no private key, expected openssh or pem format")
    label, body = found.groups()
    said: PublicKey | None = None
    if label == b"OPENSSH PRIVATE KEY":
        said = _openssh_public(body)
    elif label.startswith(b"ENCRYPTED") or b"ENCRYPTED" in body:
        raise InvalidKeyError(_ENCRYPTED)
    elif label not in _PEM_LABELS:
        raise InvalidKeyError(f"private key is of type {label.decode('ascii').lower()!r}, which is not accepted")
    load = load_ssh_private_key if label == b"OPENSSH PRIVATE KEY" else load_pem_private_key
    try:
        # Whether the numbers of an RSA key are primes takes half a second to know; that it signs is tried below.
        private = load(found.group(), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm, Warning):
        # The library's text could quote the file, so it is not passed on. It warns of types that are no host keys.
        raise InvalidKeyError(_DAMAGED) from None
    key = PrivateKey(private)
    if said is not None and said != key.public:
        # The library does not compare them; a damaged seed would be another key, and quietly so.
        raise InvalidKeyError("private key does not belong to the public key in its file")
    if key.public.key_type == "ssh-rsa" and key.public.bits < rsa_bits_least:
        raise InvalidKeyError(f"rsa private key has {key.public.bits} bits, expected at least {rsa_bits_least}")
    try:
        key.sign(key.algorithms[0], b"")
    except (InvalidSignatureError, ValueError):
        raise InvalidKeyError(_DAMAGED) from None
    return key


def _openssh_public(body: bytes) -> PublicKey:
    """The public key in the clear part of the container: the library is only given what we accept."""
    try:
        reader = Reader(base64.b64decode(body))
        if reader.raw(len(_OPENSSH_MAGIC)) != _OPENSSH_MAGIC:
            raise InvalidKeyError("private key is not in openssh format version 1")
        cipher = reader.string()
        reader.string()  # name of the key derivation
        reader.string()  # its options
        count = reader.uint32()
        blob = reader.string()
    except (DecodeError, binascii.Error):
        raise InvalidKeyError("private key is malformed or damaged") from None
    if cipher != b"none":
        raise InvalidKeyError(_ENCRYPTED)
    if count != 1:
        raise InvalidKeyError(f"private key file holds {count} keys, expected 1")
    return parse_public_key(blob)


def private_key_to_openssh(key: PrivateKey) -> bytes:
    """The bytes of a private key file in OpenSSH's format, without a passphrase: secret, for a file of mode 0600."""
    encoded: bytes = key._private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return encoded
