"""curve25519-sha256 (RFC 8731)."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from pysshd.errors import KeyExchangeError
from pysshd.ssh.crypto.shares import Entropy, KexShare
from pysshd.ssh.wire import codec

PUBLIC_SIZE = 32
"""Bytes of a public value and of the shared secret."""


def exchange(entropy: Entropy, client_public: bytes) -> tuple[bytes, bytes]:
    """X25519 with a fresh key: our public value and the shared secret, 32 bytes each (RFC 7748 §6.1).

    `KeyExchangeError` for another size, and for a point of small order, whose secret is all zeros (RFC 8731 §3).
    """
    if len(client_public) != PUBLIC_SIZE:
        raise KeyExchangeError(f"x25519 public value has {len(client_public)} bytes, expected {PUBLIC_SIZE}")
    ours = X25519PrivateKey.from_private_bytes(entropy.octets(PUBLIC_SIZE))
    try:
        secret = ours.exchange(X25519PublicKey.from_public_bytes(client_public))
    except ValueError:
        raise KeyExchangeError("x25519 public value is of small order: the shared secret is zero") from None
    if secret == bytes(PUBLIC_SIZE):
        raise KeyExchangeError("x25519 shared secret is zero")
    return ours.public_key().public_bytes_raw(), secret


def respond(entropy: Entropy, client_public: bytes) -> KexShare:
    """The server's side; K is an mpint of the secret, read most significant byte first (RFC 8731 §3.1)."""
    reply, secret = exchange(entropy, client_public)
    return KexShare(reply, codec.mpint(int.from_bytes(secret, "big")))
