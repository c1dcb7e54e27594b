"""ML-KEM-768 decapsulation once more, straight from FIPS 203, for ciphertexts that are known to be honest.

Without the re-encryption of Algorithm 18, which only tells dishonest ciphertexts.
"""

import hashlib
from collections.abc import Iterator

Q = 3329
N = 256
K = 3
DU, DV = 10, 4


def _reversed_bits(i: int) -> int:
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, _reversed_bits(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reversed_bits(i) + 1, Q) for i in range(128)]


def unpack(data: bytes, bits: int) -> list[int]:
    """ByteDecode, Algorithm 6."""
    whole = int.from_bytes(data, "little")
    return [whole >> bits * i & (1 << bits) - 1 for i in range(8 * len(data) // bits)]


def decompress(values: list[int], bits: int) -> list[int]:
    return [(Q * value + (1 << bits - 1)) >> bits for value in values]


def _steps(sizes: list[int]) -> Iterator[tuple[int, int]]:
    for size in sizes:
        for start in range(0, N, 2 * size):
            yield size, start


def ntt(f: list[int]) -> list[int]:
    """Algorithm 9."""
    f = list(f)
    zetas = iter(ZETAS[1:])
    for size, start in _steps([128, 64, 32, 16, 8, 4, 2]):
        zeta = next(zetas)
        for j in range(start, start + size):
            t = zeta * f[j + size]
            f[j], f[j + size] = (f[j] + t) % Q, (f[j] - t) % Q
    return f


def inverse_ntt(f: list[int]) -> list[int]:
    """Algorithm 10."""
    f = list(f)
    zetas = iter(ZETAS[:0:-1])
    for size, start in _steps([2, 4, 8, 16, 32, 64, 128]):
        zeta = next(zetas)
        for j in range(start, start + size):
            f[j], f[j + size] = (f[j] + f[j + size]) % Q, zeta * (f[j + size] - f[j]) % Q
    return [value * 3303 % Q for value in f]


def multiply(f: list[int], g: list[int]) -> list[int]:
    """Algorithms 11 and 12."""
    out = []
    for i, gamma in enumerate(GAMMAS):
        (a0, a1), (b0, b1) = f[2 * i : 2 * i + 2], g[2 * i : 2 * i + 2]
        out += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return out


def decapsulate(dk: bytes, ciphertext: bytes) -> bytes:
    """The shared secret (Algorithms 15 and 18) of an honest ciphertext."""
    s = unpack(dk[: 384 * K], 12)
    size = 32 * DU * K
    u = decompress(unpack(ciphertext[:size], DU), DU)
    v = decompress(unpack(ciphertext[size:], DV), DV)
    total = [0] * N
    for i in range(0, K * N, N):
        product = multiply(s[i : i + N], ntt(u[i : i + N]))
        total = [(a + b) % Q for a, b in zip(total, product, strict=True)]
    w = [(a - b) % Q for a, b in zip(v, inverse_ntt(total), strict=True)]
    bits = [(2 * value + Q // 2) // Q % 2 for value in w]
    message = sum(bit << i for i, bit in enumerate(bits)).to_bytes(32, "little")
    hash_of_ek = dk[768 * K + 32 : 768 * K + 64]
    return hashlib.sha3_512(message + hash_of_ek).digest()[:32]
