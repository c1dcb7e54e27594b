"""The binary packets of RFC 4253 §6: `packet_length | padding_length | payload | padding | tag`.

One reader and one writer, each with its key, its packet number and its counters. What a length or a padding may be is
checked here, before anything waits for it or makes room for it (S04, S05).
"""

import struct

from pysshd.errors import DisconnectReason, ProtocolError, PysshdError
from pysshd.ssh.crypto.packets import LENGTH_SIZE, PacketOpener, PacketSealer, PlainOpener, PlainSealer
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.transport.buffers import Incoming, Outgoing
from pysshd.ssh.transport.scratch import SLOT_HEAD, STRIDE, Scratch

PACKET_LENGTH_MAX = 256 << 10
"""The largest `packet_length`; RFC 4253 §6.1 asks for 35000 bytes at least."""

PACKET_LENGTH_MIN = 6
"""The padding's length, one byte of payload, and the least padding."""

PADDING_MIN = 4

_SEQUENCE_MASK = 0xFFFFFFFF
_START = struct.Struct(">IB")
_START_SIZE = _START.size
_PIECE = struct.Struct(">BBII")
"""A decrypted packet that carries channel data, up to them: padding length, number, channel, size."""

_PIECE_HEAD = _PIECE.size
_SIZE = struct.Struct(">I")


def _protocol_error(text: str) -> ProtocolError:
    return ProtocolError(DisconnectReason.PROTOCOL_ERROR, text)


