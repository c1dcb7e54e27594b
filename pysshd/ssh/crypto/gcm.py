"""aes128-gcm@openssh.com and aes256-gcm@openssh.com: RFC 5647 as OpenSSH's PROTOCOL §1.6 narrows it."""

from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pysshd.errors import IntegrityError
from pysshd.ssh.crypto.packets import LENGTH_SIZE

_FIXED_SIZE = 4
_COUNTER_MASK = (1 << 64) - 1


class _Gcm:
    """The key and the nonce: a fixed field, then an invocation counter that starts in the IV (RFC 5647 §7.1)."""

    __slots__ = ("_cipher", "_counter", "_fixed")
    block: ClassVar[int] = 16
    tag: ClassVar[int] = 16
    clear: ClassVar[int] = LENGTH_SIZE

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = AESGCM(key)
        self._fixed = iv[:_FIXED_SIZE]
        self._counter = int.from_bytes(iv[_FIXED_SIZE:], "big")


class GcmSealer(_Gcm):
    """Seals packets; the length field is associated data."""

    __slots__ = ()

    def seal_into(self, sequence: int, packet: memoryview, out: memoryview) -> None:
        """As `PacketSealer.seal_into`; the packet number plays no part."""
        counter = self._counter
        self._counter = counter + 1 & _COUNTER_MASK
        length = packet[:LENGTH_SIZE]
        out[:LENGTH_SIZE] = length
        nonce = self._fixed + counter.to_bytes(8, "big")
        self._cipher.encrypt_into(nonce, packet[LENGTH_SIZE:], length, out[LENGTH_SIZE:])


class GcmOpener(_Gcm):
    """Opens packets; the length field is associated data."""

    __slots__ = ()
    head: ClassVar[int] = LENGTH_SIZE
    in_clear: ClassVar[bool] = True

    def length(self, sequence: int, head: memoryview) -> int:
        """The length, which is sent in the clear."""
        return int.from_bytes(head[:LENGTH_SIZE], "big")

    def open_into(self, sequence: int, sealed: memoryview, out: memoryview) -> None:
        """As `PacketOpener.open_into`; the packet number plays no part."""
        counter = self._counter
        self._counter = counter + 1 & _COUNTER_MASK
        nonce = self._fixed + counter.to_bytes(8, "big")
        try:
            self._cipher.decrypt_into(nonce, sealed[LENGTH_SIZE:], sealed[:LENGTH_SIZE], out)
        except InvalidTag:
            # The library decrypts while it authenticates, so the buffer already holds what must not be used.
            out[:] = bytes(len(out))
            raise IntegrityError("packet does not verify under aes-gcm") from None
