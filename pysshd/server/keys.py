"""The public key that a hook is given."""

import hashlib
from base64 import b64encode

from pysshd.errors import DecodeError, InvalidSignatureError
from pysshd.server.message import Message
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey


class PKey:
    """A client's public key: its name, its bytes, its fingerprints; equal to any other with the same bytes.

    Where the client comes with a certificate, name and bytes are the certificate's, so that it never equals the key
    that it certifies; the fingerprint is that of the key.
    """

    def __init__(self, public: PublicKey, certificate: Certificate | None = None) -> None:
        self._public = public
        self._certificate = certificate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PKey) and self.asbytes() == other.asbytes()

    def __hash__(self) -> int:
        return hash(self.asbytes())

    def __bytes__(self) -> bytes:
        return self.asbytes()

    def __repr__(self) -> str:
        return f"PKey({self.get_name()}, {self.get_bits()} bits, {self.fingerprint})"

    @property
    def public(self) -> PublicKey:
        """The key as `pysshd.ssh.crypto` has it."""
        return self._public

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, its authority's signature verified and nothing else of it; None for a bare key."""
        return self._certificate

    @property
    def algorithm_name(self) -> str:
        """The family of the key: `ED25519`, `RSA`, `ECDSA`."""
        name = self._public.key_type
        return name.removeprefix("ssh-").upper() if name.startswith("ssh-") else name.split("-", 1)[0].upper()

    @property
    def fingerprint(self) -> str:
        """`SHA256:` and the digest in base64 without padding, as clients show it."""
        return self._public.fingerprint

    def asbytes(self) -> bytes:
        """The key, or the certificate, as it travels (RFC 4253 §6.6)."""
        return self._public.blob if self._certificate is None else self._certificate.blob

    def get_name(self) -> str:
        """The type of the key, such as `ssh-ed25519`, or of the certificate."""
        return self._public.key_type if self._certificate is None else self._certificate.key_type

    def get_bits(self) -> int:
        """The size in bits of the modulus or the field."""
        return self._public.bits

    def get_base64(self) -> str:
        """The bytes of the key in base64, as in a `.pub` file."""
        return b64encode(self.asbytes()).decode("ascii")

    def get_fingerprint(self) -> bytes:
        """The MD5 digest of the key, 16 bytes: a name for it that old programs show, no proof of anything."""
        return hashlib.md5(self._public.blob, usedforsecurity=False).digest()

    def can_sign(self) -> bool:
        """False: there is no private half here."""
        return False

    def verify_ssh_sig(self, data: bytes, msg: Message) -> bool:
        """Whether `msg`, an encoded signature (RFC 4253 §6.6), is this key's over `data`."""
        blob = msg.get_remainder()
        try:
            algorithm = Message(blob).get_text()
            self._public.verify(algorithm, blob, data)
        except (DecodeError, InvalidSignatureError):
            return False
        return True
