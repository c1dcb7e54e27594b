"""What is kept of mutants, what is told of them at the end, and how little a mutant may do to the run."""

import json
from pathlib import Path

import pytest

from tests.mutation.covering import Covering, read_covering
from tests.mutation.judging import BROKEN, ENDLESS, KILLED, SURVIVED, UNTESTED, Judgement
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.options import parse
from tests.mutation.results import Results, share_killed, summary
from tests.mutation.run import chosen_of, sources

ONE, TWO, THREE = mutants_of("x.py", "def f(a):\n    return a < 1\n")[:3]


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    kept = tmp_path / "mutants.json"
    results = Results(kept)
    results.note(ONE, Judgement(KILLED, "tests/x.py::test", 3, 0.5))
    results.note(TWO, Judgement(SURVIVED))
    results.note(TWO, Judgement(KILLED, "tests/x.py::other"))
    again = Results(kept)
    assert again.of(ONE) == Judgement(KILLED, "tests/x.py::test", 3, 0.5)
    assert again.of(TWO) == Judgement(KILLED, "tests/x.py::other")
    assert again.of(THREE) is None
    assert [row["line"] for row in json.loads(kept.read_text())["mutants"]] == [2, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["mutants.json"]


def test_what_is_told_at_the_end() -> None:
    judged = [
        (ONE, Judgement(KILLED)),
        (TWO, Judgement(SURVIVED)),
        (THREE, Judgement(ENDLESS)),
        (Mutant("y.py", 0, 1, 2, "text", "'a'", "'XXa'", False), Judgement(UNTESTED)),
    ]
    assert list(summary(judged)) == [
        f"{TWO}",
        "y.py:1:2: text: 'a'  ->  'XXa', in a line that no test runs",
        "comparison       1 of     2 killed",
        "return           1 of     1 killed",
        "text             0 of     1 killed",
        "50.0 % of 4 mutants killed (1 endless, 1 killed, 1 survived, 1 untested)",
    ]
    assert share_killed([Judgement(BROKEN), Judgement(KILLED), Judgement(UNTESTED)]) == pytest.approx(66.67, abs=0.01)
    assert share_killed([]) == 100


def test_a_sample_is_the_same_for_its_seed_and_another_for_another() -> None:
    files = sources(("pysshd/policy/text.py", "pysshd/policy/steps.py"))

    def drawn(*arguments: str) -> list[str]:
        return [str(one) for one in chosen_of(parse([*arguments]), files, Results(None))]

    every = drawn()
    assert len(set(every)) == len(every) > 100
    assert drawn("--sample", "20", "--seed", "7") == drawn("--sample", "20", "--seed", "7")
    assert drawn("--sample", "20", "--seed", "7") != drawn("--sample", "20", "--seed", "8")
    assert set(drawn("--sample", "20", "--seed", "7")) < set(every)
    assert sorted(drawn("--sample", "100000")) == sorted(every)
    assert all(": comparison: " in one for one in drawn("--kind", "comparison"))


def test_which_tests_run_a_line(tmp_path: Path) -> None:
    Covering(["a", "b", "c"], [3.0, 1.0, 2.0], {"x.py": {"1": [0, 2], "5": [1]}}).write(tmp_path / "kept")
    found = read_covering(tmp_path / "kept")
    assert found.of_line("x.py", 1) == [0, 2]
    assert found.of_line("x.py", 2) == found.of_line("y.py", 1) == []
    assert found.of_file("x.py") == [0, 1, 2]
    assert found.cheapest_first([0, 1, 2]) == [1, 2, 0]
