"""ecdh-sha2-nistp256, -nistp384 and -nistp521 (RFC 5656 §4)."""

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pysshd.errors import KeyExchangeError
from pysshd.records import dataclass
from pysshd.ssh.crypto.points import coordinate_size, point_size, read_point
from pysshd.ssh.crypto.shares import Entropy, KexShare
from pysshd.ssh.wire import codec


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of SEC 2, by its name in RFC 5656 §10.1."""

    name: str
    curve: EllipticCurve

    @property
    def secret_size(self) -> int:
        """Bytes of a coordinate, which is what the shared secret is."""
        return coordinate_size(self.curve)

    @property
    def public_size(self) -> int:
        """Bytes of a public value: the uncompressed form of a point (SEC 1 §2.3.3)."""
        return point_size(self.curve)

    def exchange(self, entropy: Entropy, client_public: bytes) -> tuple[bytes, bytes]:
        """ECDH with a fresh key: our public value, and the x coordinate of the shared point in its full size.

        `KeyExchangeError` for whatever is not the uncompressed form of a point on the curve; the shared point is never
        at infinity.
        """
        try:
            theirs = read_point(self.curve, client_public)
        except ValueError as error:
            raise KeyExchangeError(f"{self.name} public value is {error}") from None
        ours = derive_private_key(self._scalar(entropy), self.curve)
        public = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return public, ours.exchange(ECDH(), theirs)

    def respond(self, entropy: Entropy, client_public: bytes) -> KexShare:
        """The server's side; K is an mpint of the x coordinate (RFC 5656 §4)."""
        reply, secret = self.exchange(entropy, client_public)
        return KexShare(reply, codec.mpint(int.from_bytes(secret, "big")))

    def _scalar(self, entropy: Entropy) -> int:
        """Evenly from 1 to the order less one (FIPS 186-5 §A.2.2), which takes a second draw one time in 2^32."""
        spare = 8 * self.secret_size - self.curve.key_size
        while True:
            scalar = int.from_bytes(entropy.octets(self.secret_size), "big") >> spare
            if 0 < scalar < self.curve.group_order:
                return scalar


NISTP256 = Curve("nistp256", SECP256R1())
NISTP384 = Curve("nistp384", SECP384R1())
NISTP521 = Curve("nistp521", SECP521R1())
