"""The sections `users` and `sources`: whose keys are whose."""

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.effective import Effective
from pysshd.importing.login import key_files, mark_of
from pysshd.importing.notes import Remarks

_SLOTS: Final = (("%%", "%"), ("%u", "{user}"))


def users_of(keys: Sequence[ImportedKey]) -> dict[str, object]:
    """The people who have keys of their own."""
    found: dict[str, object] = {}
    for user in sorted({key.user for key in keys}):
        found[user] = {"keys": [_key(key) for key in keys if key.user == user]}
    return found


def _key(key: ImportedKey) -> object:
    if key.expires is None:
        return key.line
    # Refused from the instant on; the language's end is half-open too.
    return {"key": key.line, "not_after": key.expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def source_of(found: Effective, file: str, min_uid: int, passwords: bool, remarks: Remarks) -> dict[str, object]:
    """The accounts of the host as people, with their files of keys; empty where nobody could come in by it."""
    value = found["authorizedkeysfile"]
    paths: dict[str, None] = {}
    for word in key_files(found):
        path = _path(word)
        if path is None:
            text = f"AuthorizedKeysFile {word}: it is no file of each account's own, and its keys do not count"
            remarks.warn(mark_of(value, file), text, "expected a path below the home, or an absolute one with %u")
        else:
            paths[path] = None
    made: dict[str, object] = {"system": {"min_uid": str(min_uid)}}
    if paths:
        made["keys"] = [{"authorized_keys": path} for path in paths]
    if passwords:
        made["password"] = "system"
    return made if paths or passwords else {}


def _path(word: str) -> str | None:
    """The path as a source has it, or None."""
    if word.startswith("%h/"):
        word = "~/" + word.removeprefix("%h/")
    elif not word.startswith("/"):
        word = f"~/{word}"
    if "{" in word or "}" in word or any(ord(char) < 32 for char in word):
        return None
    for token, slot in _SLOTS:
        word = word.replace(token, slot)
    parts = word.split("/")[1:]
    if "%" in word or any(part in ("", ".", "..") for part in parts) or (word.startswith("/") and "{user}" not in word):
        return None
    return word
