"""ECDSA: the curve is said three times and must be one, points are uncompressed, r and s are in range."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import parse_public_key
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

CURVES: dict[str, ec.EllipticCurve] = {
    "nistp256": ec.SECP256R1(),
    "nistp384": ec.SECP384R1(),
    "nistp521": ec.SECP521R1(),
}
ORDERS = {name: curve.group_order for name, curve in CURVES.items()}
every_curve = pytest.mark.parametrize("curve", CURVES)


def blob(header: str, curve: str, point: bytes) -> bytes:
    return codec.text(f"ecdsa-sha2-{header}") + codec.text(curve) + codec.string(point)


def point(curve: str, form: PublicFormat = PublicFormat.UncompressedPoint) -> bytes:
    return ec.derive_private_key(12345, CURVES[curve]).public_key().public_bytes(Encoding.X962, form)


def signature(algorithm: str, r: int, s: int, behind_inner: bytes = b"", behind: bytes = b"") -> bytes:
    inner = codec.mpint(r) + codec.mpint(s) + behind_inner
    return codec.text(algorithm) + codec.string(inner) + behind


def split(wire: bytes) -> tuple[int, int]:
    outer = Reader(wire)
    outer.string()
    inner = Reader(outer.string())
    return inner.mpint(), inner.mpint()


@every_curve
def test_order_is_that_of_the_base_point(curve: str) -> None:
    # (n - 1)·G = -G: the same x, the negative y. That makes n a multiple of the order, which is prime.
    one = ec.derive_private_key(1, CURVES[curve]).public_key().public_numbers()
    last = ec.derive_private_key(ORDERS[curve] - 1, CURVES[curve]).public_key().public_numbers()
    assert last.x == one.x
    assert last.y != one.y
    assert ORDERS[curve].bit_length() == CURVES[curve].key_size


@every_curve
def test_key_and_signature(curve: str) -> None:
    private = generate_private_key("ecdsa", CURVES[curve].key_size)
    name = f"ecdsa-sha2-{curve}"
    assert (private.public.key_type, private.public.bits) == (name, CURVES[curve].key_size)
    made = private.sign(name, b"data")
    private.public.verify(name, made, b"data")
    with pytest.raises(InvalidSignatureError):
        private.public.verify(name, made, b"datb")


@pytest.mark.security("S31")
@every_curve
def test_points_that_are_not_uncompressed_are_refused(curve: str) -> None:
    good = point(curve)
    parse_public_key(blob(curve, curve, good))
    compressed = point(curve, PublicFormat.CompressedPoint)
    # The library itself would take it.
    assert ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve], compressed)
    hybrid = bytes([6 + (good[-1] & 1)]) + good[1:]
    for bad in (compressed, hybrid, b"\0", b"", b"\4", good[:-1], good + b"\0", b"\0" + good[1:]):
        with pytest.raises(InvalidKeyError, match="uncompressed"):
            parse_public_key(blob(curve, curve, bad))


@pytest.mark.security("S31")
@every_curve
def test_points_off_the_curve_are_refused(curve: str) -> None:
    good = point(curve)
    size = len(good) // 2
    swapped = b"\4" + good[1 + size :] + good[1 : 1 + size]
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), b"\4" + bytes(2 * size), b"\4" + b"\xff" * 2 * size, swapped):
        with pytest.raises(InvalidKeyError, match="not a point"):
            parse_public_key(blob(curve, curve, bad))


@pytest.mark.security("S43")
@pytest.mark.parametrize("header", CURVES)
@pytest.mark.parametrize("named", [*CURVES, "nistk163", "", "1.2.840.10045.3.1.7"])
@pytest.mark.parametrize("of", CURVES)
def test_header_curve_and_point_must_agree(header: str, named: str, of: str) -> None:
    data = blob(header, named, point(of))
    if header == named == of:
        assert parse_public_key(data).key_type == f"ecdsa-sha2-{header}"
    else:
        with pytest.raises(InvalidKeyError):
            parse_public_key(data)


@pytest.mark.security("S43")
def test_signature_algorithm_of_another_curve_is_refused() -> None:
    private = generate_private_key("ecdsa", 256)
    made = private.sign("ecdsa-sha2-nistp256", b"data")
    r, s = split(made)
    for curve in ("nistp384", "nistp521"):
        algorithm = f"ecdsa-sha2-{curve}"
        for wire in (made, signature(algorithm, r, s)):
            with pytest.raises(InvalidSignatureError):
                private.public.verify(algorithm, wire, b"data")
        with pytest.raises(InvalidSignatureError):
            private.public.verify("ecdsa-sha2-nistp256", signature(algorithm, r, s), b"data")


@pytest.mark.security("S42")
@every_curve
def test_r_and_s_out_of_range_are_refused(curve: str) -> None:
    private = generate_private_key("ecdsa", CURVES[curve].key_size)
    algorithm, n = f"ecdsa-sha2-{curve}", ORDERS[curve]
    r, s = split(private.sign(algorithm, b"data"))
    private.public.verify(algorithm, signature(algorithm, r, s), b"data")
    for bad_r, bad_s in ((0, s), (r, 0), (0, 0), (n, s), (r, n), (r + n, s), (r, s + n), (1, 1 << 16000)):
        with pytest.raises(InvalidSignatureError, match="outside"):
            private.public.verify(algorithm, signature(algorithm, bad_r, bad_s), b"data")


@pytest.mark.security("S42")
@every_curve
def test_bytes_behind_a_signature_are_refused(curve: str) -> None:
    private = generate_private_key("ecdsa", CURVES[curve].key_size)
    algorithm = f"ecdsa-sha2-{curve}"
    r, s = split(private.sign(algorithm, b"data"))
    for wire in (signature(algorithm, r, s, b"\0"), signature(algorithm, r, s, b"", b"\0")):
        with pytest.raises(InvalidSignatureError, match="follow"):
            private.public.verify(algorithm, wire, b"data")


def test_private_key_on_another_curve_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="secp256k1"):
        PrivateKey(ec.generate_private_key(ec.SECP256K1()))
