"""AES in counter mode (RFC 4344 §4) with a MAC over the plaintext: the order of RFC 4253 §6.4.

The length is encrypted, and is used before anything vouches for it. So a length that can not be is not told: its packet
is as long as one may be, and then does not verify. The packet layer lets every packet that does not verify grow to that
size before it says so (`masks`), and nothing tells the two apart (S06).
"""

from hmac import compare_digest
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hmac import HMAC

from pysshd.errors import IntegrityError
from pysshd.ssh.crypto.packets import LENGTH_SIZE

_BLOCK = 16

MASKED_SIZE = 256 << 10
"""Bytes of the largest packet without its MAC."""


class _CtrMac:
    __slots__ = ("_keyed", "_stream", "tag")
    block: ClassVar[int] = _BLOCK
    clear: ClassVar[int] = 0

    def __init__(self, key: bytes, iv: bytes, keyed: HMAC) -> None:
        # Counter mode xors: the same context encrypts and decrypts. It counts on from packet to packet.
        self._stream = Cipher(AES(key), CTR(iv)).encryptor()
        self._keyed = keyed
        self.tag = keyed.algorithm.digest_size

    def _mac(self, sequence: int, *plain: bytes | memoryview) -> bytes:
        context = self._keyed.copy()
        context.update(sequence.to_bytes(4, "big"))
        for part in plain:
            context.update(part)
        return context.finalize()


class CtrMacSealer(_CtrMac):
    """Authenticates, and encrypts what it authenticated."""

    __slots__ = ()

    def seal_into(self, sequence: int, packet: memoryview, out: memoryview) -> None:
        """As `PacketSealer.seal_into`."""
        end = len(packet)
        self._stream.update_into(packet, out[:end])
        out[end:] = self._mac(sequence, packet)


class CtrMacOpener(_CtrMac):
    """Decrypts the first block for its length, then the rest, then verifies."""

    __slots__ = ("_first", "_is_sound")
    head: ClassVar[int] = _BLOCK

    def __init__(self, key: bytes, iv: bytes, keyed: HMAC) -> None:
        super().__init__(key, iv, keyed)
        self._first = b""
        self._is_sound = True

    @property
    def masks(self) -> int:
        """Bytes that have to be there, from the start of a packet that does not verify, before that is told."""
        return MASKED_SIZE + self.tag

    def length(self, sequence: int, head: memoryview) -> int:
        """The decrypted length, once for each packet; the largest one where there can be no such packet."""
        self._first = self._stream.update(head[:_BLOCK])
        length = int.from_bytes(self._first[:LENGTH_SIZE], "big")
        size = length + LENGTH_SIZE
        self._is_sound = _BLOCK <= size <= MASKED_SIZE and size % _BLOCK == 0
        return length if self._is_sound else MASKED_SIZE - LENGTH_SIZE

    def open_into(self, sequence: int, sealed: memoryview, out: memoryview) -> None:
        """As `PacketOpener.open_into`."""
        end = len(sealed) - self.tag
        first = self._first
        if self._is_sound:
            out[: _BLOCK - LENGTH_SIZE] = first[LENGTH_SIZE:]
            self._stream.update_into(sealed[_BLOCK:end], out[_BLOCK - LENGTH_SIZE :])
            if compare_digest(self._mac(sequence, first[:LENGTH_SIZE], out), sealed[end:]):
                return
            out[:] = bytes(len(out))
        raise IntegrityError("packet does not verify under its encrypt-and-mac")
