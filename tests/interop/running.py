"""Runs an errand with a client against a daemon, and says what came of it."""

import contextlib
import itertools
import json
import os
import pty
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

import pytest

from tests.interop.clients.kit import ENVIRONMENT, Call, InteropKeys, Kit
from tests.interop.clients.table import CLIENTS
from tests.interop.errand import REPORT, Errand
from tests.live.daemon import Daemon

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a client ended; `report` is what one written in Python saw."""

    status: int
    output: bytes
    errors: bytes
    report: dict[str, int]


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever uses one client."""

    name: str
    keys: InteropKeys

    def need(self) -> None:
        """Skip the test where this client is not here."""
        why = CLIENTS[self.name].missing()
        if why is not None:
            pytest.skip(f"{self.name}: {why}")

    def call(self, daemon: Daemon, errand: Errand) -> Call:
        """What is run for an errand. Without a key or a password it is the key `ed25519` of alice."""
        folder = daemon.folder / f"client-{next(_numbers)}"
        folder.mkdir(mode=0o700)
        hosts = tuple(path.with_suffix(".pub").read_text().strip() for path in self.keys.host_keys())
        errand = replace(errand, port=daemon.port, host_keys=hosts, folder=str(folder))
        if errand.key is None and errand.password is None:
            errand = replace(errand, key=str(self.keys.user("ed25519")))
        return CLIENTS[self.name].call(Kit(folder, self.keys), errand)

    def run(
        self,
        daemon: Daemon,
        errand: Errand,
        stdin: IO[bytes] | bytes = b"",
        stdout: IO[bytes] | None = None,
        timeout: float = 50,
    ) -> Outcome:
        """Run to the end."""
        if errand.terminal and CLIENTS[self.name].needs_terminal:
            assert isinstance(stdin, bytes)
            return self._on_terminal(daemon, errand, stdin, timeout)
        call = self.call(daemon, errand)
        into_file = stdout is None and CLIENTS[self.name].into_file
        with _file(stdin) as source, tempfile.TemporaryFile() as kept:
            done = subprocess.run(
                call.words,
                stdin=source,
                stdout=kept if into_file else subprocess.PIPE if stdout is None else stdout,
                stderr=subprocess.PIPE,
                env={**ENVIRONMENT, **call.environment},
                cwd=call.folder,
                start_new_session=True,
                timeout=timeout,
                check=False,
            )
            kept.seek(0)
            output = kept.read() if into_file else done.stdout or b""
        errors, report = _parted(done.stderr)
        return Outcome(done.returncode, output, errors, report)

    def _on_terminal(self, daemon: Daemon, errand: Errand, typed: bytes, timeout: float) -> Outcome:
        """Run with a terminal of its own; what comes out is one stream."""
        call = self.call(daemon, errand)
        ours, theirs = pty.openpty()
        try:
            process = subprocess.Popen(
                call.words,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env={**ENVIRONMENT, **call.environment},
                cwd=call.folder,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        try:
            os.write(ours, typed)
            output = b"".join(_until_hang_up(ours))
            return Outcome(process.wait(timeout), output, b"", {})
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def _until_hang_up(terminal: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 65536):
            yield data


@contextlib.contextmanager
def _file(stdin: IO[bytes] | bytes) -> Iterator[IO[bytes]]:
    """A file that can be read by any client, for not all take a pipe that is fed slowly."""
    if not isinstance(stdin, bytes):
        yield stdin
        return
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        yield file


def _parted(errors: bytes) -> tuple[bytes, dict[str, int]]:
    lines = errors.splitlines(keepends=True)
    reports = [line for line in lines if line.startswith(REPORT.encode())]
    rest = b"".join(line for line in lines if line not in reports)
    return rest, json.loads(reports[0].removeprefix(REPORT.encode())) if reports else {}
