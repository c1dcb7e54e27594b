"""What every test has: who may run it, and how hypothesis works."""

import gc
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.security import plugin as security

IS_ROOT = os.geteuid() == 0

# No deadline: the machines that run this are shared, and a slow example is no defect, nor is one that is made slowly.
# Not derandomized: every run looks somewhere new, and prints how to come back to what it found.
for name in ("local", "ci"):
    settings.register_profile(
        name, deadline=None, derandomize=False, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
    )
# For what is compared with an earlier run: mutants (tests/mutation).
settings.register_profile("steady", settings.get_profile("ci"), derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "local"))

TIMES = int(os.environ.get("PYSSHD_EXAMPLES") or 1)
"""How many times as many examples each property is tried on, to find what comes once in ten thousand."""

SKIP_NOT_ROOT = "needs root, and this run is an ordinary user's"
SKIP_ROOT = "needs an ordinary user, and this run is root's"


def _asked_for(item: pytest.Item, config: pytest.Config) -> bool:
    """True where the command line names `long` tests, or this one by its full name."""
    return "long" in config.option.markexpr or any(
        "::" in argument and item.nodeid.startswith(os.path.normpath(argument.partition("::")[0]))
        for argument in config.args
    )


def _try_more(item: pytest.Item) -> None:
    """Have a property tried on `TIMES` as many examples, and a machine of states on as many runs."""
    test = getattr(item, "obj", None)
    test, machine = getattr(test, "__func__", test), getattr(item, "cls", None)
    for holder, name in ((test, "_hypothesis_internal_use_settings"), (machine, "settings")):
        if isinstance(found := vars(holder).get(name) if holder is not None else None, settings):
            setattr(holder, name, settings(found, max_examples=found.max_examples * TIMES))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this user cannot run, and leave out the long tests that nobody asked for."""
    left_out = []
    for item in items:
        if TIMES > 1:
            _try_more(item)
        if item.get_closest_marker("root") and not IS_ROOT:
            item.add_marker(pytest.mark.skip(reason=SKIP_NOT_ROOT))
        if item.get_closest_marker("ordinary_user") and IS_ROOT:
            item.add_marker(pytest.mark.skip(reason=SKIP_ROOT))
        if item.get_closest_marker("long") and not _asked_for(item, config):
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no collection of garbage need look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Count the rows of docs/security.md that hold; give programs their signals."""
    security.pytest_configure(config)
    # What a shell starts in the background, or `nohup` does, has some of them ignored, and so has all that it starts.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
