"""`pysshd check --against`: what a daemon that runs would not apply before a restart."""

import os
from pathlib import Path

from click.testing import CliRunner, Result

from pysshd.cli.check import check

START = "version: 1\nserver: {listen: '127.0.0.1:2222'}\n"


def against(folder: Path, new: str, running: str = START) -> Result:
    for name, text in (("new.yaml", new), ("running.yaml", running)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    assert (folder / "new.yaml").stat().st_uid == os.geteuid()
    return CliRunner().invoke(check, [str(folder / "new.yaml"), "--against", str(folder / "running.yaml")])


def test_what_waits_is_named_and_no_fault(tmp_path: Path) -> None:
    said = against(tmp_path, "version: 1\nserver: {listen: '127.0.0.1:2223', isolation: shared, banner: hello}\n")
    assert said.exit_code == 0
    assert said.stderr.splitlines() == [
        f"{tmp_path}/new.yaml: server.isolation waits for restart",
        f"{tmp_path}/new.yaml: server.listen waits for restart",
        f"{tmp_path}/new.yaml: good",
    ]


def test_what_applies_at_once_is_not_named(tmp_path: Path) -> None:
    said = against(tmp_path, START + "limits: {login_grace: 5s}\n")
    assert (said.exit_code, said.stderr) == (0, f"{tmp_path}/new.yaml: good\n")


def test_a_running_file_that_is_none_is_said(tmp_path: Path) -> None:
    said = against(tmp_path, START, "version: 2\n")
    assert said.exit_code == 2
    assert "running.yaml" in said.stderr
