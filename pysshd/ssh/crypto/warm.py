"""Run every primitive and every failure once.

`cryptography` and the standard library import lazily, and a process under seccomp can open no file any more: a first
use there would fail. What runs here has all its modules and its providers loaded, also in the forks of this process.
"""

from collections.abc import Callable, Iterable
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve, derive_private_key
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pysshd.errors import IntegrityError, InvalidKeyError, InvalidSignatureError, KeyExchangeError, PysshdError
from pysshd.ssh.crypto.certs import parse_certificate
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.kex import (
    KEX_METHODS,
    OPTIONAL_KEX,
    SERVER_TO_CLIENT,
    KexSpec,
    derive_key,
    derive_keys,
    exchange_hash,
)
from pysshd.ssh.crypto.keys import KEY_TYPES, parse_public_key, parse_public_key_line
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.mlkem import ML_KEM_768, ML_KEM_1024
from pysshd.ssh.crypto.nist import NISTP256, NISTP384, NISTP521
from pysshd.ssh.crypto.packets import LENGTH_SIZE, PacketOpener, PacketSealer
from pysshd.ssh.crypto.private_keys import load_private_key
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.wire import codec

_PACKET = b"\0\0\0\x1c\x0b" + bytes(27)
_CHEAP_KEYS = {
    "ssh-ed25519": ("ed25519", 256),
    "ecdsa-sha2-nistp256": ("ecdsa", 256),
    "ecdsa-sha2-nistp384": ("ecdsa", 384),
    "ecdsa-sha2-nistp521": ("ecdsa", 521),
}


def warm_up(entropy: Entropy) -> None:
    """Use all that is in the tables, well and badly; keeps nothing. About 20 ms.

    Raises what does not work on this machine, so it is a self-test as well. The methods of `OPTIONAL_KEX` are left to
    `warm_up_optional`.
    """
    for method in KEX_METHODS.values():
        if method.name not in OPTIONAL_KEX:
            _key_exchange(entropy, method)
    for cipher in CIPHERS.values():
        for mac in MACS.values() if cipher.needs_mac else (None,):
            keys = derive_keys("sha256", codec.mpint(1), b"", b"", SERVER_TO_CLIENT, cipher, mac)
            _round_trip(keys.sealer(), keys.opener())
    for name in KEY_TYPES:
        _key(name)
    _refused(InvalidKeyError, lambda: parse_public_key(codec.string(b"ssh-rsa") + codec.mpint(3) + codec.mpint(15)))
    _refused(InvalidKeyError, lambda: parse_public_key(codec.string(b"ssh-dss")))
    _refused(InvalidKeyError, lambda: parse_public_key_line("ssh-ed25519 AAAA"))
    _refused(InvalidKeyError, lambda: parse_certificate(codec.string(b"ssh-ed25519-cert-v01@openssh.com")))
    _refused(InvalidKeyError, lambda: load_private_key(b"none"))


def warm_up_optional(entropy: Entropy, names: Iterable[str]) -> None:
    """Import and use what is behind those of `names` that nothing else imports; others are nothing to this module."""
    for name in OPTIONAL_KEX.intersection(names):
        _key_exchange(entropy, KEX_METHODS[name])


def _refused(error: type[PysshdError], act: Callable[[], object]) -> None:
    try:
        act()
    except error:
        return
    raise AssertionError(f"a value that must raise {error.__name__} was accepted")


def _point(curve: EllipticCurve) -> bytes:
    return derive_private_key(1, curve).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


_POINTS: dict[int, Callable[[], bytes]] = {
    32: lambda: b"\x09" + bytes(31),
    NISTP256.public_size: lambda: _point(NISTP256.curve),
    NISTP384.public_size: lambda: _point(NISTP384.curve),
    NISTP521.public_size: lambda: _point(NISTP521.curve),
}
"""A public value by its size."""

_KEMS: dict[int, Callable[[], bytes]] = {
    0: lambda: b"",
    ML_KEM_768.key_size: lambda: MLKEM768PrivateKey.generate().public_key().public_bytes_raw(),
    ML_KEM_1024.key_size: lambda: MLKEM1024PrivateKey.generate().public_key().public_bytes_raw(),
}
"""An encapsulation key by its size."""


def _key_exchange(entropy: Entropy, method: KexSpec) -> None:
    """One exchange as the server, and its refusals: wrong size, no point or of small order, value out of range."""
    respond = method.respond
    if method.choose is not None:
        _refused(KeyExchangeError, partial(method.choose, 1, 1, 1))
        respond = method.choose(2048, 2048, 8192).respond
    front, back = b"", b"\2"
    if (size := method.client_init_size) is not None:
        parts = ((kem, point) for kem in _KEMS for point in _POINTS if kem + point == size)
        front, back = next((_KEMS[kem](), _POINTS[point]()) for kem, point in parts)
    share = respond(entropy, front + back)
    h = exchange_hash(
        method.hash_name,
        client_version=b"",
        server_version=b"",
        client_kexinit=b"",
        server_kexinit=b"",
        host_key=b"",
        client_init=front + back,
        server_reply=share.reply,
        secret=share.secret,
    )
    derive_key(method.hash_name, share.secret, h, b"A", h, 128)
    bad = [b"", front + bytes(len(back))]
    if len(back) > 32:
        bad.append(front + back[:1] + b"\xff" * (len(back) - 1))
    if front:
        out_of_range = b"\xff" * len(front)
        bad.append(out_of_range + back)
        _refused(KeyExchangeError, lambda: entropy.encapsulate(out_of_range))
        _refused(KeyExchangeError, lambda: entropy.encapsulate(b""))
    for value in bad:
        _refused(KeyExchangeError, partial(respond, entropy, value))


def _round_trip(sealer: PacketSealer, opener: PacketOpener) -> None:
    """One packet as it should be, and one whose tag is wrong."""
    sealed = bytearray(len(_PACKET) + sealer.tag)
    opened = bytearray(len(_PACKET) - LENGTH_SIZE)
    sealer.seal_into(0, memoryview(_PACKET), memoryview(sealed))
    opener.length(0, memoryview(sealed)[: opener.head])
    opener.open_into(0, memoryview(sealed), memoryview(opened))
    if opened != _PACKET[LENGTH_SIZE:]:
        raise AssertionError("a packet does not come back as it was sealed")
    _refused(IntegrityError, lambda: opener.open_into(1, memoryview(sealed), memoryview(opened)))


def _key(name: str) -> None:
    """A signature, where a key costs nothing to make, and one that does not verify."""
    algorithm = KEY_TYPES[name].algorithms[-1]
    if name in _CHEAP_KEYS:
        private = generate_private_key(*_CHEAP_KEYS[name])
        public = parse_public_key_line(private.public.line)
        public.verify(algorithm, private.sign(algorithm, b""), b"")
    else:
        # An RSA modulus of unknown factors: such a key only ever refuses.
        public = parse_public_key(codec.text(name) + codec.mpint(65537) + codec.mpint((1 << 2047) + 1))
    for signature in (bytes(64), codec.mpint(1) + codec.mpint(1), b"\1" * 63 + b"\0"):
        bad = codec.text(algorithm) + codec.string(signature)
        _refused(InvalidSignatureError, partial(public.verify, algorithm, bad, b""))
    _refused(InvalidSignatureError, lambda: public.verify("ssh-rsa", b"", b""))
