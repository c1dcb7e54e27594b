"""ecdsa-sha2-nistp256, -nistp384 and -nistp521 (RFC 5656 §3): one row per curve."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.records import dataclass
from pysshd.ssh.crypto.key_types import KeyType
from pysshd.ssh.crypto.points import read_point
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader


@dataclass(frozen=True, slots=True)
class _Curve:
    """A curve by its name in RFC 5656 §10.1, and the hash that goes with its size (§6.2.1)."""

    identifier: str
    curve: EllipticCurve
    hash: type[HashAlgorithm]

    @property
    def name(self) -> str:
        return f"ecdsa-sha2-{self.identifier}"

    def parse(self, reader: Reader) -> tuple[EllipticCurvePublicKey, int]:
        identifier = reader.string()
        point = reader.string()
        reader.end()
        if identifier != self.identifier.encode("ascii"):
            raise InvalidKeyError(f"{self.name} key is on curve {identifier[:32]!r}, expected {self.identifier}")
        try:
            return read_point(self.curve, point), self.curve.key_size
        except ValueError as error:
            raise InvalidKeyError(f"{self.name} key is {error}") from None

    def verify(self, material: EllipticCurvePublicKey, algorithm: str, reader: Reader, data: bytes) -> None:
        inner = Reader(reader.string())
        reader.end()
        r, s = inner.mpint(), inner.mpint()
        inner.end()
        if not (0 < r < self.curve.group_order and 0 < s < self.curve.group_order):
            raise InvalidSignatureError(f"{algorithm} signature has r or s outside 1 to the order of the curve")
        try:
            material.verify(encode_dss_signature(r, s), data, ECDSA(self.hash()))
        except InvalidSignature:
            raise InvalidSignatureError(f"{algorithm} signature does not verify") from None

    def blob(self, material: EllipticCurvePublicKey) -> bytes:
        point = material.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return codec.text(self.identifier) + codec.string(point)

    def sign(self, private: EllipticCurvePrivateKey, algorithm: str, data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ECDSA(self.hash())))
        return codec.string(codec.mpint(r) + codec.mpint(s))

    def key_type(self) -> KeyType:
        return KeyType(self.name, (self.name,), self.parse, self.verify, self.blob, self.sign)


_ROWS = (
    _Curve("nistp256", SECP256R1(), SHA256),
    _Curve("nistp384", SECP384R1(), SHA384),
    _Curve("nistp521", SECP521R1(), SHA512),
)

ECDSA_TYPES: tuple[KeyType, ...] = tuple(row.key_type() for row in _ROWS)
ECDSA_NAMES: dict[str, str] = {row.curve.name: row.name for row in _ROWS}
"""The library's name of a curve to the name of the key type; its size in bits would not tell secp256k1 apart."""
