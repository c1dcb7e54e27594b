"""Between the tree and the models: models read nodes, and what pydantic says of them becomes problems with places.

A field's validator takes a node and returns a value of its own type, so no text is ever guessed at. Every record is
validated by itself: one that fails is left out, and the others are still checked against each other.
"""

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from pysshd.policy.nodes import Broken, Mapping, Node, Scalar, Sequence, kind_of
from pysshd.policy.other_words import colon_without_blank, of_sshd
from pysshd.policy.problems import Mark
from pysshd.policy.report import NOT_YET, Report, is_secret_key, meant, show
from pysshd.records import dataclass

T = TypeVar("T")
M = TypeVar("M", bound="Record")

_NO_RECORDS = (
    "pysshd writes no records of logins but its own log; leave it to pam_lastlog2 or systemd-logind of the host"
)
LOGIN_RECORDS: MappingOf[str, str] = dict.fromkeys(("utmp", "wtmp", "lastlog", "last_login"), _NO_RECORDS)
"""Keys that somebody may look for and that no version will serve, and why."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the document, and where it stands."""

    text: str
    mark: Mark


def bad(message: str, hint: str = "", mark: Mark | None = None) -> PydanticCustomError:
    """The error of a validator: what was found and what was expected; `mark` where it is a part of the node."""
    return PydanticCustomError("policy", "{message}", {"message": message, "hint": hint, "mark": mark})


def silent() -> PydanticCustomError:
    """The error of a validator about a node that was already complained of."""
    return PydanticCustomError("silent", "already reported")


def scalar(node: object, expected: str = "a text") -> Scalar:
    """The node as a scalar with a value, or an error."""
    if isinstance(node, Broken):
        raise silent()
    if not isinstance(node, Scalar):
        message = f"found {kind_of(node)}, expected {expected}"  # type: ignore[arg-type]
        raise bad(message, braces_without_quotes(node), _mark(node))
    if node.is_null:
        raise bad(f"found nothing, expected {expected}", "leave the key out where nothing is meant", node.mark)
    if not node.text:
        raise bad(f"found an empty text, expected {expected}", "leave the key out where nothing is meant", node.mark)
    if node.is_false:
        raise bad(f"found false, expected {expected}", "leave the key out; false is never 'no' here", node.mark)
    return node


def braces_without_quotes(node: object) -> str:
    """What to do about `{user}` without quotes, which YAML takes for a mapping; or ""."""
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        return ""
    [(key, value)] = node.entries
    is_slot = isinstance(value, Scalar) and not value.text and value.plain
    return f'a text that begins with a brace stands between quotes: "{{{key.text}}}"' if is_slot else ""


def _mark(node: object) -> Mark | None:
    return node.mark if isinstance(node, Sequence | Mapping) else None


def text(node: object) -> Text:
    """A text that is not empty."""
    found = scalar(node)
    return Text(found.text, found.mark)


_YES_AND_NO: Final = {
    **dict.fromkeys(("no", "off", "n", "false"), "leave the key out; false is never 'no' here"),
    **dict.fromkeys(("yes", "on", "y", "true"), "write true, without quotes; leave the key out where it is not meant"),
}
"""What to do about other words for true, and for what is said by leaving a key out."""


def true(node: object) -> bool:
    """The word `true`; nothing else is."""
    found = scalar(node, "true")
    if not found.plain or found.text != "true":
        raise bad(f"found {show(found.text)}, expected true", _YES_AND_NO.get(found.text.lower(), ""))
    return True


def items(node: object) -> tuple[Node, ...]:
    """One value stands for a list of one; an empty list is an error."""
    if isinstance(node, Sequence):
        return listed(node)
    if isinstance(node, Scalar):
        scalar(node, "a value or a list")
    return (node,)  # type: ignore[return-value]


def listed(node: object) -> tuple[Node, ...]:
    """The items of a list, which must not be empty."""
    if isinstance(node, Broken):
        raise silent()
    if not isinstance(node, Sequence):
        is_item = isinstance(node, Mapping) and node.entries
        hint = "write '- ' in front of each item, or put it between [ and ]" if is_item else ""
        raise bad(f"found {kind_of(node)}, expected a list", hint)  # type: ignore[arg-type]
    if not node.items:
        raise bad("found an empty list, expected at least one item", "leave the key out where nothing is meant")
    return node.items


def mapped(node: object, expected: str = "keys and values") -> Mapping:
    """The node as a mapping, which must not be empty."""
    if isinstance(node, Broken):
        raise silent()
    if not isinstance(node, Mapping):
        raise bad(f"found {kind_of(node)}, expected {expected}")  # type: ignore[arg-type]
    if not node.entries:
        raise bad(f"found an empty mapping, expected {expected}", "leave the key out where nothing is meant")
    return node


Many: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(items)]


_NOT_TOLD: Final[set[str]] = set()


@dataclass(slots=True)
class Reading:
    """What validation carries along: which model read which mapping, and behind which a secret may go on."""

    models: dict[int, type["Record"]] = field(default_factory=dict)
    behind_a_secret: dict[int, bool] = field(default_factory=dict)
    unserved: list[Scalar] = field(default_factory=list)
    """Keys of the language for which the daemon has no capability yet."""


