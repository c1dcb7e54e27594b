"""Which tests run which line, and how long each takes: measured once, in a process of its own."""

import json
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from coverage import Coverage


@dataclass(frozen=True, slots=True)
class Covering:
    """tests: by file and line (as text, as JSON has it), of the tests by number; names: theirs; seconds: of CPU."""

    names: list[str]
    seconds: list[float]
    tests: dict[str, dict[str, list[int]]]

    def of_line(self, path: str, line: int) -> list[int]:
        """The tests that run a line."""
        return self.tests.get(path, {}).get(str(line), [])

    def of_file(self, path: str) -> list[int]:
        """The tests that run any line of a file."""
        return sorted({number for found in self.tests.get(path, {}).values() for number in found})

    def cheapest_first(self, tests: Sequence[int]) -> list[int]:
        """The same tests in the order of what they cost."""
        return sorted(tests, key=lambda number: self.seconds[number])

    def joined(self, other: "Covering") -> "Covering":
        """The tests of both, and the lines that they run."""
        tests = {path: {line: list(found) for line, found in lines.items()} for path, lines in self.tests.items()}
        for path, lines in other.tests.items():
            for line, found in lines.items():
                numbers = [number + len(self.names) for number in found]
                tests.setdefault(path, {}).setdefault(line, []).extend(numbers)
        return Covering(self.names + other.names, self.seconds + other.seconds, tests)

    def write(self, path: Path) -> None:
        """Keep it."""
        path.write_text(json.dumps(asdict(self)))


def read_covering(path: Path) -> Covering:
    """What was kept."""
    return Covering(**json.loads(path.read_text()))


class Measuring:
    """A plugin for pytest that measures the lines of some files, test by test. files: path by its place on the disk."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        # Branches are not asked for here, and cost twice as much.
        self._coverage = Coverage(data_file=None, include=list(files), config_file=False)
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hear of one phase of a test: one that fails without a mutant says nothing of mutants."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run one test."""
        self._coverage.switch_context(item.nodeid)
        before = _used()
        result = yield
        self._seconds[item.nodeid] = _used() - before
        self._coverage.switch_context("")
        return result

    def run(self, items: Sequence[pytest.Item]) -> Covering:
        """Run all tests and say what they run."""
        items[0].config.pluginmanager.register(self)
        self._coverage.start()
        for item, after in zip(items, (*items[1:], None), strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        self._coverage.stop()
        names = [item.nodeid for item in items if item.nodeid not in self._failed]
        numbers = {name: number for number, name in enumerate(names)}
        data = self._coverage.get_data()
        tests = {
            path: {
                str(line): sorted(numbers[name] for name in contexts if name in numbers)
                for line, contexts in data.contexts_by_lineno(place).items()
            }
            for place, path in self._files.items()
        }
        return Covering(names, [round(self._seconds[name], 4) for name in names], tests)


def _used() -> float:
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime
