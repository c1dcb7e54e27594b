"""From the document's nodes back to YAML, in one line: what is shown of a policy can be put into one."""

import re
from typing import Final

from pysshd.policy.nodes import FALSES, NULLS, Broken, Mapping, Node, Scalar, Sequence
from pysshd.policy.report import is_secret_key

_BARE: Final = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_./~@+=-]*")
"""Texts that YAML takes for themselves wherever they stand without quotes."""

_MASK: Final = '"***"'


def write_flow(node: Node) -> str:
    """The node as flow YAML; what stands under the name of a secret is masked."""
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_value(key, value)}" for key, value in node.entries) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(write_flow(item) for item in node.items) + "]"
    return "" if isinstance(node, Broken) else _scalar(node)


def _value(key: Scalar, value: Node) -> str:
    return _MASK if is_secret_key(key.text) else write_flow(value)


def _scalar(node: Scalar) -> str:
    bare = _BARE.fullmatch(node.text) and (node.plain or node.text not in NULLS | FALSES)
    return node.text if bare else quoted(node.text)


def quoted(text: str) -> str:
    """A text between double quotes, with every character that is not plain to see as an escape."""
    return '"' + "".join(_ESCAPES.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
