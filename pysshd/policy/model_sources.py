"""The model of `sources`: directories of people beside those of `users`. The host's own is the one that is served."""

import posixpath
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import PlainValidator

from pysshd.policy.fields_login import LeastUid
from pysshd.policy.reading import Many, Record, Text, bad, scalar, text
from pysshd.policy.report import show

_SLOT: Final = "{user}"


def _key_path(node: object) -> Text:
    """`~/PATH`, below the home of the person, or an absolute path, in which `{user}` is the person's name."""
    found = text(node)
    path = found.text
    if not path.startswith(("~/", "/")) or path.endswith("/"):
        raise bad(f"found {show(path)}, expected a path that begins with ~/ or with /, such as ~/.ssh/authorized_keys")
    if any(part in ("", ".", "..") for part in path.split("/")[1:]) or any(ord(char) < 32 for char in path):
        raise bad(f"found {show(path)}, expected a path without empty parts, '.' and '..'")
    bare = path.replace(_SLOT, "")
    if "{" in bare or "}" in bare:
        raise bad(f"found {show(path)}, expected no braces but {_SLOT}")
    if path.startswith("/") and _SLOT not in path:
        raise bad(f"found {show(path)}, which is one file for everyone: its keys would open every account",
                  f"name it for each person, as in {posixpath.join(path, _SLOT)}")  # fmt: skip
    return found


KeyPath: TypeAlias = Annotated[Text, PlainValidator(_key_path)]


class SourceKeysModel(Record):
    """An item of `keys` of a source."""

    example: ClassVar[str] = "{authorized_keys: ~/.ssh/authorized_keys}"
    later: ClassVar[frozenset[str]] = frozenset(["file", "command", "directory"])

    authorized_keys: KeyPath | None = None


class SystemModel(Record):
    """`system`: which of the host's accounts are people."""

    example: ClassVar[str] = "{min_uid: 1000}"
    min_uid: LeastUid | None = None


def _system(node: object) -> Literal["system"]:
    """The word `system`: the host checks the password."""
    found = scalar(node, "system")
    if found.text != "system":
        raise bad("found something else, expected the word system: the host's own password of each person")
    return "system"


class SourceModel(Record):
    """An item of `sources`."""

    example: ClassVar[str] = "{system: {min_uid: 1000}}"
    later: ClassVar[frozenset[str]] = frozenset(
        ["directory", "command", "run_as", "timeout", "totp", "certificates", "groups", "pam"]
    )

    system: SystemModel | None = None
    keys: Many[SourceKeysModel] | None = None
    password: Annotated[Literal["system"] | None, PlainValidator(_system)] = None
