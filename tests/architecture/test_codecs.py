"""Texts are read and written in UTF-8 alone, whose codec is always there.

Python imports the others when they are first asked for. By then a daemon that was root, and a worker in its sandbox,
may have no way to the files of its own interpreter. (`pysshd.importing` is a tool that is neither.)
"""

import ast

import pytest

from tests.architecture.sources import modules, tree_of

BUILT_IN = frozenset({"utf-8", "ascii", "latin-1"})
"""Of a whole `str` or `bytes`, these are read and written without the module of their codec; of a file, UTF-8 alone."""


@pytest.mark.parametrize("name", [name for name in modules() if not name.startswith("pysshd.importing")])
def test_no_codec_is_asked_for_late(name: str) -> None:
    for node in ast.walk(tree_of(name)):
        if not isinstance(node, ast.Call):
            continue
        for word in node.keywords:
            assert word.arg != "encoding" or ast.literal_eval(word.value) == "utf-8", f"line {node.lineno}"
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("encode", "decode") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                assert first.value in BUILT_IN, f"line {node.lineno}"
