"""Where OpenSSH's sshd is. Standard library only: it is asked before anything is installed."""

import os
import shutil

PLACES = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd")
"""An ordinary user's PATH may have none of them; sshd wants to be started by its whole path."""


def program() -> str | None:
    """The path of sshd; None: there is none."""
    return next((place for place in PLACES if os.access(place, os.X_OK)), shutil.which("sshd"))
