"""The types of the items of `exec`: what commands a permission speaks of.

An item is a text (`any`, or words), a list (the words of one command, some of them slots), or a mapping
(`{literal: …}`, `{profile: …}`). A list directly behind `exec` is always a list of items.
"""

import re
from collections.abc import Callable
from typing import Final, Literal

from pysshd.patterns.regex import RegexError, parse_regex
from pysshd.patterns.slots import HOME, EnumSlot, PathSlot, RegexSlot, Slot
from pysshd.patterns.words import (
    SlotWord,
    WordForm,
    WordPattern,
    WordsError,
    WordsPattern,
    is_askable,
    parse_word,
    parse_words,
    words_of,
)
from pysshd.policy import profiles
from pysshd.policy.nodes import Mapping, Node, Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.profile import Profile
from pysshd.policy.reading import bad, braces_without_quotes, items, listed, mapped, scalar, true
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.templates import Template, TemplateError, parse_template
from pysshd.policy.values import size
from pysshd.records import dataclass

_LEAST_QUOTA: Final = 10_000_000
_SLOTS: Final = ("enum", "regex", "path_under")
_HOME: Final = f"{{{HOME}}}"
_IN_A_LIST: Final = 'the words of one command are a list of their own: exec: [[tail, -n, {regex: "[0-9]+"}]]'


@dataclass(frozen=True, slots=True)
class ExecItem:
    """One item of `exec`: anything, a pattern of words, equal bytes, or a profile."""

    kind: Literal["any", "words", "literal", "profile"]
    source: str
    mark: Mark
    words: WordsPattern | None = None
    profile: Profile | None = None


def exec_item(node: object) -> ExecItem:
    """`any`, a pattern of words, a list of words and slots, `{literal: …}` or `{profile: …}`."""
    if isinstance(node, Sequence):
        return _command(node)
    if isinstance(node, Mapping):
        return _mapping(node)
    command = scalar(node, "any, a pattern of words, a list of words, {literal: …} or {profile: …}")
    if command.text == "any":
        return ExecItem("any", "any", command.mark)
    if command.text.startswith("-"):
        raise bad(f"{show(command.text)} begins with '-', and no program is named so", _IN_A_LIST)
    try:
        return ExecItem("words", command.text, command.mark, parse_words(command.text))
    except WordsError as error:
        hint = "for equal bytes write {literal: …}"
        raise bad(f"{show(command.text)} is no pattern of words: {error}", hint) from None


def _mapping(node: Mapping) -> ExecItem:
    found = mapped(node)
    key, value = found.entries[0]
    if "profile" in found:
        return _profile(found)
    if len(found.entries) == 1 and key.text == "literal":
        command = scalar(value, "a command")
        return ExecItem("literal", command.text, command.mark)
    if key.text in _SLOTS:
        raise bad(f"{show(key.text)} stands outside of a command", _IN_A_LIST)
    raise bad(f"found key {show(key.text)}, expected {{literal: …}} or {{profile: …}}",
              meant(key.text, ["literal", "profile"]))  # fmt: skip


def _command(node: Sequence) -> ExecItem:
    words = [(_word(item), item.mark) for item in listed(node)]
    for form, mark in words:
        if not (isinstance(form, WordPattern | SlotWord) or is_askable(form)):
            raise bad(f"{form} takes no word that a request can have", mark=mark)
    source = f"[{', '.join(str(form) for form, _ in words)}]"
    try:
        return ExecItem("words", source, node.mark, words_of((form for form, _ in words), source))
    except WordsError as error:
        raise bad(f"{show(source)} is no command: {error}") from None


def _word(node: Node) -> WordForm:
    if isinstance(node, Sequence):
        raise bad(
            "found a list inside of a command, expected a word or a slot", "for one of some words write {enum: […]}"
        )
    if isinstance(node, Mapping):
        return _slot(node)
    found = scalar(node, "a word")
    try:
        return parse_word(found.text)
    except WordsError as error:
        raise bad(f"word {show(found.text)}: {error}", mark=found.mark) from None


def _slot(node: Mapping) -> Slot:
    found = mapped(node, "a slot such as {enum: […]}")
    key, value = found.entries[0]
    if key.text not in _READERS:
        hint = braces_without_quotes(node) or meant(key.text, _SLOTS)
        raise bad(f"found key {show(key.text)}, expected {one_of(_SLOTS)}", hint, key.mark)
    if len(found.entries) > 1:
        raise bad("a slot has one key", mark=found.entries[1][0].mark)
    return _READERS[key.text](value)


