"""chacha20-poly1305@openssh.com, as OpenSSH's PROTOCOL.chacha20poly1305 describes it.

Of 64 bytes of key the first half makes the one-time Poly1305 key and encrypts the packet, the second encrypts the
length field. The nonce of both is the packet number. Both contexts live as long as the key: setting a nonce costs a
tenth of a new context.
"""

from hmac import compare_digest
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.poly1305 import Poly1305

from pysshd.errors import IntegrityError
from pysshd.ssh.crypto.packets import LENGTH_SIZE

_KEY_SIZE = 32
_POLY_KEY_SIZE = 32
_COUNTER_ZERO = bytes(8)
_ONE_BLOCK = bytes(64)


def _context(key: bytes) -> CipherContext:
    # ChaCha20 xors: the same context encrypts and decrypts.
    return Cipher(ChaCha20(key, bytes(16)), None).encryptor()


class _ChaCha:
    __slots__ = ("_head_stream", "_stream")
    block: ClassVar[int] = 8
    tag: ClassVar[int] = 16
    clear: ClassVar[int] = LENGTH_SIZE

    def __init__(self, key: bytes) -> None:
        self._stream = _context(key[:_KEY_SIZE])
        self._head_stream = _context(key[_KEY_SIZE:])

    def _start(self, nonce: bytes) -> bytes:
        """The one-time key from block 0; the stream then stands at block 1, where the packet starts."""
        self._stream.reset_nonce(nonce)
        return self._stream.update(_ONE_BLOCK)[:_POLY_KEY_SIZE]


class ChaChaSealer(_ChaCha):
    """Seals packets; the length field is encrypted apart."""

    __slots__ = ()

    def seal_into(self, sequence: int, packet: memoryview, out: memoryview) -> None:
        """As `PacketSealer.seal_into`."""
        nonce = _COUNTER_ZERO + sequence.to_bytes(8, "big")
        end = len(packet)
        self._head_stream.reset_nonce(nonce)
        self._head_stream.update_into(packet[:LENGTH_SIZE], out[:LENGTH_SIZE])
        one_time_key = self._start(nonce)
        self._stream.update_into(packet[LENGTH_SIZE:], out[LENGTH_SIZE:end])
        out[end:] = Poly1305.generate_tag(one_time_key, out[:end])


class ChaChaOpener(_ChaCha):
    """Opens packets; the length field is encrypted apart, so that `length` needs the packet number."""

    __slots__ = ()
    head: ClassVar[int] = LENGTH_SIZE

    def length(self, sequence: int, head: memoryview) -> int:
        """The decrypted length."""
        self._head_stream.reset_nonce(_COUNTER_ZERO + sequence.to_bytes(8, "big"))
        return int.from_bytes(self._head_stream.update(head[:LENGTH_SIZE]), "big")

    def open_into(self, sequence: int, sealed: memoryview, out: memoryview) -> None:
        """As `PacketOpener.open_into`."""
        end = len(sealed) - self.tag
        one_time_key = self._start(_COUNTER_ZERO + sequence.to_bytes(8, "big"))
        if not compare_digest(Poly1305.generate_tag(one_time_key, sealed[:end]), sealed[end:]):
            raise IntegrityError("packet does not verify under chacha20-poly1305")
        self._stream.update_into(sealed[LENGTH_SIZE:end], out)
