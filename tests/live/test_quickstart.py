"""`pysshd quickstart`, as somebody new to it has it."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.client import ENVIRONMENT, HOST, Keys
from tests.live.daemon import free_port, launch, open_folder, read_line, until


@dataclass
class Started:
    """A quickstart that serves."""

    folder: Path
    pid: int
    keeper: "subprocess.Popen[str]"

    @property
    def said(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def has_said_all(self) -> bool:
        """Whether the ssh line is there, to its end."""
        _, found, rest = self.said.partition("log in with\n")
        return bool(found) and "\n" in rest

    @property
    def line(self) -> str:
        """The ssh line, as it is printed."""
        lines = self.said.split("log in with\n")[-1].splitlines()
        return lines[0].strip()

    def log_in(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """Paste the line into a shell, with a command behind it."""
        command = " ".join([self.line, "-o", "BatchMode=yes", *map(shlex.quote, words)]) if words else self.line
        home = str(self.folder / "home")
        return subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            input=b"exit 7\n",
            timeout=30,
            env={**ENVIRONMENT, "HOME": home},
            check=False,
        )


@contextmanager
def quickstart(folder: Path, *arguments: str, state: str = "state") -> Iterator[Started]:
    """Start it, and end it well."""
    keeper = launch(["quickstart", "--state", str(folder / state), *arguments], folder)
    try:
        first = read_line(keeper, 10)
        assert first is not None
        started = Started(folder, json.loads(first)["pid"], keeper)
        until(lambda: started.has_said_all or keeper.poll() is not None, 40, "quickstart")
        assert keeper.poll() is None, started.said
        yield started
        os.kill(started.pid, signal.SIGTERM)
        last = read_line(keeper, 12)
        assert last is not None
        assert json.loads(last) == {"status": 0, "left": []}, started.said
        assert "Traceback" not in started.said
    finally:
        end(keeper)


def end(keeper: "subprocess.Popen[str]") -> None:
    """End a keeper, and what is left of what it keeps."""
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    keeper.wait(10)
    keeper.stdout.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, with what is in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


def test_two_starts(folder: Path) -> None:
    """The first writes, and lets its starter in at once; the second serves what is there, and writes nothing."""
    port = str(free_port())
    with quickstart(folder, "--port", port) as started:
        done = started.log_in("echo $((6*7)); exit 7")
        assert (done.returncode, done.stdout) == (7, b"42\n"), done.stderr
        assert started.log_in().returncode == 7
        fingerprints = [word for word in started.said.split() if word.startswith("SHA256:")]
        keys = sorted((folder / "state" / "host_keys").glob("*.pub"))
        for key in keys:
            words = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, text=True, check=True).stdout
            assert words.split()[1] in fingerprints
        assert str(folder / "state" / "policy.yaml") in started.said
    made = tree(folder / "state")
    assert {path.name for path in (folder / "home").iterdir()} <= {".ssh", ".bash_history"}
    assert set(os.listdir(folder)) == {"home", "log", "state"}
    assert (folder / "state").stat().st_mode & 0o777 == 0o700
    assert "#" in made["policy.yaml"].decode()
    (folder / "log").write_text("")
    with quickstart(folder) as started:
        assert started.log_in("echo again").stdout == b"again\n"
        assert f"-p {port} " in started.line
    assert tree(folder / "state") == made


def test_nothing_is_written_outside_the_state_folder(folder: Path) -> None:
    (folder / "home").mkdir()
    with quickstart(folder, "--port", str(free_port())):
        pass
    assert tree(folder / "home") == {}


def test_own_keys_are_used(folder: Path) -> None:
    """A person who has a key needs no other: none is made, and the printed line names theirs."""
    ssh = folder / "home" / ".ssh"
    ssh.mkdir(parents=True, mode=0o700)
    Keys(ssh).private("id_ed25519")
    with quickstart(folder, "--port", str(free_port())) as started:
        assert f" -i {ssh}/id_ed25519 " in started.line
        assert not (folder / "state" / "quickstart_key").exists()
        assert Keys(ssh).public("id_ed25519").split()[1] in (folder / "state" / "policy.yaml").read_text()
        done = started.log_in("echo own")
        assert done.stdout == b"own\n", done.stderr
    assert {path.name for path in ssh.iterdir()} == {"id_ed25519", "id_ed25519.pub"}


def refused(folder: Path, *arguments: str) -> str:
    """The words of a start that must fail, with status 2."""
    keeper = launch(["quickstart", "--state", str(folder / "state"), *arguments], folder)
    try:
        assert read_line(keeper, 10)
        assert json.loads(read_line(keeper, 40) or "null") == {"status": 2, "left": []}
    finally:
        end(keeper)
    return (folder / "log").read_text()


def test_a_port_in_use(folder: Path) -> None:
    with open_folder() as other, quickstart(other, "--port", str(port := free_port())):
        said = refused(folder, "--port", str(port))
    assert f"{HOST}:{port} can not be bound: port {port} is in use" in said
    assert "Traceback" not in said


def test_a_signal_during_the_start_ends_it_in_order(folder: Path) -> None:
    keeper = launch(["quickstart", "--state", str(folder / "state"), "--port", str(free_port())], folder)
    try:
        first = read_line(keeper, 10)
        assert first is not None
        until(lambda: "starts with" in (folder / "log").read_text(), 20, "the start")
        os.kill(json.loads(first)["pid"], signal.SIGTERM)
        assert json.loads(read_line(keeper, 30) or "null") == {"status": 0, "left": []}, (folder / "log").read_text()
    finally:
        end(keeper)


def test_a_port_for_a_policy_that_is_there(folder: Path) -> None:
    with quickstart(folder, "--port", str(free_port())):
        pass
    assert "change server.listen in that file" in refused(folder, "--port", str(free_port()))