class PacketReader:
    """Opens the packets of the peer, one at each call of `next`."""

    def __init__(self, max_packets_per_key: int, scratch: Scratch | None = None) -> None:
        scratch = scratch or Scratch()
        self._incoming = Incoming(scratch.blocks)
        self._arena = scratch.arena
        self._opener: PacketOpener = PlainOpener()
        self._head, self._outside, self._block, self._offset = 4, 4, 8, 4
        self._in_clear = True
        self._length = 0
        self._opened_at = 0
        """Where in the arena `next` opened the last packet."""

        self._ahead: memoryview | PysshdError | None = None
        """What `gather` came upon, which is for the next `next`."""

        self._sequence = 0
        self._max_packets = max_packets_per_key
        self.packets = 0
        """Packets under this key."""

        self.bytes = 0
        """Bytes under this key, as they stood on the wire."""

    @property
    def last_sequence(self) -> int:
        """The number of the packet that was read last."""
        return self._sequence - 1 & _SEQUENCE_MASK

    @property
    def held(self) -> int:
        """Bytes that came and were not given out yet."""
        ahead = self._ahead
        return len(self._incoming) + (len(ahead) if isinstance(ahead, memoryview) else 0)

    def feed(self, data: memoryview) -> None:
        """Bytes that came, valid until `keep`; payloads given out before are no longer."""
        self._arena.at = 0
        self._incoming.feed(data)

    def sole(self, data: memoryview) -> memoryview | None:
        """The payload of the one packet that `data` is, which nothing was held before; None where `feed` has to be.

        It is `feed`, `next` and `keep` in one, for what is typed: one short packet after the other.
        """
        if len(data) < self._head or self._incoming.carry_end or self._ahead is not None:
            return None
        length = self._length_in(data)
        if length + self._outside != len(data):
            return None
        self._arena.at = 0
        return self._open(data, length)

    def put_back(self, payload: memoryview) -> None:
        """`next` gives this payload, which was given out last, once more."""
        self._ahead = memoryview(bytes(payload))

    def keep(self) -> int:
        """What is left of the bytes fed is copied, so that their memory can be used again. Returns what is `held`."""
        self._incoming.keep()
        return self.held if self._ahead is not None else self._incoming.carried

    def clear(self) -> None:
        """Drop what was not given out."""
        self._incoming.clear()
        self._ahead = None

    def take_key(self, opener: PacketOpener, restart: bool) -> None:
        """A new key for all that follows; `restart` sets the packet number to 0 (strict kex)."""
        self._opener = opener
        self._head, self._outside = opener.head, 4 + opener.tag
        self._block, self._offset = opener.block, LENGTH_SIZE - opener.clear
        self._in_clear = getattr(opener, "in_clear", False)
        self.packets = self.bytes = 0
        if restart:
            self._sequence = 0

    def line(self, size_max: int) -> bytes | None:
        """The first line with its LF, before there are packets; None while it is not whole."""
        searched = min(self.held, size_max)
        start = self._incoming.peek(searched)
        line, found, _ = bytes(start or b"").partition(b"\n")
        if found:
            self._incoming.skip(len(line) + 1)
            return line + found
        if searched == size_max:
            raise _protocol_error(f"identification has no line end within {size_max} bytes")
        return None

    def next(self) -> memoryview | None:
        """The next payload, never empty, or None while it is not whole. It lasts until the next `feed`."""
        ahead = self._ahead
        if ahead is not None:
            if not isinstance(ahead, memoryview):
                raise ahead
            self._ahead = None
            room = self._arena.room(1 + len(ahead))
            self._opened_at = self._arena.at - len(room)
            room[1:] = ahead
            return room[1:]
        incoming, length = self._incoming, self._length
        if not length:
            head = incoming.peek(self._head)
            if head is None:
                return None
            self._length = length = self._length_in(head)
        sealed = incoming.peek(length + self._outside)
        if sealed is None:
            return None
        payload = self._open(sealed, length)
        incoming.skip(len(sealed))
        self._length = 0
        return payload

    def gather(self, payload: memoryview) -> tuple[memoryview, int]:
        """Open the packets behind `payload`, which `next` has just given, that carry more data of the same channel.

        `payload` is a number, a channel and a string, whole (RFC 4254 §5.2). Returns the strings in one piece, and how
        long the longest was. The first packet that says something else waits for `next`, and so does a fault.
        """
        fed, position, limit = self._incoming.fed
        arena, size = self._arena, len(payload) - 9
        if position == limit:
            return payload[9:], size
        buffer, room, unpack = arena.buffer, arena.size, _PIECE.unpack_from
        start = self._opened_at + _PIECE_HEAD
        end, largest = start + size, size
        _, number, channel, _ = unpack(buffer, start - _PIECE_HEAD)
        # What is written for each packet here is `next`, without its calls: most of the bytes that come go this way.
        opener, head, outside, in_clear = self._opener, self._head, self._outside, self._in_clear
        sequence, first, most = self._sequence, position, self._max_packets - self.packets
        opened = 0
        try:
            while opened < most and position + head <= limit:
                if in_clear:
                    (length,) = _SIZE.unpack_from(fed, position)
                else:
                    length = opener.length(sequence, fed[position : position + head])
                if length < PACKET_LENGTH_MIN or length > PACKET_LENGTH_MAX or (length + self._offset) % self._block:
                    raise self._bad_length(length)
                self._length = length
                after, at = position + length + outside, end - _PIECE_HEAD
                if after > limit or at + length > room:
                    break
                # The head is opened onto the last bytes of the data so far, and has to make place for them again.
                covered = bytes(buffer[at:end])
                try:
                    opener.open_into(sequence, fed[position:after], buffer[at : at + length])
                    self._length = 0
                    position, sequence, opened = after, sequence + 1 & _SEQUENCE_MASK, opened + 1
                    padding, what, whose, said = unpack(buffer, at)
                    stop = length - padding
                    if stop < 2 or padding < PADDING_MIN:
                        raise self._bad_padding(length, padding)
                    size = stop - _PIECE_HEAD
                    if said != size or what != number or whose != channel:
                        self._ahead = memoryview(bytes(buffer[at + 1 : at + stop]))
                        break
                finally:
                    buffer[at:end] = covered
                end += size
                if size > largest:
                    largest = size
        except PysshdError as error:
            self._ahead = error
        self._incoming.skip(position - first)
        self._sequence = sequence
        self.packets += opened
        self.bytes += position - first
        arena.at = end
        return buffer[start:end], largest

    def _length_in(self, head: memoryview) -> int:
        """The length that the head of a packet says, which nothing vouches for; `ProtocolError` where it can not be."""
        length: int
        if self._in_clear:
            (length,) = _SIZE.unpack_from(head)
        else:
            length = self._opener.length(self._sequence, head[: self._head])
        if not PACKET_LENGTH_MIN <= length <= PACKET_LENGTH_MAX or (length + self._offset) % self._block:
            raise self._bad_length(length)
        return length

    def _bad_length(self, length: int) -> ProtocolError:
        return _protocol_error(
            f"packet length is {length}, expected {PACKET_LENGTH_MIN} to {PACKET_LENGTH_MAX} in blocks of {self._block}"
        )

    def _open(self, sealed: memoryview, length: int) -> memoryview:
        """Open the packet that is `sealed`; returns its payload."""
        if self.packets >= self._max_packets:
            raise _protocol_error(f"peer sent {self.packets} packets under one key, expected new keys before")
        arena, sequence = self._arena, self._sequence
        opened = arena.room(length)
        self._opened_at = arena.at - length
        self._opener.open_into(sequence, sealed, opened)
        self._sequence = sequence + 1 & _SEQUENCE_MASK
        self.packets += 1
        self.bytes += len(sealed)
        padding = opened[0]
        end = length - padding
        if end < 2 or padding < PADDING_MIN:
            raise self._bad_padding(length, padding)
        return opened[1:end]

    @staticmethod
    def _bad_padding(length: int, padding: int) -> ProtocolError:
        return _protocol_error(f"padding length is {padding} in a packet of {length} bytes")


