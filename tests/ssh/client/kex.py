"""The client's side of every key exchange method."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from tests.ssh.client.primes import PRIMES


class ClientShare(NamedTuple):
    """What goes into KEX_ECDH_INIT, and what makes the encoded K of the server's reply."""

    public: bytes
    finish: Callable[[bytes], bytes]


class _Agreement(NamedTuple):
    """Our public value of a curve, and what makes the shared secret of theirs, in its fixed size."""

    public: bytes
    agree: Callable[[bytes], bytes]


def _x25519(entropy: Entropy) -> _Agreement:
    private = X25519PrivateKey.from_private_bytes(entropy.octets(32))
    public = private.public_key().public_bytes_raw()
    return _Agreement(public, lambda reply: private.exchange(X25519PublicKey.from_public_bytes(reply)))


def _nist(curve: ec.EllipticCurve) -> Callable[[Entropy], _Agreement]:
    def begin(entropy: Entropy) -> _Agreement:
        # 64 bits more than the order, so that the remainder is even enough for anybody.
        octets = entropy.octets(curve.key_size // 8 + 9)
        private = ec.derive_private_key(int.from_bytes(octets, "big") % (curve.group_order - 1) + 1, curve)
        public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

        def agree(reply: bytes) -> bytes:
            assert reply[:1] == b"\4"
            return private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, reply))

        return _Agreement(public, agree)

    return begin


def _as_number(begin: Callable[[Entropy], _Agreement]) -> Callable[[Entropy], ClientShare]:
    def share(entropy: Entropy) -> ClientShare:
        public, agree = begin(entropy)
        return ClientShare(public, lambda reply: codec.mpint(int.from_bytes(agree(reply), "big")))

    return share


def _hybrid(
    kem: type[MLKEM768PrivateKey] | type[MLKEM1024PrivateKey],
    ciphertext: int,
    begin: Callable[[Entropy], _Agreement],
    hash_name: str,
) -> Callable[[Entropy], ClientShare]:
    def share(entropy: Entropy) -> ClientShare:
        post_quantum = kem.from_seed_bytes(entropy.octets(64))
        public, agree = begin(entropy)

        def finish(reply: bytes) -> bytes:
            secrets = post_quantum.decapsulate(reply[:ciphertext]) + agree(reply[ciphertext:])
            return codec.string(hashlib.new(hash_name, secrets).digest())

        return ClientShare(post_quantum.public_key().public_bytes_raw() + public, finish)

    return share


def in_group(prime: int, generator: int) -> Callable[[Entropy], ClientShare]:
    """Diffie-Hellman modulo any prime, with nothing but `pow`."""

    def share(entropy: Entropy) -> ClientShare:
        secret = int.from_bytes(entropy.octets(40), "big")

        def finish(reply: bytes) -> bytes:
            theirs = Reader(codec.string(reply)).mpint()
            assert 1 < theirs < prime - 1
            return codec.mpint(pow(theirs, secret, prime))

        return ClientShare(codec.mpint(pow(generator, secret, prime))[4:], finish)

    return share


P256, P384, P521 = _nist(ec.SECP256R1()), _nist(ec.SECP384R1()), _nist(ec.SECP521R1())

METHODS: dict[str, Callable[[Entropy], ClientShare]] = {
    "mlkem768x25519-sha256": _hybrid(MLKEM768PrivateKey, 1088, _x25519, "sha256"),
    "mlkem768nistp256-sha256": _hybrid(MLKEM768PrivateKey, 1088, P256, "sha256"),
    "mlkem1024nistp384-sha384": _hybrid(MLKEM1024PrivateKey, 1568, P384, "sha384"),
    "curve25519-sha256": _as_number(_x25519),
    "curve25519-sha256@libssh.org": _as_number(_x25519),
    "ecdh-sha2-nistp256": _as_number(P256),
    "ecdh-sha2-nistp384": _as_number(P384),
    "ecdh-sha2-nistp521": _as_number(P521),
    "diffie-hellman-group14-sha256": in_group(PRIMES[2048], 2),
    "diffie-hellman-group16-sha512": in_group(PRIMES[4096], 2),
    "diffie-hellman-group18-sha512": in_group(PRIMES[8192], 2),
}
"""The methods of one round; in a group exchange `in_group` follows the server's choice."""

GROUP_EXCHANGE = "diffie-hellman-group-exchange-sha256"
