"""Ed25519: vectors of RFC 8032, and the keys and signatures that the library would let through."""

import pytest

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.key_ed25519 import SMALL_ORDER_Y, D, L, P
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key
from pysshd.ssh.wire import codec

NAME = "ssh-ed25519"
Point = tuple[int, int]

# RFC 8032 §7.1: public key, message, signature of tests 1, 2 and 3
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def blob(public: bytes) -> bytes:
    return codec.text(NAME) + codec.string(public)


def signature(raw: bytes) -> bytes:
    return codec.text(NAME) + codec.string(raw)


def add(p: Point, q: Point) -> Point:
    """Affine addition, RFC 8032 §5.1.4."""
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def times(n: int, p: Point) -> Point:
    total = (0, 1)
    while n:
        total, p, n = add(total, p) if n & 1 else total, add(p, p), n >> 1
    return total


def decompressed(y: int) -> Point | None:
    """RFC 8032 §5.1.3, or None where y is not that of a point."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def torsion() -> set[Point]:
    """The eight points of small order, by arithmetic: L times anything is one of them."""
    for y in range(2, 100):
        point = decompressed(y)
        if point is not None:
            small = times(L, point)
            found = {times(i, small) for i in range(8)}
            if len(found) == 8:
                return found
    raise AssertionError("no point of order eight was found")


def small_order_encodings() -> list[bytes]:
    """Every 32 bytes that any decoder could take for one of them: also not reduced, also the sign of x = 0."""
    values = {y for _, y in torsion()}
    values |= {y + P for y in values if y + P < 1 << 255}
    return [(y | sign << 255).to_bytes(32, "little") for y in sorted(values) for sign in (0, 1)]


@pytest.mark.parametrize(("public", "message", "raw"), VECTORS)
def test_signatures_of_rfc_8032(public: str, message: str, raw: str) -> None:
    key = parse_public_key(blob(bytes.fromhex(public)))
    assert (key.key_type, key.bits) == (NAME, 256)
    key.verify(NAME, signature(bytes.fromhex(raw)), bytes.fromhex(message))
    with pytest.raises(InvalidSignatureError):
        key.verify(NAME, signature(bytes.fromhex(raw)), bytes.fromhex(message) + b"\0")


def test_small_order_table_is_what_point_arithmetic_finds() -> None:
    assert {y for _, y in torsion()} == SMALL_ORDER_Y
    assert len(SMALL_ORDER_Y) == 5


@pytest.mark.security("S41")
def test_keys_of_small_order_are_refused() -> None:
    encodings = small_order_encodings()
    assert len(encodings) == 14
    for encoding in encodings:
        with pytest.raises(InvalidKeyError, match=r"small order|canonical"):
            parse_public_key(blob(encoding))


@pytest.mark.security("S41")
def test_keys_that_are_not_canonical_are_refused() -> None:
    for y in range(P, 1 << 255):
        for sign in (0, 1):
            with pytest.raises(InvalidKeyError, match="canonical"):
                parse_public_key(blob((y | sign << 255).to_bytes(32, "little")))


@pytest.mark.security("S41")
def test_keys_that_are_no_points_are_refused() -> None:
    outcomes = set()
    for y in range(2, 40):
        good = decompressed(y) is not None
        outcomes.add(good)
        if good:
            parse_public_key(blob(y.to_bytes(32, "little")))
        else:
            with pytest.raises(InvalidKeyError, match="not a point"):
                parse_public_key(blob(y.to_bytes(32, "little")))
    assert outcomes == {True, False}


@pytest.mark.security("S41")
@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_keys_of_another_size_are_refused(size: int) -> None:
    with pytest.raises(InvalidKeyError, match="expected 32"):
        parse_public_key(blob(b"\x07" * size))


def one_key() -> tuple[PublicKey, bytes]:
    private = generate_private_key("ed25519")
    return private.public, private.sign(NAME, b"data")


@pytest.mark.security("S42")
def test_signature_whose_s_is_not_reduced_is_refused() -> None:
    key, good = one_key()
    raw = good[-64:]
    s = int.from_bytes(raw[32:], "little")
    for larger in (s + L, s + 2 * L, s + 8 * L):
        with pytest.raises(InvalidSignatureError, match="canonical"):
            key.verify(NAME, signature(raw[:32] + larger.to_bytes(32, "little")), b"data")


@pytest.mark.security("S42")
def test_signature_of_another_size_is_refused() -> None:
    key, good = one_key()
    for raw in (b"", good[-64:-1], good[-64:] + b"\0"):
        with pytest.raises(InvalidSignatureError, match="expected 64"):
            key.verify(NAME, signature(raw), b"data")


def test_any_flipped_bit_of_a_signature_is_refused() -> None:
    key, good = one_key()
    key.verify(NAME, good, b"data")
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidSignatureError):
            key.verify(NAME, bytes(changed), b"data")
