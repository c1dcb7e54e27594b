"""The lines of shadow(5): what a password hash and its dates allow. Pure: the file and the day come from outside."""

from dataclasses import field
from typing import Final

from pysshd.records import dataclass

SECONDS_OF_A_DAY: Final = 86400

FILE_SIZE_MAX: Final = 16 * 1024 * 1024

_LOCKED = "!"
"""With what the hash of a locked account begins, on Linux."""

_NUMBER_MAX = 10**9


class ShadowError(ValueError):
    """A line is not of the form of shadow(5); nothing of it is told."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """One account's line. Dates are days since 1970, None where there is none."""

    hash: str = field(repr=False)
    changed: int | None = None
    max_age: int | None = None
    inactive: int | None = None
    expires: int | None = None

    def fault(self, name: str, today: int) -> str:
        """Why nobody may log in as this account by whatever method, or ""."""
        if self.hash.startswith(_LOCKED):
            return f"account {name} is locked"
        if self.expires is not None and today > self.expires:
            return f"account {name} has expired"
        if self.changed and None not in (self.max_age, self.inactive):
            assert self.max_age is not None
            assert self.inactive is not None
            if today > self.changed + self.max_age + self.inactive:
                return f"account {name} is inactive, for its password is too old"
        return ""

    def password_fault(self, name: str, today: int) -> str:
        """Why no password is right for this account, or ""; a password can not be changed here."""
        if fault := self.fault(name, today):
            return fault
        if self.changed == 0:
            return f"password of account {name} must be changed first"
        if self.changed is not None and self.max_age is not None and today > self.changed + self.max_age:
            return f"password of account {name} has expired"
        if not self.hash:
            return f"account {name} has an empty password"
        return "" if self.hash.startswith("$") else f"account {name} has no password that could be right"


def entry_of(name: str, content: bytes) -> Shadow | None:
    """The line of an account, or None; ShadowError where it is malformed."""
    wanted = name.encode() + b":"
    for line in content.split(b"\n"):
        if line.startswith(wanted):
            return _entry(line)
    return None


def hashes(content: bytes) -> list[str]:
    """Every hash that a password could match."""
    found = [line.split(b":")[1] for line in content.split(b"\n") if line.count(b":") >= 2]
    return [hashed.decode("ascii") for hashed in found if hashed.startswith(b"$") and hashed.isascii()]


def _entry(line: bytes) -> Shadow:
    parts = line.decode("ascii", "replace").split(":")
    if len(parts) != 9:
        raise ShadowError(f"it has {len(parts)} fields, expected 9")
    changed, _, max_age, _, inactive, expires = map(_days, parts[2:8])
    return Shadow(parts[1], changed, max_age, inactive, expires)


def _days(text: str) -> int | None:
    if not text or text.startswith("-"):
        return None
    if not text.isdigit() or not text.isascii() or len(text) > 10:
        raise ShadowError("a date or an age in it is no number of days")
    return min(int(text), _NUMBER_MAX)
