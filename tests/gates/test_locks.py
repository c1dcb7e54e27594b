"""The lock files pin everything, by hash, and tell nobody where it came from."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.gates.environments import LOCK, LOWEST_LOCK, ROOT, pinned_cryptography

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: Path) -> dict[str, list[str]]:
    """Name → hashes, of every pin of a lock file."""
    found: dict[str, list[str]] = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        name = re.match(r"([a-z0-9-]+)==\S+", entry)
        assert name, f"not a pin: {entry}"
        found[name[1]] = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    return found


def plain(name: str) -> str:
    """The normalized name of a requirement (PEP 503)."""
    match = re.match(r"[A-Za-z0-9._-]+", name)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


@pytest.mark.parametrize("lock", [LOCK, LOWEST_LOCK], ids=lambda lock: lock.name)
def test_every_pin_has_hashes(lock: Path) -> None:
    assert [name for name, hashes in pins(lock).items() if not hashes] == []


@pytest.mark.parametrize("lock", [LOCK, LOWEST_LOCK], ids=lambda lock: lock.name)
def test_no_address_stands_in_a_lock(lock: Path) -> None:
    assert re.findall(r"https?:|file:|--index-url|--extra-index-url|--find-links|@ ", lock.read_text()) == []


def test_everything_that_the_project_names_is_pinned() -> None:
    wanted = [*PROJECT["project"]["dependencies"]]
    for group in PROJECT["dependency-groups"].values():
        wanted += [each for each in group if isinstance(each, str)]
    assert [name for name in map(plain, wanted) if name not in pins(LOCK)] == []


def test_the_lowest_lock_pins_the_lowest_cryptography_that_the_project_allows() -> None:
    (wanted,) = [each for each in PROJECT["project"]["dependencies"] if plain(each) == "cryptography"]
    assert wanted == f"cryptography>={pinned_cryptography(LOWEST_LOCK)}"
    assert list(pins(LOWEST_LOCK)) == ["cryptography"]
