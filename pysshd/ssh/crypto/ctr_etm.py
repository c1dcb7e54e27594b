"""AES in counter mode (RFC 4344 §4) with a MAC over the ciphertext (the `-etm@openssh.com` MACs, PROTOCOL §1.5).

The MAC covers packet number, length in the clear, and ciphertext. One HMAC context is keyed per direction and copied
for each packet.
"""

from hmac import compare_digest
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hmac import HMAC

from pysshd.errors import IntegrityError
from pysshd.ssh.crypto.packets import LENGTH_SIZE


class _CtrEtm:
    __slots__ = ("_keyed", "_stream", "tag")
    block: ClassVar[int] = 16
    clear: ClassVar[int] = LENGTH_SIZE

    def __init__(self, key: bytes, iv: bytes, keyed: HMAC) -> None:
        # Counter mode xors: the same context encrypts and decrypts. It counts on from packet to packet.
        self._stream = Cipher(AES(key), CTR(iv)).encryptor()
        self._keyed = keyed
        self.tag = keyed.algorithm.digest_size

    def _mac(self, sequence: int, sealed: memoryview) -> bytes:
        context = self._keyed.copy()
        context.update(sequence.to_bytes(4, "big"))
        context.update(sealed)
        return context.finalize()


class CtrEtmSealer(_CtrEtm):
    """Encrypts, then authenticates."""

    __slots__ = ()

    def seal_into(self, sequence: int, packet: memoryview, out: memoryview) -> None:
        """As `PacketSealer.seal_into`."""
        end = len(packet)
        out[:LENGTH_SIZE] = packet[:LENGTH_SIZE]
        self._stream.update_into(packet[LENGTH_SIZE:], out[LENGTH_SIZE:end])
        out[end:] = self._mac(sequence, out[:end])


class CtrEtmOpener(_CtrEtm):
    """Verifies, then decrypts."""

    __slots__ = ()
    head: ClassVar[int] = LENGTH_SIZE
    in_clear: ClassVar[bool] = True

    def length(self, sequence: int, head: memoryview) -> int:
        """The length, which is sent in the clear."""
        return int.from_bytes(head[:LENGTH_SIZE], "big")

    def open_into(self, sequence: int, sealed: memoryview, out: memoryview) -> None:
        """As `PacketOpener.open_into`."""
        end = len(sealed) - self.tag
        if not compare_digest(self._mac(sequence, sealed[:end]), sealed[end:]):
            raise IntegrityError("packet does not verify under its encrypt-then-mac")
        self._stream.update_into(sealed[LENGTH_SIZE:end], out)
