"""What each command says, and the status it ends with."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pysshd.policy.passwords import parse_password
from pysshd.ssh.crypto.private_keys import load_private_key
from pysshd.version import __version__

SECRET = b"the-canary-of-a-password"


def run(*words: str, text: bytes = b"", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "pysshd", *words],
        input=text, capture_output=True, timeout=50, env={**os.environ, **environment},
    )  # fmt: skip


def one_line(run: "subprocess.CompletedProcess[bytes]", status: int) -> str:
    """The one clear line of a command that could not begin."""
    assert run.returncode == status, run.stderr
    (line,) = run.stderr.decode().splitlines()
    assert "Traceback" not in line
    return line


def test_without_words_it_helps_and_refuses() -> None:
    ended = run()
    assert ended.returncode == 2
    assert b"quickstart" in ended.stdout


def test_help_and_version() -> None:
    assert run("--help").returncode == 0
    ended = run("--version")
    assert (ended.returncode, ended.stdout.decode()) == (0, f"pysshd {__version__}\n")


@pytest.mark.parametrize("words", [("--nonsense",), ("nonsense",), ("--config", "x", "check", "y"), ("check",)])
def test_wrong_words(words: tuple[str, ...]) -> None:
    ended = run(*words)
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    for words in (("check", str(tmp_path / "no.yaml")), ("--config", str(tmp_path / "no.yaml"))):
        ended = run(*words)
        assert ended.returncode == 2
        assert b"no.yaml" in ended.stderr
        assert b"Traceback" not in ended.stderr


def test_check_reports_all_that_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\nnonsense: 1\nusers: {alice: {odd: 2}}\n")
    file.chmod(0o600)
    ended = run("check", str(file))
    assert ended.returncode == 2
    assert b"policy.yaml:2:1" in ended.stderr
    assert b"policy.yaml:3:" in ended.stderr
    file.write_text("version: 1\n")
    assert run("check", str(file)).returncode in (0, 2)


@pytest.mark.security("S122")
def test_keygen(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "keys"
    ended = run("keygen", "--directory", str(folder))
    assert ended.returncode == 0, ended.stderr
    fingerprint, file = ended.stdout.decode().split()
    assert file == str(folder / "ssh_host_ed25519_key")
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    before = Path(file).read_bytes()
    assert load_private_key(before).public.fingerprint == fingerprint
    assert "is there already" in one_line(run("keygen", "--directory", str(folder)), 2)
    assert Path(file).read_bytes() == before


def test_keygen_makes_the_next_key_of_a_kind(tmp_path: Path) -> None:
    for words, name in (
        ((), "ssh_host_ed25519_key"), (("--name", "next"), "ssh_host_ed25519_next_key"),
        (("--kind", "ecdsa"), "ssh_host_ecdsa_key"),
    ):  # fmt: skip
        ended = run("keygen", "--directory", str(tmp_path / "keys"), *words)
        assert ended.stdout.decode().split()[1] == str(tmp_path / "keys" / name)
    for name in ("a/b", "../x", "a b", "a\nb"):
        assert run("keygen", "--directory", str(tmp_path / "keys"), "--name", name).returncode == 2
    assert len(list(tmp_path.rglob("*_key"))) == 3


def test_keygen_where_it_may_not_or_can_not(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can not be written" in one_line(run("keygen", "--directory", str(tmp_path / "file" / "x")), 2)
    assert run("keygen", "--kind", "dsa").returncode == 2
    assert run("keygen", "--kind", "rsa", "--bits", "1024").returncode == 2


@pytest.mark.security("S120")
@pytest.mark.parametrize("text", [SECRET + b"\n", SECRET, SECRET + b"\r\n", b"\xff\xfe" + SECRET + b"\nmore\n"])
def test_hash_password(text: bytes) -> None:
    ended = run("hash-password", text=text)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == b""
    assert parse_password(ended.stdout.decode().strip())
    assert SECRET not in ended.stdout


@pytest.mark.security("S120")
@pytest.mark.parametrize("text", [b"", b"\n", b"\r\n", SECRET + b"\0\n", SECRET * 100, SECRET * 1000])
def test_hash_password_refuses(text: bytes) -> None:
    ended = run("hash-password", text=text, PYTHONIOENCODING="utf-8:strict")
    assert "expected 1 to 1024 bytes" in one_line(ended, 1)
    assert SECRET not in ended.stderr
    assert ended.stdout == b""
