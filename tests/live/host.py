"""A host of a test's own: a copy of /etc with accounts that only the daemon under test and its sessions see.

It is bound over /etc in the mount namespace of that daemon, so nothing of this machine changes, and none of it is left.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pysshd.identity.host.crypt import host_crypt
from tests.live.client import Keys
from tests.live.daemon import SYSTEM, Daemon, open_folder, serving

FIRST_UID = 61000
NEVER = "20000:0:99999:7:::"
"""The dates of a password that was changed long ago and never expires."""


def crypted(password: str, setting: str = "$y$j9T$saltofthesetests") -> str:
    """A hash as passwd(1) makes it."""
    made = host_crypt()(password.encode(), setting.encode())
    assert made is not None
    assert not made.startswith(b"*")
    return made.decode()


@dataclass(frozen=True)
class User:
    """An account of the host."""

    name: str
    uid: int
    home: Path


@dataclass
class Host:
    """Its folder holds `etc`, `run` and `home`."""

    folder: Path
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    @property
    def etc(self) -> Path:
        """What is /etc there."""
        return self.folder / "etc"

    @property
    def run(self) -> Path:
        """What is /run there."""
        return self.folder / "run"

    @property
    def mounts(self) -> list[tuple[str, str]]:
        """What is bound where."""
        return [(str(self.etc), "/etc"), (str(self.run), "/run")]

    def add(
        self,
        name: str,
        *,
        groups: Sequence[str] = (),
        password: str = "*",
        dates: str = NEVER,
        shell: str = "/bin/bash",
        uid: int | None = None,
        home: str | None = None,
        keys: str = "",
    ) -> User:
        """Make an account, with a group of its name; `password` is what shadow(5) has, `keys` its authorized keys."""
        number = FIRST_UID + len(self.users) if uid is None else uid
        folder = Path(home) if home is not None else self.folder / "home" / name
        user = self.users[name] = User(name, number, folder)
        self._write("passwd", f"{name}:x:{number}:{number}:,,,:{folder}:{shell}")
        self._write("shadow", f"{name}:{password}:{dates}")
        self.groups[name] = (number, [])
        for group in groups:
            _, members = self.groups.setdefault(group, (FIRST_UID + 500 + len(self.groups), []))
            members.append(name)
        self._write_groups()
        if home is None:
            folder.mkdir(parents=True)
            folder.chmod(0o750)
            os.chown(folder, number, number)
        if keys:
            self.write(user, ".ssh/authorized_keys", keys)
        return user

    def write(self, user: User, path: str, text: str, mode: int = 0o600) -> Path:
        """A file of an account, below its home; the folders are its own too."""
        file = user.home / path
        for folder in reversed([one for one in file.parents if user.home in one.parents]):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                os.chown(folder, user.uid, user.uid)
        file.write_text(text)
        file.chmod(mode)
        os.chown(file, user.uid, user.uid)
        return file

    def change(self, name: str, password: str | None = None, dates: str | None = None) -> None:
        """Give an account another line in shadow(5)."""
        file = self.etc / "shadow"
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines):
            own, hashed, rest = line.split(":", 2)
            if own == name:
                lines[number] = f"{name}:{hashed if password is None else password}:{rest if dates is None else dates}"
        file.write_text("\n".join(lines) + "\n")

    def may_sudo(self, name: str) -> None:
        """Let an account become root without a password."""
        file = self.etc / "sudoers.d" / f"pysshd-t-{name}"
        file.write_text(f"{name} ALL=(ALL:ALL) NOPASSWD: ALL\n")
        file.chmod(0o440)

    def _write(self, file: str, line: str) -> None:
        with (self.etc / file).open("a") as stream:
            stream.write(line + "\n")

    def _write_groups(self) -> None:
        file = self.etc / "group"
        lines = [line for line in file.read_text().splitlines() if line.split(":")[0] not in self.groups]
        lines += [f"{name}:x:{gid}:{','.join(members)}" for name, (gid, members) in self.groups.items()]
        file.write_text("\n".join(lines) + "\n")


@contextmanager
def own_host() -> Iterator[Host]:
    """A host whose files are gone after the block; root alone can have one."""
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("root can have no mount namespace here")
    with open_folder() as folder:
        subprocess.run(["cp", "-a", "/etc", str(folder / "etc")], check=True)
        for name in ("run", "home"):
            (folder / name).mkdir(mode=0o755)
        (folder / "run" / "screen").mkdir(mode=0o777)
        (folder / "run" / "screen").chmod(0o1777)
        for name in ("nologin", "motd", "environment"):
            (folder / "etc" / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "etc" / "profile.d", ignore_errors=True)
        yield Host(folder)


@contextmanager
def serving_host(host: Host, policy: str, keys: Keys, **options: Any) -> Iterator[Daemon]:
    """A daemon with `accounts: system` on such a host."""
    environment = {"KEEPER_MOUNTS": json.dumps(host.mounts)}
    with serving(policy, keys, mode=SYSTEM, environment=environment, **options) as daemon:
        yield daemon
