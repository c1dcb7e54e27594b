"""The methods of draft-ietf-sshm-mlkem-hybrid-kex §2: ML-KEM beside a curve, broken only if both are."""

import hashlib
from collections.abc import Callable

from pysshd.errors import KeyExchangeError
from pysshd.records import dataclass
from pysshd.ssh.crypto import curve25519
from pysshd.ssh.crypto.mlkem import ML_KEM_768, ML_KEM_1024, MlKem
from pysshd.ssh.crypto.nist import NISTP256, NISTP384
from pysshd.ssh.crypto.shares import Entropy, KexShare
from pysshd.ssh.wire import codec


@dataclass(frozen=True, slots=True)
class Hybrid:
    """One method: `exchange` is the curve's, `public_size` the bytes of a public value there."""

    hash_name: str
    kem: MlKem
    public_size: int
    exchange: Callable[[Entropy, bytes], tuple[bytes, bytes]]

    @property
    def client_init_size(self) -> int:
        """Bytes of C_INIT: the encapsulation key, then the public value of the curve."""
        return self.kem.key_size + self.public_size

    def respond(self, entropy: Entropy, client_init: bytes) -> KexShare:
        """The server's side; K is the string HASH(K_PQ || K_CL), S_REPLY the ciphertext and our public value.

        K_CL is in the size of the curve's field, the coordinate of a NIST curve most significant byte first.
        """
        if len(client_init) != self.client_init_size:
            raise KeyExchangeError(f"c_init has {len(client_init)} bytes, expected {self.client_init_size}")
        encapsulation_key = client_init[: self.kem.key_size]
        self.kem.check_key(encapsulation_key)
        public, classical = self.exchange(entropy, client_init[self.kem.key_size :])
        post_quantum, ciphertext = entropy.encapsulate(encapsulation_key)
        secret = hashlib.new(self.hash_name, post_quantum + classical).digest()
        return KexShare(ciphertext + public, codec.string(secret))


MLKEM768_X25519 = Hybrid("sha256", ML_KEM_768, curve25519.PUBLIC_SIZE, curve25519.exchange)
MLKEM768_NISTP256 = Hybrid("sha256", ML_KEM_768, NISTP256.public_size, NISTP256.exchange)
MLKEM1024_NISTP384 = Hybrid("sha384", ML_KEM_1024, NISTP384.public_size, NISTP384.exchange)
