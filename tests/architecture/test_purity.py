"""The pure core imports nothing that reaches a clock, chance, a socket, a file, a thread or another program."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from tests.architecture.sources import imported_names, modules, tree_of

IMPURE = frozenset(
    {"asyncio", "socket", "ssl", "threading", "subprocess", "os", "time"}
    | {"random", "secrets", "logging", "pydantic", "yaml", "click"}
)
IMPURE_BUILTINS = frozenset({"open", "input", "print", "exec", "eval", "breakpoint", "__import__"})

PURE = (
    "pysshd.errors",
    "pysshd.version",
    "pysshd.ssh",
    "pysshd.patterns",
    "pysshd.importing",
    "pysshd.policy",
    "pysshd.server",
    "pysshd.audit.events",
    "pysshd.audit.escape",
    "pysshd.processes.boundary.*calls",
    "pysshd.processes.monitor.table*",
    "pysshd.processes.sandbox.bpf",
    "pysshd.processes.sandbox.filters",
    "pysshd.processes.sandbox.syscalls",
)


@dataclass(frozen=True, slots=True)
class Exemption:
    """What a module of the pure core may import after all, and why."""

    allowed: frozenset[str]
    reason: str


EXEMPT = {
    "pysshd.ssh.crypto.entropy": Exemption(frozenset({"os"}), "the one source of randomness, injected into the rest"),
    "pysshd.policy.files": Exemption(frozenset({"os"}), "finds and reads the files"),
    "pysshd.policy.tree": Exemption(frozenset({"yaml"}), "reads YAML"),
    "pysshd.policy.model*": Exemption(frozenset({"pydantic"}), "the shape of the file"),
    "pysshd.policy.fields*": Exemption(frozenset({"pydantic"}), "the shapes of single values of the file"),
    "pysshd.policy.reading": Exemption(frozenset({"pydantic"}), "makes the model from the file's nodes"),
    "pysshd.server.channel": Exemption(frozenset({"socket", "threading"}), "given to threads of hooks"),
    "pysshd.server.stream": Exemption(frozenset({"socket", "threading"}), "a socket pair that threads of hooks use"),
}


def is_pure(name: str) -> bool:
    """True where `name` belongs to the pure core."""
    return any(fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*") for pattern in PURE)


def impurities(tree: ast.Module, name: str) -> Iterator[tuple[int, str, str]]:
    """What a module imports and calls that a pure one may not: the line, the name that counts, and a text."""
    for imported, line in imported_names(tree, name, False):
        if imported.split(".")[0] in IMPURE:
            yield line, imported.split(".")[0], f"line {line}: imports {imported}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS:
            yield node.lineno, node.func.id, f"line {node.lineno}: calls {node.func.id}"


def forbidden_in(tree: ast.Module, name: str) -> list[str]:
    """The impurities of a module that no exemption covers."""
    allowed = {each for pattern, one in EXEMPT.items() if fnmatchcase(name, pattern) for each in one.allowed}
    return [text for _, what, text in sorted(impurities(tree, name)) if what not in allowed]


@pytest.mark.parametrize("name", [name for name in modules() if is_pure(name)])
def test_a_pure_module_reaches_nothing_outside(name: str) -> None:
    assert forbidden_in(tree_of(name), name) == []


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("import os", "line 1: imports os"),
        ("import os.path as p", "line 1: imports os.path"),
        ("from time import monotonic", "line 1: imports time.monotonic"),
        ("def f():\n    import socket", "line 2: imports socket"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio", "line 3: imports asyncio"),
        ("open('x')", "line 1: calls open"),
    ],
)
def test_the_check_itself_finds(source: str, finding: str) -> None:
    assert forbidden_in(ast.parse(source), "pysshd.ssh.transport.packet") == [finding]


def test_an_exemption_covers_only_what_it_names() -> None:
    tree = ast.parse("import os\nimport time")
    assert forbidden_in(tree, "pysshd.ssh.crypto.entropy") == ["line 2: imports time"]


@pytest.mark.parametrize("pattern", EXEMPT)
def test_an_exemption_is_still_needed(pattern: str) -> None:
    covered = [name for name in modules() if fnmatchcase(name, pattern)]
    used = {what for name in covered for _, what, _ in impurities(tree_of(name), name)}
    assert not covered or EXEMPT[pattern].allowed & used, f"no exemption is needed any more: {EXEMPT[pattern].reason}"
