"""The host keys: they are held here and nowhere else, and sign exchange hashes and proofs of themselves, nothing else.

What is signed is told apart by its form: an exchange hash has the length of one, and a proof is built here, of a name
that nothing else begins with, a session id that the caller knows by itself, and the key.
"""

from collections.abc import Sequence

from pysshd.errors import BoundaryError
from pysshd.records import dataclass
from pysshd.ssh.crypto.certs import Certificate, plain_algorithm
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire.messages.requests import HOST_KEYS_PROVE, HostKeyProof

HASH_SIZES = frozenset({32, 48, 64})
"""Bytes of an exchange hash: SHA-256, SHA-384, SHA-512."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One host key algorithm: the key that signs for it, and by which algorithm.

    blob: what clients are shown, the public key or the certificate over it: K_S of the exchange (RFC 4253 §8).
    """

    key: PrivateKey
    signature: str
    blob: bytes


class Signer:
    """Signs with the host key that an algorithm belongs to; of two keys of one algorithm the first counts.

    certificates: host certificates, each with the key that it is for, which is one of `keys`.
    order: the host key algorithms that may be used at all, best first; None: whatever the keys can do.
    """

    def __init__(
        self,
        keys: Sequence[PrivateKey],
        certificates: Sequence[tuple[PrivateKey, Certificate]] = (),
        order: Sequence[str] | None = None,
    ) -> None:
        offers: dict[str, Offer] = {}
        for key in keys:
            for algorithm in key.algorithms:
                offers.setdefault(algorithm, Offer(key, algorithm, key.public.blob))
        for key, certificate in certificates:
            for algorithm in certificate.algorithms:
                offers.setdefault(algorithm, Offer(key, plain_algorithm(algorithm), certificate.blob))
        self._offers = offers if order is None else {name: offers[name] for name in order if name in offers}
        signatures = {offer.signature for offer in self._offers.values()}
        self._proofs: dict[bytes, tuple[PrivateKey, tuple[str, ...]]] = {
            key.public.blob: (key, usable)
            for key in keys
            if (usable := tuple(name for name in key.algorithms if name in signatures))
        }

    @property
    def public(self) -> tuple[tuple[str, bytes], ...]:
        """(Algorithm, K_S) for every algorithm that a key is there for, in the order of preference."""
        return tuple((name, offer.blob) for name, offer in self._offers.items())

    @property
    def announced(self) -> tuple[bytes, ...]:
        """The public key blobs that clients may learn: those of the first keys, and of the others of the same kinds."""
        return tuple(self._proofs)

    def offer(self, algorithm: str) -> Offer:
        """Return what stands behind a host key algorithm; BoundaryError for one that is not offered."""
        found = self._offers.get(algorithm)
        if found is None:
            raise BoundaryError(f"host key algorithm {algorithm!r} was asked for, but no key is there for it")
        return found

    def sign(self, algorithm: str, exchange_hash: bytes) -> bytes:
        """Return the signature blob; BoundaryError for an unknown algorithm or anything but a hash."""
        offer = self.offer(algorithm)
        if len(exchange_hash) not in HASH_SIZES:
            raise BoundaryError(f"exchange hash has {len(exchange_hash)} bytes, expected 32, 48 or 64")
        return offer.key.sign(offer.signature, exchange_hash)

    def prove(self, blob: bytes, session_id: bytes, exchanged: str) -> bytes:
        """Return the signature that proves one host key in a session (OpenSSH's PROTOCOL §2.5).

        `exchanged` is the host key algorithm of the session's last key exchange: where that is one of RSA, an RSA key
        signs by the same, else by its best. BoundaryError for a key that is not announced.
        """
        if blob not in self._proofs:
            raise BoundaryError("proof was asked for a key that is not announced")
        key, usable = self._proofs[blob]
        negotiated = self.offer(exchanged).signature
        algorithm = negotiated if negotiated in usable else usable[0]
        return key.sign(algorithm, HostKeyProof(HOST_KEYS_PROVE, session_id, blob).encode())
