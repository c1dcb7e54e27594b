"""The gate: every call in every phase, how often, and one question at a time (F16)."""

from itertools import product
from typing import Any

import pytest

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import Call, Phase
from pysshd.processes.boundary.calls.channels import CloseChannel
from pysshd.processes.boundary.calls.connection import Bye, Ready, Report
from pysshd.processes.boundary.calls.host_keys import Sign
from pysshd.processes.boundary.calls.login import (
    AnswerInteractive,
    BeginAuth,
    BeginInteractive,
    OfferNone,
    OfferPassword,
    ProbeKey,
    VerifyKey,
)
from pysshd.processes.boundary.calls.requests import RequestExec, RequestShell
from pysshd.processes.boundary.calls.table import TO_MONITOR, TO_WORKER
from pysshd.processes.monitor import connection
from pysshd.processes.monitor.table import AUTH_CALLS, MANY, TABLE, Gate

KEX = {BeginAuth}
AUTH = {
    OfferNone, OfferPassword, ProbeKey, VerifyKey,
    BeginInteractive, AnswerInteractive,
}  # fmt: skip
ALWAYS = {Sign, Report, Bye}
LEGAL: dict[Phase, set[Any]] = {
    Phase.WAITING: {Ready},
    Phase.KEX: KEX | ALWAYS,
    Phase.AUTH: AUTH | ALWAYS,
    Phase.OPEN: (set(TO_MONITOR.values()) - KEX - AUTH - {Ready}) | ALWAYS,
}
"""What may come when, written down a second time: a call that moves to another phase has to be moved here too."""

ONCE = {Ready, BeginAuth, Bye}
NO_ANSWER = {Ready, CloseChannel, Report, Bye}


def a(kind: type[Call]) -> Call:
    """A call of a kind: the gate looks at nothing but that."""
    return object.__new__(kind)


def gate(phase: Phase) -> Gate:
    made = Gate()
    for step in Phase:
        if Phase.WAITING < step <= phase:
            made.advance(step)
    return made


def test_every_call_has_a_row_and_a_handler() -> None:
    assert set(TABLE) == set(TO_MONITOR.values())
    handled = set(connection._QUESTIONS) | set(connection._ONE_WAY)
    assert handled == set(TABLE) - {Ready}
    assert {kind for kind, row in TABLE.items() if row.question} == set(connection._QUESTIONS)
    assert {kind for kind, row in TABLE.items() if not row.question} == NO_ANSWER


@pytest.mark.security("S112", "S47")
@pytest.mark.parametrize(("kind", "phase"), list(product(TO_MONITOR.values(), Phase)))
def test_phases(kind: type[Call], phase: Phase) -> None:
    if kind in LEGAL[phase]:
        gate(phase).admit(a(kind))
    else:
        with pytest.raises(BoundaryError, match=f"{kind.__name__} came in phase {phase.name.lower()}"):
            gate(phase).admit(a(kind))


@pytest.mark.security("S112")
@pytest.mark.parametrize("kind", TO_WORKER.values())
def test_answers_are_no_calls(kind: type[Call]) -> None:
    for phase in Phase:
        with pytest.raises(BoundaryError):
            gate(phase).admit(a(kind))


@pytest.mark.security("S112", "S50")
@pytest.mark.parametrize("kind", list(TABLE))
def test_counts(kind: type[Call]) -> None:
    most = TABLE[kind].most
    assert (most == 1) == (kind in ONCE)
    assert (most == AUTH_CALLS) == (kind in AUTH)
    phase = next(phase for phase, legal in LEGAL.items() if kind in legal)
    made = gate(phase)
    for _ in range(min(most, 200)):
        made.admit(a(kind))
        made.answered(a(kind))
    if most < MANY:
        with pytest.raises(BoundaryError, match="expected at most"):
            made.admit(a(kind))


@pytest.mark.security("S112")
@pytest.mark.parametrize(("first", "second"), list(product(sorted(LEGAL[Phase.OPEN], key=str), repeat=2)))
def test_one_open_question(first: type[Call], second: type[Call]) -> None:
    made = gate(Phase.OPEN)
    made.admit(a(first))
    questions = {first, second} - NO_ANSWER
    asked_twice = first is second and (first not in NO_ANSWER or first in ONCE)
    if asked_twice or len(questions - {Sign}) > 1:
        with pytest.raises(BoundaryError):
            made.admit(a(second))
    else:
        made.admit(a(second))


def test_an_answer_makes_room_for_the_next_question() -> None:
    made = gate(Phase.OPEN)
    made.admit(a(RequestShell))
    made.admit(a(Sign))
    made.answered(a(Sign))
    made.admit(a(Sign))
    made.answered(a(RequestShell))
    made.admit(a(RequestExec))


@pytest.mark.parametrize(("old", "new"), list(product(Phase, Phase)))
def test_there_is_no_way_back(old: Phase, new: Phase) -> None:
    made = gate(old)
    if new > old:
        made.advance(new)
        assert made.phase is new
    else:
        with pytest.raises(BoundaryError):
            made.advance(new)
