"""Asks the real sshd what it would do (`sshd -T -C`), on a host whose accounts are those of the tests.

`python -m tests.importing.real_sshd` writes the vectors anew. Needs root, sshd and unshare(1): the accounts are laid
over /etc/passwd and /etc/group in a mount namespace of their own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.importing.ground import GROUP, PASSWD, SIMULATED, VECTORS, Simulated, names, text_of

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NOT_TOLD = frozenset(
    ["hostkey", "listenaddress", "port", "ciphers", "macs", "kexalgorithms", "hostkeyalgorithms",
     "hostbasedacceptedalgorithms", "pubkeyacceptedalgorithms", "casignaturealgorithms", "gssapikexalgorithms",
     "modulifile", "pidfile", "xauthlocation", "securitykeyprovider"]
)  # fmt: skip
"""Lists and paths that the build of sshd chooses."""

_SCRIPT = """
set -e
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
mkdir -p /run/sshd
while read -r number connection; do
    "$2" -T -f "$1/config" -h "$1/key" -C "$connection" >"$1/out.$number"
done <"$1/connections"
"""


@cache
def why_not() -> str:
    """Why the real sshd can not be asked here, or "" where it can."""
    if SSHD is None or shutil.which("unshare") is None or shutil.which("ssh-keygen") is None:
        return "sshd, unshare and ssh-keygen are needed"
    if os.geteuid() != 0:
        return "needs to run as root"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "there are no mount namespaces here"


def version() -> str:
    """What the real sshd calls itself."""
    assert SSHD is not None
    found = subprocess.run([SSHD, "-V"], capture_output=True, text=True, check=False)
    return (found.stderr or found.stdout).strip()


def ask(text: str, connections: Iterable[Simulated]) -> dict[Simulated, dict[str, list[str]]]:
    """For each connection the settings: of each keyword its lines."""
    assert SSHD is not None
    asked = tuple(connections)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "passwd").write_text(PASSWD)
        (folder / "group").write_text(GROUP)
        (folder / "config").write_text(text)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
        lines = [
            f"{number} user={one.user},host={one.source},addr={one.source},laddr={one.local},lport={one.port}\n"
            for number, one in enumerate(asked)
        ]
        (folder / "connections").write_text("".join(lines))
        subprocess.run(["unshare", "--mount", "sh", "-c", _SCRIPT, "ask", name, SSHD], check=True)
        return {one: _settings((folder / f"out.{number}").read_text()) for number, one in enumerate(asked)}


def _settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return found


def record() -> None:
    """Write the vectors: of each configuration what differs from an empty one, connections alike together."""
    VECTORS.mkdir(exist_ok=True)
    usual = next(iter(ask("", SIMULATED[:1]).values()))
    (VECTORS / "usual.json").write_text(_json({"origin": version(), "settings": _told(usual)}))
    for name in names():
        outcomes: dict[str, list[str]] = {}
        for one, settings in ask(text_of(name), SIMULATED).items():
            told = {key: value for key, value in _told(settings).items() if usual.get(key) != value}
            outcomes.setdefault(json.dumps(told, sort_keys=True), []).append(str(one))
        made = [{"settings": json.loads(told), "connections": ones} for told, ones in outcomes.items()]
        (VECTORS / f"{name}.json").write_text(_json({"origin": version(), "outcomes": made}))
        print(name, len(made))


def _told(settings: dict[str, list[str]]) -> dict[str, list[str]]:
    return {key: value for key, value in settings.items() if key not in NOT_TOLD}


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    if why_not():
        sys.exit(why_not())
    record()
