"""The public key that a hook is given."""

import hashlib
from base64 import b64encode

from pysshd.errors import DecodeError, InvalidSignatureError
from pysshd.server.message import Message
from pysshd.ssh.crypto.keys import PublicKey


class PKey:
    """A client's public key: its name, its bytes, its fingerprints; equal to any other with the same bytes."""

    def __init__(self, public: PublicKey) -> None:
        self._public = public

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
    def algorithm_name(self) -> str:
        """The family of the key: `ED25519`, `RSA`, `ECDSA`."""
        name = self.get_name()
        return name.removeprefix("ssh-").upper() if name.startswith("ssh-") else name.split("-", 1)[0].upper()

    @property
    def fingerprint(self) -> str:
        """`SHA256:` and the digest in base64 without padding, as clients show it."""
        return self._public.fingerprint

    def asbytes(self) -> bytes:
        """The key as it travels (RFC 4253 §6.6)."""
        return self._public.blob

    def get_name(self) -> str:
        """The key's type, such as `ssh-ed25519`."""
        return self._public.key_type

    def get_bits(self) -> int:
        """The size in bits of the modulus or the field."""
        return self._public.bits

    def get_base64(self) -> str:
        """The bytes of the key in base64, as in a `.pub` file."""
        return b64encode(self.asbytes()).decode("ascii")

    def get_fingerprint(self) -> bytes:
        """The MD5 digest of the key, 16 bytes: a name for it that old programs show, no proof of anything."""
        return hashlib.md5(self.asbytes(), usedforsecurity=False).digest()

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
