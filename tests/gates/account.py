"""The ordinary user that the tests run as besides root, with a copy of the checkout that is its own."""

import os
import pwd
import shutil
from pathlib import Path

from tests.gates import show
from tests.gates.environments import copy_checkout
from tests.gates.programs import Account, NotReadyError, must

NAME = "pysshd-tests"
STATE = Path("/var/lib/pysshd-tests")
"""Where root keeps what this user runs: the environment is root's and readable, the copy of the checkout the user's."""


def make() -> Account:
    """Find the ordinary user, or make it with useradd."""
    try:
        found = pwd.getpwnam(NAME)
    except KeyError:
        if shutil.which("useradd") is None:
            raise NotReadyError(
                f"the user {NAME} does not exist and there is no useradd: make an ordinary user of this name"
            ) from None
        show.note(f"making the ordinary user {NAME} with useradd")
        must(
            ["useradd", "--create-home", "--user-group", "--shell", "/bin/bash", NAME],
            cwd=Path("/"),
            why="making the ordinary user",
        )
        found = pwd.getpwnam(NAME)
    if found.pw_uid == 0:
        raise NotReadyError(f"the user {NAME} has uid 0: the tests need an ordinary user of this name")
    return Account(NAME, found.pw_uid, found.pw_gid, found.pw_dir, found.pw_shell)


def give_checkout(account: Account) -> Path:
    """Copy the checkout to a fresh folder that belongs to `account`, and return it."""
    STATE.mkdir(mode=0o755, exist_ok=True)
    STATE.chmod(0o755)
    copy = STATE / "checkout"
    if copy.exists():
        shutil.rmtree(copy)
    copy.mkdir(mode=0o755)
    copy_checkout(copy)
    for folder, _, files in os.walk(copy):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return copy


def left_behind(account: Account) -> list[tuple[int, str]]:
    """The processes of `account` that are still there: pid and command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid != account.uid:
                continue
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if words:
            found.append((int(entry.name), words))
    return found
