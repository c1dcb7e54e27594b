"""The keys of `--json` that docs/tools.md describes are those that there are, of every tool."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import run
from tests.docs.pages import ROOT
from tests.policy.support import KEYS, PEOPLE

PAGE = (ROOT / "docs" / "tools.md").read_text("utf-8").partition("\n## JSON\n")[2]
_ROW = re.compile(r"^\| (`[^|]+) \| (.*) \|$", re.MULTILINE)
_OPEN = frozenset({"cells"})
"""Objects whose keys the file chooses."""

POLICY = (
    PEOPLE
    + """\
roles: {look: {exec: "ls *", pty: true, confined: true}}
grants:
  - {name: looks, who: bob, roles: look, limits: {bandwidth: 1MiB/s}}
  - {name: terminals, who: bob, from: 10.0.0.0/8, deny: {pty: true}}
tests:
  - {name: wrong, as: bob, from: 10.0.0.1, login: publickey, allow: [shell]}
"""
)
CERTIFIED = f"""\
version: 1
authorities: {{staff: {{keys: ["{KEYS[0]}"]}}}}
login: [{{methods: certificate}}]
grants: [{{who: dave, allow: {{pty: true}}}}]
"""


def described(heading: str) -> set[str]:
    """The keys of a table; where each item is a problem, those of that too."""
    text = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    found: set[str] = set()
    for keys, meaning in _ROW.findall(text):
        names = re.findall(r"`([^`]+)`", keys)
        found |= set(names)
        if "a [problem](#problem)" in meaning:
            found |= {f"{name}.{key}" for name in names for key in described("problem")}
    assert found, heading
    return found


def keys_of(node: Any, path: str = "") -> Iterator[str]:
    """Every key of an answer, as the page writes it."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            name = "*" if path.rpartition(".")[2] in _OPEN else key
            below = f"{path}.{name}" if path else name
            yield f"{below}[]" if isinstance(value, list) else below
            yield from keys_of(value, below)
    elif isinstance(node, list):
        for one in node:
            yield from keys_of(one, f"{path}[]")


def plain(found: set[str], described_: set[str]) -> set[str]:
    """The keys, but for those of which the page says that they may be any, and lists that are not known."""
    stars = [key.removesuffix("*") for key in described_ if key.endswith(".*") and not key.endswith("cells.*")]
    kept = {key for key in found if not any(key.startswith(star) and key not in described_ for star in stars)}
    return {f"{key}[]" if key not in described_ and f"{key}[]" in described_ else key for key in kept}


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return written(tmp_path, "policy.yaml", POLICY)


def written(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.write_text(text)
    file.chmod(0o600)
    return str(file)


def answers(*commands: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for words in commands:
        ended = run(*words)
        assert ended.stdout, ended.stderr
        found |= set(keys_of(json.loads(ended.stdout)))
    return found


def held(heading: str, found: set[str]) -> None:
    """Every key is described, and what is described is there."""
    wanted = described(heading)
    assert plain(found, wanted) == {key for key in wanted if key != "*" and not key.endswith("way.*")}


def test_check_and_what_is_refused(tmp_path: Path, policy: str) -> None:
    other = written(tmp_path, "other.yaml", POLICY + "server: {isolation: shared}\n")
    held("check", answers(("check", "--json", "--against", policy, other)))
    broken = written(tmp_path, "broken.yaml", "version: 2\n")
    for words in (("test", broken), ("explain", broken, "--as", "bob", "shell"), ("roles", broken),
                  ("diff", broken, policy), ("matrix", broken)):  # fmt: skip
        held("refused", answers((words[0], "--json", *words[1:])))


def test_test(policy: str) -> None:
    held("test", answers(("test", "--json", policy)))


def test_explain(tmp_path: Path, policy: str) -> None:
    certified = written(tmp_path, "certified.yaml", CERTIFIED)
    who = ("--as", "bob", "--from", "192.0.2.1")
    held(
        "explain",
        answers(
            ("explain", "--json", policy, *who, "exec", "ls", "x"),
            ("explain", "--json", policy, *who, "exec", "ls", "-l"),
            ("explain", "--json", certified, "--as", "dave", "pty", "xterm"),
        ),
    )


def test_roles(policy: str) -> None:
    held("roles", answers(("roles", "--json", policy), ("roles", "--json")))


def test_diff(tmp_path: Path, policy: str) -> None:
    other = written(tmp_path, "other.yaml", POLICY.replace("pty: true, confined", "confined").replace("ls *", "id"))
    held("diff", answers(("diff", "--json", policy, other)))


def test_matrix(policy: str) -> None:
    held("matrix", answers(("matrix", "--json", policy)))


def test_the_tables_are_of_every_tool_that_writes_json() -> None:
    headings = set(re.findall(r"^### (.+)$", PAGE, re.MULTILINE))
    assert headings == {"problem", "refused", "check", "test", "explain", "roles", "diff", "matrix", "why",
                        "ctl reload", "ctl status"}  # fmt: skip


def test_a_key_that_nobody_describes_would_be_found() -> None:
    assert plain({"a", "b.c", "d"}, {"a", "b.*", "d[]"}) == {"a", "d[]"}
    with pytest.raises(AssertionError):
        held("problem", {"file", "another"})
