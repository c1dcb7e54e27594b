"""What a client is to do, in words that every adapter understands. Standard library only: the clients read it too."""

import hashlib
import json
import os
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

VARIABLE = "ERRAND"
"""The variable of the environment by which a client written in Python is told its errand."""

REFUSED = 255
"""The exit status of those clients where the connection or the login failed."""

REPORT = "errand-report: "
"""How the line of standard error begins on which such a client says, as JSON, what it saw."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One connection. Without a `command` it is a shell; what is None is left to the client's own choice."""

    command: str | None = None
    port: int = 0
    login: str = "alice"
    key: str | None = None
    """The file of the private key, as OpenSSH writes it."""

    password: str | None = None
    host_keys: tuple[str, ...] = ()
    """Lines of public keys; a host with another one is not ours."""

    folder: str = ""
    """A folder of this errand alone."""

    kex: str | None = None
    host_key: str | None = None
    cipher: str | None = None
    mac: str | None = None
    rekey: int | None = None
    """New keys, begun by the client, after so many bytes."""

    terminal: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    channels: int = 0
    """More than 0: so many channels at once on the connection. Each runs the command, is fed `amount` bytes of
    `seeded(number, amount)` and has a line of output, `Ended` as JSON."""

    amount: int = 0

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def received() -> Errand:
    """The errand of this process."""
    fields = json.loads(os.environ[VARIABLE])
    fields["host_keys"] = tuple(fields["host_keys"])
    return Errand(**fields)


def host_key_blobs(errand: Errand) -> set[str]:
    """The host keys as base64."""
    return {line.split()[1] for line in errand.host_keys}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one of several channels ended: the exit status, and the SHA-256 of what came out."""

    number: int
    status: int
    summed: str

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def seeded(number: int, amount: int) -> bytes:
    """The bytes that channel `number` is fed, the same in every process."""
    return random.Random(number).randbytes(amount)


def sum_of(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
