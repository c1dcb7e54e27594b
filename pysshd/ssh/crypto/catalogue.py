"""What is offered: every name that a policy may say, and three profiles of them, each list best first.

The names that ride in a list of key exchange methods without being one (ext-info, strict kex) belong to negotiation.
"""

from dataclasses import replace
from typing import Final

from pysshd.records import dataclass
from pysshd.ssh.crypto.certs import CERTIFICATE_ALGORITHMS
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.kex import KEX_METHODS
from pysshd.ssh.crypto.keys import SIGNATURE_ALGORITHMS
from pysshd.ssh.crypto.macs import MACS

DELAYED_COMPRESSION: Final = "zlib@openssh.com"
"""Compression that begins once the peer is authenticated; there is no other one."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One list for each kind of algorithm, best first.

    `user_key_algorithms` are those of logins, sent as `server-sig-algs` (RFC 8308 §3.1). `require_strict_kex`: a peer
    without strict key exchange is refused.
    """

    kex: tuple[str, ...]
    host_key_algorithms: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    compression: tuple[str, ...]
    user_key_algorithms: tuple[str, ...]
    require_strict_kex: bool = False


_DEFAULT: Final = Profile(
    kex=("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org"),
    host_key_algorithms=(
        "ssh-ed25519-cert-v01@openssh.com",
        "rsa-sha2-512-cert-v01@openssh.com",
        "rsa-sha2-256-cert-v01@openssh.com",
        "ssh-ed25519",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ),
    ciphers=(
        "chacha20-poly1305@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
    ),
    macs=("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"),
    compression=("none",),
    user_key_algorithms=(
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ),
)

_CURVES: Final = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")

PROFILES: Final[dict[str, Profile]] = {
    # Every client that knows this one method knows strict key exchange too.
    "strict": replace(_DEFAULT, kex=("mlkem768x25519-sha256",), require_strict_kex=True),
    "default": _DEFAULT,
    # Old and governmental peers: what is weaker stands behind, so that whoever can do better does.
    "compatible": replace(
        _DEFAULT,
        kex=(
            *_DEFAULT.kex,
            "mlkem768nistp256-sha256",
            "mlkem1024nistp384-sha384",
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group14-sha256",
        ),
        host_key_algorithms=(
            *_DEFAULT.host_key_algorithms,
            *(f"{name}-cert-v01@openssh.com" for name in _CURVES),
            *_CURVES,
        ),
        macs=(*_DEFAULT.macs, "hmac-sha2-512", "hmac-sha2-256"),
    ),
}
"""What `crypto.profile` of a policy may say."""

DEFAULT_KEX: Final = _DEFAULT.kex
DEFAULT_HOST_KEY_ALGORITHMS: Final = _DEFAULT.host_key_algorithms
DEFAULT_CIPHERS: Final = _DEFAULT.ciphers
DEFAULT_MACS: Final = _DEFAULT.macs
DEFAULT_COMPRESSION: Final = _DEFAULT.compression
DEFAULT_USER_KEY_ALGORITHMS: Final = _DEFAULT.user_key_algorithms

ALL_NAMES: Final[dict[str, frozenset[str]]] = {
    "kex": frozenset(KEX_METHODS),
    "host_key_algorithms": frozenset(SIGNATURE_ALGORITHMS) | frozenset(CERTIFICATE_ALGORITHMS),
    "ciphers": frozenset(CIPHERS),
    "macs": frozenset(MACS),
    "compression": frozenset({"none", DELAYED_COMPRESSION}),
    "user_key_algorithms": frozenset(SIGNATURE_ALGORITHMS),
}
"""Every name that there is an implementation of, by the kind of algorithm: the fields of `Profile`."""
