"""New private keys. This module is not pure: the library draws the randomness itself."""

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pysshd.errors import InvalidKeyError
from pysshd.ssh.crypto.private_keys import HOST_RSA_BITS_LEAST, PrivateKey

RSA_BITS_DEFAULT = 4096
RSA_BITS_MOST = 16384
_RSA_EXPONENT = 65537
_CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}


def generate_private_key(kind: str = "ed25519", bits: int | None = None) -> PrivateKey:
    """A fresh key: `ed25519`, `rsa` (default 4096 bits) or `ecdsa` (default 256).

    `InvalidKeyError` for another kind, or a size that it does not have.
    """
    if kind == "ed25519" and bits in (None, 256):
        return PrivateKey(ed25519.Ed25519PrivateKey.generate())
    if kind == "rsa" and HOST_RSA_BITS_LEAST <= (bits or RSA_BITS_DEFAULT) <= RSA_BITS_MOST:
        return PrivateKey(rsa.generate_private_key(_RSA_EXPONENT, bits or RSA_BITS_DEFAULT))
    if kind == "ecdsa" and (bits or 256) in _CURVES:
        return PrivateKey(ec.generate_private_key(_CURVES[bits or 256]()))
    raise InvalidKeyError(
        f"no key of kind {kind!r} with {bits} bits, expected ed25519, "
        f"rsa with {HOST_RSA_BITS_LEAST} to {RSA_BITS_MOST} bits, or ecdsa with 256, 384 or 521"
    )
