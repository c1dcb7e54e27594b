"""The table of MACs: `MACS[name]` (RFC 6668, in OpenSSH's encrypt-then-MAC order and in that of RFC 4253 §6.4)."""

from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.hmac import HMAC

from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class MacSpec:
    """A MAC algorithm: sizes in bytes of its key and of its output; `etm`: it is over the ciphertext."""

    name: str
    key_size: int
    size: int
    hash: type[HashAlgorithm]
    etm: bool = True

    def keyed(self, key: bytes) -> HMAC:
        """A context that has taken the key and nothing else: copy it for each packet."""
        if len(key) != self.key_size:
            raise ValueError(f"key of {self.name} has {len(key)} bytes, expected {self.key_size}")
        return HMAC(key, self.hash())


_ROWS = (
    MacSpec("hmac-sha2-512-etm@openssh.com", key_size=64, size=64, hash=SHA512),
    MacSpec("hmac-sha2-256-etm@openssh.com", key_size=32, size=32, hash=SHA256),
    MacSpec("hmac-sha2-512", key_size=64, size=64, hash=SHA512, etm=False),
    MacSpec("hmac-sha2-256", key_size=32, size=32, hash=SHA256, etm=False),
)

MACS: dict[str, MacSpec] = {row.name: row for row in _ROWS}
"""Every MAC that can be negotiated, by its name."""
