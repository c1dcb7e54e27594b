"""What can not start says so in one line with its place, exits with 2, and has left nothing half started."""

import json
import os
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live.client import HOST, Keys
from tests.live.daemon import IS_ROOT, PLAIN, free_port, launch, open_folder, read_line, service_user, whole_policy

OWNER = """
users: {alice: {keys: ["@@alice@@"]}}
grants: [{who: alice, roles: login-shell}]
"""
NOISE = ("daemon.starting", "daemon.stopped")


class Refused(NamedTuple):
    """A start that failed: its exit status, what it said, and what was left of it."""

    status: int
    lines: list[str]
    left: list[str]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with an empty state folder."""
    with open_folder() as made:
        (made / "state").mkdir(mode=0o700)
        if IS_ROOT:
            os.chown(made / "state", *(service_user()[2:4]))
        yield made


def refused(folder: Path, arguments: Sequence[str]) -> Refused:
    """Start pysshd, which must end by itself."""
    keeper = launch(arguments, folder)
    said = read_line(keeper, 10)
    end = json.loads((read_line(keeper, 20) if said else None) or "{}")
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    keeper.wait(10)
    keeper.stdout.close()
    assert end, f"it started: {(folder / 'log').read_text()}"
    lines = (folder / "log").read_text().splitlines()
    assert not [line for line in lines if "Traceback" in line], lines
    # The log's own lines begin with the time.
    return Refused(end["status"], [line for line in lines if not re.match(r"\d{4}-", line)], end["left"])


class Start:
    """One start of a policy that is not to start."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self.keys = keys
        self.port = free_port()
        self.file = folder / "policy.yaml"

    def write(self, policy: str = OWNER, server: Sequence[str] = (), **replaced: str) -> None:
        """Write the policy; `replaced` are texts in it, by name of the key of `server` that they follow."""
        text = whole_policy(policy, self.keys, PLAIN, self.folder, self.port, server)
        for key, value in replaced.items():
            text = re.sub(rf"^  {key}: .*$", f"  {key}: {value}", text, flags=re.M)
        self.file.write_text(text)
        self.file.chmod(0o644)

    def place(self, word: str) -> str:
        """`file:line:column` of a word of the policy, which has it once."""
        for number, line in enumerate(self.file.read_text().splitlines(), 1):
            if word in line:
                return f"{self.file}:{number}:{line.index(word) + 1}"
        raise AssertionError(f"{word} is not in the policy")

    def refuse(self, *arguments: str) -> str:
        """Start it and see that it is refused in one line, with nothing left; that line."""
        before = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.name not in ("log", "home")}
        end = refused(self.folder, arguments or ["--config", str(self.file)])
        assert (end.status, end.left) == (2, []), end
        assert len(end.lines) == 1, end.lines
        after = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.name not in ("log", "home")}
        assert after == before, "a start that fails writes nothing"
        with socket.socket() as probe:
            assert probe.connect_ex((HOST, self.port)) != 0, "nobody listens"
        return end.lines[0]


@pytest.fixture
def start(folder: Path, keys: Keys) -> Start:
    """A policy that can be started, until a test changes it."""
    made = Start(folder, keys)
    made.write()
    return made


@pytest.mark.parametrize(
    ("policy", "word", "says"),
    [
        (OWNER + "colour: blue\n", "colour", "unknown key"),
        (OWNER + "users: {}\n", "users: {}", "twice"),
        (OWNER.replace("login-shell", "loginshell"), "loginshell", "login-shell"),
        (OWNER.replace("who: alice", "who: alcie"), "alcie", "alice"),
        (OWNER + "login: []\n", "[]", ""),
        (OWNER + "totp: yes\n", "totp", "unknown key"),
        (OWNER + "include: [{files: more.yaml}]\n", "include", "may"),
        (OWNER + "limits: {login_grace: soon}\n", "soon", ""),
        (OWNER + "revoked: x\n", "revoked", "not served"),
        (OWNER + "\tx: 1\n", "\tx", "tab"),
        (OWNER + "groups: [a, b\n", "groups", "is not closed"),
        (OWNER + "groups: *anchor\n", "*anchor", "alias"),
    ],
)  # fmt: skip
def test_an_invalid_policy_is_refused_with_its_place(start: Start, policy: str, word: str, says: str) -> None:
    start.write(policy)
    line = start.refuse()
    assert re.match(rf"{re.escape(str(start.file))}:\d+:\d+: ", line), line
    if word:
        assert line.startswith(start.place(word).rpartition(":")[0]), line
    assert says in line


def test_an_ambiguous_policy_is_refused_with_its_place(start: Start) -> None:
    roles = 'roles: {a: {forced: ["true"]}, b: {forced: ["false"]}}\n'
    start.write(OWNER.replace("roles: login-shell", "roles: [a, b]") + roles)
    line = start.refuse()
    assert re.match(rf"{re.escape(str(start.file))}:\d+:\d+: ", line), line


