"""OpenSSH's sshd, with a configuration and a host key of its own; the system's service is left alone."""

import os
import subprocess
from pathlib import Path

from tests.bench.place import CIPHER_NAMES, HOST, KEX, MAC_NAMES, SHELL_LEVEL, Place
from tests.bench.servers.base import Prepared, Server
from tests.bench.sshd import program

PRIVILEGE_SEPARATION = Path("/run/sshd")
"""The empty folder that Debian's sshd wants when root starts it; the service would make it."""

_CONFIGURATION = f"""\
ListenAddress {HOST}
PidFile none
StrictModes no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
AllowTcpForwarding no
AllowAgentForwarding no
X11Forwarding no
MaxStartups 500
MaxSessions 10
LogLevel INFO
Ciphers {",".join(CIPHER_NAMES)}
MACs {",".join(MAC_NAMES)}
KexAlgorithms {KEX}
SetEnv {" ".join(f"{name}={value}" for name, value in SHELL_LEVEL.items())}
"""

_WHERE_KNOWN = ("UsePAM no", "PrintLastLog no", "PerSourcePenalties no")
"""Lines that some builds or versions refuse: they stand in the file where `sshd -t` takes them."""


def configuration(place: Place, folder: Path, port: int) -> str:
    """The configuration, as far as this sshd does not have lines of its own."""
    own = [f"Port {port}", f"HostKey {place.host_key}", f"AuthorizedKeysFile {folder / 'authorized_keys'}"]
    return "\n".join(own) + "\n" + _CONFIGURATION


def prepare(place: Place, folder: Path, port: int) -> Prepared:
    """Write configuration and authorized keys."""
    found = program()
    assert found is not None
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    (folder / "authorized_keys").write_text(f"{place.public_line}\n")
    file = folder / "sshd_config"
    text = configuration(place, folder, port)
    for line in _WHERE_KNOWN:
        file.write_text(f"{text}{line}\n")
        if _takes(found, file):
            text += f"{line}\n"
    file.write_text(text)
    return Prepared([found, "-D", "-e", "-f", file], {})


def _takes(found: str, file: Path) -> bool:
    tried = subprocess.run([found, "-t", "-f", str(file)], capture_output=True, text=True, timeout=30, check=False)
    return tried.returncode == 0 and "nsupported" not in tried.stderr


def missing(_: Place) -> str | None:
    """Whether there is an sshd."""
    return None if program() else "there is no sshd here; on Debian it is in the package openssh-server"


def version() -> str:
    """What the client of the same package calls itself: old versions of sshd do not say."""
    said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, timeout=30, check=False)
    return (said.stderr or said.stdout).strip()


OPENSSH = Server(
    "openssh",
    "OpenSSH",
    missing,
    prepare,
    version,
    lambda _: "no PAM, no DNS, no last login; logs as it does by default, into a file",
)