class PacketWriter:
    """Seals our packets, in the order of the calls of `write`."""

    def __init__(self, entropy: Entropy, max_packets_per_key: int, scratch: Scratch | None = None) -> None:
        self._entropy = entropy
        self._scratch = scratch = scratch or Scratch()
        self._sealer: PacketSealer = PlainSealer()
        self._block, self._clear, self._tag = 8, 0, 0
        self._sequence = 0
        self._max_packets = max_packets_per_key
        self.outgoing = Outgoing(scratch.blocks)
        self.packets = 0
        """Packets under this key."""

        self.bytes = 0
        """Bytes under this key, as they stand on the wire."""

    def take_key(self, sealer: PacketSealer, restart: bool) -> None:
        """A new key for all that follows; `restart` sets the packet number to 0 (strict kex)."""
        self._sealer = sealer
        self._block, self._clear, self._tag = sealer.block, sealer.clear, sealer.tag
        self.packets = self.bytes = 0
        if restart:
            self._sequence = 0

    def raw(self, data: bytes) -> None:
        """Bytes outside of any packet: the identification."""
        self.outgoing.room(len(data))[:] = data

    def write(self, head: bytes, body: bytes | bytearray | memoryview = b"") -> None:
        """Seal one packet with the payload `head + body`; what `body` is a view on is not kept."""
        if self.packets >= self._max_packets:
            raise self._exhausted()
        start = _START_SIZE + len(head)
        end = start + len(body)
        plain = self._scratch.plain(end + self._block + PADDING_MIN)
        plain[_START_SIZE:start] = head
        if body:
            plain[start:end] = body
        self._seal(plain, end)

    def write_slots(self, head: bytes, size: int) -> None:
        """Seal the first `size` bytes that stand in the slots of the scratch, each with the payload `head | string`."""
        packet = self._scratch.slots.packet
        whole, rest = divmod(size, packet)
        if self.packets + whole + bool(rest) > self._max_packets:
            raise self._exhausted()
        if whole:
            self._seal_slots(head, packet, 0, whole)
        if rest:
            self._seal_slots(head, rest, whole, 1)

    def _seal_slots(self, head: bytes, size: int, number: int, count: int) -> None:
        """Seal `size` bytes each of `count` slots, from this number on."""
        scratch, sequence, seal = self._scratch, self._sequence, self._sealer.seal_into
        start = _START_SIZE + len(head) + _SIZE.size
        end = start + size
        padding = self._padding(end)
        stop = end + padding
        total = stop + self._tag
        first = _START.pack(stop - LENGTH_SIZE, padding) + head + _SIZE.pack(size)
        filler = scratch.random(padding * count, self._entropy.octets)
        sealed = self.outgoing.room(total * count)
        buffer, at, out = scratch.slots.buffer, SLOT_HEAD + STRIDE * number - start, 0
        for used in range(0, padding * count, padding):
            slot = buffer[at : at + stop]
            slot[:start] = first
            slot[end:] = filler[used : used + padding]
            seal(sequence, slot, sealed[out : out + total])
            sequence = sequence + 1 & _SEQUENCE_MASK
            at += STRIDE
            out += total
        self._sequence = sequence
        self.packets += count
        self.bytes += out

    def _seal(self, plain: memoryview, end: int) -> None:
        """Seal a packet whose payload ends at `end` in `plain`, where there is room for all that is not there yet."""
        padding = self._padding(end)
        size = end + padding
        _START.pack_into(plain, 0, size - LENGTH_SIZE, padding)
        plain[end:size] = self._scratch.random(padding, self._entropy.octets)
        total = size + self._tag
        self._sealer.seal_into(self._sequence, plain[:size], self.outgoing.room(total))
        self._sequence = self._sequence + 1 & _SEQUENCE_MASK
        self.packets += 1
        self.bytes += total

    def _padding(self, end: int) -> int:
        """How many bytes of padding follow the `end` bytes of a packet."""
        padding = self._block - (end - self._clear) % self._block
        return padding if padding >= PADDING_MIN else padding + self._block

    def _exhausted(self) -> ProtocolError:
        return _protocol_error(f"we sent {self.packets} packets under one key, expected new keys before")
