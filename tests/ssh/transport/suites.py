"""Every way to seal a packet, keyed."""

from collections.abc import Iterator

from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.packets import PacketOpener, PacketSealer, PlainOpener, PlainSealer
from pysshd.ssh.transport.masking import MaskingReader
from pysshd.ssh.transport.packet import PacketReader, PacketWriter
from tests.ssh.client.entropy import SeededEntropy

PACKETS = 1 << 32


def _names() -> Iterator[tuple[str, str]]:
    for name, spec in CIPHERS.items():
        yield from ((name, mac) for mac in (MACS if spec.needs_mac else [""]))


MASKED = frozenset(f"{cipher} {mac}" for cipher, mac in _names() if mac and not MACS[mac].etm)
"""Suites in which a length is not vouched for when it is used."""

SUITES = {f"{cipher} {mac}".strip(): (cipher, mac) for cipher, mac in _names()}
PLAIN = "plain"


def pair(suite: str) -> tuple[PacketSealer, PacketOpener]:
    """Both ends of one direction under one key."""
    if suite == PLAIN:
        return PlainSealer(), PlainOpener()
    cipher, mac_name = SUITES[suite]
    spec, mac = CIPHERS[cipher], MACS.get(mac_name)
    key, iv = bytes(range(spec.key_size)), bytes(range(spec.iv_size))
    mac_key = bytes(mac.key_size) if mac else b""
    return spec.sealer(key, iv, mac, mac_key), spec.opener(key, iv, mac, mac_key)


def ends(suite: str) -> tuple[PacketWriter, PacketReader]:
    """A writer, and the reader that can open what it writes."""
    sealer, opener = pair(suite)
    writer = PacketWriter(SeededEntropy("padding"), PACKETS)
    reader = MaskingReader(PACKETS) if suite in MASKED else PacketReader(PACKETS)
    writer.take_key(sealer, restart=True)
    reader.take_key(opener, restart=True)
    return writer, reader


def taken(writer: PacketWriter) -> bytes:
    """Take what was written."""
    data = bytes(writer.outgoing.view())
    writer.outgoing.sent(len(data))
    return data


def sealed(suite: str, packet: bytes, sequence: int = 0) -> bytes:
    """A packet of any shape, sealed as the first of its key."""
    sealer, _ = pair(suite)
    out = bytearray(len(packet) + sealer.tag)
    sealer.seal_into(sequence, memoryview(packet), memoryview(out))
    return bytes(out)


def came(reader: PacketReader, data: bytes) -> list[bytes]:
    """What a reader makes of the bytes of one read."""
    reader.feed(memoryview(data))
    payloads = [bytes(payload) for payload in iter(reader.next, None)]
    reader.keep()
    return payloads


def padded(suite: str) -> Iterator[tuple[int, int, bytes, bytes | None]]:
    """Each padding length, the length of a first packet, that packet, and its payload; None where it may not be."""
    sealer, _ = pair(suite)
    length = 28 if sealer.clear == 0 else 32
    for padding in range(256):
        packet = sealed(suite, bytes([0, 0, 0, length, padding]) + bytes(length - 1))
        yield padding, length, packet, bytes(length - 1 - padding) if 4 <= padding <= length - 2 else None
