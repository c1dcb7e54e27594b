"""ssh-ed25519 (RFC 8709, RFC 8032), with the checks of public key and signature that OpenSSL leaves to its caller.

OpenSSL 4 loads any 32 bytes as a public key, and an all-zero key verifies an all-zero signature of every message.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.key_types import KeyType
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

KEY_SIZE = 32
SIGNATURE_SIZE = 64

P = 2**255 - 19
"""The prime of the field (RFC 8032 §5.1)."""

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""

D = -121665 * pow(121666, -1, P) % P
"""The constant of the curve -x² + y² = 1 + d·x²·y²."""


def _square_root(square: int) -> int | None:
    """A root modulo P, or None where there is none (RFC 8032 §5.1.3, steps 2 and 3)."""
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    return root if root * root % P == square % P else None


def _small_order_y() -> frozenset[int]:
    """The y coordinates of the eight points of order 1, 2, 4 and 8.

    Order 1 has y = 1, order 2 y = -1, order 4 y = 0. Doubling a point of order 8 gives y = 0, which means
    x² = -y²; in the equation of the curve that is d·y⁴ + 2·y² - 1 = 0.
    """
    found = {1, P - 1, 0}
    half = _square_root(1 + D)
    assert half is not None
    for square in ((half - 1) * pow(D, -1, P) % P, (-half - 1) * pow(D, -1, P) % P):
        root = _square_root(square)
        if root is not None:
            found |= {root, P - root}
    return frozenset(found)


SMALL_ORDER_Y = _small_order_y()
"""y of every point whose multiples are at most eight points: a key that signs for everybody."""


@lru_cache(maxsize=256)
def check_public_bytes(data: bytes) -> None:
    """Refuse with `InvalidKeyError` what is not the one encoding of a point on the curve, or is of small order.

    Costs one modular power, once for a key that comes again. x = 0 with the sign bit set is not canonical either, and
    has y = 1 or -1.
    """
    if len(data) != KEY_SIZE:
        raise InvalidKeyError(f"ed25519 public key has {len(data)} bytes, expected {KEY_SIZE}")
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    if y >= P:
        raise InvalidKeyError("ed25519 public key is not in canonical form")
    if y in SMALL_ORDER_Y:
        raise InvalidKeyError("ed25519 public key is a point of small order")
    if pow((y * y - 1) * (D * y * y + 1), (P - 1) // 2, P) != 1:
        raise InvalidKeyError("ed25519 public key is not a point on the curve")


def _parse(reader: Reader) -> tuple[Ed25519PublicKey, int]:
    data = reader.string()
    reader.end()
    check_public_bytes(data)
    return Ed25519PublicKey.from_public_bytes(data), 256


def _verify(material: Ed25519PublicKey, algorithm: str, reader: Reader, data: bytes) -> None:
    signature = reader.string()
    reader.end()
    if len(signature) != SIGNATURE_SIZE:
        raise InvalidSignatureError(f"ed25519 signature has {len(signature)} bytes, expected {SIGNATURE_SIZE}")
    if int.from_bytes(signature[KEY_SIZE:], "little") >= L:
        raise InvalidSignatureError("ed25519 signature is not canonical: s is not below the order")
    try:
        material.verify(signature, data)
    except InvalidSignature:
        raise InvalidSignatureError("ed25519 signature does not verify") from None


def _blob(material: Ed25519PublicKey) -> bytes:
    return codec.string(material.public_bytes_raw())


def _sign(private: Ed25519PrivateKey, algorithm: str, data: bytes) -> bytes:
    return codec.string(private.sign(data))


ED25519 = KeyType("ssh-ed25519", ("ssh-ed25519",), _parse, _verify, _blob, _sign)
