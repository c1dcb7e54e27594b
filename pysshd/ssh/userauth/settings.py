"""The limits that a user authentication machine keeps to."""

from pysshd.records import dataclass
from pysshd.ssh.crypto.catalogue import DEFAULT_USER_KEY_ALGORITHMS


@dataclass(frozen=True, slots=True)
class UserauthSettings:
    """Limits on one connection's way to a login; sizes in bytes.

    None of them may follow from the user's name: what a peer sees must not tell who exists.
    """

    max_requests: int = 128
    """Requests and responses in all; one more ends the connection."""

    max_failures: int = 6
    """The failure that ends the connection; the first `none`, accepted probes and partial successes are none (S52)."""

    max_user: int = 255
    max_password: int = 1024
    max_response: int = 1024
    """One response of keyboard-interactive."""

    max_submethods: int = 256
    max_blob: int = 16 << 10
    """A public key or certificate."""

    max_signature: int = 8 << 10

    key_algorithms: tuple[str, ...] = DEFAULT_USER_KEY_ALGORITHMS
    """Public key algorithms that a user may offer; any other fails unseen."""
