"""The client's side of every key exchange method, and entropy that is recorded."""

from dataclasses import dataclass, field

from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.client.kex import METHODS, ClientShare


@dataclass
class Recorded:
    """`Entropy` that gives out fixed values."""

    private: bytes = bytes(range(32))
    encapsulated: tuple[bytes, bytes] = (b"", b"")
    asked: list[bytes] = field(default_factory=list)

    def octets(self, size: int) -> bytes:
        return self.private[:size]

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        self.asked.append(public_key)
        return self.encapsulated


def start(name: str) -> ClientShare:
    """The client of the method `name`, the same each time."""
    return METHODS[name](SeededEntropy(name))
