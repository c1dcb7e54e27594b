"""Broken files, each with the messages that a person would want: `NAME.yaml`, what is said of it in `NAME.txt`, and the
files that it includes in `NAME.d`.
"""

from pathlib import Path

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError, Problem
from pysshd.policy.report import Report
from pysshd.policy.text import decode

FOLDER = Path(__file__).parent / "broken"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
SECRETS = (
    "hunter2",
    "correct horse",
    "jxYh9pyVPhN",
    "ijQrcjQFRy6WrZz24cuf7TQG4wy",
    "saltsalt",
    "abcdefghijkl",
    "and more",
)


def problems_of(name: str) -> tuple[Problem, ...]:
    report = Report()
    text = decode((FOLDER / f"{name}.yaml").read_bytes(), f"{name}.yaml", report)
    if text is None:
        return report.problems
    included = {f"{name}.d/{path.name}": path.read_text("utf-8") for path in (FOLDER / f"{name}.d").glob("*")}
    with pytest.raises(PolicyError) as caught:
        load_text(text, f"{name}.yaml", included=included)
    return caught.value.problems


def test_there_is_a_case_of_every_kind() -> None:
    assert len(CASES) >= 200
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)


@pytest.mark.security("S123")
@pytest.mark.parametrize("name", CASES)
def test_a_broken_file_is_refused_with_these_words(name: str) -> None:
    found = problems_of(name)
    expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert "\n".join(problem.render() for problem in found) + "\n" == expected
    assert any(problem.severity == "error" for problem in found)


@pytest.mark.security("S120")
@pytest.mark.parametrize("name", CASES)
def test_no_secret_is_shown(name: str) -> None:
    shown = "\n".join(problem.render() + repr(problem) for problem in problems_of(name))
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("name", CASES)
def test_every_line_is_printable_and_every_caret_fits(name: str) -> None:
    for problem in problems_of(name):
        assert str(problem).isprintable()
        for line in problem.render().split("\n"):
            assert line.isprintable()
        if problem.source_line:
            assert 1 <= problem.column <= len(problem.source_line) + 1
