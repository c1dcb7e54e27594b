"""What a key exchange method takes from outside and gives back."""

from dataclasses import field
from typing import Protocol

from pysshd.records import dataclass


class Entropy(Protocol):
    """Where randomness comes from. It is handed in, so that a recorded session can be replayed."""

    def octets(self, size: int) -> bytes:
        """That many unpredictable bytes."""

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        """ML-KEM encapsulation (FIPS 203 §7.2): the secret, 32 bytes, and the ciphertext.

        To a key of ML-KEM-768 (1184 bytes) or ML-KEM-1024 (1568 bytes). Here and not in the method, for the libraries
        draw their own randomness for it. `KeyExchangeError` where the key is malformed.
        """


@dataclass(frozen=True, slots=True)
class KexShare:
    """The server's half of an exchange.

    `reply` is the public value for the client, without its length; `secret` is the shared secret K in its wire
    encoding (mpint or string, as the method says), ready for the exchange hash and the derivation of keys.
    """

    reply: bytes
    secret: bytes = field(repr=False)
