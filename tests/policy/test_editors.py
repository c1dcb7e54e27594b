"""What editors are told beyond the form of a value."""

import pytest

from pysshd.policy.model_editors import OFFERED, example, explained
from pysshd.policy.model_schema import records, schema
from tests.policy.editors import seen_text


def test_what_is_offered_is_of_keys_that_there_are_and_never_one_alone() -> None:
    keys = {model.__name__: set(model.key_names()) for model in records()}
    for (model, key), values in OFFERED.items():
        assert key in keys[model]
        assert len(set(values)) > 1


def test_every_pattern_says_in_words_what_is_expected() -> None:
    silent = list(patterns(schema()["properties"])) + list(patterns(schema()["definitions"]))
    assert silent == []


def patterns(node: object) -> list[object]:
    """The schemas with a pattern and no words."""
    if isinstance(node, list):
        return [found for one in node for found in patterns(one)]
    if not isinstance(node, dict):
        return []
    below = [found for key, one in node.items() if key != "properties" for found in patterns(one)]
    below += [found for one in node.get("properties", {}).values() for found in patterns(one)]
    silent = isinstance(node.get("pattern"), str) and not node.get("patternErrorMessage", "").startswith("expected ")
    return [*below, *([node] if silent else [])]


def test_words_of_a_pattern() -> None:
    shape = {"anyOf": [{"pattern": "x"}, {"items": {"pattern": "y"}}, True]}
    assert explained(shape, "an x") == {
        "anyOf": [
            {"pattern": "x", "patternErrorMessage": "expected an x"},
            {"items": {"pattern": "y", "patternErrorMessage": "expected an x"}},
            True,
        ]
    }
    # A key of this name is no pattern.
    assert explained({"properties": {"pattern": {"type": "string"}}}, "an x") == {
        "properties": {"pattern": {"type": "string"}}
    }


@pytest.mark.parametrize(("text", "said"), [("a", " For example: a"), ("", ""), ("a" * 81, "")])
def test_examples_that_help(text: str, said: str) -> None:
    assert example(text) == said


def test_every_example_that_is_told_is_one_line() -> None:
    for found in schema()["definitions"].values():
        for one in found["properties"].values():
            assert "\n" not in one["description"]
    assert seen_text("version: 1") == {"version": 1}
