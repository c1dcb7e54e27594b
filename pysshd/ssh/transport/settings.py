"""What the transport layer of one connection offers, and the limits that it keeps to."""

from collections.abc import Mapping
from dataclasses import field

from pysshd.records import dataclass
from pysshd.ssh.crypto.catalogue import (
    DEFAULT_CIPHERS,
    DEFAULT_COMPRESSION,
    DEFAULT_KEX,
    DEFAULT_MACS,
    DEFAULT_USER_KEY_ALGORITHMS,
)


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Algorithms by name, in our order of preference, and limits: sizes in bytes, times in seconds."""

    host_keys: Mapping[str, bytes]
    """Host key algorithm to K_S, the public key or certificate that goes with it, in order of preference."""

    identification: bytes = b"SSH-2.0-pysshd"
    """What we say first, without its line end (RFC 4253 §4.2)."""

    kex: tuple[str, ...] = DEFAULT_KEX
    ciphers: tuple[str, ...] = DEFAULT_CIPHERS
    macs: tuple[str, ...] = DEFAULT_MACS
    compression: tuple[str, ...] = DEFAULT_COMPRESSION

    server_sig_algs: tuple[str, ...] = DEFAULT_USER_KEY_ALGORITHMS
    """The signature algorithms of users' keys that we accept (RFC 8308 §3.1)."""

    extensions: Mapping[str, bytes] = field(default_factory=lambda: {"ping@openssh.com": b"0"})
    """What EXT_INFO says behind `server-sig-algs`, by name, to a client that asks for it (RFC 8308 §2.3)."""

    require_strict_kex: bool = False
    """Refuse a peer without `kex-strict-c-v00@openssh.com` (S25)."""

    rekey_bytes: int = 1 << 30
    """New keys after this many bytes in either direction (RFC 4253 §9); 0: only for the sake of `rekey_packets`."""

    rekey_seconds: float = 3600.0
    """New keys after this long (RFC 4253 §9); 0: never."""

    rekey_packets: int = 1 << 31
    """New keys before a packet number could come again under one key (RFC 4344 §3.1)."""

    max_packets_per_key: int = (1 << 32) - 1
    """A connection whose keys have seen so many packets without new ones is over."""

    kex_timeout: float = 60.0
    """A key exchange ends within this time, the first one counted from the start of the connection (S10)."""

    rekey_burst: int = 20
    """Key exchanges that a peer may ask for in quick succession; more are delayed (S38)."""

    rekey_rate: float = 10.0
    """Per second, how fast the burst refills. An exchange after `rekey_worth` bytes of traffic costs nothing."""

    rekey_worth: int = 32 << 10

    preauth_bytes: int = 1 << 20
    """All that a peer may send before it is authenticated, in bytes (S12)."""

    preauth_packets: int = 2048
    """The same in packets."""

    max_queued: int = 256 << 10
    """What may wait for the end of a key exchange, each message counted as 64 bytes more than it has (S15)."""
