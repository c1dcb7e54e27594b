"""The randomness of the operating system. This module is not pure, and only a composition root should name it."""

# The one place of this wing that asks the kernel for randomness, without a user-space generator that a fork would copy.
import os

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey, MLKEM1024PublicKey

from pysshd.errors import KeyExchangeError
from pysshd.ssh.crypto.mlkem import ML_KEM_768, ML_KEM_1024

_KEM_KEYS: dict[int, type[MLKEM768PublicKey] | type[MLKEM1024PublicKey]] = {
    ML_KEM_768.key_size: MLKEM768PublicKey,
    ML_KEM_1024.key_size: MLKEM1024PublicKey,
}


class SystemEntropy:
    """`Entropy` from `os.urandom` and from the library's own generator, which reseeds itself after a fork."""

    __slots__ = ()

    def octets(self, size: int) -> bytes:
        """That many bytes of the kernel's generator."""
        return os.urandom(size)

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        """A fresh ML-KEM secret and its ciphertext; the size of the key says of which parameter set."""
        kind = _KEM_KEYS.get(len(public_key))
        if kind is None:
            raise KeyExchangeError(f"encapsulation key has {len(public_key)} bytes, expected one of {[*_KEM_KEYS]}")
        try:
            return kind.from_public_bytes(public_key).encapsulate()
        except ValueError:
            raise KeyExchangeError("encapsulation key is not one of ml-kem") from None
