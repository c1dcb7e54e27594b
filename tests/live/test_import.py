"""The way from sshd that docs/import.md shows: its commands, on a stock Debian, as they stand there."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.live.client import Client, Keys
from tests.live.daemon import SYSTEM, Daemon, free_port, launch, read_line, wait_ready
from tests.live.host import own_host

pytestmark = pytest.mark.root

STOCK = """\
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem\tsftp\t/usr/lib/openssh/sftp-server
"""
"""What is no comment in /etc/ssh/sshd_config of Debian 12 (openssh-server 1:9.2p1-2)."""

ALICE = "pysshd-t-alice"
STOCK_PAM = "account required pam_nologin.so\naccount required pam_unix.so\nauth required pam_unix.so\n"


def commands(port: int) -> list[list[str]]:
    """The commands of the page, on a port that is free."""
    first = next(block for block in blocks(ROOT / "docs" / "import.md") if not block.language)
    return [shlex.split(line.replace("2222", str(port)))[1:] for line in first.text.splitlines()]


def test_the_commands_of_the_page_serve_a_stock_debian_beside_sshd(keys: Keys) -> None:
    with own_host() as host:
        host.add(ALICE, keys=keys.public("alice") + "\n")
        ssh, port = host.etc / "ssh", free_port()
        (ssh / "sshd_config").write_text(STOCK)
        (host.etc / "pam.d" / "sshd").write_text(STOCK_PAM)
        for file in ssh.glob("ssh_host_*"):
            file.unlink()
        for number, key in enumerate(keys.host_keys()):
            file = ssh / f"ssh_host_{number}_key"
            file.write_bytes(Path(key).read_bytes())
            file.chmod(0o600)
        folder = host.folder
        made, checked, served = commands(port)
        environment = {"KEEPER_MOUNTS": json.dumps(host.mounts), "STATE_DIRECTORY": str(folder / "state")}
        (folder / "state").mkdir(mode=0o700)
        policy = folder / "policy.yaml"
        words = [str(policy) if word == "policy.yaml" else word for word in made]
        assert run_in(host.mounts, words) == 1, "root has a login by key, which is named"
        assert f'listen: ["*:{port}"]' in policy.read_text()
        assert run_in(host.mounts, [str(policy) if word == "policy.yaml" else word for word in checked]) == 0
        words = [str(policy) if word == "policy.yaml" else word for word in served]
        keeper = launch([*words, "--log-format", "json"], folder, environment)
        said = read_line(keeper, 30)
        assert said is not None
        client = Client(folder, port, keys, ALICE)
        daemon = Daemon(SYSTEM, folder, port, client, keeper, json.loads(said)["pid"])
        try:
            wait_ready(daemon)
            asked = daemon.ssh("whoami", user=ALICE)
            assert (asked.returncode, asked.stdout) == (0, f"{ALICE}\n".encode()), asked.stderr
            assert daemon.ssh("whoami", user="root").returncode == 255
            daemon.client.close()
            daemon.stop()
        finally:
            daemon.client.close()
            daemon.kill()


def run_in(mounts: list[tuple[str, str]], words: list[str]) -> int:
    """The exit status of a command of pysshd with that /etc; its output is shown where the test fails."""
    binds = " && ".join(f"mount --bind {shlex.quote(here)} {shlex.quote(there)}" for here, there in mounts)
    command = f"{binds} && exec {shlex.join([sys.executable, '-P', '-m', 'pysshd', *words])}"
    ended = subprocess.run(["unshare", "--mount", "sh", "-c", command], check=False, cwd="/", env=dict(os.environ))
    return ended.returncode


def test_the_page_writes_its_commands_for_a_port_of_its_own() -> None:
    assert [words[0] for words in commands(1)] == ["import-sshd-config", "check", "--config"]
    assert re.search(r"--port 1 ", shlex.join(commands(1)[0]))
