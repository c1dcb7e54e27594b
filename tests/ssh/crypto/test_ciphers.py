"""Every cipher against an independent one, then against a peer that changes, cuts, moves and repeats packets."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysshd.errors import IntegrityError
from pysshd.ssh.crypto.ciphers import CIPHERS, CipherSpec
from pysshd.ssh.crypto.macs import MACS, MacSpec
from pysshd.ssh.crypto.packets import LENGTH_SIZE, PacketOpener, PacketSealer, PlainOpener, PlainSealer
from tests.ssh.crypto import plain_ciphers


@dataclass(frozen=True)
class Suite:
    """A cipher with the MAC that it needs, and keys."""

    cipher: CipherSpec
    mac: MacSpec | None

    def keys(self, seed: int = 1) -> tuple[bytes, bytes, MacSpec | None, bytes]:
        octets = bytes((seed + 7 * i) % 256 for i in range(256))
        mac_size = self.mac.key_size if self.mac else 0
        return (
            octets[: self.cipher.key_size],
            octets[64 : 64 + self.cipher.iv_size],
            self.mac,
            octets[128 : 128 + mac_size],
        )

    def sealer(self, seed: int = 1) -> PacketSealer:
        return self.cipher.sealer(*self.keys(seed))

    def opener(self, seed: int = 1) -> PacketOpener:
        return self.cipher.opener(*self.keys(seed))


SUITES = [Suite(cipher, mac) for cipher in CIPHERS.values() for mac in (MACS.values() if cipher.needs_mac else [None])]
every_suite = pytest.mark.parametrize(
    "suite", SUITES, ids=lambda suite: suite.cipher.name + ("+" + suite.mac.name if suite.mac else "")
)


def framed(payload: bytes, sealer: PacketSealer) -> bytes:
    """A packet of RFC 4253 §6 with the least padding."""
    block, clear = sealer.block, sealer.clear
    padding = -(LENGTH_SIZE + 1 + len(payload) - clear) % block
    padding += block if padding < 4 else 0
    body = bytes([padding]) + payload + b"\xa5" * padding
    return len(body).to_bytes(4, "big") + body


def seal(sealer: PacketSealer, sequence: int, packet: bytes) -> bytes:
    out = bytearray(len(packet) + sealer.tag)
    sealer.seal_into(sequence, memoryview(packet), memoryview(out))
    return bytes(out)


def unseal(opener: PacketOpener, sequence: int, sealed: bytes) -> bytes:
    """The packet as the packet layer gets it: length first, then the rest."""
    length = opener.length(sequence, memoryview(sealed)[: opener.head])
    if length != len(sealed) - LENGTH_SIZE - opener.tag:
        # A packet layer would wait for other bytes; what it then has verifies as little.
        raise IntegrityError("length was changed")
    out = bytearray(length)
    opener.open_into(sequence, memoryview(sealed), memoryview(out))
    return length.to_bytes(4, "big") + bytes(out)


def opened_anyway(opener: PacketOpener, sequence: int, sealed: memoryview, out: bytearray) -> None:
    """Whatever the length says."""
    opener.length(sequence, sealed[: opener.head])
    opener.open_into(sequence, sealed, memoryview(out))


def independent(suite: Suite, count: int, blocks: int, sequence: int, packet: bytes) -> bytes:
    key, iv, mac, mac_key = suite.keys()
    if "gcm" in suite.cipher.name:
        return plain_ciphers.gcm_packet(key, iv, count, packet)
    if mac is None:
        return plain_ciphers.chacha_packet(key, sequence, packet)
    make = plain_ciphers.ctr_etm_packet if mac.etm else plain_ciphers.ctr_mac_packet
    return make(key, iv, blocks, f"sha{8 * mac.size}", mac_key, sequence, packet)


@every_suite
def test_packets_are_those_of_an_independent_implementation(suite: Suite) -> None:
    sealer = suite.sealer()
    blocks = 0
    for count, size in enumerate((1, 11, 12, 60, 200, 0, 400)):
        sequence = (0xFFFFFFFD + count) % (1 << 32)  # over the wrap of the packet number
        packet = framed(bytes(range(size % 256)), sealer)
        assert seal(sealer, sequence, packet) == independent(suite, count, blocks, sequence, packet)
        blocks += (len(packet) - sealer.clear) // 16


@every_suite
@settings(max_examples=25)
@given(payloads=st.lists(st.binary(max_size=300), max_size=5), first=st.integers(0, 2**32 - 1))
def test_packets_come_back(suite: Suite, payloads: list[bytes], first: int) -> None:
    sealer, opener = suite.sealer(), suite.opener()
    assert (sealer.block, sealer.tag, sealer.clear) == (opener.block, opener.tag, opener.clear)
    for count, payload in enumerate(payloads):
        packet = framed(payload, sealer)
        sequence = (first + count) % (1 << 32)
        sealed = seal(sealer, sequence, packet)
        assert len(sealed) == len(packet) + sealer.tag
        assert unseal(opener, sequence, sealed) == packet


@every_suite
def test_largest_packet_comes_back(suite: Suite) -> None:
    packet = framed(bytes(range(256)) * 140, suite.sealer())
    assert unseal(suite.opener(), 5, seal(suite.sealer(), 5, packet)) == packet


@pytest.mark.security("S07")
@pytest.mark.security("S08")
@every_suite
def test_any_flipped_bit_is_refused_and_leaves_nothing(suite: Suite) -> None:
    packet = framed(b"the quick brown fox", suite.sealer())
    sealed = seal(suite.sealer(), 3, packet)
    for at in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        out = bytearray(len(packet) - LENGTH_SIZE)
        with pytest.raises(IntegrityError):
            # Past the length, as if a hostile length had happened to be the right one.
            opened_anyway(suite.opener(), 3, memoryview(changed), out)
        assert not any(out)


@pytest.mark.security("S07")
@every_suite
def test_any_truncation_is_refused(suite: Suite) -> None:
    sealed = seal(suite.sealer(), 0, framed(b"the quick brown fox", suite.sealer()))
    tag = suite.sealer().tag
    for size in range(suite.opener().head + tag, len(sealed)):
        out = bytearray(size - LENGTH_SIZE - tag)
        with pytest.raises(IntegrityError):
            opened_anyway(suite.opener(), 0, memoryview(sealed)[:size], out)
        assert not any(out)


@every_suite
def test_packet_out_of_its_place_is_refused(suite: Suite) -> None:
    sealer = suite.sealer()
    packets = [framed(bytes([i]) * 20, sealer) for i in range(3)]
    sealed = [seal(sealer, i, packet) for i, packet in enumerate(packets)]
    opener = suite.opener()
    assert unseal(opener, 0, sealed[0]) == packets[0]
    with pytest.raises(IntegrityError):
        unseal(opener, 1, sealed[0])
    opener = suite.opener()
    with pytest.raises(IntegrityError):
        unseal(opener, 0, sealed[1])


@every_suite
def test_another_key_refuses(suite: Suite) -> None:
    sealed = seal(suite.sealer(1), 0, framed(b"hello", suite.sealer()))
    with pytest.raises(IntegrityError):
        unseal(suite.opener(2), 0, sealed)


def test_gcm_invocation_counter_wraps_in_its_own_field() -> None:
    # RFC 5647 §7.1: the counter is 64 bits and the fixed field stays.
    suite = Suite(CIPHERS["aes128-gcm@openssh.com"], None)
    key, iv = bytes(16), b"\x01\x02\x03\x04" + b"\xff" * 8
    sealer, opener = suite.cipher.sealer(key, iv, None, b""), suite.cipher.opener(key, iv, None, b"")
    packet = framed(b"hello", sealer)
    for count in range(3):
        sealed = seal(sealer, 9, packet)
        assert sealed == plain_ciphers.gcm_packet(key, iv, count, packet)
        assert unseal(opener, 9, sealed) == packet


def test_plain_pair_copies() -> None:
    sealer: PacketSealer = PlainSealer()
    opener: PacketOpener = PlainOpener()
    packet = framed(b"payload", sealer)
    assert len(packet) % sealer.block == 0
    assert seal(sealer, 0, packet) == packet
    assert unseal(opener, 0, packet) == packet


@pytest.mark.parametrize("make", [CipherSpec.sealer, CipherSpec.opener])
def test_keys_of_another_size_are_our_defect(make: Callable[..., object]) -> None:
    for suite in SUITES:
        key, iv, mac, mac_key = suite.keys()
        with pytest.raises(ValueError, match="expected"):
            make(suite.cipher, key + b"\0", iv, mac, mac_key)
        with pytest.raises(ValueError, match="expected"):
            make(suite.cipher, key, iv + b"\0", mac, mac_key)
        with pytest.raises(ValueError, match="mac"):
            make(suite.cipher, key, iv, None if mac else MACS["hmac-sha2-256-etm@openssh.com"], bytes(32))
        if mac:
            with pytest.raises(ValueError, match="expected"):
                make(suite.cipher, key, iv, mac, mac_key[1:])
