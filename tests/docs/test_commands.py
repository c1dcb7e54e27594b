"""The commands that README.md and docs/tools.md show are run as they stand there, and give what is shown."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks
from tests.docs.test_examples import with_keys

TOOLS = ROOT / "docs" / "tools.md"
(POLICY,) = (block.text for block in blocks(TOOLS) if block.language == "yaml")
DAY = next(block for block in blocks(ROOT / "README.md") if "pysshd check policy.yaml" in block.text)

ELSEWHERE = {
    "--config": "tests/live: a daemon that serves",
    "ctl": "tests/live/test_reload.py: it asks a running daemon",
    "why": "tests/live/test_denials.py: its id is that of a log",
    "import-sshd-config": "tests/live/test_import.py: on a host of its own",
    "--help": "",
}
"""Commands of the README that need more than a policy, and what runs them."""

GIVEN = {"hash-password": "correct horse\n"}
"""What is typed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the policy of the page, under each of the names that the pages use."""
    text = with_keys(POLICY)
    for name in ("policy.yaml", "old.yaml", "new.yaml"):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return tmp_path


def run(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """A command of a page in a folder; what begins with `pysshd` is that of these sources."""
    python = f"{shlex.quote(sys.executable)} -P -m pysshd"
    return subprocess.run(
        ["sh", "-c", re.sub(r"^pysshd\b", python.replace("\\", r"\\"), command)],
        cwd=folder,
        input=GIVEN.get(command.split()[1] if " " in command else "", ""),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "80", "HOME": str(folder), "STATE_DIRECTORY": str(folder / "state")},
    )


def shown(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a session, each with the lines that follow it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


SESSIONS = [block for block in blocks(TOOLS) if block.text.startswith("$ ")]


@pytest.mark.parametrize("block", SESSIONS, ids=lambda block: block.place)
def test_a_session_of_the_page_is_what_comes(folder: Path, block: Block) -> None:
    for command, lines in shown(block):
        ended = run(folder, command)
        assert ended.returncode in (0, 1), ended.stderr
        assert bare(ended.stdout) == bare("\n".join(lines)), command


def bare(text: str) -> str:
    """A text in which columns are as wide as they like, and lines break where they like."""
    return " ".join(text.split())


def lines_of_the_readme() -> list[str]:
    """The commands of a day: each line up to what it is for."""
    return [re.split(r"\s{2,}", line)[0] for line in DAY.text.splitlines() if line.startswith("pysshd ")]


@pytest.mark.parametrize("command", lines_of_the_readme())
def test_a_command_of_the_readme_runs(folder: Path, command: str) -> None:
    if command.split()[1] in ELSEWHERE:
        ended = run(folder, "pysshd --help" if "--" in command.split()[1] else f"pysshd {command.split()[1]} --help")
        assert ended.returncode == 0
        return
    ended = run(folder, command)
    assert ended.returncode in (0, 1), ended.stderr
    assert "Usage:" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_command_of_the_tools_page_is_in_a_session() -> None:
    table = (TOOLS.read_text("utf-8")).partition("\n## ")[0]
    named = set(re.findall(r"^\| `pysshd ([a-z-]+)", table, re.MULTILINE))
    run_here = {command.split()[1] for block in SESSIONS for command, _ in shown(block) if command.startswith("pysshd")}
    day = {command.split()[1] for command in lines_of_the_readme()}
    assert named <= run_here | day
    assert {"explain", "diff", "matrix"} <= run_here


def test_what_needs_more_than_a_policy_is_named_for_good_reason() -> None:
    day = {command.split()[1] for command in lines_of_the_readme()}
    assert set(ELSEWHERE) <= day
    for where in filter(None, ELSEWHERE.values()):
        assert (ROOT / where.partition(":")[0]).exists()


def test_a_policy_of_two_people_is_what_the_readme_says(folder: Path) -> None:
    """The examples of the README that are whole files are served by a check of their own."""
    whole = [block for block in blocks(ROOT / "README.md") if block.language == "yaml" and "version:" in block.text]
    assert whole
    for block in whole:
        (folder / "policy.yaml").write_text(with_keys(block.text))
        assert run(folder, "pysshd check policy.yaml").returncode == 0
