"""The host's own hash of passwords, crypt(3), through its library: Python has none of its own any more."""

import ctypes
import hmac
import re
from functools import cache
from typing import Final, Protocol

from pysshd.errors import StartupError

LIBRARIES: Final = ("libcrypt.so.1", "libcrypt.so.2")
"""The names under which distributions have it."""

PASSPHRASE_MAX: Final = 511
"""Bytes of a password that every version of the library takes."""

_MODERN = re.compile(r"\$(?:y|gy|7|6|5|2[aby])\$[!-9;-~]{4,360}")
"""yescrypt, gost-yescrypt, scrypt, SHA-512, SHA-256 and bcrypt; no MD5 and no DES."""


class Crypt(Protocol):
    """crypt(3): a password and a setting, or a whole hash, to a hash; None where it can not."""

    def __call__(self, password: bytes, setting: bytes) -> bytes | None:
        """Slow."""


@cache
def host_crypt() -> Crypt:
    """The host's function; StartupError, which names the library, where there is none."""
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            function = library.crypt
        except (OSError, AttributeError):
            continue
        function.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
        function.restype = ctypes.c_char_p
        return function
    raise StartupError(f"password: system: the host has no {' and no '.join(LIBRARIES)} (Debian: libcrypt1, "
                       "Fedora: libxcrypt); install it, or use keys")  # fmt: skip


def is_modern(hashed: str) -> bool:
    """Whether a hash is of a kind that is still worth checking."""
    return _MODERN.fullmatch(hashed) is not None


def matches(crypt: Crypt, password: bytes, hashed: str) -> bool:
    """Whether `hashed` is the hash of `password`, compared in constant time."""
    expected = hashed.encode("ascii")
    made = crypt(password, expected)
    return made is not None and not made.startswith(b"*") and hmac.compare_digest(made, expected)
