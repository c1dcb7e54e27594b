"""Reads what pytest reports, and adds the runs up."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test in one run; `reason` says why it was skipped, `node` is what pytest finds it by."""

    test: str
    result: str
    reason: str = ""
    node: str = ""


def read_report(report: Path) -> list[Outcome]:
    """Read a JUnit report of pytest: one outcome for each test. A report that is not there, or is cut off, has none."""
    try:
        cases = ElementTree.parse(report).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return []
    outcomes: dict[str, Outcome] = {}
    for case in cases:
        outcome = _outcome(case)
        known = outcomes.get(outcome.test)
        # A test whose teardown fails stands in the report twice.
        if known is None or outcome.result == FAILED:
            outcomes[outcome.test] = outcome
    return list(outcomes.values())


def _outcome(case: ElementTree.Element) -> Outcome:
    test = "::".join(filter(None, (case.get("classname"), case.get("name"))))
    if case.find("failure") is not None or case.find("error") is not None:
        return Outcome(test, FAILED, node=_node(case))
    skipped = case.find("skipped")
    if skipped is not None:
        return Outcome(test, SKIPPED, skipped.get("message") or "no reason given")
    return Outcome(test, PASSED)


def _node(case: ElementTree.Element) -> str:
    """`tests/room/test_it.py::Class::test[case]`, of a report of the family xunit1, which names the file."""
    file, within = case.get("file") or "", case.get("classname") or ""
    classes = within.removeprefix(file.removesuffix(".py").replace("/", ".")).split(".")
    return "::".join(filter(None, (file, *classes, case.get("name"))))


def ran_in_none(runs: Iterable[list[Outcome]]) -> dict[str, list[str]]:
    """The tests that every run skipped, by the reason of the last one."""
    ran: set[str] = set()
    skipped: dict[str, str] = {}
    for run in runs:
        for outcome in run:
            if outcome.result == SKIPPED:
                skipped[outcome.test] = outcome.reason
            else:
                ran.add(outcome.test)
    by_reason: dict[str, list[str]] = {}
    for test in sorted(skipped.keys() - ran):
        by_reason.setdefault(skipped[test], []).append(test)
    return by_reason


def last_line(runs: Iterable[list[Outcome]], crashed: int) -> str:
    """The sum over the runs of pytest; a run that ended without saying which test failed counts as one that failed."""
    results = [outcome.result for run in runs for outcome in run]
    line = f"{results.count(PASSED)} passed, {results.count(FAILED) + crashed} failed"
    skipped = results.count(SKIPPED)
    return f"{line}, {skipped} skipped" if skipped else line