def _enum(node: Node) -> Slot:
    words = []
    for item in items(node):
        found = scalar(item, "a word")
        if found.text.startswith("-"):
            raise bad(f"word {show(found.text)} in a slot begins with '-', and a slot takes no such word",
                      "write it as a word of the command, in an item of its own", found.mark)  # fmt: skip
        slot = EnumSlot((found.text,))
        if not is_askable(slot):
            raise bad(
                f"word {show(found.text)} has a character that no request that is words can have", mark=found.mark
            )
        words.append(found.text)
    return EnumSlot(tuple(dict.fromkeys(words)))


def _regex(node: Node) -> Slot:
    found = scalar(node, "a regular expression")
    try:
        return RegexSlot(found.text, parse_regex(found.text))
    except RegexError as error:
        raise bad(f"{show(found.text)} is no expression that is served: {error}", mark=found.mark) from None


def _path_under(node: Node) -> Slot:
    template = folder(node)
    return PathSlot((*template.parts[:-1], template.parts[-1].rstrip("/")))


_READERS: Final[dict[str, Callable[[Node], Slot]]] = {"enum": _enum, "regex": _regex, "path_under": _path_under}


def folder(node: object) -> Template:
    """The absolute path of a folder, plain, in which `{user}` and its like fill one part or a piece of one; or one that
    begins with `{home}`.
    """
    found = scalar(node, "an absolute path")
    try:
        template = parse_template(found.text)
    except TemplateError as error:
        raise bad(f"path {show(found.text)}: {error}", mark=found.mark) from None
    head, *parts = found.text.removeprefix(_HOME).rstrip("/").split("/")
    absolute = template.in_home or found.text.startswith("/")
    if not absolute or head or any(part in ("", ".", "..") for part in parts):
        hint = f"write {_HOME}/…" if found.text.startswith("~") else ""
        raise bad(f"found {show(found.text)}, expected an absolute path, or one that begins with {_HOME}, without "
                  "empty parts, '.' and '..'", hint, found.mark)  # fmt: skip
    if any(char < " " or char == "\x7f" for char in found.text):
        raise bad("found a path with a control character", mark=found.mark)
    kept = (*template.parts[:-1], template.parts[-1].rstrip("/"))
    return Template(kept if kept != ("",) else ("/",))


def file_mask(node: object) -> Template:
    """Three octal digits, perhaps behind a 0; as a text, so that two roles are told apart by what it means."""
    found = scalar(node, "a umask such as 027")
    if not re.fullmatch("0?[0-7]{3}", found.text):
        raise bad(f"found {show(found.text)}, expected three octal digits such as 027")
    return Template((found.text[-3:],))


def _profile(node: Mapping) -> ExecItem:
    keys = {key.text: (key, value) for key, value in node.entries}
    name = scalar(keys["profile"][1], "the name of a profile")
    if name.text not in profiles.NAMES:
        raise bad(f"unknown profile {show(name.text)}, expected {one_of(profiles.NAMES)}",
                  meant(name.text, profiles.NAMES), name.mark)  # fmt: skip
    known = profiles.keys_of(name.text) | {"profile", "paths"}
    for key, _ in node.entries:
        if key.text not in known:
            raise bad(f"unknown key {show(key.text)} in the profile {name.text}, expected one of "
                      f"{', '.join(sorted(known))}", meant(key.text, known), key.mark)  # fmt: skip
    if "paths" not in keys:
        raise bad("key 'paths' is missing: a profile names the folders that it reaches",
                  "for every folder that the account may use write paths: /", name.mark)  # fmt: skip
    if "read_only" in keys and "write_only" in keys:
        raise bad("read_only beside write_only permits nothing", mark=keys["write_only"][0].mark)
    switches = {key: true(keys[key][1]) for key in ("read_only", "write_only", "append_only") if key in keys}
    profile = Profile(
        name.text,
        tuple(folder(item) for item in items(keys["paths"][1])),
        folder(keys["relative_to"][1]) if "relative_to" in keys else None,
        quota=_size(keys["quota"][1]) if "quota" in keys else None,
        **switches,
    )
    return ExecItem("profile", str(profile), node.mark, profile=profile)


def _size(node: Node) -> int:
    found = scalar(node, "a size")
    try:
        amount = size(found.text)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}", mark=found.mark) from None
    if amount < _LEAST_QUOTA:
        raise bad(f"found {show(found.text)}, expected 10MB at least: borg takes no less", mark=found.mark)
    return amount
