"""What sshd runs for somebody: shells, forced commands, subsystems, environments."""

from typing import Final

from pysshd.importing.accounts import Host
from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.effective import Effective, Value
from pysshd.importing.login import mark_of
from pysshd.importing.notes import Remarks
from pysshd.importing.rights import Argv
from pysshd.patterns.names import is_never_accepted, is_subsystem, is_variable, is_variable_pattern
from pysshd.patterns.words import WordsError, split_words
from pysshd.policy.problems import Mark

INTERNAL: Final = "internal-sftp"
_THROUGH_SHELL: Final = ("/bin/sh", "-c", 'exec "$SHELL" -c "$0"')
"""A command goes through the shell of the account, as in sshd: an account with nologin runs nothing."""

_NOTHING: Final = ("/bin/true",)
"""An empty command: the shell gets it as one, and does nothing. No word of a policy is empty."""


def forced_of(found: Effective, key: ImportedKey | None) -> str | None:
    """The command that is forced: that of the configuration before that of the key. An empty one is one too."""
    command = found["forcecommand"].first
    if command.lower() != "none":
        return command
    return key.command if key is not None else None


def forced_mark(found: Effective, key: ImportedKey | None, file: str) -> Mark:
    """Where the forced command stands."""
    if found["forcecommand"].first.lower() != "none" or key is None:
        return mark_of(found["forcecommand"], file)
    return key.mark


def program(command: str, host: Host, mark: Mark, remarks: Remarks) -> Argv:
    """The program of a command as sshd runs it, or nothing where that can not be said."""
    if not command.strip():
        return _NOTHING
    if command.split()[:1] != [INTERNAL]:
        return tuple(word.replace("{", "{{").replace("}", "}}") for word in (*_THROUGH_SHELL, command))
    if not host.sftp_server:
        remarks.refuse(mark, f"{INTERNAL} has no equivalent here: no program sftp-server was found",
                       "install openssh-sftp-server")  # fmt: skip
        return ()
    try:
        words = split_words(command.encode())
    except WordsError:
        remarks.refuse(mark, f"{command}: its options can not be read")
        return ()
    return (host.sftp_server, *(word.replace("{", "{{").replace("}", "}}") for word in words[1:]))


def subsystems_of(found: Effective, host: Host, remarks: Remarks) -> tuple[tuple[str, Argv], ...]:
    """The subsystems and their programs."""
    made: list[tuple[str, Argv]] = []
    for line in found["subsystem"].lines:
        name, command = line.value
        if not is_subsystem(name):
            remarks.warn(line.mark, f"Subsystem {name!r}: the name is of no form that is served")
            continue
        argv = program(command, host, line.mark, remarks)
        if argv:
            made.append((name, argv))
    return tuple(sorted(made))


def accepted_of(value: Value, remarks: Remarks) -> tuple[str, ...]:
    """The patterns of variables that clients may send."""
    kept: dict[str, None] = {}
    for line in value.lines:
        for pattern in line.value:
            if not is_variable_pattern(pattern):
                remarks.warn(line.mark, f"AcceptEnv {pattern}: it is no pattern of variables' names")
            elif is_never_accepted(pattern):
                remarks.warn(line.mark, f"AcceptEnv {pattern}: this variable is never accepted from a client",
                             "env: {set: …} of a role sets it")  # fmt: skip
            else:
                kept[pattern] = None
    return tuple(kept)


def sets_of(value: Value, file: str, remarks: Remarks) -> tuple[tuple[str, str], ...]:
    """The variables that the configuration sets."""
    made: list[tuple[str, str]] = []
    for word in value.words:
        name, _, text = word.partition("=")
        if not is_variable(name) or name.startswith("SSH_") or name in ("USER", "LOGNAME") or not text:
            remarks.warn(mark_of(value, file), f"SetEnv {name}: this variable can not be set")
        else:
            made.append((name, text.replace("{", "{{").replace("}", "}}")))
    return tuple(made)
