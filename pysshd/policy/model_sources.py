"""The model of `sources`: directories of people beside those of `users`: the host, a folder of keys, a program."""

import posixpath
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pysshd.patterns import names
from pysshd.policy.fields import Name, path
from pysshd.policy.fields_login import LeastUid
from pysshd.policy.fields_programs import Argv, argv
from pysshd.policy.fields_time import Span
from pysshd.policy.reading import Many, Record, Text, bad, scalar, text
from pysshd.policy.report import Report, show
from pysshd.policy.validators import PlainValidator

_SLOT: Final = "{user}"

TIMEOUT_LEAST: Final = 1
TIMEOUT_MOST: Final = 30
"""Seconds that a program may be given: a login waits for it, with the limit of `login_grace`."""

_SLOTS_OF_A_PROGRAM: Final = frozenset(["user", "account"])


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


def _directory(node: object) -> Text:
    """`FOLDER/*.pub`: the files whose names are those of people; returned absolute where the policy is a file."""
    found = text(node)
    before, star, after = found.text.rpartition("/")[2].partition("*")
    folder = found.text[: len(found.text) - len(before + star + after)]
    if not star or any(char in folder + before + after for char in "*?[]{}"):
        raise bad(f"found {show(found.text)}, expected a folder and one '*' for the name of each person, such as "
                  "'keys/*.pub'")  # fmt: skip
    # Of all texts that a star could stand for, names are those that are meant.
    if not names.is_name(f"x{after}") or (before and not names.is_name(f"{before}x")):
        raise bad(f"found {show(found.text)}, expected letters, digits and ._@- before and behind the '*'")
    return path(node)


def _program(node: object) -> Argv:
    """The words of a program that is asked for keys; `{user}` and `{account}` in them are names."""
    found = argv(node)
    program = found.words[0].parts[0]
    if not program.startswith("/") or any(part in ("", ".", "..") for part in program.split("/")[1:]):
        raise bad(f"found {show(program)}, expected the absolute path of a program, without empty parts, '.' and '..'")
    other = sorted({slot for word in found.words for slot in word.slots} - _SLOTS_OF_A_PROGRAM)
    if other:
        raise bad(f"{{{other[0]}}} in the words of a program that is asked for keys, expected {{user}} and {{account}}",
                  "it is asked once for each connection, for all keys of a person")  # fmt: skip
    if not any("user" in word.slots for word in found.words):
        raise bad("found a program that is not told whose keys are asked for: they would be everybody's",
                  f"add the word '{_SLOT}', the name of the person")  # fmt: skip
    return found


Directory: TypeAlias = Annotated[Text, PlainValidator(_directory)]
Program: TypeAlias = Annotated[Argv, PlainValidator(_program)]
Timeout: TypeAlias = Annotated[float, PlainValidator(Span(TIMEOUT_LEAST, TIMEOUT_MOST, "5s"))]


class SourceKeysModel(Record):
    """An item of `keys` of a source: a file of each person, or a program that is asked."""

    example: ClassVar[str] = "{authorized_keys: ~/.ssh/authorized_keys}"
    never: ClassVar[Mapping[str, str]] = {
        "file": "its keys would open every account; write authorized_keys: with {user} in the path, or put the key to "
        "its person in users",
        "directory": "write {authorized_keys: /FOLDER/{user}.pub} for a file of each account, or a source of its own: "
        "sources: [{directory: FOLDER/*.pub}]",
    }

    authorized_keys: KeyPath | None = None
    command: Program | None = None
    run_as: Name | None = None
    timeout: Timeout | None = None


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
    """An item of `sources`: of one of three kinds, `system`, `directory` or `command`."""

    example: ClassVar[str] = "{system: {min_uid: 1000}}"
    later: ClassVar[frozenset[str]] = frozenset(["totp", "certificates", "pam"])

    system: SystemModel | None = None
    directory: Directory | None = None
    command: Program | None = None
    run_as: Name | None = None
    timeout: Timeout | None = None
    groups: Many[Name] | None = None
    keys: Many[SourceKeysModel] | None = None
    password: Annotated[Literal["system"] | None, PlainValidator(_system)] = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it says it is."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def asking(self) -> tuple["SourceModel | SourceKeysModel", ...]:
        """What of it asks a program: itself, or items of its keys."""
        every: list[SourceModel | SourceKeysModel] = [self, *(self.keys or ())]
        return tuple(one for one in every if one.command is not None)


KINDS: Final = ("system", "directory", "command")
"""What a source can be."""


def check_source(source: SourceModel, report: Report) -> None:
    """Report what does not stand together in a source of one kind."""
    for key in ("keys", "password"):
        if source.system is None and getattr(source, key) is not None:
            report.error(source.mark_of(key), f"{key} beside {source.kinds[0]}, expected it beside system: it is of "
                                              "the host's people")  # fmt: skip
    _check_program(source, report)
    for item in source.keys or ():
        if (item.authorized_keys is None) == (item.command is None):
            report.error(item.mark, "an item of keys needs either authorized_keys or command, and not both")
        else:
            _check_program(item, report)


def _check_program(found: SourceModel | SourceKeysModel, report: Report) -> None:
    for key in ("run_as", "timeout"):
        if found.command is None and getattr(found, key) is not None:
            report.error(found.mark_of(key), f"{key} without command: it is of a program that is asked for keys")