class Record(BaseModel):
    """A mapping of the document, read key by key.

    later: keys of the language that this version does not read, refused by name.
    unserved: keys that are read and judged, and for which this version of the daemon has no capability: a file that has
        one is good, but is not served.
    never: keys that somebody may look for and that are no part of the language, and what to do instead.
    elsewhere: keys of another record that somebody may look for here, and what to write.
    example: a short one, to be told where something else stands in its place.
    needed: keys that must be there, and what to write where one is missing.
    whole: whether its node is kept with all that is in it, which is shown to somebody; else the places of its keys are.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,
    )
    # A private attribute of pydantic's would be a mapping of its own for each of thousands of records.
    __slots__ = ("_node",)
    if TYPE_CHECKING:
        _node: Mapping
    later: ClassVar[frozenset[str]] = frozenset()
    unserved: ClassVar[frozenset[str]] = frozenset()
    never: ClassVar[MappingOf[str, str]] = {}
    elsewhere: ClassVar[MappingOf[str, str]] = {}
    example: ClassVar[str] = ""
    needed: ClassVar[MappingOf[str, str]] = {}
    whole: ClassVar[bool] = False

    @model_validator(mode="wrap")
    @classmethod
    def _open(cls, node: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        found = mapped(node, cls.expected())
        assert isinstance(info.context, Reading)
        info.context.models[id(found)] = cls
        info.context.unserved += [key for key, _ in found.entries if key.text in cls.unserved]
        record = handler({key.text: value for key, value in found.entries})
        object.__setattr__(record, "_node", found if cls.whole else found.outline)
        return record.lean()

    def lean(self) -> Self:
        """The same, without a set of its own of the keys that were given: nobody asks, and a document has thousands."""
        object.__setattr__(self, "__pydantic_fields_set__", _NOT_TOLD)
        return self

    @property
    def node(self) -> Mapping:
        """What it was read from."""
        return self._node

    @property
    def mark(self) -> Mark:
        """Where the record begins."""
        return self._node.mark

    def mark_of(self, key: str) -> Mark:
        """Where a key of the record stands, or where the record begins."""
        return self._node.key_mark(key) or self._node.mark

    @classmethod
    def expected(cls) -> str:
        """What is expected where something else stands in its place."""
        return f"keys and values such as {cls.example}" if cls.example else "keys and values"

    @classmethod
    def key_names(cls) -> tuple[str, ...]:
        """The keys that it may have."""
        return tuple(info.alias or name for name, info in cls.model_fields.items())


def read(model: type[M], node: Node, report: Report, loose: list[Record] | None = None) -> M | None:
    """Read one record; None where it has an error, which is reported.

    loose: takes what could be read of a record with errors, so that what it refers to is still looked up.
    """
    reading = Reading()
    try:
        record = model.model_validate(node, context=reading)
    except ValidationError as error:
        details = error.errors(include_url=False)
    else:
        for key in reading.unserved:
            report.unserved(key.mark, f"key {show(key.text)}")
        return record
    for detail in details:
        _report(detail, node, reading, report)
    if not report.refused:  # never leave a record out without a word
        report.error(node.mark, "the record can not be read")
    if loose is not None and isinstance(node, Mapping):
        failed = {detail["loc"][0] for detail in details if detail["loc"]}
        rest = Mapping(tuple(entry for entry in node.entries if entry[0].text not in failed), node.mark)
        with suppress(ValidationError):
            loose.append(model.model_validate(rest, context=reading))
    return None


def check(node: Node, reader: Callable[[object], T], report: Report) -> T | None:
    """Read one value by its validator; None where it has an error, which is reported."""
    try:
        return reader(node)
    except PydanticCustomError as error:
        if error.type == "policy":
            context: MappingOf[str, Any] = error.context or {}
            report.error(context["mark"] or node.mark, context["message"], context["hint"])
        return None


def _report(detail: ErrorDetails, root: Node, reading: Reading, report: Report) -> None:
    location = detail["loc"]
    kind = detail["type"]
    if kind == "silent":
        return
    if kind == "extra_forbidden":
        owner = _walk(root, location[:-1])
        assert isinstance(owner, Mapping)
        unknown_key(owner, str(location[-1]), reading, report)
        return
    if kind == "missing":
        owner = _walk(root, location[:-1])
        hint = reading.models[id(owner)].needed.get(str(location[-1]), "")
        report.error(owner.mark, f"key {location[-1]!r} is missing", hint)
        return
    context = detail.get("ctx", {})
    message = context.get("message") or f"the value is not as expected: {detail['msg'].lower()}"
    report.error(context.get("mark") or _walk(root, location).mark, message, context.get("hint", ""))


def unknown_key(owner: Mapping, key: str, reading: Reading, report: Report) -> None:
    """Report a key that a record may not have."""
    model = reading.models[id(owner)]
    mark = owner.key_mark(key) or owner.mark
    if key in model.later:
        report.error(mark, f"key {show(key)} {NOT_YET}")
        return
    if key in model.never:
        report.error(mark, f"{show(key)} is not supported: {model.never[key]}")
        return
    known = model.key_names()
    if id(owner) not in reading.behind_a_secret:
        reading.behind_a_secret[id(owner)] = _behind_a_secret(owner)
    if reading.behind_a_secret[id(owner)] and not meant(key, known):
        # Perhaps the tail of a secret without quotes: the key itself must not be told.
        report.error(mark, "unknown key", "is it the rest of a text without quotes that YAML cut at a comma?")
        return
    expected = f", expected one of {', '.join(known)}" if known else ""
    hint = model.elsewhere.get(key) or colon_without_blank(key, known) or of_sshd(key) or meant(key, known)
    report.error(mark, f"unknown key {show(key)}{expected}", hint)


def _behind_a_secret(owner: Mapping) -> bool:
    """Whether a secret without quotes stands in the mapping."""
    return any(is_secret_key(name.text) and isinstance(value, Scalar) and value.plain for name, value in owner.entries)


def _walk(node: Node, location: tuple[int | str, ...]) -> Node:
    for part in location:
        if isinstance(node, Mapping) and isinstance(part, str):
            node = node.get(part) or node
        elif isinstance(node, Sequence) and isinstance(part, int):
            node = node.items[part]
    return node
