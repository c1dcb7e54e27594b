"""The JSON Schema and the reference: whole, current, and right about what the language takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from jsonschema import Draft7Validator
from pydantic import PlainValidator, WrapValidator

from pysshd.policy.load import load_text
from pysshd.policy.model import SECTIONS, parse_policy
from pysshd.policy.model_include import INCLUDABLE
from pysshd.policy.model_meanings import MEANINGS
from pysshd.policy.model_meanings import SECTIONS as SECTION_MEANINGS
from pysshd.policy.model_reference import reference
from pysshd.policy.model_schema import definition, fields_of, fragment_schema, meaning, records, schema, sections
from pysshd.policy.nodes import Mapping
from pysshd.policy.problems import PolicyError
from pysshd.policy.reading import Record, read
from pysshd.policy.report import Report, Source
from pysshd.policy.tree import read_tree
from tests.docs.pages import ROOT
from tests.policy.documents import DOCUMENTS, Entry, document
from tests.policy.editors import seen_text

VALIDATOR = Draft7Validator(schema())
CONFIGS = sorted((ROOT / "config").glob("**/*.yaml"))

KNOWN_TO_A_SCHEMA = (
    "accounts_typo",
    "empty_conditions",
    "empty_sections",
    "false_is_not_no",
    "grant_names",
    "include_forms",
    "include_no_list",
    "key_entry",
    "limits_values",
    "listen_forms",
    "methods",
    "not_a_mapping",
    "null_conditions",
    "password_in_clear",
    "password_other_kind",
    "role_argv",
    "role_exec",
    "role_values",
    "server_values",
    "sources_forms",
    "startups_missing",
    "unknown_section",
    "user_name",
    "user_password_typo",
    "user_unknown_key",
    "version_addendum_long",
    "version_missing",
    "version_two",
    "who_forms",
)
"""Broken files whose fault is one of form."""


def subclasses(model: type[Record]) -> Iterator[type[Record]]:
    for one in model.__subclasses__():
        if one.__module__.startswith("pysshd."):
            yield one
            yield from subclasses(one)


def complaints(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(seen_text(text))]


def test_it_is_a_schema_of_draft_7() -> None:
    found = schema()
    Draft7Validator.check_schema(found)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_every_section_and_every_record_is_in_it() -> None:
    assert [section.key for section in sections()] == list(SECTIONS) == list(schema()["properties"])
    assert [section.key for section in sections() if not section.shape.schema] == []
    assert set(SECTION_MEANINGS) == set(SECTIONS)
    # Those from which others are made are in it by these.
    assert set(subclasses(Record)) - set(records()) <= {one for one in subclasses(Record) if one.__subclasses__()}


@pytest.mark.parametrize("model", records(), ids=lambda model: model.__name__)
def test_every_key_has_a_shape_and_a_meaning(model: type[Record]) -> None:
    for field in fields_of(model):
        assert not field.missing, f"{model.__name__}.{field.key}: add {field.missing} to model_shapes.py"
        assert meaning(model, field.key), f"{model.__name__}.{field.key}: add it to model_meanings.py"


def test_no_meaning_is_of_a_key_that_is_gone() -> None:
    models = {model.__name__: model for model in subclasses(Record)}
    for name, meanings in MEANINGS.items():
        assert set(meanings) <= set(models[name].key_names())


EXAMPLES = [(model, field.key) for model in records() for field in fields_of(model)]


@pytest.mark.parametrize(("model", "key"), EXAMPLES, ids=lambda value: getattr(value, "__name__", value))
def test_every_example_is_right(model: type[Record], key: str) -> None:
    found = meaning(model, key)
    assert found is not None
    if found.example == "{}":  # there is nothing yet that may stand in it
        return
    text = f"{key}: {found.example}"
    report = Report()
    tree = read_tree(Source("example", text), report)
    assert isinstance(tree, Mapping)
    read(model, tree, report)
    needed = {field.key for field in fields_of(model) if field.required} - {key}
    assert [p.message for p in report.problems if p.severity == "error"] == [
        f"key {one!r} is missing" for one in model.key_names() if one in needed
    ]
    (field,) = (field for field in fields_of(model) if field.key == key)
    own = Draft7Validator({"definitions": schema()["definitions"], "allOf": [field.shape.schema]})
    assert [error.message for error in own.iter_errors(seen_text(text)[key])] == []


@pytest.mark.parametrize("key", SECTIONS)
def test_every_example_of_a_section_is_right(key: str) -> None:
    text = f"{key}: {SECTION_MEANINGS[key].example}\n"
    whole = text if key == "version" else f"version: 1\n{text}"
    report = Report()
    tree = read_tree(Source("example", whole), report)
    assert tree is not None
    parse_policy(tree, report)
    assert [problem.message for problem in report.problems if problem.severity == "error"] == []
    assert complaints(whole) == []


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_the_examples_of_config_validate(file: Path) -> None:
    assert complaints(file.read_text("utf-8")) == []


@given(DOCUMENTS)
def test_what_check_takes_the_schema_takes(drawn: tuple[str, list[Entry]]) -> None:
    text = document(*drawn)
    try:
        load_text(text, language=True)
    except PolicyError:
        return
    assert complaints(text) == []


def test_the_schema_of_included_files() -> None:
    found = fragment_schema()
    Draft7Validator.check_schema(found)
    assert list(found["properties"]) == [key for key in SECTIONS if key in INCLUDABLE]
    assert set(found["definitions"]) < set(schema()["definitions"])
    validator = Draft7Validator(found)
    for text in (
        "users: {alice: {groups: ops}}",
        "roles: {r: {exec: ls}}\ngroups: ops",
        "tests: [{as: a, from: 10.0.0.1}]",
    ):
        assert validator.is_valid(seen_text(text)), text
    for text in (
        "version: 1",
        "{}",
        "include: [{files: x, may: users}]",
        "login: [{methods: none}]",
        "users: {a: {x: 1}}",
    ):
        assert not validator.is_valid(seen_text(text)), text


@pytest.mark.parametrize("name", KNOWN_TO_A_SCHEMA)
def test_what_a_schema_can_know_is_refused(name: str) -> None:
    assert complaints((ROOT / "tests" / "policy" / "broken" / f"{name}.yaml").read_text("utf-8"))


def test_the_words_of_a_key_are_shown_by_editors() -> None:
    definitions = schema()["definitions"]
    assert definitions["server"]["properties"]["accounts"]["enum"] == ["service", "system"]
    assert "Unit: uid. Absent: 1000." in definitions["server"]["properties"]["min_uid"]["description"]
    assert definitions["limits"]["properties"]["startups"]["allOf"] == [{"$ref": "#/definitions/startups"}]
    assert definitions["startups"]["required"] == ["start", "rate", "full"]


class Inner(Record):
    """A record of this test."""


class Odd(Record):
    """Fields of whose values no table has a shape."""

    plain: Annotated[str, PlainValidator(lambda node: "")]
    wrapped: Annotated[Inner, WrapValidator(lambda node, handler: node)]
    either: int | str
    lone: int
    noted: Annotated[int, "a note"]


def test_a_field_without_a_shape_is_missed() -> None:
    assert [bool(field.missing) for field in fields_of(Odd)] == [True] * 5
    assert meaning(Odd, "plain") is None
    assert "description" not in definition(Odd)["properties"]["plain"]


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == reference(), (
        "renew it: pysshd schema --reference > docs/reference.md"
    )


def test_the_schema_that_editors_are_pointed_at_is_current() -> None:
    assert json.loads((ROOT / "docs" / "policy.schema.json").read_text("utf-8")) == schema(), (
        "renew it: pysshd schema > docs/policy.schema.json"
    )
