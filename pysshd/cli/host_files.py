"""Reads what an import of an `sshd_config` needs of a host, or of its file tree somewhere else."""

import glob
import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from pysshd.errors import StartupError
from pysshd.importing.accounts import Host, read_accounts
from pysshd.records import dataclass

_MOST: Final = 4 * 1024 * 1024
_BANNER_MOST: Final = 8192
_SFTP_SERVERS: Final = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
_PAM: Final = "/etc/pam.d"


@dataclass(frozen=True, slots=True)
class HostFiles:
    """The files of a host. root: where its file tree begins; a relative path is none of the host's."""

    root: Path

    def path(self, name: str) -> Path:
        """Where a file lies."""
        return self.root / name.lstrip("/") if name.startswith("/") else Path(name)

    def text(self, name: str) -> str:
        """The text of a file. Raises StartupError where there is none."""
        path = self.path(name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no such name is possible"
            raise StartupError(f"{path}: can not be opened: {reason}") from None
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StartupError(f"{path}: is not a regular file")
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise StartupError(f"{path}: has more than {_MOST} bytes")
        if b"\0" in data:
            raise StartupError(f"{path}: has a NUL and is no text")
        return data.decode("utf-8", "replace")

    def included(self, pattern: str) -> Sequence[tuple[str, str]]:
        """The files of a pattern of Include, sorted, by the names that the host has for them."""
        prefix = str(self.root).rstrip("/")
        found = sorted(glob.glob(f"{glob.escape(prefix)}{pattern}"))
        return [(one.removeprefix(prefix), self.text(one.removeprefix(prefix))) for one in found]

    def banner(self, name: str) -> str | None:
        """The text of a banner, None where it is none that could be shown."""
        try:
            text = self.text(name)
        except StartupError:
            return None
        good = 0 < len(text) <= _BANNER_MOST and all(char.isprintable() or char in "\n\t" for char in text)
        return text if good else None

    def host(self) -> Host:
        """What is known of the host. Raises StartupError where its accounts are not."""
        accounts, groups = read_accounts(self.text("/etc/passwd"), self.text("/etc/group"))
        server = next((name for name in _SFTP_SERVERS if self.path(name).is_file()), "")
        return Host(accounts, groups, server, self._timezone(), self._pam())

    def knows(self, name: str) -> bool:
        """Whether this very host has an account that stands in no file: of LDAP, say. Of a tree it is not known."""
        if self.root != Path("/"):
            return False
        try:
            pwd.getpwnam(name)
        except KeyError:
            return False
        return True

    def _timezone(self) -> str:
        """The name of the time zone; UTC where the host has none, empty where it has one without a name."""
        path = self.path("/etc/localtime")
        if not os.path.lexists(path):
            return "UTC"
        try:
            _, _, name = os.readlink(path).partition("zoneinfo/")
        except OSError:
            name = ""
        names = {"Etc/UTC": "UTC"}.get(name, name)
        return names if names == "UTC" or names in available_timezones() else ""

    def _pam(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in sorted(self.path(_PAM).glob("*")):
            try:
                found[path.name] = self.text(f"{_PAM}/{path.name}")
            except StartupError:
                continue
        return found
