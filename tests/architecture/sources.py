"""Reads the sources of pysshd as syntax trees: modules by dotted name, and what each imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pysshd"


@cache
def modules() -> dict[str, Path]:
    """Every module of pysshd by its dotted name; a package by that of its `__init__`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tree_of(name: str) -> ast.Module:
    """The syntax tree of the module `name`."""
    path = modules()[name]
    return ast.parse(path.read_text(), filename=str(path))


def imported_names(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[str, int]]:
    """Every dotted name that `module` imports, also in a function or for types only, and the line of the import.

    Of `from a import b` the name is `a.b`, for b may be a module.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")
                kept = above[: len(above) - node.level + is_package]
                base = ".".join([*kept, base] if base else kept)
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def imports_of(name: str) -> Iterator[tuple[str, int]]:
    """What the module `name` imports."""
    yield from imported_names(tree_of(name), name, modules()[name].name == "__init__.py")


def internal_graph() -> dict[str, set[str]]:
    """Which module of pysshd imports which."""
    known = modules()
    graph: dict[str, set[str]] = {name: set() for name in known}
    for name in known:
        for imported, _ in imports_of(name):
            target = imported if imported in known else imported.rpartition(".")[0]
            if target in known and target != name:
                graph[name].add(target)
    return graph


def below(name: str, package: str) -> bool:
    """True where the module `name` is `package` or lies in it."""
    return name == package or name.startswith(f"{package}.")
