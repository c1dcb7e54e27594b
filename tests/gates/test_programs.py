"""How the gates run their programs: nothing of the starter's leaks in, and nothing outlives its gate."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gates.options import parse
from tests.gates.programs import Account, NotReadyError, begin, clean_environment, must, run


def is_alive(pid: int) -> bool:
    """True while there is such a process and it is no zombie; it may go while we look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_has_no_input_and_its_output_is_kept(tmp_path: Path) -> None:
    ended = run([sys.executable, "-c", "import sys; print(sys.stdin.read() == '')"], cwd=tmp_path, seconds=30)
    assert (ended.status, ended.output) == (0, "True\n")


def test_a_program_past_its_deadline_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    ended = run(["sleep", "30"], cwd=tmp_path, seconds=0.2)
    assert ended.status is None
    assert time.monotonic() - started < 15


def test_a_program_stands_back_with_all_that_it_starts(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    begun = begin(["sh", "-c", "read go < go; nice; sh -c nice"], cwd=tmp_path, output=subprocess.PIPE)
    begun.stand_back(os.nice(0) + 3)
    (tmp_path / "go").write_text("go\n")
    assert begun.finish(30).output == f"{os.nice(0) + 3}\n" * 2


def test_what_a_program_leaves_in_its_group_ends_with_it(tmp_path: Path) -> None:
    ended = run(["sh", "-c", "sleep 30 >/dev/null 2>&1 & echo $!"], cwd=tmp_path, seconds=30)
    deadline = time.monotonic() + 5
    while is_alive(int(ended.output)):
        assert time.monotonic() < deadline, "the program in the background lives on"
        time.sleep(0.01)


def test_a_step_that_fails_says_what_it_was_and_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"(?s)^greeting failed \(exit status 3\): sh -c .*\nhello$"):
        must(["sh", "-c", "echo hello; exit 3"], cwd=tmp_path, why="greeting")


def test_the_environment_of_a_gate_has_nothing_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "/foreign")
    monkeypatch.setenv("PIP_CERT", "/certificates")
    env = clean_environment(path_first=Path("/first"))
    assert "/foreign" not in env.values()
    assert env["PIP_CERT"] == "/certificates"
    assert env["PATH"].startswith("/first:")


def test_another_account_gets_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    env = clean_environment(Account("somebody", 1000, 1000, "/home/somebody", "/bin/sh"))
    assert "TOKEN" not in env
    assert (env["HOME"], env["USER"]) == ("/home/somebody", "somebody")


@pytest.mark.root
def test_a_program_of_another_account_has_no_group_of_ours() -> None:
    nobody = Account("nobody", 65534, 65534, "/nonexistent", "/bin/sh")
    ended = run(["sh", "-c", "id -u; id -G"], cwd=Path("/"), seconds=30, account=nobody)
    assert ended.output.split() == ["65534", "65534"]


def test_what_stands_after_two_dashes_goes_to_pytest() -> None:
    options = parse(["--fast", "--", "-k", "gcm", "--", "x"])
    assert options.fast
    assert options.pytest == ("-k", "gcm", "--", "x")


def test_pytest_arguments_for_a_lint_alone_are_a_mistake() -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--gate", "mypy", "--", "-x"])
    assert ended.value.code == 2
