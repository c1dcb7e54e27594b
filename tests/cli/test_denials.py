"""`pysshd why`: a decision by its id, out of a log."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pysshd.cli.denials import why
from pysshd.cli.explain import explain

LINES = [
    {"time": "t1", "level": "info", "event": "request.allowed", "person": "alice", "decision": "aaaaaaaaaa"},
    {
        "time": "t2", "level": "warning", "event": "request.refused", "person": "bob", "request": "shell",
        "reason": "no grant allows it", "decided_by": "no grant", "decision": "bbbbbbbbbb", "rules": "0123456789ab",
        "trace": "ops (policy.yaml:9): who does not hold; 2 that do not speak of this request", "key": None,
    },
    {"time": "t3", "level": "info", "event": "session.ended", "text": "bbbbbbbbbb"},
]  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log"
    file.write_bytes(b"\n".join([b"no json bbbbbbbbbb", *(json.dumps(line).encode() for line in LINES), b"\xff{"]))
    return file


def ask(*words: str) -> Result:
    return CliRunner().invoke(why, words)


def test_a_refusal_with_its_trace(log: Path) -> None:
    said = ask("bbbbbbbbbb", "--log", str(log))
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        "event       request.refused",
        "time        t2",
        "person      bob",
        "request     shell",
        "reason      no grant allows it",
        "decided_by  no grant",
        "rules       0123456789ab",
        "tried:",
        "  ops (policy.yaml:9): who does not hold",
        "  2 that do not speak of this request",
    ]


def test_nothing_of_a_log_reaches_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "log"
    event = {"event": "x", "decision": "dddddddddd", "reason": "\x1b[2J\nperson  root", "\x1b]0;": 1, "trace": "\u202e"}
    file.write_text(json.dumps(event))
    said = ask("dddddddddd", "--log", str(file))
    assert said.stdout.splitlines() == [
        "event    x",
        r"reason   \x1b[2J\x0aperson  root",
        r"\x1b]0;  1",
        "tried:",
        r"  \u202e",
    ]
    assert "\x1b" not in ask("dddddddddd", "--log", str(file), "--json").stdout


def test_as_json(log: Path) -> None:
    said = ask("bbbbbbbbbb", "--log", str(log), "--json")
    assert [json.loads(line) for line in said.stdout.splitlines()] == [LINES[1]]


def test_an_id_that_is_not_there(log: Path) -> None:
    said = ask("cccccccccc", "--log", str(log))
    assert said.exit_code == 1
    assert said.stdout == ""
    assert "no decision 'cccccccccc'" in said.stderr


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert ask("bbbbbbbbbb", "--log", str(tmp_path / "none")).exit_code == 2


def test_explain_says_the_same(log: Path) -> None:
    said = CliRunner().invoke(explain, ["--id", "bbbbbbbbbb", "--log", str(log)])
    assert (said.exit_code, said.stdout) == (0, ask("bbbbbbbbbb", "--log", str(log)).stdout)


@pytest.mark.parametrize("words", [["--id", "bbbbbbbbbb"], ["--log", "-"], ["policy.yaml", "--id", "b", "--log", "-"]])
def test_explain_is_asked_one_thing(words: list[str]) -> None:
    said = CliRunner().invoke(explain, words)
    assert said.exit_code == 2
    assert "--id goes with --log, and with no FILE" in said.stderr
