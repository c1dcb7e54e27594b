"""What tests say of a mutant: run one after the other until one fails, with limits on what the mutant may use."""

import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest

MEMORY = 4 << 30
"""Bytes that a mutant may have."""

_SECONDS = 10.0
"""CPU seconds that a test may take at least, whatever it took before."""

_TIMES = 10
"""How many times as long as before a test may take."""

KILLED, SURVIVED, ENDLESS, UNTESTED, BROKEN = "killed", "survived", "endless", "untested", "broken"
"""A test failed; none did; a test took too long or too much; no test runs the line; the module does not load."""

DEAD = frozenset([KILLED, ENDLESS, BROKEN])


@dataclass(frozen=True, slots=True)
class Judgement:
    """verdict; by: the test that failed, or was running when the mutant was ended; tests: how many were run."""

    verdict: str
    by: str = ""
    tests: int = 0
    seconds: float = 0.0


class Watch:
    """A plugin for pytest that remembers which test failed first, and lets each have so much time."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        """seconds: that each test took without a mutant."""
        self.seconds = seconds
        self.running = self.failed = self.why = ""
        self.tests = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Let the test begin."""
        self.running = nodeid
        self.tests += 1
        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = used.ru_utime + used.ru_stime + _SECONDS + _TIMES * self.seconds.get(nodeid, 0.0)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(allowed) + 1, hard))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hear of one phase of a test."""
        if report.failed and not self.failed:
            self.failed = report.nodeid
            self.why = report.longreprtext


def limit_memory() -> None:
    """Hold this process, for good, to what a mutant may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_until_one_fails(items: Sequence[pytest.Item], watch: Watch) -> None:
    """Run collected tests in this order."""
    following: Iterable[pytest.Item | None] = (*items[1:], None)
    for item, after in zip(items, following, strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if watch.failed:
            return
    sys.stdout.flush()
