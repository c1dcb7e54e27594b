"""Words with slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.templates import TemplateError, parse_template

VALUES = {"user": "alice", "account": "git", "home": "/home/alice/"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{user}", "alice"),
        ("/srv/{user}/{account}", "/srv/alice/git"),
        ("{{user}}", "{user}"),
        ("{{{user}}}", "{alice}"),
        ("a{{b", "a{b"),
        ("{key}", None),
        ("{source}", None),
        ("{home}", "/home/alice"),
        ("{home}/x", "/home/alice/x"),
    ],
)
def test_fill(text: str, word: str | None) -> None:
    assert parse_template(text).fill(VALUES) == word


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "begins none of"),
        ("}", "closes nothing"),
        ("{foo}", "begins none of"),
        ("{user", "begins none of"),
        ("{}", "begins none of"),
        ("{ user}", "begins none of"),
        ("x{home}", "may only begin a path"),
        ("{home}x", "may only begin a path"),
        ("{user}/{home}", "may only begin a path"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        parse_template(text)


@given(st.text())
def test_doubled_braces_are_text(text: str) -> None:
    template = parse_template(text.replace("{", "{{").replace("}", "}}"))
    assert template.fill({}) == text
    assert parse_template(str(template)) == template


@given(st.text())
def test_values_are_never_read_again(value: str) -> None:
    assert parse_template("<{user}>").fill({"user": value}) == f"<{value}>"
