"""Making password hashes, and decoys that cost the same and match nothing."""

import base64
from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pysshd.identity.verify import PASSWORD_SIZE_MAX, Argon2Hash, parse_phc

MEMORY: Final = 1 << 16
ITERATIONS: Final = 3
LANES: Final = 4
"""RFC 9106 §4, the second recommended choice (64 MiB, 3 passes, 4 lanes): the first one's 2 GiB for each check would
let a few strangers exhaust a small host."""

SALT_SIZE: Final = 16
TAG_SIZE: Final = 32
"""RFC 9106 §4: salts of 128 bits, tags of 256."""


class Entropy(Protocol):
    """Where randomness comes from."""

    def octets(self, size: int) -> bytes:
        """So many random bytes."""


def acceptable(password: bytes) -> bool:
    """Whether a password may be one at all: not empty, not too long, without NUL (security.md S68)."""
    return 0 < len(password) <= PASSWORD_SIZE_MAX and b"\0" not in password


def make_hash(password: bytes, entropy: Entropy) -> str:
    """A new hash of `password` in PHC form; `ValueError` for one that no login would accept.

    Slow, and never to be run in a thread or in a process that will fork.
    """
    if not acceptable(password):
        raise ValueError(f"password is not acceptable, expected 1 to {PASSWORD_SIZE_MAX} bytes without NUL")
    salt = entropy.octets(SALT_SIZE)
    derivation = Argon2id(salt=salt, length=TAG_SIZE, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY)
    return phc(Argon2Hash(MEMORY, ITERATIONS, LANES, salt, derivation.derive(password)))


def phc(made: Argon2Hash) -> str:
    """The hash in PHC form."""
    costs = f"m={made.memory},t={made.iterations},p={made.lanes}"
    return f"$argon2id$v=19${costs}${_unpadded(made.salt)}${_unpadded(made.tag)}"


def decoy_hash(hashes: Iterable[str], entropy: Entropy) -> str:
    """A hash that nothing matches, for names that cannot come in by a password (security.md S70).

    It costs what most of `hashes` (PHC) cost, the dearest of them on a tie, and what a new hash costs where there is
    none. The tag is random, so no password is known for it, and making it takes no time. Where the file's hashes differ
    in cost, someone whose hash is of a rare cost can still be told from a stranger by time: one cost for everyone is
    what to aim at.
    """
    costs: Counter[tuple[int, int, int, int, int]] = Counter()
    for text in hashes:
        try:
            found = parse_phc(text)
        except ValueError:
            continue
        costs[found.memory, found.iterations, found.lanes, len(found.salt), len(found.tag)] += 1
    if not costs:
        return phc(Argon2Hash(MEMORY, ITERATIONS, LANES, entropy.octets(SALT_SIZE), entropy.octets(TAG_SIZE)))
    memory, iterations, lanes, salt, tag = max(costs, key=lambda cost: (costs[cost], cost[0] * cost[1], cost))
    return phc(Argon2Hash(memory, iterations, lanes, entropy.octets(salt), entropy.octets(tag)))


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode("ascii")
