"""Kinds of requests, as bits: by them the grants are passed over that have nothing to say to a request.

What a kind leaves open is asked of the permissions themselves; what it excludes they would refuse.
"""

from collections.abc import Mapping
from typing import Final

from pysshd.policy.query import Break, Env, Exec, Global, Pty, Session, Sftp, Shell, Signal, Subsystem
from pysshd.policy.query_net import X11, Agent, Connect, ConnectUnix, Listen, ListenUnix
from pysshd.policy.rights import ExecRight, ForcedRight, Rights, RunRight, ShellRight, SubsystemRight

SESSION, SHELL, EXEC, SUBSYSTEM, PTY, ENV, SIGNAL, SFTP, NET, OTHER = (1 << bit for bit in range(10))
RUN: Final = SHELL | EXEC | SUBSYSTEM
EVERY: Final = (1 << 10) - 1

_OF_REQUESTS: Final[Mapping[type, int]] = {
    Session: SESSION, Shell: SHELL, Exec: EXEC, Subsystem: SUBSYSTEM, Pty: PTY, Env: ENV, Signal: SIGNAL,
    Break: SIGNAL, Sftp: SFTP, **dict.fromkeys((Global, Connect, ConnectUnix, Listen, ListenUnix, Agent, X11), NET),
}  # fmt: skip

_OF_RIGHTS: Final[Mapping[type[RunRight], int]] = {
    ShellRight: SHELL, ExecRight: EXEC, SubsystemRight: SUBSYSTEM, ForcedRight: RUN,
}  # fmt: skip


def kind_of(request: object) -> int:
    """The kind of a request; OTHER where it is none that permissions know."""
    return _OF_REQUESTS.get(type(request), OTHER)


def permitted(rights: Rights) -> int:
    """The kinds of which permissions may permit a request, or say how it is answered."""
    found = _alike(rights)
    if rights.runs:
        found |= SESSION | SIGNAL | _of_runs(rights)
    if rights.sets:
        found |= RUN
    if rights.sftp:
        # The subsystem is one of these, and so is scp, which is a command.
        found |= SESSION | EXEC | SUBSYSTEM
    return found


def touched(rights: Rights) -> int:
    """The kinds of which a deny of these permissions may touch a request."""
    return _alike(rights) | _of_runs(rights)


def _alike(rights: Rights) -> int:
    """The kinds of which both say the same."""
    return (
        (PTY if rights.pty else 0)
        | (ENV if rights.accept else 0)
        | (SIGNAL if rights.signals else 0)
        | (SFTP if rights.sftp else 0)
        | (NET if rights.net else 0)
    )


def _of_runs(rights: Rights) -> int:
    found = 0
    for right in rights.runs:
        found |= _OF_RIGHTS[type(right)]
    return found
