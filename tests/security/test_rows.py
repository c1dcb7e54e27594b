"""The page and the tests agree: what is called shown has a test, and what waits has none."""

import subprocess
import sys

import pytest

from tests.security.rows import ROOT, marks, table


def test_the_table_has_every_row() -> None:
    assert list(table()) == [f"S{number:02}" for number in range(1, 131)]


def test_what_is_called_shown_has_a_test_and_nothing_else_has() -> None:
    marked: dict[str, str] = {}
    for row, place in marks():
        marked.setdefault(row, place)
    unknown = {row: place for row, place in marked.items() if row not in table()}
    assert unknown == {}, "tests are marked with rows that docs/security.md does not have"
    untold = {name for name, row in table().items() if row.waits_for is None} - marked.keys()
    assert untold == set(), "docs/security.md calls these shown, and no test is marked so"
    early = {name: marked[name] for name, row in table().items() if row.waits_for is not None and name in marked}
    assert early == {}, "docs/security.md says that these wait, and a test is marked so"


def test_code_names_rows_that_there_are() -> None:
    for path in sorted((ROOT / "pysshd").rglob("*.py")):
        for word in path.read_text("utf-8").replace("(", " ").replace(")", " ").replace(",", " ").split():
            if len(word) in (3, 4) and word[0] == "S" and word[1:].isdigit():
                assert word in table(), f"{path}: {word}"


EXAMPLE = """
import pytest
@pytest.mark.security("S01")
def test_one(): pass
@pytest.mark.security("S02", "S03")
def test_two(): assert False
@pytest.mark.security("S01")
@pytest.mark.parametrize("n", [1, 2])
def test_three(n): pass
@pytest.mark.security("S04")
def test_four(): pytest.skip("not here")
"""


@pytest.fixture
def summary(pytester_folder: str) -> str:
    words = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "-c", "/dev/null"]
    words += ["--rootdir", pytester_folder, "-p", "tests.security.plugin", "-m", "security", pytester_folder]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=50)
    return done.stdout


@pytest.fixture
def pytester_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "test_example.py").write_text(EXAMPLE)
    return str(folder)


def test_a_run_says_what_holds_and_what_waits(summary: str) -> None:
    lines = summary.splitlines()
    assert "1 of 130 rows hold: S01" in lines
    assert "2 do not: S02 S03" in lines
    assert any(line.endswith("were not run here: S04") or " S04 " in line for line in lines if "not run here" in line)
    waiting = {name: row for name, row in table().items() if row.waits_for is not None}
    assert f"{len(waiting)} wait for a capability that this version does not have:" in lines
    for name, row in waiting.items():
        assert f"  {name} waits for {row.waits_for}: {row.words}" in lines
