"""ssh-rsa keys with the signatures rsa-sha2-512 and rsa-sha2-256 (RFC 8332); SHA-1 is nowhere."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.key_types import KeyType
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

BITS_LEAST = 2048
BITS_MOST = 16384
EXPONENT_BITS_MOST = 32

_HASHES: dict[str, type[HashAlgorithm]] = {"rsa-sha2-512": SHA512, "rsa-sha2-256": SHA256}


def check_numbers(e: int, n: int) -> None:
    """Refuse with `InvalidKeyError` weak numbers, and those that make a verification slow."""
    if not BITS_LEAST <= n.bit_length() <= BITS_MOST:
        raise InvalidKeyError(f"rsa key has {n.bit_length()} bits, expected {BITS_LEAST} to {BITS_MOST}")
    if n % 2 == 0:
        raise InvalidKeyError("rsa modulus is even")
    if e < 3 or e % 2 == 0 or e.bit_length() > EXPONENT_BITS_MOST:
        raise InvalidKeyError(f"rsa exponent is not odd, at least 3 and at most {EXPONENT_BITS_MOST} bits long")


def _parse(reader: Reader) -> tuple[RSAPublicKey, int]:
    e = reader.mpint()
    n = reader.mpint()
    reader.end()
    check_numbers(e, n)
    try:
        return RSAPublicNumbers(e, n).public_key(), n.bit_length()
    except ValueError as error:
        raise InvalidKeyError(f"rsa key is refused by the library: {error}") from None


def _verify(material: RSAPublicKey, algorithm: str, reader: Reader, data: bytes) -> None:
    signature = reader.string()
    reader.end()
    size = (material.key_size + 7) // 8
    if not 0 < len(signature) <= size:
        raise InvalidSignatureError(f"rsa signature has {len(signature)} bytes, expected at most the modulus's {size}")
    try:
        # RFC 8332 §3 wants the full length; some peers leave leading zero bytes out.
        material.verify(signature.rjust(size, b"\0"), data, PKCS1v15(), _HASHES[algorithm]())
    except InvalidSignature:
        raise InvalidSignatureError(f"{algorithm} signature does not verify") from None


def _blob(material: RSAPublicKey) -> bytes:
    numbers = material.public_numbers()
    return codec.mpint(numbers.e) + codec.mpint(numbers.n)


def _sign(private: RSAPrivateKey, algorithm: str, data: bytes) -> bytes:
    return codec.string(private.sign(data, PKCS1v15(), _HASHES[algorithm]()))


RSA = KeyType("ssh-rsa", tuple(_HASHES), _parse, _verify, _blob, _sign)
