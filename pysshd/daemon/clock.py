"""The clock and the randomness of the daemon: read here, handed in everywhere else."""

import secrets
import time
from datetime import UTC, datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Letters and digits that are not mistaken for one another when they are read aloud (Crockford's base 32)."""

ID_LENGTH = 10


class SystemClock:
    """The machine's two times."""

    def wall(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that no change of the clock moves."""
        return time.monotonic()


def new_id() -> str:
    """Return a short random name for a connection or a decision; 50 bits, so that nobody guesses another's."""
    number = secrets.randbits(5 * ID_LENGTH)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in range(ID_LENGTH))
