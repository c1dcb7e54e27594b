"""Points of the NIST curves, as they come from the network."""

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve, EllipticCurvePublicKey

_UNCOMPRESSED = 4


def coordinate_size(curve: EllipticCurve) -> int:
    """Bytes of a coordinate."""
    return (curve.key_size + 7) // 8


def point_size(curve: EllipticCurve) -> int:
    """Bytes of the uncompressed form of a point (SEC 1 §2.3.3)."""
    return 1 + 2 * coordinate_size(curve)


def read_point(curve: EllipticCurve, data: bytes) -> EllipticCurvePublicKey:
    """The point, or ValueError for whatever is not the uncompressed form of one on the curve; its text says which.

    The order of these curves is a prime, so such a point is in the right group.
    """
    # The library would take the compressed form, which nobody sends and RFC 5656 §4 lets us refuse, and the point at
    # infinity, which is one byte.
    size = point_size(curve)
    if len(data) != size or data[0] != _UNCOMPRESSED:
        raise ValueError(f"not an uncompressed point of {size} bytes")
    try:
        return EllipticCurvePublicKey.from_encoded_point(curve, data)
    except ValueError:
        raise ValueError("not a point on the curve") from None
