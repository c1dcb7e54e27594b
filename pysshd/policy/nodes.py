"""The document as a tree: every scalar keeps its text and every node its place; nothing has a type yet."""

from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from pysshd.policy.problems import Mark
from pysshd.records import dataclass

NULLS = frozenset(["", "~", "null", "Null", "NULL"])
FALSES = frozenset(["false", "False", "FALSE"])


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; `plain` where it stands without quotes and not as a block. cut: where a comment follows that may be meant
    as the rest of it.
    """

    text: str = field(repr=False)
    mark: Mark
    plain: bool = True
    cut: Mark | None = None

    @property
    def is_null(self) -> bool:
        """Whether YAML means no value by it."""
        return self.plain and self.text in NULLS

    @property
    def is_false(self) -> bool:
        """Whether it is written as the word for false, without quotes."""
        return self.plain and self.text in FALSES


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in their order; no key twice."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    mark: Mark

    def get(self, key: str) -> "Node | None":
        """The value of a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)

    def key_mark(self, key: str) -> Mark | None:
        """Where a key stands, or None."""
        return next((name.mark for name, _ in self.entries if name.text == key), None)

    @property
    def outline(self) -> "Mapping":
        """Its keys and where they stand: each is there for what was under it, which takes most of the room."""
        return Mapping(tuple([(key, key) for key, _ in self.entries]), self.mark)

    def __iter__(self) -> Iterator[str]:
        return (name.text for name, _ in self.entries)


@dataclass(frozen=True, slots=True)
class Broken:
    """A node that was already complained of: whatever reads it stays silent."""

    mark: Mark


Node: TypeAlias = Scalar | Sequence | Mapping | Broken


def kind_of(node: Node) -> str:
    """What a node is, for messages; a scalar's text is not told, for it may be a secret."""
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    if isinstance(node, Mapping):
        return "keys and values" if node.entries else "an empty mapping"
    if isinstance(node, Scalar) and node.is_null:
        return "nothing"
    return "a text"
