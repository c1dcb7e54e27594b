"""The real client: OpenSSH's `ssh`, with keys, a configuration and known hosts of its own, and no agent."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HOST = "127.0.0.1"
TIMEOUT = 30.0

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "xterm"}
"""What the client sees: nobody's agent, and nobody's home."""


@dataclass
class Keys:
    """Keys that are made when they are first asked for, in one folder."""

    folder: Path

    def private(self, name: str, kind: str = "ed25519", bits: int | None = None) -> Path:
        """The file of the private key of this name; the public one is beside it."""
        path = self.folder / name
        if not path.exists():
            words = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path)]
            subprocess.run(words + (["-b", str(bits)] if bits else []), check=True, stdin=subprocess.DEVNULL)
        return path

    def public(self, name: str) -> str:
        """The line of the public key of this name."""
        return self.private(name).with_suffix(".pub").read_text().strip()

    def host_keys(self) -> tuple[Path, ...]:
        """The host keys of every daemon of these tests: ed25519 and RSA."""
        return (self.private("host_ed25519"), self.private("host_rsa", "rsa", 3072))

    def filled(self, text: str) -> str:
        """`text` with the line of a public key for each `@@NAME@@`."""
        parts = text.split("@@")
        assert len(parts) % 2, "@@ is not closed"
        return "".join(self.public(part) if number % 2 else part for number, part in enumerate(parts))


@dataclass
class Client:
    """Clients of one daemon. By default they log in as `alice` with the key `alice`."""

    folder: Path
    port: int
    keys: Keys
    user: str
    """The Unix user that programs of sessions run as, for comparison."""

    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        lines = [f"[{HOST}]:{self.port} {key.with_suffix('.pub').read_text()}" for key in self.keys.host_keys()]
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.write_text("".join(lines))

    def words(
        self, *command: str, login: str = "alice", key: str | None = "alice", options: tuple[str, ...] = (), **more: str
    ) -> list[str]:
        """The command line: `options` are words of the client, `more` are settings (`RekeyLimit="1M"`)."""
        settings = {
            "UserKnownHostsFile": str(self.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "BatchMode": "yes",
            "ConnectTimeout": "20",
            "LogLevel": "ERROR",
            **({} if key else {"IdentityFile": "none"}),
            **more,
        }
        words = ["ssh", "-F", "/dev/null", "-p", str(self.port)]
        if key:
            words += ["-i", str(self.keys.private(key))]
        for name, value in settings.items():
            words += ["-o", f"{name}={value}"]
        return [*words, *options, f"{login}@{HOST}", *command]

    def run(
        self,
        *command: str,
        stdin: bytes | IO[bytes] | None = b"",
        timeout: float = TIMEOUT,
        environment: dict[str, str] | None = None,
        **more: Any,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run to the end; `more` is what `words` takes."""
        source: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        return subprocess.run(
            self.words(*command, **more),
            capture_output=True,
            timeout=timeout,
            env={**ENVIRONMENT, **(environment or {})},
            check=False,
            **source,
        )

    def start(
        self,
        *command: str,
        environment: dict[str, str] | None = None,
        stdin: IO[bytes] | int = subprocess.PIPE,
        stdout: IO[bytes] | int = subprocess.PIPE,
        stderr: IO[bytes] | int = subprocess.PIPE,
        **more: Any,
    ) -> "subprocess.Popen[bytes]":
        """Start, with pipes for its three streams unless told otherwise; ended with the daemon, if not before."""
        process = subprocess.Popen(
            self.words(*command, **more),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**ENVIRONMENT, **(environment or {})},
        )
        self.running.append(process)
        return process

    def close(self) -> None:
        """End every client that was started."""
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None and not stream.closed:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        pass
        self.running.clear()
