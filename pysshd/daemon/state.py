"""The state folder: what the daemon makes lies there and nowhere else, readable by its user alone."""

import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path

from pysshd.errors import StartupError

MODE = 0o700


def default_state_directory(environment: Mapping[str, str], uid: int) -> Path:
    """Return the state folder where the policy names none: systemd's, root's, or the user's own (XDG).

    StartupError where nothing says where the user is at home.
    """
    if given := environment.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if uid == 0:
        return Path("/var/lib/pysshd")
    base = environment.get("XDG_STATE_HOME") or ""
    # The XDG specification has a relative path ignored.
    root = Path(base) if base.startswith("/") else Path(environment.get("HOME") or _home_of(uid)) / ".local" / "state"
    return root / "pysshd"


def _home_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        raise StartupError(f"state folder: uid {uid} has no home and HOME is not set; set STATE_DIRECTORY") from None


def make_folder(path: Path, owner: int) -> None:
    """Make a folder where it is missing, and those above it, for `owner` alone; what is there is left as it is."""
    if path.exists():
        return
    make_folder(path.parent, owner)
    path.mkdir(mode=MODE)
    if owner != os.geteuid():
        os.chown(path, owner, -1)


def prepare_state_directory(path: Path, owner: int) -> Path:
    """Make the folder where it is missing; StartupError where it is not the daemon's alone.

    `owner` is the uid that the daemon runs as once it serves.
    """
    try:
        make_folder(path, owner)
        found = path.stat()
    except OSError as error:
        raise StartupError(
            f"state folder {path}: {error.strerror}; give the daemon's user a folder of its own"
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise StartupError(f"state folder {path}: is no folder")
    if found.st_uid not in (owner, 0):
        raise StartupError(f"state folder {path}: belongs to uid {found.st_uid}, expected {owner}")
    if found.st_mode & 0o022:
        raise StartupError(
            f"state folder {path}: mode is {found.st_mode & 0o7777:04o}, which lets others write; run chmod 0700 {path}"
        )
    return path.resolve()
