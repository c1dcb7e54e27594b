"""The lists of algorithms in `crypto`: each a list of its own, or a text that edits the profile's."""

from fnmatch import fnmatchcase
from typing import Annotated, Final, TypeAlias

from pysshd.policy.nodes import Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text, listed, scalar, text
from pysshd.policy.report import meant, show
from pysshd.policy.validators import PlainValidator
from pysshd.records import dataclass
from pysshd.ssh.crypto.catalogue import ALL_NAMES

KINDS: Final = ("kex", "host_key_algorithms", "ciphers", "macs", "compression", "user_key_algorithms")
"""The keys of `crypto` that hold algorithms: the fields of a `Profile`."""

NOUNS: Final = dict(
    zip(
        KINDS,
        ("key exchange method", "host key algorithm", "cipher", "mac", "compression", "algorithm of user keys"),
        strict=True,
    )
)
EDITS: Final = ("+", "-", "^")

_NEVER: Final = (
    ("ssh-rsa*", "it signs with SHA-1: for RSA keys write rsa-sha2-512"),
    ("*sha1*", "SHA-1 is broken"),
    ("ssh-dss*", "DSA keys are too short"),
    ("*-cbc*", "CBC leaks what it hides"),
    ("arcfour*", "RC4 is broken"),
    ("hmac-md5*", "MD5 is broken"),
    ("zlib", "it would begin before the login: write zlib@openssh.com"),
)
"""Patterns of names that were in use once and are not served, and why."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What the file says of one kind: names of its own, or a text that edits the profile's list."""

    mark: Mark
    names: tuple[Text, ...] = ()
    edit: str = ""


def lists(node: object) -> Lists:
    """Names, or an edit; whether there are such algorithms and what an edit comes to is looked at with the profile."""
    if isinstance(node, Sequence):
        return Lists(node.mark, tuple(text(item) for item in listed(node)))
    found = scalar(node, "names, or an edit of the profile's as '+NAME', '-PATTERN' or '^NAME'")
    return Lists(found.mark, edit=found.text)


def unknown(kind: str, name: str) -> tuple[str, str]:
    """What is said of a name that nobody knows, or nobody should use: a message and a hint."""
    for pattern, why in _NEVER:
        if fnmatchcase(name.lower(), pattern):
            return f"{NOUNS[kind]} {show(name)} is never served", why
    known = sorted(ALL_NAMES[kind])
    if name.startswith(EDITS):
        return f"found {show(name)} in a list, expected a name", "an edit is one text, and no list"
    if "*" in name or "?" in name:
        return f"pattern {show(name)} where a name is expected", "patterns only stand behind '-', in one text"
    return f"unknown {NOUNS[kind]} {show(name)}, expected some of {', '.join(known)}", meant(name, known)


Algorithms: TypeAlias = Annotated[Lists, PlainValidator(lists)]
