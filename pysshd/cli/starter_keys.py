"""The keys of whoever starts the quickstart: those of ~/.ssh that a plain `ssh` will use, else one made for them."""

import os
from dataclasses import replace
from pathlib import Path

from pysshd.errors import InvalidKeyError, StartupError
from pysshd.records import dataclass
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import parse_public_key_line
from pysshd.ssh.crypto.private_keys import private_key_to_openssh

DEFAULT_NAMES = ("id_ed25519", "id_ecdsa", "id_rsa")
"""The identities that ssh offers by itself, of the kinds that this server takes."""

GENERATED = "quickstart_key"
MAX_SIZE = 16 * 1024


@dataclass(frozen=True, slots=True)
class StarterKeys:
    """The lines for the policy; `identity` is the private key to name on the command line, None: ssh finds its own."""

    public: tuple[str, ...]
    identity: Path | None


def find_or_make(state: Path, home: Path, ssh_home: Path | None = None) -> StarterKeys:
    """Return the starter's keys; a generated one lies in the state folder and is used again on a later start.

    `ssh_home` is where ssh itself looks: keys of another home have to be named to it.
    """
    generated = state / GENERATED
    if not generated.exists():
        found = {path: line for name in DEFAULT_NAMES if (line := _usable(path := home / ".ssh" / name))}
        if found:
            elsewhere = ssh_home is not None and ssh_home != home
            return StarterKeys(tuple(found.values()), next(iter(found)) if elsewhere else None)
        _generate(generated)
    line = _read_line(generated.with_name(f"{GENERATED}.pub"))
    if line is None:
        raise StartupError(f"key {generated}.pub: is missing or no public key; remove {generated} to have another made")
    return StarterKeys((line,), generated)


def _usable(private: Path) -> str | None:
    """Return the public line of an identity whose private half is there too."""
    if not os.access(private, os.R_OK):
        return None
    return _read_line(private.with_name(f"{private.name}.pub"))


def _read_line(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SIZE).decode().strip()
        key = parse_public_key_line(text)
    except (OSError, UnicodeDecodeError, InvalidKeyError):
        return None
    comment = "".join(c for c in key.comment if c.isascii() and c.isprintable() and c not in '"\\')
    return replace(key, comment=comment).line


def _generate(path: Path) -> None:
    key = generate_private_key("ed25519")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(private_key_to_openssh(key))
        public = f"{key.public.line} made by pysshd quickstart\n"
        path.with_name(f"{path.name}.pub").write_text(public, "utf-8")
    except OSError as error:
        raise StartupError(f"key {path}: can not be written: {error.strerror}") from None
