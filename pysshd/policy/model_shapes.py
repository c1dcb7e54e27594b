"""The shapes of single values, for editors: what each validator of a field takes, as JSON Schema and in words.

A schema knows less than the validator: it lets pass much that `check` refuses, and should not refuse what `check`
takes. Texts that look like numbers are numbers to other readers of YAML, so that a text may be one; one that looks like
a truth value has to stand between quotes for them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pysshd.patterns import names
from pysshd.policy.login_settings import KEY_OPTIONS, LOG_LEVELS, TOUCH
from pysshd.policy.model_include import INCLUDABLE
from pysshd.policy.rights_sftp import RIGHTS
from pysshd.policy.settings import SHARED_WITH_SYSTEM
from pysshd.policy.steps import METHODS
from pysshd.policy.weekly import DAYS
from pysshd.records import dataclass

Schema: TypeAlias = dict[str, Any]

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}"
_SPAN: Final = r"^(?=.)(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?$"
_SIZE: Final = r"^\d{1,15}(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$"
_MOMENT: Final = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$"
_DAY: Final = f"({'|'.join(DAYS)})"
_METHOD: Final = f"({'|'.join(METHODS)})"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field takes. words: for the reference; schema: JSON Schema, draft 7."""

    words: str
    schema: Schema


def text(words: str, pattern: str = "", **more: object) -> Shape:
    """A text; one that is only digits is a number to other readers."""
    schema: Schema = {"type": ["string", "number"], "minLength": 1} if not pattern else {
        "type": ["string", "number"], "pattern": pattern}  # fmt: skip
    return Shape(words, schema | more)


def count(words: str, least: int, most: int) -> Shape:
    """A whole number, between quotes too."""
    return Shape(words, {"type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": r"^\d+$"})


def many(one: Schema) -> Schema:
    """One value, or a list of them."""
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def table(key: str, value: Schema) -> Schema:
    """Names that the file chooses, and what stands behind each."""
    return {"type": "object", "patternProperties": {key: value}, "additionalProperties": False, "minProperties": 1}


TRUE: Final = Shape("`true`", {"const": True})
_WORD: Final[Schema] = {"type": ["string", "number"], "minLength": 1}
_ARGV: Final[Schema] = {"anyOf": [{"type": ["string", "number"], "pattern": "^[^ ]+$"},
                                  {"type": "array", "items": _WORD, "minItems": 1}]}  # fmt: skip
_SUBSYSTEM: Final = r"^[A-Za-z0-9._@+][A-Za-z0-9._@-]{0,63}$"
_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
_SIGNALS: Final[Schema] = {"enum": [*sorted(names.SIGNALS), names.BREAK]}
_PATHS: Final = many(_WORD)

_SLOT: Final[Schema] = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False,
                        "properties": {"enum": many(_WORD), "regex": _WORD, "path_under": _WORD}}  # fmt: skip
