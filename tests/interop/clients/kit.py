"""What every client brings: keys in the form that it reads, known hosts, and an environment that is nobody's."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.client import Keys

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"}


@dataclass(frozen=True, slots=True)
class Call:
    """A command line, with what is added to its environment."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """Where it has to be started, if that matters."""


class InteropKeys(Keys):
    """Keys of every kind that clients and hosts may have."""

    def user(self, kind: str) -> Path:
        """A key of alice: `ed25519`, `rsa`, `ecdsa256` and so on."""
        return self.of_kind(f"alice_{kind}", kind)

    def of_kind(self, name: str, kind: str) -> Path:
        """The private key of this name."""
        if kind.startswith("ecdsa"):
            return self.private(name, "ecdsa", int(kind.removeprefix("ecdsa")))
        return self.private(name, kind, 3072 if kind == "rsa" else None)

    def host_keys(self) -> tuple[Path, ...]:
        """One of each kind."""
        kinds = ("ed25519", "rsa", "ecdsa256", "ecdsa384", "ecdsa521")
        return tuple(self.of_kind(f"host_{kind}", kind) for kind in kinds)


@dataclass(frozen=True, slots=True)
class Kit:
    """The folder of one client for one errand, and the keys of the tests."""

    folder: Path
    keys: InteropKeys

    def for_dropbear(self, private: str) -> str:
        """A private key in dropbear's form."""
        made = Path(private).with_suffix(".dropbear")
        if not made.exists():
            _convert("dropbearconvert", "openssh", "dropbear", private, str(made))
        return str(made)

    def for_putty(self, private: str) -> str:
        """A private key in PuTTY's form."""
        made = Path(private).with_suffix(".ppk")
        if not made.exists():
            _convert("puttygen", private, "-o", str(made), "-O", "private")
        return str(made)

    def file(self, name: str, text: str) -> Path:
        """A file of this errand."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path


def _convert(*words: str) -> None:
    assert shutil.which(words[0]), f"{words[0]} is missing"
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
