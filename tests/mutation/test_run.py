"""A small run from beginning to end: mutants of one file, of what functions run and of what an import does."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.gates.environments import ROOT


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-s", "-m", "tests.mutation.run", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=50, check=False)


def verdict_of(said: str) -> str:
    """The sum; pytest, in which the tests are collected, may have the last word."""
    (found,) = [line for line in said.splitlines() if " mutants killed (" in line]
    return found


def test_a_run_and_its_resumption(tmp_path: Path) -> None:
    kept, covering = tmp_path / "mutants.json", tmp_path / "covering.json"
    options = ("--files", "pysshd/policy/version.py", "--tests", "tests/policy/test_version.py", "--jobs", "1",
               "--json", str(kept), "--covering", str(covering))  # fmt: skip
    first = run(*options, "--sample", "6", "--least", "50")
    assert first.returncode == 0, first.stdout + first.stderr
    judged = json.loads(kept.read_text())["mutants"]
    assert len(judged) == 6
    assert {one["judgement"]["verdict"] for one in judged} <= {"killed", "survived", "broken"}
    killed = [one["judgement"] for one in judged if one["judgement"]["verdict"] == "killed"]
    assert killed
    assert all(one["by"].startswith("tests/policy/test_version.py::") for one in killed)
    again = run(*options, "--sample", "6", "--least", "101")
    assert "6 mutants, of which 6 are judged already" in again.stdout
    assert verdict_of(again.stdout) == verdict_of(first.stdout)
    assert again.returncode == 1
