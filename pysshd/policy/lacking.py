"""What of a grant is of no use to a request because a slot of a template has no value: for the trace and `explain`."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from pysshd.policy import profiles
from pysshd.policy.decide_net import Asked, AskedSocket
from pysshd.policy.decide_sftp import asks_for_sftp
from pysshd.policy.forced import words_of
from pysshd.policy.query import Break, Exec, Request, Run, Sftp, Signal
from pysshd.policy.rights import ExecRight, Rights, RunRight, ShellRight, Values
from pysshd.policy.rights_net import SocketRight
from pysshd.policy.rights_sftp import SftpRight
from pysshd.policy.templates import Template
from pysshd.records import dataclass

Lacking: TypeAlias = RunRight | SftpRight | SocketRight
"""Permissions that may have slots."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as the engine has read it.

    running: what is run, or what a signal is sent to. words: of a command; asked: what reaches beyond the session.
    asks_for_sftp: whether it is answered by the daemon's own SFTP and scp too.
    """

    running: object
    words: tuple[str, ...] | None
    asked: Asked | None
    asks_for_sftp: bool


def wanted_of(request: Request, asked: Asked | None) -> Wanted:
    """What a request asks for."""
    running = request.running if isinstance(request, Signal | Break) else request
    words = words_of(running)
    return Wanted(running, words, asked, isinstance(request, Run) and asks_for_sftp(request, words))


def lacking_slots(rights: Rights, wanted: Wanted, values: Values) -> frozenset[str]:
    """The slots for want of whose values permissions have nothing to say to a request.

    None where one of them answers it all the same, or where they would not with any value.
    """
    lacks = [slots for _, slots in lacking_each(rights, wanted, values)]
    return frozenset(slot for one in lacks for slot in one) if all(lacks) else frozenset()


def lacking_each(rights: Rights, wanted: Wanted, values: Values) -> Iterator[tuple[Lacking, frozenset[str]]]:
    """Each permission that speaks of the request, and the slots that it lacks for it, or none."""
    running, words = wanted.running, wanted.words
    if isinstance(wanted.asked, AskedSocket):
        for right in rights.net:
            if isinstance(right, SocketRight) and right.listens is wanted.asked.listens:
                lacks = right.path.slots - values.keys()
                if lacks or wanted.asked.permits(right):
                    yield right, lacks
    if isinstance(running, Sftp) or wanted.asks_for_sftp:
        for tree in rights.sftp:
            yield tree, _unfilled((part.folder.path for part in tree.parts), values)
    if isinstance(running, Run):
        for run in rights.runs:
            lacks = _of_run(run, running, words, values)
            if lacks or run.permits(running, words, values):
                yield run, lacks


def _of_run(right: RunRight, running: Run, words: tuple[str, ...] | None, values: Values) -> frozenset[str]:
    if not isinstance(right, ExecRight):
        program = (right.program or ()) if isinstance(right, ShellRight) else right.argv
        return _unfilled(program, values) if right.permits(running, words, values) else frozenset()
    if words is None or not isinstance(running, Exec):
        return frozenset()
    if right.profile is None:
        return right.words.lacking(words, values) if right.words is not None else frozenset()
    if right.permits(running, words, values) or not profiles.concerns(right.profile, words):
        return frozenset()
    return _unfilled((*right.profile.paths, *filter(None, [right.profile.relative_to])), values)


def _unfilled(templates: Iterable[Template], values: Values) -> frozenset[str]:
    return frozenset(slot for template in templates for slot in template.slots - values.keys())
