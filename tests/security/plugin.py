"""Counts the rows of the table of security properties while tests run, and says at the end how many hold.

A row holds where one of its tests ran, and all of them that ran have passed.
"""

from collections.abc import Generator

import pytest

from tests.security.rows import table


class SecurityRows:
    """What the tests of one run say of the rows."""

    def __init__(self) -> None:
        self._passed: set[str] = set()
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what the report of one phase says about the rows of its test."""
        report = yield
        rows = {str(row) for mark in item.iter_markers("security") for row in mark.args}
        if report.failed:
            self._failed |= rows
        elif report.when == "call" and report.passed:
            self._passed |= rows
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print the rows, where the command line asks for them with `-m security`."""
        if "security" not in config.option.markexpr:
            return
        say, rows = terminalreporter.write_line, table()
        waiting = [row for row in rows.values() if row.waits_for is not None]
        holding = sorted(self._passed - self._failed, key=_number)
        missing = rows.keys() - self._passed - self._failed - {row.name for row in waiting}
        terminalreporter.section("security properties")
        say(f"{len(holding)} of {len(rows)} rows hold: {' '.join(holding) or 'none'}")
        if self._failed:
            say(f"{len(self._failed)} do not: {' '.join(sorted(self._failed, key=_number))}")
        if missing:
            say(f"{len(missing)} were not run here: {' '.join(sorted(missing, key=_number))}")
        say(f"{len(waiting)} wait for a capability that this version does not have:")
        for row in waiting:
            say(f"  {row.name} waits for {row.waits_for}: {row.words}")


def _number(row: str) -> int:
    return int(row[1:])


def pytest_configure(config: pytest.Config) -> None:
    """Start counting."""
    if not config.pluginmanager.has_plugin("security-rows"):
        config.addinivalue_line("markers", "security(row): shows a row of docs/security.md")
        config.pluginmanager.register(SecurityRows(), "security-rows")
