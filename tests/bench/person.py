"""Who logs in during a run."""

import os
import pwd
from pathlib import Path

from tests.gates import account
from tests.gates.programs import must

SHADOW = Path("/etc/shadow")
NO_PASSWORD = "*"


def who_logs_in() -> pwd.struct_passwd:
    """Whoever runs this; where that is root, the ordinary user of the tests: sshd spares root half of its processes."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    name = account.make().name
    if _locked(name):
        # sshd without PAM keeps an account out whose password was never set; this one can still not be typed.
        must(["usermod", "--password", NO_PASSWORD, name], cwd=Path("/"), why="letting the tests' user log in by a key")
    return pwd.getpwnam(name)


def _locked(name: str) -> bool:
    try:
        lines = SHADOW.read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith(f"{name}:!") for line in lines)
