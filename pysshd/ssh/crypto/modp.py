"""Diffie-Hellman in the groups of RFC 3526 (RFC 8268), and the choice among them (RFC 4419).

Imported only where a policy names one of these methods. The arithmetic is the library's, which takes the same time for
every secret and an eighth of the time of Python's `pow`. It warns that it will give these methods up some day; they go
with it then. A secret is handed to it in PKCS #8, for the library draws its own otherwise.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.utils import CryptographyDeprecationWarning

from pysshd.errors import DecodeError, KeyExchangeError
from pysshd.records import dataclass
from pysshd.ssh.crypto.shares import Entropy, KexShare
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader


@contextmanager
def _deprecated() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


with _deprecated():
    from cryptography.hazmat.primitives.asymmetric.dh import DHParameterNumbers, DHPrivateKey, DHPublicNumbers

SECRET_SIZE = 64
"""Bytes of a secret exponent: more than twice the strength of the largest group (RFC 3526 §8)."""

BITS_LEAST = 2048
BITS_MOST = 8192

_CONSTANTS = {2048: 124476, 3072: 1690314, 4096: 240904, 6144: 929484, 8192: 4743158}
_DH_KEY_AGREEMENT = bytes.fromhex("06092a864886f70d010301")
"""The object identifier 1.2.840.113549.1.3.1 (PKCS #3)."""


def _pi(bits: int) -> int:
    """The integer part of 2^bits · π, by Machin's formula with 64 bits to spare."""
    unit = 1 << bits + 64

    def arctan(x: int) -> int:
        term, total, n = unit // x, 0, 1
        while term:
            total += term // n if n % 4 == 1 else -(term // n)
            term //= x * x
            n += 2
        return total

    return 4 * (4 * arctan(5) - arctan(239)) >> 64


def _prime(bits: int) -> int:
    """2^n - 2^(n-64) - 1 + 2^64 · (⌊2^(n-130) · π⌋ + c), as RFC 3526 §3 to §7 define their primes."""
    return (1 << bits) - (1 << bits - 64) - 1 + (_pi(bits - 130) + _CONSTANTS[bits] << 64)


def _der(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, size] if size < 128 else [tag, 128 + len(length), *length]) + value


def _integer(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True, slots=True)
class Group:
    """A safe prime of RFC 3526 with the generator 2."""

    bits: int
    prime: int
    generator: int = 2

    def respond(self, entropy: Entropy, client_init: bytes) -> KexShare:
        """The server's side: `client_init` and the reply are mpints without their length (RFC 4253 §8).

        `KeyExchangeError` unless 1 < e < p - 1. The prime is safe, so that no other value has a small order.
        """
        try:
            theirs = Reader(codec.string(client_init)).mpint()
        except DecodeError as error:
            raise KeyExchangeError(f"diffie-hellman public value is malformed: {error}") from None
        if not 1 < theirs < self.prime - 1:
            raise KeyExchangeError(f"diffie-hellman public value is outside 2 to p - 2 of {self.bits} bits")
        with _deprecated():
            ours = self._private(int.from_bytes(entropy.octets(SECRET_SIZE), "big"))
            reply = ours.public_key().public_numbers().y
            peer = DHPublicNumbers(theirs, DHParameterNumbers(self.prime, self.generator)).public_key()
            try:
                secret = ours.exchange(peer)
            except ValueError:
                raise KeyExchangeError("diffie-hellman public value is refused by the library") from None
        return KexShare(codec.mpint(reply)[4:], codec.mpint(int.from_bytes(secret, "big")))

    def _private(self, secret: int) -> DHPrivateKey:
        # The highest bit is set, so that all secrets are of one length.
        exponent = secret | 1 << 8 * SECRET_SIZE - 1
        algorithm = _der(0x30, _DH_KEY_AGREEMENT + _der(0x30, _integer(self.prime) + _integer(self.generator)))
        key = load_der_private_key(_der(0x30, _integer(0) + algorithm + _der(4, _integer(exponent))), None)
        assert isinstance(key, DHPrivateKey)
        return key


GROUPS = {bits: Group(bits, _prime(bits)) for bits in _CONSTANTS}
"""By the bits of the prime: groups 14, 15, 16, 17 and 18 of RFC 3526."""


def choose(least: int, wanted: int, most: int) -> Group:
    """The group for a request (RFC 4419 §3): the smallest that is large enough, else the largest that is allowed.

    `KeyExchangeError` where least ≤ wanted ≤ most does not hold, or none of our groups lies between. A client may ask
    for less than 2048 bits or more than 8192, but never gets it.
    """
    if not least <= wanted <= most:
        raise KeyExchangeError(f"group of {least} to {most} bits was asked for, {wanted} wanted, which is no range")
    allowed = [group for bits, group in GROUPS.items() if max(least, BITS_LEAST) <= bits <= min(most, BITS_MOST)]
    if not allowed:
        raise KeyExchangeError(f"group of {least} to {most} bits was asked for, which is none of {[*GROUPS]}")
    return next((group for group in allowed if group.bits >= wanted), allowed[-1])
