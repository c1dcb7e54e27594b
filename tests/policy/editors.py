"""A document as an editor's YAML has it: the core schema of YAML 1.2, in which plain texts have types."""

import re
from typing import Any

import yaml

_INTEGER = re.compile(r"[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def typed(text: str, plain: bool) -> Any:
    """One text, as an editor takes it."""
    if not plain:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def seen_text(text: str) -> Any:
    """The text of a document as an editor sees it."""
    return _of_yaml(yaml.compose(text, yaml.SafeLoader))


def _of_yaml(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_of_yaml(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _of_yaml(value) for key, value in node.value}
    assert isinstance(node, yaml.ScalarNode)
    return typed(node.value, node.style is None)
