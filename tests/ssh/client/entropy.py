"""Entropy that a test can foresee."""

import hashlib
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey, MLKEM1024PublicKey

from pysshd.errors import KeyExchangeError

KINDS: dict[int, type[MLKEM768PublicKey] | type[MLKEM1024PublicKey]] = {
    1184: MLKEM768PublicKey,
    1568: MLKEM1024PublicKey,
}


class SeededEntropy:
    """Octets that follow from the seed.

    The library has no encapsulation that follows from a seed, so what comes out of it is noted in `encapsulated`, and
    given out again by an object that was made with these notes.
    """

    def __init__(self, seed: str, encapsulated: Iterable[tuple[bytes, bytes]] | None = None) -> None:
        self._seed = seed.encode()
        self._count = 0
        self._notes = None if encapsulated is None else iter(encapsulated)
        self.encapsulated: list[tuple[bytes, bytes]] = []

    def octets(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._seed + self._count.to_bytes(8, "big")).digest(size)

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        if self._notes is not None:
            return next(self._notes)
        try:
            made = KINDS[len(public_key)].from_public_bytes(public_key).encapsulate()
        except ValueError:
            raise KeyExchangeError("encapsulation key is not one of ml-kem") from None
        self.encapsulated.append(made)
        return made
