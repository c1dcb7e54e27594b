"""The sum of the runs: nothing that failed or never ran is lost in it."""

from pathlib import Path

from tests.gates.results import Outcome, last_line, ran_in_none, read_report

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest">
<testcase classname="tests.a" name="good"/>
<testcase classname="tests.a" name="bad" file="tests/a.py"><failure message="m">text</failure></testcase>
<testcase classname="tests.a" name="left"><skipped type="pytest.skip" message="needs root">x</skipped></testcase>
<testcase classname="tests.a.OfAll" name="teardown"/>
<testcase classname="tests.a.OfAll" name="teardown" file="tests/a.py"><error message="m">text</error></testcase>
</testsuite></testsuites>
"""


def test_a_report_has_one_outcome_for_each_test(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert read_report(report) == [
        Outcome("tests.a::good", "passed"),
        Outcome("tests.a::bad", "failed", node="tests/a.py::bad"),
        Outcome("tests.a::left", "skipped", "needs root"),
        Outcome("tests.a.OfAll::teardown", "failed", node="tests/a.py::OfAll::teardown"),
    ]


def test_a_report_that_is_missing_or_cut_off_has_no_outcome(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    assert read_report(report) == []
    report.write_text(REPORT[:200])
    assert read_report(report) == []


def test_a_test_that_ran_once_is_not_listed_as_skipped() -> None:
    as_root = [Outcome("a", "passed"), Outcome("b", "skipped", "needs a user"), Outcome("c", "skipped", "no kernel")]
    as_user = [Outcome("a", "skipped", "needs root"), Outcome("b", "passed"), Outcome("c", "skipped", "no kernel")]
    assert ran_in_none([as_root, as_user]) == {"no kernel": ["c"]}
    assert ran_in_none([as_root]) == {"needs a user": ["b"], "no kernel": ["c"]}


def test_the_last_line_adds_up_and_counts_a_run_that_crashed_as_a_failure() -> None:
    run = [Outcome("a", "passed"), Outcome("b", "skipped", "x"), Outcome("c", "failed")]
    assert last_line([run, run[:1]], 0) == "2 passed, 1 failed, 1 skipped"
    assert last_line([run[:1]], 1) == "1 passed, 1 failed"
    assert last_line([], 0) == "0 passed, 0 failed"
