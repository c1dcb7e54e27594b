"""The programs of the system that the tests use."""

import os
import shutil
from pathlib import Path

from tests.gates import show
from tests.gates.programs import NotReadyError, must

PACKAGES = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "sftp": "openssh-client", "scp": "openssh-client"}
"""Program → the Debian package that brings it."""

WELCOME = {
    "/usr/lib/openssh/sftp-server": "openssh-sftp-server",
    "rsync": "rsync",
    "borg": "borgbackup",
    "dbclient": "dropbear-bin",
    "dropbearconvert": "dropbear-bin",
    "plink": "putty-tools",
    "puttygen": "putty-tools",
    "sudo": "sudo",
    "screen": "screen",
    "tmux": "tmux",
}
"""What a few tests use as well; installed where that can be done, and else these tests are skipped by name."""


def see_to(needs: dict[str, str] = PACKAGES) -> None:
    """Install what is missing with apt-get, as root and where there is one; else raise `NotReadyError`."""
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        needs = {**needs, **WELCOME}
    missing = sorted({package for program, package in needs.items() if shutil.which(program) is None})
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotReadyError(
            f"the tests need {', '.join(missing)}: install it (on Debian: apt-get install {' '.join(missing)})"
        )
    show.note(f"installing {', '.join(missing)} with apt-get, for the tests run real clients")
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    must([*apt, "update"], cwd=Path("/"), why="apt-get update")
    must([*apt, "install", "-y", "--no-install-recommends", *missing], cwd=Path("/"), why="apt-get install")
