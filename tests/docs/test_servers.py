"""The servers of docs/servers.md serve."""

import contextlib
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, blocks
from tests.live.client import HOST, Client, Keys
from tests.live.conftest import OWNER
from tests.live.daemon import IS_ROOT, free_port, open_folder, service_user, serving
from tests.live.test_hooks import helper_of

PAGE = ROOT / "docs" / "servers.md"
GREETER, MIXED = (block.text for block in blocks(PAGE) if block.language == "python")
(POLICY,) = (block.text for block in blocks(PAGE) if block.language == "yaml")

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="needs ssh (openssh-client)")


@contextlib.contextmanager
def running(folder: Path, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon, as whoever may serve everybody, from its first line `ready` to its end."""
    user = service_user()
    os.chown(folder, user.pw_uid, user.pw_gid) if IS_ROOT else None
    process = subprocess.Popen(
        [sys.executable, "-W", "error", *words],
        stderr=subprocess.PIPE,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder)},
    )
    assert process.stderr is not None
    try:
        said = b""
        while b"ready" not in said:
            assert select.select([process.stderr], [], [], 20)[0], said
            data = os.read(process.stderr.fileno(), 65536)
            assert data, said
            said += data
        yield process
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def says_hello(folder: Path, port: int, keys: Keys) -> None:
    client = Client(folder, port, keys, "")
    environment = helper_of(folder, b"open sesame\n")
    options: dict[str, Any] = {"PreferredAuthentications": "password", "BatchMode": "no", "StrictHostKeyChecking": "no"}
    options["UserKnownHostsFile"] = "/dev/null"
    done = client.run("hello", key=None, environment=environment, **options)
    assert (done.returncode, done.stdout) == (0, b"hello, alice\n"), done.stderr
    assert client.run("goodbye", key=None, environment=environment, **options).returncode == 255


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        (made / "greeter.py").write_text(GREETER)
        yield made


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with open_folder() as made:
        made.chmod(0o700)
        yield Keys(made)


def test_the_program(folder: Path, keys: Keys) -> None:
    port = free_port()
    program = folder / "greeter.py"
    if IS_ROOT:
        text = GREETER.replace('"listen": listen', f'"listen": listen, "user": "{service_user().pw_name}"')
        assert text != GREETER
        program.write_text(text)
    with running(folder, str(program), f"{HOST}:{port}", str(folder / "state")):
        says_hello(folder, port, keys)


def test_the_policy(folder: Path, keys: Keys) -> None:
    port = free_port()
    more = f"  state: {folder / 'state'}\n" + (f"  user: {service_user().pw_name}\n" if IS_ROOT else "")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.replace("127.0.0.1:2222", f"{HOST}:{port}") + more)
    policy.chmod(0o644)
    with running(folder, "-m", "pysshd", "--config", str(policy)):
        says_hello(folder, port, keys)


def test_the_class_over_the_policy(folder: Path, keys: Keys) -> None:
    (folder / "mixed.py").write_text(MIXED)
    environment = {"PYTHONPATH": str(folder)}
    with serving(OWNER, keys, server=["interface: mixed:Mixed"], environment=environment) as daemon:
        assert daemon.ssh("count").stdout == b"1\n"
        assert daemon.ssh("exit 7").returncode == 7
