"""OpenSSH's `ssh` as the client of a measurement: one command, or a connection that several commands share."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.bench.errors import TroubleError
from tests.bench.place import CIPHER, ENVIRONMENT, HOST, KEX
from tests.bench.servers.base import Running

TIMEOUT = 180.0
CONNECT_WITHIN = 20.0

Stream = IO[bytes] | int


def words(server: Running, *, cipher: str = CIPHER, mac: str | None = None) -> list[str]:
    """The command line as far as the host, every algorithm chosen."""
    place = server.place
    settings = {
        "UserKnownHostsFile": str(place.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentityFile": str(place.key),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "KexAlgorithms": KEX,
        "HostKeyAlgorithms": "ssh-ed25519",
        "Ciphers": cipher,
        "UpdateHostKeys": "no",
        **({"MACs": mac} if mac else {}),
    }
    made = ["ssh", "-F", "/dev/null", "-p", str(server.port), "-l", place.user]
    for name, value in settings.items():
        made += ["-o", f"{name}={value}"]
    return made


def run(command: list[str], *, stdin: Stream = subprocess.DEVNULL, stdout: Stream = subprocess.DEVNULL) -> float:
    """Run a client to its end and return its seconds; TroubleError where it fails."""
    started = time.monotonic()
    with subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        try:
            _, said = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise TroubleError(f"ssh did not end within {TIMEOUT:.0f} s") from None
        finally:
            process.kill()
    if process.returncode != 0:
        raise TroubleError(f"ssh ended with status {process.returncode}: {said.decode(errors='replace').strip()}")
    return time.monotonic() - started


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that is logged in, for any number of commands; all their data go through the client `pid`."""

    base: list[str]
    pid: int

    def command(self, text: str) -> list[str]:
        """The command line that runs `text` on this connection."""
        return [*self.base, HOST, text]

    def run(self, text: str, *, stdin: Stream = subprocess.DEVNULL, stdout: Stream = subprocess.DEVNULL) -> float:
        """Run `text` to its end and return its seconds."""
        return run(self.command(text), stdin=stdin, stdout=stdout)

    @contextmanager
    def started(
        self, text: str, *, stdin: Stream = subprocess.DEVNULL, stdout: Stream = subprocess.DEVNULL
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """Run `text` until the end of the block."""
        process = subprocess.Popen(
            self.command(text), stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, env=ENVIRONMENT, bufsize=0
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def connected(server: Running, *, cipher: str = CIPHER, mac: str | None = None) -> Iterator[Connection]:
    """A connection of OpenSSH's client (`ControlMaster`), so that what is measured on it holds no login."""
    folder = server.place.subfolder("c")
    base = [*words(server, cipher=cipher, mac=mac), "-S", str(folder / "s")]
    with (folder / "errors").open("wb") as errors:
        master = subprocess.Popen(
            [*base, "-M", "-N", HOST], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=ENVIRONMENT
        )
    try:
        _await_socket(master, folder)
        yield Connection(base, master.pid)
    finally:
        master.terminate()
        try:
            master.wait(5)
        except subprocess.TimeoutExpired:
            master.kill()
            master.wait(5)


def _await_socket(master: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + CONNECT_WITHIN
    while not (folder / "s").exists():
        if master.poll() is not None or time.monotonic() > end:
            said = (folder / "errors").read_text("utf-8", "replace").strip()
            raise TroubleError(f"ssh did not log in: {said or 'no word'}")
        time.sleep(0.002)
