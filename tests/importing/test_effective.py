"""What the importer takes sshd to do is what sshd says it does (`sshd -T -C`), for every simulated connection."""

import json
from functools import cache

import pytest

from pysshd.importing.effective import Effective, effective
from pysshd.importing.keywords import KEYWORDS
from tests.importing.ground import SIMULATED, VECTORS, Simulated, names, parsed, text_of
from tests.importing.real_sshd import NOT_TOLD, ask, why_not

USUAL: dict[str, list[str]] = json.loads((VECTORS / "usual.json").read_text())["settings"]
BY_LINE = frozenset(["acceptenv", "setenv", "allowusers", "denyusers", "allowgroups", "denygroups"])
"""Keywords that sshd shows in a line for each word."""


def shown(found: Effective) -> dict[str, list[str]]:
    """Settings as sshd shows them."""
    made: dict[str, list[str]] = {}
    for key, value in found.items():
        if key == "subsystem":
            made[key] = [" ".join(line.value) for line in value.lines]
        elif key in BY_LINE:
            made[key] = list(value.words)
        else:
            made[key] = [" ".join(value.words)]
    return made


def ours(name: str, simulated: Simulated) -> dict[str, list[str]]:
    """What the importer says of one connection, of the keywords that the real sshd shows."""
    found = effective(parsed(name), simulated.connection, unanswered)
    return {key: value for key, value in shown(found).items() if value and key not in NOT_TOLD}


def unanswered(question: object) -> bool:
    raise AssertionError(f"nothing is unknown of a whole connection, and yet it was asked {question}")


def recorded(name: str) -> dict[str, dict[str, list[str]]]:
    """What the real sshd said, for each connection."""
    found = json.loads((VECTORS / f"{name}.json").read_text())
    return {one: USUAL | outcome["settings"] for outcome in found["outcomes"] for one in outcome["connections"]}


def assert_equal(mine: dict[str, list[str]], theirs: dict[str, list[str]], what: str) -> None:
    """Every keyword that sshd shows and the importer knows; one that is not shown has nothing to say."""
    for key in KEYWORDS.keys() & theirs.keys() - NOT_TOLD:
        assert (what, key, mine.get(key, [])) == (what, key, theirs[key])
    for key in BY_LINE - theirs.keys():
        assert (what, key, mine.get(key, [])) == (what, key, [])


def test_there_are_vectors_of_thirty_configurations_at_least() -> None:
    assert len(names()) >= 30
    assert all((VECTORS / f"{name}.json").exists() for name in names())


def test_the_origin_of_the_vectors_is_noted() -> None:
    assert json.loads((VECTORS / "usual.json").read_text())["origin"].startswith("OpenSSH_")


@pytest.mark.parametrize("name", names())
def test_the_settings_are_those_that_sshd_said(name: str) -> None:
    theirs = recorded(name)
    assert set(theirs) == {str(one) for one in SIMULATED}
    for simulated in SIMULATED:
        assert_equal(ours(name, simulated), theirs[str(simulated)], str(simulated))


@pytest.mark.root
@pytest.mark.parametrize("name", names())
def test_the_settings_are_those_that_sshd_says_now(name: str) -> None:
    if why_not():
        pytest.skip(why_not())
    now = usual_now()
    for simulated, theirs in ask(text_of(name), SIMULATED[:: 1 if "overlap" in name else 5]).items():
        told = {key: value for key, value in theirs.items() if now.get(key) == USUAL.get(key)}
        assert_equal(ours(name, simulated), told, str(simulated))


@cache
def usual_now() -> dict[str, list[str]]:
    """What this host's sshd does by itself: where that is not what it was, versions differ, and nothing is shown."""
    return next(iter(ask("", SIMULATED[:1]).values()))