_COMMAND: Final[Schema] = {"type": "array", "minItems": 1, "items": {"anyOf": [_WORD, _SLOT]}}
_EXEC_LIST: Final = _COMMAND
_PROFILE: Final[Schema] = {"type": "object", "required": ["profile", "paths"], "properties": {"profile": _WORD}}
SHAPES: Final[Mapping[str, Shape]] = {
    "fields.name": text("a name", f"^{_NAME}$"),
    "fields.moment": text("a date or an instant", _MOMENT),
    "fields.path": text("a path"),
    "fields.absolute_path": text("an absolute path", "^/"),
    "reading.text": text("a text"),
    "reading.true": TRUE,
    "fields_login.who": text('`NAME`, `group:NAME`, `system-group:NAME`, `key:NAME`, `key:SHA256:…` or `"*"`',
                             r"^(\*|((group|system-group|key|authority|principal|extension):)?[^\s:]\S*)$"),
    "fields_login.methods": text("a chain of methods", f"^{_METHOD}(\\+{_METHOD}){{0,3}}$"),
    "fields_login.password": text("an argon2id hash", r"^\$argon2id\$"),
    "fields_login.public_key": text("a public key", r"^\S+\s+\S"),
    "fields_login.key_options": text("options of authorized_keys", r"^[A-Za-z]"),
    "fields_login.least_uid": count("a whole number", 1, 999_999_999),
    "fields_places.place": text("an address, a prefix or the name of a network"),
    "fields_places.address": text("an address or a prefix"),
    "fields_places.listen": text("an address and a port", r"^(\*|\[[0-9A-Fa-f:.]+\]|[0-9.]+):\d{1,5}$"),
    "fields_programs.argv": Shape("a list of words", _ARGV),
    "fields_programs.shell": Shape("`true`, or a list of words", {"anyOf": [{"const": True}, _ARGV]}),
    "fields_programs.variable_pattern": text("a pattern of variables", r"^[A-Za-z_*?][A-Za-z0-9_*?]*$"),
    "fields_programs.settings_of_env": Shape("variables and their values", table(_VARIABLE, _WORD)),
    "fields_programs.subsystem_programs": Shape("names and their programs", table(_SUBSYSTEM, _ARGV)),
    "fields_programs.subsystem_names": Shape("names", {
        "anyOf": [table(_SUBSYSTEM, _ARGV), {"type": "string", "pattern": _SUBSYSTEM},
                  {"type": "array", "items": {"type": "string", "pattern": _SUBSYSTEM}, "minItems": 1}]}),
    "fields_sftp.folder": text("a path of the host, absolute or below `{home}`", r"^(/|\{home\})"),
    "fields_sftp.mounts": Shape("places of the tree and folders", table("^/", {
        "type": ["string", "number"], "pattern": r"^(/|\{home\})"})),
    "fields_sftp.paths": Shape("patterns of paths and rights", table("^/", many({"enum": ["all", *RIGHTS]}))),
    "fields.name_pattern": text("a pattern of names", r"^[A-Za-z0-9._@*?-]{1,64}$"),
    "fields.default_account": text("a name, or `{user}`"),
    "fields.default_home": text("an absolute path, with `{user}` in it", "^/"),
    "fields_time.timezone": text("a time zone of the IANA database"),
    "fields_time.days": text("a day, or a range of days", f"^{_DAY}(-{_DAY})?$"),
    "fields_time.hours": text("hours of a day", r"^\d\d:\d\d-\d\d:\d\d$"),
    "fields_places.client": text("a pattern of the client's version"),
    "model_settings._log_level": Shape("a level of the log", {"enum": [*LOG_LEVELS]}),
    "model_settings._key_option": Shape("an option of keys", {"enum": [*KEY_OPTIONS]}),
    "model_settings._touch": Shape("what a key of a device must show", {"enum": [*TOUCH]}),
    "model_authorities._person": Shape("`key_id` or `principal`", {"enum": ["key_id", "principal"]}),
    "model_authorities._accounts": Shape("accounts, and the principals that may use them", table(".", many(_WORD))),
    "fields_forward.destination": text("a host and ports", ".:."),
    "fields_forward.listener": text("an address and ports", ".:."),
    "fields_forward.socket_path": text("a path, absolute or below `{home}`", r"^(/|\{home\}/)"),
    "fields_forward.global_request": text("the name of a global request", r"^\S+$"),
    "fields_commands.exec_item": Shape(
        "`any`, a pattern of words, a list of words and slots, `{literal: …}` or `{profile: …}`",
        {"anyOf": [_WORD, _EXEC_LIST, {"type": "object", "properties": {"literal": _WORD}, "required": ["literal"],
                                       "additionalProperties": False}, _PROFILE]}),
    "fields_commands.file_mask": text("three octal digits", "^0?[0-7]{3}$"),
    "fields_commands.folder": text("a path, absolute or below `{home}`", r"^(/|\{home\})"),
    "model_bounds._amount.<locals>.read": text("an amount"),
    "model_bounds._per": Shape("`channel`, `connection`, `source` or `all`",
                               {"enum": ["channel", "connection", "source", "all"]}),
    "model_bounds._record": Shape("`off`, `on` or `required`", {"enum": ["off", "on", "required"]}),
    "model_tests._request": Shape("a verb and the rest, or `{verb: rest}`", {
        "anyOf": [_WORD, {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _WORD}]}),
    "model_tests._address": text("an address"),
    "model_tests._instant": text("an instant with its offset", r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d"),
    "model_tests._system_groups": Shape("names of groups of the host, or `none`", many(_WORD)),
    "model_tests._resolve": Shape("names of hosts and their addresses", table(".", many(_WORD))),
    "model_tests._critical": Shape("critical options and their values", table(".", _WORD)),
    "model_tests._refused": text("a chain of methods, or `any`"),
    "model_entries._signals": Shape("names of signals, or `none`", {
        "anyOf": [{"const": "none"}, _SIGNALS, {"type": "array", "items": _SIGNALS, "minItems": 1}]}),
    "model_include._files": text("a path, or a pattern of paths", r"^([^*\[\]{}\\]|\*(?!\*))*[^/\[\]{}\\]$"),
    "model_include._section": Shape(f"a section: {', '.join(f'`{name}`' for name in INCLUDABLE)}",
                                    {"enum": [*INCLUDABLE]}),
    "model_listen._banner": text("a text", maxLength=8192),
    "model_listen._version_addendum": text("printable ASCII", maxLength=200),
    "model_listen._host_keys": Shape("files, or `{directory, files, certificates}`", {
        "anyOf": [{"type": "object", "properties": {"directory": _WORD, "files": _PATHS, "certificates": _PATHS},
                   "additionalProperties": False, "minProperties": 1}, _PATHS]}),
    "model_settings._interface": text("`module:Class`", r"^[^:\s]+:[^:\s]+$"),
    "model_settings._risk": Shape("a name of a risk", {"enum": [SHARED_WITH_SYSTEM]}),
    "model_settings._percent": text("a share", r"^\d{1,3}%$"),
    "model_settings._rekey_bytes": text("a size from 1MiB to 64GiB", _SIZE),
    "model_algorithms.lists": Shape("a list of names, or an edit", {
        "anyOf": [{"type": "string", "minLength": 1},
                  {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}]}),
    "model_sources._directory": text("a folder, and one `*` for the name of each person", r"^[^*]*\*[^*/]*$"),
    "model_sources._program": Shape("words of a program, the first an absolute path", many(_WORD)),
    "model_sources._key_path": text("a path below `~/`, or an absolute one with `{user}`", "^(~/|/)"),
}  # fmt: skip
"""Each validator of a value, as `module.function`. A field whose validator is none of these fails a test."""

OR_ELSE: Final[Mapping[str, Shape | None]] = {
    "model_settings._key": SHAPES["fields_login.public_key"],
    "model_listen._entry": SHAPES["fields_places.listen"],
    "model_entries._deny": Shape("`all`", {"const": "all"}),
    "model_settings._keepalive": text("a span of time", _SPAN),
    "model_authorities._key": text("a public key, or a file of keys"),
    "model_when._when": None,
    "model_sftp._sftp": None,
}
"""What may stand in the place of a record, by the validator that reads it so; None: nothing else."""

KINDS: Final[Mapping[str, Callable[[Any], Shape]]] = {
    "model_settings._Count": lambda found: count(
        f"a whole number from {found.least} to {found.most}", found.least, found.most
    ),
    "fields_time.Span": lambda found: text(f"a span of time from {found.least}s to {found.most}s", _SPAN),
}
"""Validators that are objects, by their class."""


def key_of(validator: object) -> str:
    """How the tables call a validator: the last part of its module, and its name."""
    named = validator if hasattr(validator, "__qualname__") else type(validator)
    return f"{named.__module__.rpartition('.')[2]}.{named.__qualname__}"


def shape_of(validator: object) -> Shape | None:
    """The shape of what a validator takes, or None where no table has it."""
    key = key_of(validator)
    return KINDS[key](validator) if key in KINDS else SHAPES.get(key)


__all__ = ["KINDS", "OR_ELSE", "SHAPES", "TRUE", "Schema", "Shape", "key_of", "many", "shape_of", "table"]