def test_every_problem_is_told_in_one_run(start: Start) -> None:
    start.write(OWNER + "colour: blue\nshape: round\n")
    end = refused(start.folder, ["--config", str(start.file)])
    assert end.status == 2
    assert len(end.lines) == 2


@pytest.mark.skipif(IS_ROOT, reason="root may read everything")
def test_an_unreadable_policy(start: Start) -> None:
    start.file.chmod(0)
    assert start.refuse().startswith(f"{start.file}: ")


def test_a_policy_that_is_not_there(start: Start) -> None:
    start.file.unlink()
    assert start.refuse().startswith(f"{start.file}: ")


def test_a_policy_that_is_a_folder(start: Start) -> None:
    assert start.refuse("--config", str(start.folder)).startswith(f"{start.folder}: ")


def test_a_policy_that_is_a_pipe(start: Start) -> None:
    start.file.unlink()
    os.mkfifo(start.file)
    assert start.refuse().startswith(f"{start.file}: ")


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_policy_that_others_may_write(start: Start, mode: int) -> None:
    start.file.chmod(mode)
    line = start.refuse()
    assert line.startswith(f"{start.file}: ")
    assert "chmod" in line


@pytest.mark.root
def test_a_policy_of_somebody_else(start: Start) -> None:
    os.chown(start.file, 4242, 4242)
    line = start.refuse()
    assert line.startswith(f"{start.file}: ")
    assert "4242" in line


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00v", b"version: 1\0\n", b"- 1\n", b"version: 2\n"])
def test_a_policy_that_is_none(start: Start, content: bytes) -> None:
    start.file.write_bytes(content)
    assert start.refuse().startswith(f"{start.file}:")


def test_a_port_in_use(start: Start) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        start.write(listen=f'["{HOST}:{start.port}", "{HOST}:{port}"]')
        line = start.refuse()
    assert line.startswith(start.place(f'"{HOST}:{port}"')), line
    assert f"port {port} is in use" in line


def test_an_address_that_the_host_has_not(start: Start) -> None:
    start.write(listen='["192.0.2.77:2299"]')
    assert start.refuse().startswith(start.place('"192.0.2.77'))


def test_a_port_in_use_leaves_no_host_key_behind(start: Start) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        text = start.file.read_text().replace(str(start.port), str(other.getsockname()[1]))
        start.file.write_text(re.sub(r"^  host_keys: .*\n", "", text, flags=re.M))
        start.refuse()
    assert not list((start.folder / "state").iterdir())


@pytest.mark.security("S122")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_host_key_with_loose_modes(start: Start, mode: int) -> None:
    key = start.folder / "host_key"
    key.write_bytes(start.keys.host_keys()[0].read_bytes())
    key.chmod(mode)
    start.write(host_keys=f"[{key}]")
    line = start.refuse()
    assert line.startswith(start.place(str(key))), line
    assert f"mode is {mode:04o}" in line


@pytest.mark.security("S122")
@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_a_host_key_that_is_none(start: Start, content: bytes) -> None:
    key = start.folder / "host_key"
    key.write_bytes(content)
    key.chmod(0o600)
    start.write(host_keys=f"[{key}]")
    assert start.refuse().startswith(start.place(str(key)))


def test_a_host_key_that_is_not_there(start: Start) -> None:
    start.write(host_keys=f"[{start.folder}/absent]")
    line = start.refuse()
    assert line.startswith(start.place(f"{start.folder}/absent"))


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_loose_state_folder(start: Start, mode: int) -> None:
    state = start.folder / "state"
    state.chmod(mode)
    line = start.refuse()
    assert line.startswith(start.place(str(state))), line
    assert "chmod 0700" in line


@pytest.mark.root
@pytest.mark.parametrize("user", ["", "root", "nobody-of-this-name"])
def test_a_service_user_that_will_not_do(start: Start, user: str) -> None:
    text = start.file.read_text()
    start.file.write_text(re.sub(r"^  user: .*\n", f"  user: {user}\n" if user else "", text, flags=re.M))
    line = start.refuse()
    assert "server.user" in line
    if user:
        assert line.startswith(start.place(user) if user != "root" else f"{start.file}:"), line


@pytest.mark.parametrize(
    "arguments",
    [
        ["--colour"],
        ["serve"],
        ["--config"],
        ["--config", "x", "quickstart"],
        ["--log-level", "shout"],
        ["--config", ""],
    ],
    ids=" ".join,
)
def test_arguments_that_mean_nothing(folder: Path, arguments: list[str]) -> None:
    end = refused(folder, arguments)
    assert (end.status, end.left) == (2, [])
    assert 1 <= len(end.lines) <= 4


def test_a_secret_in_a_broken_line_is_not_shown(start: Start) -> None:
    start.write(OWNER.replace('keys: ["@@alice@@"]', 'keys: ["@@alice@@"], password: "canary-secret"'))
    assert "canary" not in start.refuse()
