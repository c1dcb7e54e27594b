"""The two parameter sets of ML-KEM (FIPS 203 §8) that key exchange methods use, and the check of what a peer sends."""

from dataclasses import field

from pysshd.errors import KeyExchangeError
from pysshd.records import dataclass

_Q = 3329
_N = 256


def _every_other(k: int, value: int) -> int:
    return sum(value << 24 * i for i in range(k * _N // 2))


@dataclass(frozen=True, slots=True)
class MlKem:
    """A parameter set: sizes in bytes of the encapsulation key and of the ciphertext; `k` is its rank."""

    name: str
    k: int
    key_size: int
    ciphertext_size: int
    # Every other 12-bit coefficient, then the same moved to the gaps between: a sum can carry into the gap above it.
    _mask: int = field(init=False, repr=False)
    _to_overflow: int = field(init=False, repr=False)
    _overflown: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, value in (("_mask", 0xFFF), ("_to_overflow", 0x1000 - _Q), ("_overflown", 0x1000)):
            object.__setattr__(self, name, _every_other(self.k, value))

    def check_key(self, key: bytes) -> None:
        """The checks of FIPS 203 §7.2: the size, and every coefficient below q; `KeyExchangeError` otherwise.

        Done here and not left to the library, which may be linked to another one tomorrow. All coefficients at once.
        """
        if len(key) != self.key_size:
            raise KeyExchangeError(f"encapsulation key has {len(key)} bytes, expected {self.key_size}")
        packed = int.from_bytes(key[: self.k * _N * 12 // 8], "little")
        for coefficients in (packed & self._mask, packed >> 12 & self._mask):
            if coefficients + self._to_overflow & self._overflown:
                raise KeyExchangeError("encapsulation key has a coefficient that is not below q")


ML_KEM_768 = MlKem("ml-kem-768", 3, key_size=1184, ciphertext_size=1088)
ML_KEM_1024 = MlKem("ml-kem-1024", 4, key_size=1568, ciphertext_size=1568)
