"""The ciphers once more, straight from their specifications: slow, short, and independent of what they check.

Only the AES block function is borrowed from the library. `test_plain_ciphers` holds all of this to published vectors.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


def aes_block(key: bytes, block: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(block)


def aes_ctr(key: bytes, counter_block: bytes, data: bytes, counter_size: int = 16) -> bytes:
    """Counter mode; `counter_size` bytes at the end of the block count (16 in SSH, 4 in GCM)."""
    fixed, counter = counter_block[:-counter_size], int.from_bytes(counter_block[-counter_size:], "big")
    out = b""
    for at in range(0, len(data), 16):
        block = fixed + (counter % (1 << 8 * counter_size)).to_bytes(counter_size, "big")
        out += xor(data[at : at + 16], aes_block(key, block))
        counter += 1
    return out


def _ghash(h: int, data: bytes) -> int:
    """GHASH of whole blocks (NIST SP 800-38D §6.3, §6.4)."""
    y = 0
    for at in range(0, len(data), 16):
        x, y, v = y ^ int.from_bytes(data[at : at + 16], "big"), 0, h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                y ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y


def aes_gcm(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    """Ciphertext and tag (NIST SP 800-38D §7.1) for a nonce of 12 bytes."""
    encrypted = aes_ctr(key, nonce + b"\0\0\0\2", data, 4)
    padded = b"".join(part + bytes(-len(part) % 16) for part in (associated, encrypted))
    lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(encrypted)).to_bytes(8, "big")
    s = _ghash(int.from_bytes(aes_block(key, bytes(16)), "big"), padded + lengths)
    return encrypted + xor(s.to_bytes(16, "big"), aes_block(key, nonce + b"\0\0\0\1"))


def chacha20_block(key: bytes, last_words: bytes) -> bytes:
    """RFC 8439 §2.3; `last_words` is counter and nonce, 16 bytes as the variant in use splits them."""

    def words(data: bytes) -> list[int]:
        return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]

    start = words(b"expand 32-byte k" + key + last_words)
    x = list(start)

    def quarter(a: int, b: int, c: int, d: int) -> None:
        for into, other, turned, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[into] = (x[into] + x[other]) % (1 << 32)
            mixed = x[turned] ^ x[into]
            x[turned] = (mixed << by | mixed >> 32 - by) % (1 << 32)

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for i in range(4):
            quarter(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return b"".join(((a + b) % (1 << 32)).to_bytes(4, "little") for a, b in zip(x, start, strict=True))


def chacha20(key: bytes, counter: int, nonce: bytes, data: bytes) -> bytes:
    """The original variant: a counter of 64 bits, little-endian, then a nonce of 8 bytes."""
    out = b""
    for at in range(0, len(data), 64):
        block = chacha20_block(key, (counter + at // 64).to_bytes(8, "little") + nonce)
        out += xor(data[at : at + 64], block)
    return out


def poly1305(key: bytes, data: bytes) -> bytes:
    """RFC 8439 §2.5.1."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def gcm_packet(key: bytes, iv: bytes, count: int, packet: bytes) -> bytes:
    """Packet number `count` (from 0) under these keys: RFC 5647 §7, the length in the clear as associated data."""
    nonce = iv[:4] + ((int.from_bytes(iv[4:], "big") + count) % (1 << 64)).to_bytes(8, "big")
    return packet[:4] + aes_gcm(key, nonce, packet[4:], packet[:4])


def chacha_packet(key: bytes, sequence: int, packet: bytes) -> bytes:
    """OpenSSH's PROTOCOL.chacha20poly1305."""
    main, header, nonce = key[:32], key[32:], sequence.to_bytes(8, "big")
    sealed = chacha20(header, 0, nonce, packet[:4]) + chacha20(main, 1, nonce, packet[4:])
    return sealed + poly1305(chacha20(main, 0, nonce, bytes(32)), sealed)


def ctr_etm_packet(
    key: bytes, iv: bytes, blocks: int, hash_name: str, mac_key: bytes, seq: int, packet: bytes
) -> bytes:
    """A packet after `blocks` blocks of key stream: RFC 4344 §4, then the MAC over number and ciphertext."""
    counter = (int.from_bytes(iv, "big") + blocks) % (1 << 128)
    sealed = packet[:4] + aes_ctr(key, counter.to_bytes(16, "big"), packet[4:])
    mac = hmac.new(mac_key, seq.to_bytes(4, "big") + sealed, getattr(hashlib, hash_name))
    return sealed + mac.digest()


def ctr_mac_packet(
    key: bytes, iv: bytes, blocks: int, hash_name: str, mac_key: bytes, seq: int, packet: bytes
) -> bytes:
    """As `ctr_etm_packet`, but the MAC is over number and plaintext, and the length is encrypted: RFC 4253 §6.4."""
    counter = (int.from_bytes(iv, "big") + blocks) % (1 << 128)
    mac = hmac.new(mac_key, seq.to_bytes(4, "big") + packet, getattr(hashlib, hash_name))
    return aes_ctr(key, counter.to_bytes(16, "big"), packet) + mac.digest()
