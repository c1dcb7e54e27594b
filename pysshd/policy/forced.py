"""A command that a key or a certificate forces: which request it is, and how it is run instead of what was asked."""

from dataclasses import replace
from typing import Final

from pysshd.patterns.words import WordsError, split_words, to_bytes
from pysshd.policy.query import Exec, Request, Run, Subsystem
from pysshd.policy.ways import Forced, RunWay, Way

INTERNAL_SFTP: Final = b"internal-sftp"
"""As a forced command, OpenSSH's name for the daemon's own SFTP server: here the subsystem, by whatever serves it."""


def forced_request(command: bytes) -> Run:
    """The request that a forced command is."""
    return Subsystem("sftp") if command == INTERNAL_SFTP else Exec(command)


def words_of(request: object) -> tuple[str, ...] | None:
    """The words of a command, or None where a request is no command or its command no words."""
    if not isinstance(request, Exec):
        return None
    try:
        return split_words(request.command)
    except WordsError:
        return None


def original_of(request: Request) -> bytes:
    """What was asked for, as SSH_ORIGINAL_COMMAND has it: nothing for a shell, the name of a subsystem."""
    if isinstance(request, Exec):
        return request.command
    return request.name.encode("utf-8", "surrogateescape") if isinstance(request, Subsystem) else b""


def instead(way: Way | None, asked: Request, command: bytes) -> Way | None:
    """The way of a forced command, with what was asked for; None where the grants force another one."""
    if isinstance(way, Forced):
        words = words_of(forced_request(command))
        return replace(way, original=original_of(asked)) if words is not None and to_bytes(words) == way.argv else None
    # The daemon's own SFTP server has no environment to tell it in.
    return replace(way, asked=original_of(asked)) if isinstance(way, RunWay) else way
