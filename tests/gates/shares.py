"""Which tests each run of pytest has: what one run shows, another need not repeat.

Where all the runs are wanted, the tests on one version of cryptography are several runs, which go on side by side:
those of whole daemons, those of the other rooms, and those of pure rooms, which never wait and take the CPU that the
others leave.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.gates.environments import ROOT
from tests.gates.options import PYTEST_LOWEST, PYTEST_NEWEST, PYTEST_USER

NEWEST_ROOMS, NEWEST_PURE, LOWEST_PURE = "newest-rooms", "newest-pure", "lowest-pure"
PARTS = {NEWEST_ROOMS: PYTEST_NEWEST, NEWEST_PURE: PYTEST_NEWEST, LOWEST_PURE: PYTEST_LOWEST}
"""Runs that are a part of a gate's, by name."""

PURE = tuple(
    f"tests/{room}"
    for room in ("architecture", "audit", "importing", "mutation", "patterns", "policy", "server", "ssh")
)
"""Tests of rooms that are pure, or read the checkout alone: whoever runs them sees the same."""

LIVE = "tests/live"
"""Tests of whole daemons, which mostly wait, and take the longest."""

ON_EVERY_CRYPTOGRAPHY = frozenset({"test_login", "test_transfer", "test_quickstart", "test_passwords"})
"""The tests of whole daemons that stand on what `cryptography` does."""

ABOUT_A_POLICY = ("tests/docs", *(f"tests/cli/test_{name}.py" for name in (
    "against", "denials", "diff", "matrix", "policy_tools", "schema"
)))  # fmt: skip
"""What the pages and the tools for a policy say, whoever asks and whatever is installed."""

NOT_ON_LOWEST = (
    *ABOUT_A_POLICY, "tests/cli/test_commands.py", "tests/cli/test_include.py",
    "tests/interop", "tests/bench", "tests/mutation",
    # Random documents, hostile files and hostile halves ask nothing of cryptography, and take long.
    "tests/policy/test_*propert*.py", "tests/policy/test_hostile_files.py", "tests/policy/test_oracle.py",
    *(f"tests/processes/monitor/test_{name}.py" for name in ("evil_worker", "hostile", "shared_hang")),
)  # fmt: skip

NOT_AS_USER = (
    *ABOUT_A_POLICY,
    # What other people's clients negotiate and how they log in; as the user there is what they do in sessions.
    *(f"tests/interop/test_{name}.py" for name in ("algorithms", "hooks", "login", "shared", "ssh_audit")),
    "tests/bench/test_engine.py", "tests/bench/test_round.py",
    # What is negotiated and what the policy decides, before there is a program that is somebody's.
    *(f"{LIVE}/test_{name}.py" for name in (
        "algorithms", "bad_policy", "crypto_policy", "denials", "factors", "global_requests", "key_options",
        "listeners", "log_injection", "told", "told_json",
    )),
)  # fmt: skip
"""No test in these asks for an ordinary user."""


def chosen(name: str, gates: Sequence[str]) -> list[str]:
    """The arguments of pytest that choose the tests of the run `name`, where `gates` are all the runs there are."""
    if name == NEWEST_ROOMS:
        return [room for room in _rooms() if room not in (*PURE, LIVE)]
    if name == NEWEST_PURE:
        return list(PURE)
    if name == LOWEST_PURE:
        return [*(room for room in PURE if room not in NOT_ON_LOWEST), *_ignored(NOT_ON_LOWEST)]
    left: list[str] = []
    if name == PYTEST_NEWEST:
        left += [room for room in _rooms() if room != LIVE] if NEWEST_ROOMS in gates else []
    elif PYTEST_NEWEST not in gates:
        return []
    elif name == PYTEST_USER:
        left += [*PURE, *NOT_AS_USER]
    elif name == PYTEST_LOWEST:
        live = sorted((ROOT / LIVE).glob("test_*.py"))
        left += [f"{LIVE}/{path.name}" for path in live if path.stem not in ON_EVERY_CRYPTOGRAPHY]
        left += [*NOT_ON_LOWEST, *(PURE if LOWEST_PURE in gates else ())]
    return _ignored(left)


def _rooms() -> list[str]:
    """Every folder with tests."""
    return [f"tests/{path.parent.name}" for path in sorted((ROOT / "tests").glob("*/__init__.py")) if _has_tests(path)]


def _has_tests(init: Path) -> bool:
    return any(init.parent.rglob("test_*.py"))


def _ignored(paths: Sequence[str]) -> list[str]:
    return [f"--ignore-glob={ROOT / path}" if "*" in path else f"--ignore={path}" for path in paths]
