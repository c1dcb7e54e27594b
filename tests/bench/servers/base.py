"""What a server is to the benchmarks."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.errors import TroubleError
from tests.bench.kept import Kept, keeping
from tests.bench.place import ENVIRONMENT, HOST, Place, free_port

START_WITHIN = 20.0
POLL = 0.001
LOOK_AFTER = 1.0
"""Seconds after which to look whether a server that does not answer is there at all."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The command line of a server whose files are written, and its own part of the environment."""

    words: Sequence[str | Path]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server.

    `missing` says why it can not be measured here (None: it can). `prepare` writes what it needs into a folder, for a
    port. `version` is what it calls itself, `settings` what is particular in how it runs here.
    """

    name: str
    title: str
    missing: Callable[[Place], str | None]
    prepare: Callable[[Place, Path, int], Prepared]
    version: Callable[[], str]
    settings: Callable[[Place], str]


@dataclass(frozen=True, slots=True)
class Running:
    """A server at work on a port of loopback."""

    server: Server
    place: Place
    port: int
    kept: Kept
    folder: Path
    banner_after: float
    """Seconds from the execution of its program to the first byte that a client reads."""

    def log_end(self) -> str:
        """The last that it wrote, for a person."""
        return (self.folder / "log").read_text("utf-8", "replace")[-1500:].rstrip()


@contextmanager
def running(server: Server, place: Place) -> Iterator[Running]:
    """Start a server, wait until it answers, and end it with the block."""
    folder, port = place.subfolder(server.name), free_port()
    prepared = server.prepare(place, folder, port)
    log = folder / "log"
    with keeping(prepared.words, {**ENVIRONMENT, "HOME": str(folder), **prepared.environment}, log) as kept:
        try:
            answered = first_byte(port, kept)
        except TroubleError as trouble:
            said = log.read_text("utf-8", "replace")[-1500:].rstrip()
            raise TroubleError(f"{server.title}: {trouble}; it wrote:\n{said}") from None
        yield Running(server, place, port, kept, folder, answered - kept.started)
        kept.stop()


def first_byte(port: int, kept: Kept) -> float:
    """When (monotonic seconds) a server that is just starting says its first byte to a client."""
    started = time.monotonic()
    end, look = started + START_WITHIN, started + LOOK_AFTER
    while time.monotonic() < end:
        try:
            with socket.create_connection((HOST, port), timeout=START_WITHIN) as connection:
                if connection.recv(1):
                    return time.monotonic()
        except (ConnectionRefusedError, ConnectionResetError):
            pass
        time.sleep(POLL)
        if time.monotonic() > look:
            if not kept.processes():
                raise TroubleError("it ended")
            look += LOOK_AFTER
    raise TroubleError(f"no answer within {START_WITHIN:.0f} s")
