"""What a login of an account of the host is told before its program runs; read and written as the account."""

import os
import stat
from typing import Final, NoReturn

MESSAGES: Final = ("/run/motd.dynamic", "/etc/motd")
"""The messages of the day, as pam_motd(8) shows them by default."""

HUSH: Final = ".hushlogin"
"""A file in the home of whoever wants to see none."""

SIZE_MAX: Final = 16 * 1024
"""Bytes of one text: all of them have to fit into a terminal that nobody reads yet."""

EXIT_TURNED_AWAY: Final = 254
"""The status that programs know from sshd(8)."""

_TURNED_AWAY: Final = b"This host lets nobody log in at the moment.\n"


def greet() -> None:
    """Show the messages of the day on the terminal, unless the working folder, the home, has a file that says no."""
    if os.path.lexists(HUSH):
        return
    for path in MESSAGES:
        _write(1, _text_of(path))


def turn_away(path: bytes) -> NoReturn:
    """Show the text of nologin(5), and end."""
    _write(2, _text_of(os.fsdecode(path)) or _TURNED_AWAY)
    os._exit(EXIT_TURNED_AWAY)


def say(text: str) -> None:
    """Tell the person something of ours."""
    _write(2, f"pysshd: {text}".encode("utf-8", "surrogateescape"))


def _text_of(path: str) -> bytes:
    """A file's text, or nothing: no message keeps anybody out."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, SIZE_MAX) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError:
            return
