"""The table of key exchange methods, the exchange hash, and the keys that follow from it (RFC 4253 §7.2, §8).

method = KEX_METHODS[name]
share = method.respond(entropy, client_init)
h = exchange_hash(method.hash_name, ..., client_init, share.reply, share.secret)
keys = derive_keys(method.hash_name, share.secret, h, session_id, SERVER_TO_CLIENT, cipher, mac)
"""

import hashlib
from collections.abc import Callable
from dataclasses import field
from typing import NamedTuple, Protocol

from pysshd.errors import KeyExchangeError
from pysshd.records import dataclass
from pysshd.ssh.crypto import curve25519, hybrid, nist
from pysshd.ssh.crypto.ciphers import CipherSpec
from pysshd.ssh.crypto.hybrid import Hybrid
from pysshd.ssh.crypto.macs import MacSpec
from pysshd.ssh.crypto.nist import Curve
from pysshd.ssh.crypto.packets import PacketOpener, PacketSealer
from pysshd.ssh.crypto.shares import Entropy, KexShare
from pysshd.ssh.wire import codec


class KexGroup(Protocol):
    """A group that was chosen for one exchange (RFC 4419)."""

    @property
    def prime(self) -> int:
        """The modulus p."""

    @property
    def generator(self) -> int:
        """The generator g."""

    def respond(self, entropy: Entropy, client_init: bytes) -> KexShare:
        """As `KexSpec.respond`."""


@dataclass(frozen=True, slots=True)
class KexSpec:
    """A method: the hash that it names, the size of the client's public value in bytes, and the server's side.

    `client_init_size` is None where the value is a number, which has no one size; then it and our reply are mpints
    without their length. `respond` raises `KeyExchangeError` for any value that it does not accept. A method with
    `choose` makes the group known first, for the bits least, wanted and most, and that group responds.
    """

    name: str
    hash_name: str
    client_init_size: int | None
    respond: Callable[[Entropy, bytes], KexShare]
    choose: Callable[[int, int, int], KexGroup] | None = None


def _in_group(bits: int) -> Callable[[Entropy, bytes], KexShare]:
    def respond(entropy: Entropy, client_init: bytes) -> KexShare:
        # Not at the top: only where a policy names the method. Confined processes have imported it before.
        from pysshd.ssh.crypto.modp import GROUPS

        return GROUPS[bits].respond(entropy, client_init)

    return respond


def _choose(least: int, wanted: int, most: int) -> KexGroup:
    from pysshd.ssh.crypto.modp import choose

    return choose(least, wanted, most)


def _without_group(entropy: Entropy, client_init: bytes) -> KexShare:
    raise KeyExchangeError("public value came before a group was asked for")


def _nist(curve: Curve, hash_name: str) -> KexSpec:
    return KexSpec(f"ecdh-sha2-{curve.name}", hash_name, curve.public_size, curve.respond)


def _hybrid(name: str, method: Hybrid) -> KexSpec:
    return KexSpec(name, method.hash_name, method.client_init_size, method.respond)


_OPTIONAL_ROWS = (
    KexSpec("diffie-hellman-group14-sha256", "sha256", None, _in_group(2048)),
    KexSpec("diffie-hellman-group16-sha512", "sha512", None, _in_group(4096)),
    KexSpec("diffie-hellman-group18-sha512", "sha512", None, _in_group(8192)),
    KexSpec("diffie-hellman-group-exchange-sha256", "sha256", None, _without_group, _choose),
)

_ROWS = (
    _hybrid("mlkem768x25519-sha256", hybrid.MLKEM768_X25519),
    KexSpec("curve25519-sha256", "sha256", curve25519.PUBLIC_SIZE, curve25519.respond),
    KexSpec("curve25519-sha256@libssh.org", "sha256", curve25519.PUBLIC_SIZE, curve25519.respond),
    _hybrid("mlkem768nistp256-sha256", hybrid.MLKEM768_NISTP256),
    _hybrid("mlkem1024nistp384-sha384", hybrid.MLKEM1024_NISTP384),
    _nist(nist.NISTP256, "sha256"),
    _nist(nist.NISTP384, "sha384"),
    _nist(nist.NISTP521, "sha512"),
    *_OPTIONAL_ROWS,
)

KEX_METHODS: dict[str, KexSpec] = {row.name: row for row in _ROWS}
"""Every key exchange method that can be negotiated, by its name."""

OPTIONAL_KEX: frozenset[str] = frozenset(row.name for row in _OPTIONAL_ROWS)
"""Methods whose modules are imported only where they are used: a process that will be confined warms them up before."""


def exchange_hash(
    hash_name: str,
    *,
    client_version: bytes,
    server_version: bytes,
    client_kexinit: bytes,
    server_kexinit: bytes,
    host_key: bytes,
    client_init: bytes,
    server_reply: bytes,
    secret: bytes,
    group: bytes = b"",
) -> bytes:
    """The hash H of an exchange with an ephemeral value from each side (RFC 4253 §8, RFC 5656 §4, RFC 8731 §3.1).

    The versions are without CR LF, the KEXINITs whole payloads. `secret` is K in its wire encoding, and so is `group`,
    what was agreed on between host key and public values (RFC 4419 §3); nothing else has its length in front yet.
    """
    before = (client_version, server_version, client_kexinit, server_kexinit, host_key)
    values = b"".join(map(codec.string, (client_init, server_reply)))
    return hashlib.new(hash_name, b"".join(map(codec.string, before)) + group + values + secret).digest()


class Direction(NamedTuple):
    """The letters that tell the keys of one direction apart (RFC 4253 §7.2)."""

    iv: bytes
    key: bytes
    mac_key: bytes


CLIENT_TO_SERVER = Direction(b"A", b"C", b"E")
SERVER_TO_CLIENT = Direction(b"B", b"D", b"F")


@dataclass(frozen=True, slots=True)
class DirectionKeys:
    """What one direction needs from one exchange: the algorithms and their keys, all secret."""

    cipher: CipherSpec
    mac: MacSpec | None
    iv: bytes = field(repr=False)
    key: bytes = field(repr=False)
    mac_key: bytes = field(repr=False)

    def sealer(self) -> PacketSealer:
        """A sealer that starts at the first packet under these keys."""
        return self.cipher.sealer(self.key, self.iv, self.mac, self.mac_key)

    def opener(self) -> PacketOpener:
        """An opener that starts at the first packet under these keys."""
        return self.cipher.opener(self.key, self.iv, self.mac, self.mac_key)


def derive_key(hash_name: str, secret: bytes, h: bytes, letter: bytes, session_id: bytes, size: int) -> bytes:
    """`size` bytes of key for one letter: HASH(K || H || letter || session_id), extended by HASH(K || H || so far)."""
    made = b""
    behind = letter + session_id
    while len(made) < size:
        made += hashlib.new(hash_name, secret + h + behind).digest()
        behind = made
    return made[:size]


def derive_keys(
    hash_name: str,
    secret: bytes,
    h: bytes,
    session_id: bytes,
    direction: Direction,
    cipher: CipherSpec,
    mac: MacSpec | None,
) -> DirectionKeys:
    """All keys of one direction; `mac` is ignored where the cipher authenticates by itself."""
    mac = mac if cipher.needs_mac else None

    def derive(letter: bytes, size: int) -> bytes:
        return derive_key(hash_name, secret, h, letter, session_id, size)

    return DirectionKeys(
        cipher,
        mac,
        iv=derive(direction.iv, cipher.iv_size),
        key=derive(direction.key, cipher.key_size),
        mac_key=derive(direction.mac_key, mac.key_size) if mac else b"",
    )
