"""Texts that YAML cuts at ` #` without a word: a warning, where it looks as if what follows was meant to be in them.

A comment is written `# so`, and often further to the right. So what stands directly behind one blank, and has none
behind the `#`, may well be the rest of a text. It is told of texts that people make up, where every other reading of
the rest would be silent: keys, commands, banners.
"""

import re
from typing import Final

from pysshd.policy.nodes import Mapping, Node, Scalar, Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report, Source

_REST: Final = re.compile(r" #[^\s#]")
_FREE: Final = frozenset(
    ["banner", "exec", "forced", "key", "keys", "literal", "password", "set", "shell", "subsystems"]
)
"""Keys whose texts people make up, in whatever sections they stand."""

_SECTIONS: Final = frozenset(["server", "users", "authorities", "roles", "grants"])


def cut_at(source: Source, end: Mark) -> Mark | None:
    """Where the rest of a text without quotes may begin that ends there, or None."""
    line = source.lines[end.line - 1] if end.line <= len(source.lines) else ""
    return end._replace(column=end.column + 1) if _REST.match(line, end.column - 1) else None


def warn_cut_texts(tree: Mapping, report: Report) -> None:
    """Tell of every such text of a document."""
    todo: list[tuple[Node, bool]] = [(node, False) for key, node in tree.entries if key.text in _SECTIONS]
    while todo:
        node, free = todo.pop()
        if isinstance(node, Mapping):
            todo += [(value, free or key.text in _FREE) for key, value in node.entries]
        elif isinstance(node, Sequence):
            todo += [(item, free) for item in node.items]
        elif isinstance(node, Scalar) and free and node.cut is not None:
            report.warning(
                node.cut,
                "the text ends in front of this '#', where a comment begins",
                "put the whole text between quotes; a comment is written with a blank behind its '#'",
            )
