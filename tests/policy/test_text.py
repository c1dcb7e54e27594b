"""The bytes of a policy before YAML sees them: every place is told, and no kind of mistake hides another."""

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError


def told(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_text(text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_lines_may_end_as_on_windows() -> None:
    assert load_text("version: 1\r\nserver: {banner: hi}\r\n").ruleset.settings.server.banner == "hi"


def test_a_carriage_return_inside_a_line_is_told_with_its_place() -> None:
    assert told("version: 1\r\n# a\rb\r\n") == ["p.yaml:2:4: a carriage return inside a line is not allowed"]


def test_a_lone_surrogate_is_told_with_its_place() -> None:
    assert told("version: 1\n# \ud800\n") == ["p.yaml:2:3: a lone surrogate is not allowed"]
    assert told("version: 1\n# \udfff\n") == ["p.yaml:2:3: a lone surrogate is not allowed"]


def test_of_each_kind_the_first_five_are_told() -> None:
    found = told("version: 1\n" + "#\t\n" * 9 + "# \x07\n")
    tab = "a tab is not allowed (indent with spaces; in a text between double quotes write \\t)"
    assert found == [
        *(f"p.yaml:{line}:2: {tab}" for line in range(2, 7)),
        "p.yaml:11:3: the control character 0x07 is not allowed",
    ]
