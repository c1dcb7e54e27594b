"""One tiny round, with the servers that are here: every kind of figure is taken, and nothing is left."""

import json
import os
import pwd
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import run
from tests.bench.measures.base import QUICK, Sizes
from tests.bench.options import Options
from tests.bench.processes import below
from tests.bench.sshd import program
from tests.gates.account import NAME

TINY = replace(
    QUICK,
    rounds=1,
    bulk_bytes=1_000_000,
    logins=2,
    logins_at_once=4,
    commands=1,
    echoes=5,
    echoes_under_load=5,
    idle_connections=2,
)


def why_not() -> str | None:
    if shutil.which("ssh") is None:
        return "needs ssh (openssh-client)"
    if os.geteuid() == 0 and NAME not in [person.pw_name for person in pwd.getpwall()]:
        return f"needs the user {NAME}, which the test command makes"
    return None


def tiny(_: Options) -> Sizes:
    return TINY


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    monkeypatch.setattr(run, "sizes_of", tiny)


@pytest.mark.parametrize("server", ["pysshd", "pysshd-shared", "openssh", "asyncssh"])
def test_a_tiny_round(server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if server == "openssh" and program() is None:
        pytest.skip("needs sshd (openssh-server)")
    if server == "asyncssh":
        pytest.importorskip("asyncssh", exc_type=ImportError)
    before = below(os.getpid())
    file = tmp_path / "kept.json"
    words = ["--only", "*load-aes128-gcm", "--only", "login-one", "--only", "echo-*", "--only", "command"]
    assert run.main([*words, "--server", server, "--json", str(file)]) == run.MEASURED, capfd.readouterr().out
    figures = json.loads(file.read_text())["figures"]
    assert {each["benchmark"] for each in figures} == {
        "download-aes128-gcm",
        "upload-aes128-gcm",
        "login-one",
        "command",
        "echo-idle",
        "echo-beside",
        "echo-beside-paced",
        "echo-across",
        "echo-across-paced",
    }
    assert all(len(each["rounds"]) == 1 for each in figures)
    assert all(each["rounds"][0] > 0 for each in figures if each["figure"] != "server cpu")
    assert below(os.getpid()) == before


def test_what_is_not_here_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.bench.servers.openssh.program", lambda: None)
    assert run.main(["--only", "start", "--server", "openssh"]) == run.TROUBLE
    assert "left out: OpenSSH: there is no sshd here" in capfd.readouterr().out
