"""Lists of algorithms: which of those that sshd would offer are served, and in the words of `crypto`."""

from typing import Final

from pysshd.importing.effective import Value
from pysshd.importing.globbing import matches
from pysshd.importing.notes import Remarks
from pysshd.ssh.crypto.catalogue import ALL_NAMES, PROFILES

ALGORITHMS: Final = {
    "kexalgorithms": "kex",
    "ciphers": "ciphers",
    "macs": "macs",
    "hostkeyalgorithms": "host_key_algorithms",
    "pubkeyacceptedalgorithms": "user_key_algorithms",
}
"""Keywords, and their keys of `crypto`."""


def _cut(text: str) -> tuple[str, list[str]]:
    edit = text[0] if text[:1] in ("+", "-", "^") else ""
    return edit, text.removeprefix(edit).split(",")


def _left(key: str, words: list[str]) -> list[str]:
    """What an edit with `-` leaves of the profile's list."""
    present: tuple[str, ...] = getattr(PROFILES["default"], key)
    return [one for one in present if not any(matches(one, word) for word in words)]


def takes_keys(value: Value) -> bool:
    """Whether any key could count: not where PubkeyAcceptedAlgorithms leaves none that is served."""
    if not value.lines:
        return True
    edit, words = _cut(value.first)
    if edit == "-":
        return bool(_left("user_key_algorithms", words))
    return bool(edit) or any(word in ALL_NAMES["user_key_algorithms"] for word in words)


def served(value: Value, key: str, remarks: Remarks) -> list[str] | str:
    """A list of names, or an edit of the profile's as sshd edits its own; empty: the profile's as it is.

    Names that are not served are told.
    """
    [line] = value.lines
    text, mark, name = line.value[0], line.mark, line.keyword.name
    edit, words = _cut(text)
    if edit == "-":
        remarks.note(mark, f"{name} {text}: it takes away from the profile's list, which is shorter than sshd's")
        left = _left(key, words)
        return left if len(left) < len(getattr(PROFILES["default"], key)) else ""
    unknown = [word for word in words if word not in ALL_NAMES[key]]
    known = [word for word in words if word in ALL_NAMES[key]]
    if unknown:
        remarks.warn(mark, f"{name}: not served are {', '.join(unknown)}")
    if not known and not edit:
        remarks.warn(mark, f"{name} {text}: none of these is served; what the profile has is offered in their place")
    return (edit + ",".join(known) if edit else known) if known else ""
