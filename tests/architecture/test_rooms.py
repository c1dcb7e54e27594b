"""Every folder is a room that docs/architecture.md names, every module has a layer, and nothing imports in a circle."""

import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, ROOT, below, internal_graph, modules

ARCHITECTURE = ROOT / "docs" / "architecture.md"
FACES = frozenset({"pysshd", "pysshd.__main__", "pysshd.ssh", "pysshd.processes"})
"""What stands above the layers: the package's own names, its start, and the two wings that several layers share."""

FACADES = {"pysshd": "hands the public names on, lazily"}
"""The package files that may hold more than a docstring, and why."""


def named_rooms(text: str) -> set[str]:
    """The folders that the tables of `text` name, relative to the package.

    A row is `| wing | room | …`, each a name in backquotes with a slash at its end. An empty wing means the wing of the
    row above; a third column may name folders of the room; `wing/room/` in one cell says both.
    """
    rooms: set[str] = set()
    wing = ""
    for line in text.splitlines():
        if not line.startswith("|"):
            wing = ""
            continue
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
        folders = [[word.removeprefix("pysshd/").strip("/") for word in cell if word.endswith("/")] for cell in cells]
        first, second, third = [*folders, [], [], []][:3]
        wing = first[0].split("/")[0] if first else wing
        rooms.update(first)
        rooms.update(f"{wing}/{name}" for name in second if wing)
        rooms.update(f"{wing}/{name}/{inner}" for name in second for inner in third if wing)
        rooms.update(f"{wing}/{inner}" for inner in third if wing and not second)
    return rooms


def folders() -> list[str]:
    """Every folder below the package, relative to it."""
    found = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_dir())
    return sorted(str(path) for path in found if "__pycache__" not in path.parts)


def test_every_folder_is_a_room_that_the_plan_names() -> None:
    if not ARCHITECTURE.exists():
        pytest.skip("docs/architecture.md is not written yet")
    unnamed = [folder for folder in folders() if folder not in named_rooms(ARCHITECTURE.read_text())]
    assert unnamed == [], "add these folders to the table of rooms in docs/architecture.md, or move what is in them"


def test_the_table_of_rooms_is_read_with_wings_rooms_and_inner_folders() -> None:
    table = (
        "| wing | room | modules |\n|---|---|---|\n| `ssh/` the protocol | `wire/` | `codec`, `messages/` |\n"
        "| | `crypto/` | `ciphers` |\n| `audit/` | | `events` |\n\n| `processes/session/` | |\n"
    )
    assert named_rooms(table) == {"ssh", "ssh/wire", "ssh/wire/messages", "ssh/crypto", "audit", "processes/session"}


def layers() -> list[str]:
    """The packages and modules that the contract of layers names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [each for each in settings["contracts"] if each["id"] == "layers"]
    return [name.strip(" ()") for layer in contract["layers"] for name in layer.split("|")]


def test_every_module_has_one_layer() -> None:
    astray = {
        name: [layer for layer in layers() if below(name, layer)]
        for name in modules()
        if name not in FACES and sum(below(name, layer) for layer in layers()) != 1
    }
    assert astray == {}, "import-linter says nothing about a module without a layer: give it one in pyproject.toml"


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of the graph, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_nothing_imports_in_a_circle_not_even_for_types() -> None:
    assert cycle_in(internal_graph()) == []


def test_the_search_for_circles_finds_one() -> None:
    assert set(cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


def test_the_package_files_stay_empty() -> None:
    full = [name for name, path in modules().items() if path.name == "__init__.py" and has_code(path)]
    assert [name for name in full if name not in FACADES] == [], (
        "a package's __init__ runs in every process that imports one module of it: keep it to a docstring"
    )


def has_code(path: Path) -> bool:
    """True where a module is more than its docstring."""
    return bool(re.sub(r'\A\s*""".*?"""\s*\Z', "", path.read_text(), flags=re.DOTALL).strip())
