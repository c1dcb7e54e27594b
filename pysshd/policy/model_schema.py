"""The JSON Schema of the language, for editors, and a checked description of every key: both made from the models."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, PlainValidator, WrapValidator

from pysshd.policy.model import SECTIONS, VERSION
from pysshd.policy.model_authorities import AuthorityModel
from pysshd.policy.model_editors import example, explained, offered
from pysshd.policy.model_entries import GrantModel, LoginModel, RoleModel
from pysshd.policy.model_include import INCLUDABLE, IncludeModel
from pysshd.policy.model_meanings import MEANINGS, Meaning
from pysshd.policy.model_meanings import SECTIONS as SECTION_MEANINGS
from pysshd.policy.model_settings import CryptoModel, LimitsModel, ServerModel, UserDefaultsModel, UserModel
from pysshd.policy.model_shapes import OR_ELSE, SHAPES, Schema, Shape, key_of, many, shape_of, table
from pysshd.policy.model_sources import SourceModel
from pysshd.policy.model_tests import CaseModel
from pysshd.policy.reading import Record
from pysshd.records import dataclass

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_LINK: Final = re.compile(r"\[([^]]*)\]\([^)]*\)")
_NAME: Final = SHAPES["fields.name"].schema
_NAMED: Final[str] = str(_NAME["pattern"])


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record. missing: validators of which no table knows what they take."""

    key: str
    shape: Shape
    required: bool
    records: tuple[type[Record], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a document: its shape, and the record of each of its entries."""

    key: str
    shape: Shape
    record: type[Record] | None = None


def fields_of(model: type[Record]) -> tuple[Field, ...]:
    """The keys of a record, in their order."""
    hints = get_type_hints(model, include_extras=True)
    found = []
    for name, info in model.model_fields.items():
        walk = _Walk()
        shape = walk.shape(hints[name])
        found.append(Field(info.alias or name, shape, info.is_required(), tuple(walk.records), tuple(walk.missing)))
    return tuple(found)


class _Walk:
    """Goes through the type of a field, and notes the records and the unknown validators in it."""

    def __init__(self) -> None:
        self.records: list[type[Record]] = []
        self.missing: list[str] = []

    def shape(self, hint: Any) -> Shape:
        """The shape of a type."""
        if get_origin(hint) in (Union, UnionType):
            rest = [one for one in get_args(hint) if one is not type(None)]
            return self.shape(rest[0]) if len(rest) == 1 else self._unknown(str(hint))
        if get_origin(hint) is Annotated:
            inner, *validators = get_args(hint)
            return self._annotated(inner, validators)
        if isinstance(hint, type) and issubclass(hint, Record):
            self.records.append(hint)
            return Shape(f"[{title(hint)}](#{title(hint)})", {"$ref": f"#/definitions/{title(hint)}"})
        return self._unknown(str(hint))

    def _annotated(self, inner: Any, validators: list[Any]) -> Shape:
        for validator in validators:
            if isinstance(validator, PlainValidator):
                return self._plain(inner, validator.func)
            if isinstance(validator, WrapValidator):
                return self._wrapped(inner, validator.func)
            if isinstance(validator, BeforeValidator) and get_origin(inner) is tuple:
                one = self.shape(get_args(inner)[0])
                return Shape(f"{one.words}; or a list", many(one.schema))
        return self._unknown(str(inner))

    def _plain(self, inner: Any, validator: object) -> Shape:
        known = shape_of(validator)
        words = _literals(inner)
        if known is None and words:
            return Shape(" or ".join(f"`{word}`" for word in words), {"enum": words})
        return known or self._unknown(key_of(validator))

    def _wrapped(self, inner: Any, validator: object) -> Shape:
        key, record = key_of(validator), self.shape(inner)
        if key not in OR_ELSE:
            return self._unknown(key)
        other = OR_ELSE[key]
        if other is None:
            return record
        return Shape(f"{other.words}, or {record.words}", {"anyOf": [other.schema, record.schema]})

    def _unknown(self, what: str) -> Shape:
        self.missing.append(what)
        return Shape("a value", {})


def _literals(hint: Any) -> list[str]:
    """The words of a type that is one of some words, else none."""
    found = [one for part in get_args(hint) if get_origin(part) is Literal for one in get_args(part)]
    found += list(get_args(hint)) if get_origin(hint) is Literal else []
    return [word for word in found if isinstance(word, str)]


def title(model: type[Record]) -> str:
    """How the schema and the reference call a record."""
    return model.__name__.removesuffix("Model").lower()


def meaning(model: type[Record], key: str) -> Meaning | None:
    """What a key of a record means, or None where nobody has written it down."""
    tables = (MEANINGS[base.__name__] for base in model.__mro__ if base.__name__ in MEANINGS)
    return next((found[key] for found in tables if key in found), None)


def _entries(model: type[Record]) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/definitions/{title(model)}"}, "minItems": 1}


def _record(model: type[Record]) -> Schema:
    return {"$ref": f"#/definitions/{title(model)}"}


def _named(model: type[Record]) -> Schema:
    """Names, and a record behind each, which the help of a name tells of."""
    said = (model.__doc__ or "").strip().partition("\n")[0].replace("`", "")
    return table(_NAMED, {"description": said, "allOf": [_record(model)]})


_ADDRESSES: Final = many(SHAPES["fields_places.address"].schema)

_SECTIONS: Final[Mapping[str, Section]] = {
    section.key: section
    for section in (
        Section("version", Shape(f"`{VERSION}`", {"enum": [int(VERSION), VERSION]})),
        Section("include", Shape("a list", _entries(IncludeModel)), IncludeModel),
        Section("server", Shape("keys and values", _record(ServerModel)), ServerModel),
        Section("crypto", Shape("keys and values", _record(CryptoModel)), CryptoModel),
        Section("limits", Shape("keys and values", _record(LimitsModel)), LimitsModel),
        Section("networks", Shape("names, and addresses or prefixes behind each", table(_NAMED, _ADDRESSES))),
        Section("users", Shape("names, and a person behind each", _named(UserModel)), UserModel),
        Section("groups", Shape("a name; or a list", many(_NAME))),
        Section("sources", Shape("a list", _entries(SourceModel)), SourceModel),
        Section("login", Shape("a list", _entries(LoginModel)), LoginModel),
        Section("user_defaults", Shape("keys and values", _record(UserDefaultsModel)), UserDefaultsModel),
        Section(
            "authorities",
            Shape("names, and an authority behind each", _named(AuthorityModel)),
            AuthorityModel,
        ),
        Section("tests", Shape("a list", _entries(CaseModel)), CaseModel),
        Section("roles", Shape("names, and permissions behind each", _named(RoleModel)), RoleModel),
        Section("grants", Shape("a list", _entries(GrantModel)), GrantModel),
    )
}


def sections() -> Iterator[Section]:
    """The sections of a document, in the order of the language."""
    for key in SECTIONS:
        yield _SECTIONS[key]


def records(names: Collection[str] = SECTIONS) -> tuple[type[Record], ...]:
    """Every record that these sections may have in them, each once, in the order in which they are met."""
    found: dict[type[Record], None] = {}

    def visit(models: Iterable[type[Record]]) -> None:
        for model in models:
            if model not in found:
                found[model] = None
                for field in fields_of(model):
                    visit(field.records)

    visit(section.record for section in sections() if section.record is not None and section.key in names)
    return tuple(found)


def schema() -> Schema:
    """The JSON Schema (draft 7) of a policy's main file."""
    return {"title": "A policy of pysshd", **_of_sections(SECTIONS), "required": ["version"]}


def fragment_schema() -> Schema:
    """The JSON Schema (draft 7) of a file that a policy includes; which of them it may hold, the policy says."""
    return {"title": "An included file of a policy of pysshd", **_of_sections(INCLUDABLE), "minProperties": 1}


def _of_sections(names: Collection[str]) -> Schema:
    properties = {
        section.key: _described(section.shape, SECTION_MEANINGS.get(section.key))
        for section in sections()
        if section.key in names
    }
    return {
        "$schema": DRAFT,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "definitions": {title(model): definition(model) for model in records(names)},
    }


def definition(model: type[Record]) -> Schema:
    """The schema of one record."""
    found = fields_of(model)
    properties = {
        field.key: _described(field.shape, meaning(model, field.key)) | offered(model.__name__, field.key)
        for field in found
    }
    required = [field.key for field in found if field.required]
    return {
        "title": title(model),
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
        "minProperties": 1,
    }


def _described(shape: Shape, meant: Meaning | None) -> Schema:
    """A schema with the words of a key; beside `$ref` nothing counts in draft 7, so that it is wrapped."""
    schema = explained(shape.schema, _LINK.sub(r"\1", shape.words).replace("`", ""))
    if meant is None:
        return dict(schema)
    wrapped = {"allOf": [schema]} if "$ref" in schema else dict(schema)
    default = f" Absent: {meant.default.replace('`', '')}." if meant.default else ""
    unit = f" Unit: {meant.unit}." if meant.unit else ""
    return {"description": f"{meant.text.replace('`', '')}.{unit}{default}{example(meant.example)}", **wrapped}
