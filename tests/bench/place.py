"""Where a run of the benchmarks lives: a folder, keys, and who logs in. All of it is gone afterwards."""

import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.person import who_logs_in

HOST = "127.0.0.1"
KEX = "curve25519-sha256"
"""The key exchange of every measurement: the newest that all three servers have had for years."""

CIPHER = "aes128-gcm@openssh.com"
"""The cipher where a measurement is not about ciphers."""

CIPHERS = {
    "aes128-gcm": ("aes128-gcm@openssh.com", None),
    "aes256-gcm": ("aes256-gcm@openssh.com", None),
    "chacha20": ("chacha20-poly1305@openssh.com", None),
    "aes128-ctr": ("aes128-ctr", "hmac-sha2-256-etm@openssh.com"),
    "aes256-ctr": ("aes256-ctr", "hmac-sha2-512-etm@openssh.com"),
}
"""Name in the table → the cipher, and the MAC that goes with it."""

CIPHER_NAMES = tuple(cipher for cipher, _ in CIPHERS.values())
MAC_NAMES = tuple(mac for _, mac in CIPHERS.values() if mac)

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
"""What servers and clients see: nobody's agent, nobody's settings."""

SHELL_LEVEL = {"SHLVL": "1"}
"""What every server gives to its programs: it keeps bash from a ~/.bashrc, which may take any time."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a run, with one host key and one key of the person who logs in, and who that is on this host."""

    folder: Path
    person: pwd.struct_passwd
    accounts: str | None = None
    """How pysshd runs sessions, in the words of its policy; None: as fits who runs this."""

    @property
    def user(self) -> str:
        """Their name."""
        return self.person.pw_name

    @property
    def ids(self) -> tuple[int, int]:
        """Their uid and gid."""
        return self.person.pw_uid, self.person.pw_gid

    @property
    def host_key(self) -> Path:
        """The private host key of every server."""
        return self.folder / "host_key"

    @property
    def key(self) -> Path:
        """The private key of the person."""
        return self.folder / "key"

    @property
    def public_line(self) -> str:
        """The public key of the person."""
        return self.key.with_suffix(".pub").read_text().strip()

    @property
    def known_hosts(self) -> Path:
        """A file in which every port of this host has the host key."""
        return self.folder / "known_hosts"

    def subfolder(self, name: str) -> Path:
        """A new folder in it, with a number where the name is taken."""
        made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        made.chmod(0o755)
        return made


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_place(accounts: str | None = None) -> Iterator[Place]:
    """Make a place for a run, and take it away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pysshd-bench-"))
    try:
        folder.chmod(0o755)
        made = Place(folder, who_logs_in(), accounts)
        for key in (made.host_key, made.key):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", str(key)],
                check=True,
                stdin=subprocess.DEVNULL,
            )
        made.known_hosts.write_text(f"* {made.host_key.with_suffix('.pub').read_text()}")
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
