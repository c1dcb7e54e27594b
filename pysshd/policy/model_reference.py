"""The reference of the language: every key with its type, default, unit, meaning and an example, from the models."""

from collections.abc import Iterable, Iterator
from typing import Final

from pysshd.policy.model_meanings import SECTIONS as SECTION_MEANINGS
from pysshd.policy.model_meanings import Meaning
from pysshd.policy.model_schema import Section, fields_of, meaning, records, sections, title
from pysshd.policy.reading import Record

_HEAD: Final = """\
# Reference of the policy file

Every key of the language, as the models of this version read it. `pysshd schema --reference` prints this page, and
`pysshd schema` the same as JSON Schema for editors. [policy.md](policy.md) says how it all fits together.

A key that is marked *unserved* is read, judged and decided, and this version of the daemon can not do what it asks for
yet: `pysshd check` refuses the file by name, `pysshd check --language` judges the rest of it.
"""
_COLUMNS: Final = ("key", "type", "unit", "absent", "meaning", "example")


def reference() -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_document(), *(line for model in records() for line in _record(model))])


def _document() -> Iterator[str]:
    yield "## The document"
    yield ""
    yield from _table(
        _row(section.key, _section_type(section), section.key == "version", SECTION_MEANINGS.get(section.key))
        for section in sections()
    )


def _section_type(section: Section) -> str:
    if section.record is None:
        return section.shape.words
    return f"{section.shape.words}: {_link(section.record)}"


def _link(model: type[Record]) -> str:
    return f"[{title(model)}](#{title(model)})"


def _record(model: type[Record]) -> Iterator[str]:
    yield f"## {title(model)}"
    yield ""
    yield _lead(model)
    yield ""
    rows = [
        _row(field.key, field.shape.words, field.required, meaning(model, field.key), field.key in model.unserved)
        for field in fields_of(model)
    ]
    yield from _table(rows)


def _lead(model: type[Record]) -> str:
    """The first paragraph of what the model says of itself, or of its section where it only names that."""
    own = (model.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")
    section = SECTION_MEANINGS.get(own.strip("`."))
    return f"{section.text}." if section is not None else own


def _row(key: str, kind: str, required: bool, meant: Meaning | None, unserved: bool = False) -> tuple[str, ...]:
    found = meant or Meaning("", "")
    absent = "must be there" if required else found.default
    mark = " *(unserved)*" if unserved else ""
    return f"`{key}`{mark}", kind, found.unit, absent, found.text, f"`{found.example}`"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|{'---|' * len(_COLUMNS)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
