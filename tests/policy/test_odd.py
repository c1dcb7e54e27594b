"""Files that are accepted and odd: every word of what is said of them: `NAME.yaml`, and `NAME.txt` beside it."""

from pathlib import Path

import pytest

from pysshd.policy.load import load_text

FOLDER = Path(__file__).parent / "odd"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def test_there_is_a_text_for_each() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_an_odd_file_is_accepted_with_these_words(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    found = load_text(text, f"{name}.yaml", language=True).warnings
    expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert "\n".join(problem.render() for problem in found) + "\n" == expected
