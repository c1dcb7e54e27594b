"""What can not start on this host says so in one line with its place, and has left nothing half started."""

import os
import re
import socket

import pytest

from tests.live.client import HOST
from tests.live.daemon import IS_ROOT
from tests.live.refusal import Start


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
