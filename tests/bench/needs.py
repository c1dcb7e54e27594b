"""The programs of the system that a run needs, and those that it is the poorer without."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.sshd import program
from tests.gates import needs, show
from tests.gates.programs import NotReadyError, must

MANAGED = Path("/run/systemd/system")
"""There where systemd runs the machine: it would start an sshd that is installed, now and from then on."""

NO_SERVICES = Path("/usr/sbin/policy-rc.d")
"""What Debian's packages ask whether they may start a service; 101 is no."""


def see_to() -> None:
    """Install what is missing where that may be done; NotReadyError where there is no client."""
    needs.see_to({name: needs.PACKAGES[name] for name in ("ssh", "ssh-keygen")})
    if program() is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None or MANAGED.exists():
        show.note("there is no sshd, and this may not install one: on Debian it is in the package openssh-server")
        return
    show.note("installing openssh-server with apt-get, to compare with; its service is not started")
    try:
        with no_services():
            apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
            must([*apt, "update"], cwd=Path("/"), why="apt-get update")
            must([*apt, "install", "-y", "--no-install-recommends", "openssh-server"], cwd=Path("/"), why="apt-get")
    except NotReadyError as stopped:
        show.note(f"{stopped}")


@contextmanager
def no_services() -> Iterator[None]:
    """Keep packages from starting services until the end of the block."""
    ours = not NO_SERVICES.exists()
    if ours:
        NO_SERVICES.write_text("#!/bin/sh\nexit 101\n")
        NO_SERVICES.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            NO_SERVICES.unlink(missing_ok=True)
