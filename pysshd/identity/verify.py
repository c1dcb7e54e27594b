"""What a helper process runs: one password against one argon2id hash (RFC 9106), then the process ends.

Imported by the zygote, so it stands alone: nothing of its own wing, nothing slow. Argon2 must not run in threads (two
derivations with several lanes can deadlock inside one process) nor before a fork, so it runs here and nowhere else.
"""

import base64
import binascii
import os
import re
import resource
import signal
import socket
import sys
from dataclasses import field
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pysshd.errors import DecodeError
from pysshd.records import dataclass
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

VERSION: Final = 1
"""The first byte of a question; a helper of another version does not answer it."""

PASSWORD_SIZE_MAX: Final = 1024
"""Bytes of a password (security.md S68)."""

PHC_SIZE_MAX: Final = 512
"""Characters of a hash in PHC form."""

QUESTION_SIZE_MAX: Final = 1 + 4 + PHC_SIZE_MAX + 4 + PASSWORD_SIZE_MAX

MEMORY_MAX: Final = 1 << 20
"""KiB of memory that a hash may ask for: 1 GiB."""

ITERATIONS_MAX: Final = 64
LANES_MAX: Final = 16

MATCHES: Final = b"\x01"
DIFFERS: Final = b"\x00"
FAULT: Final = b"\x02"

SECONDS_MAX: Final = 30
"""CPU seconds (and twice as many of the clock) until the kernel ends a check."""

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=(?P<memory>[1-9][0-9]{0,6}),t=(?P<iterations>[1-9][0-9]?),p=(?P<lanes>[1-9][0-9]?)"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<tag>[A-Za-z0-9+/]{22,86})"
)


@dataclass(frozen=True, slots=True)
class Argon2Hash:
    """A parsed hash; memory in KiB. The costs are bounded, so that no hash can hold a helper for long."""

    memory: int
    iterations: int
    lanes: int
    salt: bytes = field(repr=False)
    tag: bytes = field(repr=False)

    def matches(self, password: bytes) -> bool:
        """Whether this is the hash of `password`; compared in constant time. Slow, and never to be run in a thread."""
        derivation = Argon2id(
            salt=self.salt,
            length=len(self.tag),
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory,
        )
        try:
            derivation.verify(password, self.tag)
        except InvalidKey:
            return False
        return True


def parse_phc(text: str) -> Argon2Hash:
    """A hash as `$argon2id$v=19$m=…,t=…,p=…$salt$tag` without padding; `ValueError` where it is not one, or too costly.

    The message never holds the text.
    """
    found = _PHC.fullmatch(text) if len(text) <= PHC_SIZE_MAX else None
    if found is None:
        raise ValueError("password hash is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$tag")
    memory, iterations, lanes = (int(found[name]) for name in ("memory", "iterations", "lanes"))
    if memory > MEMORY_MAX or iterations > ITERATIONS_MAX or lanes > LANES_MAX or memory < 8 * lanes:
        raise ValueError(
            f"password hash has m={memory},t={iterations},p={lanes}, "
            f"expected up to m={MEMORY_MAX},t={ITERATIONS_MAX},p={LANES_MAX} and m of at least 8 for each lane"
        )
    return Argon2Hash(memory, iterations, lanes, _unpadded(found["salt"]), _unpadded(found["tag"]))


def _unpadded(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("password hash has a part that is no base64") from None
    if base64.b64encode(data).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("password hash has a part whose base64 is not in its one form")
    return data


def question(phc: str, password: bytes) -> bytes:
    """What a helper is asked; `ValueError` for what it would not take."""
    if len(phc) > PHC_SIZE_MAX or len(password) > PASSWORD_SIZE_MAX:
        raise ValueError("password or its hash is longer than a helper takes")
    return codec.byte(VERSION) + codec.text(phc) + codec.string(password)


def answer(asked: bytes | memoryview) -> bytes:
    """The one byte that a question deserves. Pure, and slow."""
    try:
        reader = Reader(asked)
        if reader.byte() != VERSION:
            return FAULT
        phc, password = reader.text(), reader.string()
        reader.end()
        if len(phc) > PHC_SIZE_MAX or len(password) > PASSWORD_SIZE_MAX:
            return FAULT
    except DecodeError:
        return FAULT
    try:
        return MATCHES if parse_phc(phc).matches(password) else DIFFERS
    except (ValueError, MemoryError):
        return FAULT


def matched(answered: bytes) -> bool:
    """Whether a helper said that the password is right; everything but that one byte says no."""
    return answered == MATCHES


def main(descriptor: int) -> int:
    """Answer one question on the SEQPACKET socket with this number; the exit status.

    The socket is the helper's own and is closed. Limits of CPU and of the clock are the kernel's, so that not even a
    derivation that never comes back outlives them.
    """
    _limit()
    buffer = bytearray(QUESTION_SIZE_MAX + 1)
    with socket.socket(fileno=descriptor) as end:
        end.settimeout(SECONDS_MAX)
        try:
            size = end.recv_into(buffer)
            reply = answer(memoryview(buffer)[:size]) if 0 < size <= QUESTION_SIZE_MAX else FAULT
            buffer[:] = bytes(len(buffer))
            end.send(reply)
        except OSError:
            return 1
    return 0


def _limit() -> None:
    for limit, value in (
        (resource.RLIMIT_CPU, SECONDS_MAX),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, (MEMORY_MAX << 10) + (1 << 30)),
    ):
        _, hard = resource.getrlimit(limit)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (wanted, wanted))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(2 * SECONDS_MAX)


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1])))
