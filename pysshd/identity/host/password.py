"""What a helper runs to check a password against /etc/shadow; whoever has none there costs what others cost."""

import pwd
import re
import socket
import time
from collections import Counter
from typing import Final

from pysshd.errors import DecodeError, StartupError
from pysshd.identity.host.calls import CheckPassword, PasswordChecked
from pysshd.identity.host.crypt import PASSPHRASE_MAX, Crypt, host_crypt, is_modern, matches
from pysshd.identity.host.helper import limit, receive
from pysshd.identity.host.lookup import SHADOW
from pysshd.identity.host.shadow import FILE_SIZE_MAX, SECONDS_OF_A_DAY, Shadow, ShadowError, entry_of, hashes
from pysshd.identity.host.trusted_file import read_trusted

SECONDS_MAX: Final = 30
"""Seconds of CPU of one check, and half of those of the clock."""

STAND_IN: Final = b"stand-in for a password that is never right"

_NO_HASHES = "$y$j9T$"
"""The costs of yescrypt that every distribution has by default."""

_COST = re.compile(r"\$(?:(?:y|gy|7)\$[^$]*\$|[56]\$(?:rounds=\d+\$)?|2[aby]\$\d\d\$)")


def check(asked: CheckPassword, content: bytes, today: int, crypt: Crypt, passwd: str = "x") -> PasswordChecked:
    """Answer one question from the content of shadow(5). Pure but for `crypt`, and slow, whatever the answer is.

    passwd: the hash that passwd(5) has, "x" where shadow(5) has it.
    """
    note = ""
    entry: Shadow | None = None
    try:
        entry = entry_of(asked.name, content) if passwd == "x" and asked.name else Shadow(passwd)
    except ShadowError as error:
        note = f"line of account {asked.name}: {error}"
    if entry is not None:
        note = entry.password_fault(asked.name, today) if asked.name else "there is no such account"
        if not note and not is_modern(entry.hash):
            note = f"the hash of account {asked.name} is of an obsolete kind"
    usable = 0 < len(asked.password) <= PASSPHRASE_MAX and b"\0" not in asked.password
    if entry is None or note or not usable:
        # The password itself where it could be one: what some hashes cost grows with its length.
        matches(crypt, asked.password if usable else STAND_IN, decoy(content))
        return PasswordChecked(False, note)
    return PasswordChecked(matches(crypt, asked.password, entry.hash), "")


def decoy(content: bytes) -> str:
    """A setting that costs what most hashes of the file cost, with a salt that nobody has."""
    costs = Counter(found[0] for hashed in hashes(content) if is_modern(hashed) and (found := _COST.match(hashed)))
    cost = costs.most_common(1)[0][0] if costs else _NO_HASHES
    return cost + ("." * 22 if cost.startswith("$2") else "." * 16)


def main(descriptor: int) -> int:
    """Answer one question on the SEQPACKET socket with this number; the exit status."""
    limit(SECONDS_MAX, 2 * SECONDS_MAX)
    with socket.socket(fileno=descriptor) as end:
        end.settimeout(SECONDS_MAX)
        try:
            asked = CheckPassword.decode(receive(end))
            content = read_trusted(SHADOW, frozenset({0}), FILE_SIZE_MAX)
            today = int(time.time()) // SECONDS_OF_A_DAY
            end.send(check(asked, content, today, host_crypt(), _passwd_of(asked.name)).encode())
        except (OSError, EOFError, DecodeError, StartupError):
            return 1
    return 0


def _passwd_of(name: str) -> str:
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        return "x"
    return entry.pw_passwd if entry.pw_name == name else "x"
