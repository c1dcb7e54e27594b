"""What the packet layer sees of any cipher: one sealer and one opener per direction and key, and the way in the clear.

A packet on the wire is `packet_length | padding_length | payload | padding | tag` (RFC 4253 §6). The packet layer does
the framing; these objects do everything that needs a key, so that it has no branch per cipher.

Buffers are the caller's and exact in size; input and output may not overlap.
"""

from typing import ClassVar, Protocol

LENGTH_SIZE = 4
"""Bytes of `packet_length`."""


class PacketSealer(Protocol):
    """Seals the packets of one direction under one key, in their order."""

    @property
    def block(self) -> int:
        """What the size of `packet[clear:]` must be a multiple of, at least 8."""

    @property
    def tag(self) -> int:
        """How many bytes follow the ciphertext."""

    @property
    def clear(self) -> int:
        """How many leading bytes do not count into the alignment."""

    def seal_into(self, sequence: int, packet: memoryview, out: memoryview) -> None:
        """Seal `packet` (length, padding length, payload, padding) into the `len(packet) + tag` bytes of `out`.

        `sequence` is the packet number modulo 2^32 (RFC 4253 §6.4).
        """


class PacketOpener(Protocol):
    """Opens the packets of one direction under one key, in their order.

    One that has `in_clear` set says that the length field is sent as it is, and need not be asked for the length.
    """

    @property
    def block(self) -> int:
        """What the size of a packet without its `clear` bytes and its tag must be a multiple of, at least 8."""

    @property
    def tag(self) -> int:
        """How many bytes follow the ciphertext."""

    @property
    def clear(self) -> int:
        """How many leading bytes do not count into the alignment."""

    @property
    def head(self) -> int:
        """How many bytes must have come before `length` can tell."""

    def length(self, sequence: int, head: memoryview) -> int:
        """The `packet_length` in the first `head` bytes of a packet: not authenticated yet, so check it, then wait."""

    def open_into(self, sequence: int, sealed: memoryview, out: memoryview) -> None:
        """Verify `sealed` (the whole packet with its tag), then decrypt what follows the length field into `out`.

        `out` has `len(sealed) - 4 - tag` bytes. A packet that does not verify raises `IntegrityError` and leaves
        nothing of its contents behind; the connection can not go on.
        """


class PlainSealer:
    """Before the first NEWKEYS: no cipher and no MAC (RFC 4253 §6)."""

    __slots__ = ()
    block: ClassVar[int] = 8
    tag: ClassVar[int] = 0
    clear: ClassVar[int] = 0

    def seal_into(self, sequence: int, packet: memoryview, out: memoryview) -> None:
        """Copy the packet."""
        out[:] = packet


class PlainOpener:
    """Before the first NEWKEYS: no cipher and no MAC (RFC 4253 §6)."""

    __slots__ = ()
    block: ClassVar[int] = 8
    tag: ClassVar[int] = 0
    clear: ClassVar[int] = 0
    head: ClassVar[int] = LENGTH_SIZE
    in_clear: ClassVar[bool] = True

    def length(self, sequence: int, head: memoryview) -> int:
        """The length as it stands there."""
        return int.from_bytes(head[:LENGTH_SIZE], "big")

    def open_into(self, sequence: int, sealed: memoryview, out: memoryview) -> None:
        """Copy what follows the length."""
        out[:] = sealed[LENGTH_SIZE:]
