"""The two tables are whole: what is asked is answered, and one question is open at a time."""

import dataclasses
import typing
from typing import Any

import pytest

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.channels import Exited, Finished, Joined, Notice, OpenAnswer
from pysshd.processes.boundary.calls.connection import Assign, EndConnection
from pysshd.processes.boundary.calls.global_requests import ForwardAnswer, GlobalAnswer
from pysshd.processes.boundary.calls.host_keys import Sign, SignAnswer
from pysshd.processes.boundary.calls.login import Ask, AuthAnswer, Offer
from pysshd.processes.boundary.calls.requests import RequestAnswer, RequestEnv, StartAnswer
from pysshd.processes.boundary.calls.table import TO_MONITOR, TO_WORKER
from pysshd.processes.worker.dispatch import QUESTIONS, VERDICTS, Questions
from pysshd.processes.worker.driver import Driver
from pysshd.ssh.events.channels import DataReceived, OpenCode, OpenVerdict
from pysshd.ssh.events.global_requests import ForwardVerdict, GlobalVerdict
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.requests import EnvRequested, RequestVerdict, ShellRequested
from pysshd.ssh.events.transport import SignatureWanted, Signed
from pysshd.ssh.events.userauth import AuthBegun, AuthOffer, AuthVerdict, Challenge, Outcome

EVENTS: tuple[Any, ...] = typing.get_args(Event)
ASKED = [kind for kind in EVENTS if any(field.name == "ticket" for field in dataclasses.fields(kind))]
SPECIAL: dict[str, Any] = {
    "origin": ("h", 1), "destination": ("h", 2), "responses": (b"a",), "single_connection": True, "keys": (b"k",),
}  # fmt: skip


def sample(kind: Any, ticket: int = 1) -> Any:
    """An event of a kind, each field another value."""
    values = {}
    for at, field in enumerate(dataclasses.fields(kind), 1):
        of = typing.get_type_hints(kind)[field.name]
        values[field.name] = SPECIAL.get(field.name) or {str: f"text{at}", bytes: b"bytes%d" % at}.get(of, 100 + at)
    return kind(**{**values, "ticket": Ticket(ticket)})


@pytest.mark.parametrize("kind", ASKED, ids=lambda kind: kind.__name__)
def test_every_event_that_owes_an_answer_has_a_question(kind: Any) -> None:
    sent: list[Call] = []
    questions = Questions(sent.append)
    questions.client = b"SSH-2.0-x"
    event = sample(kind)
    questions.ask(event)
    (call,) = sent
    assert type(call) in TO_MONITOR.values()
    assert decode(call.encode(), TO_MONITOR) == call
    # Every field but the ticket arrives, in its order.
    wanted: list[Any] = []
    for field in dataclasses.fields(kind):
        if field.name != "ticket":
            value = getattr(event, field.name)
            wanted += value if field.name in ("origin", "destination") else [value]
    got = [getattr(call, slot.name) for slot in call.LAYOUT][1:]
    assert got == (wanted if kind is not AuthBegun else [*wanted, b"SSH-2.0-x"])


def test_every_other_event_has_a_place() -> None:
    rest = set(EVENTS) - set(ASKED)
    assert rest == set(Driver._NOTICES) | {DataReceived}
    assert set(QUESTIONS) == set(ASKED) - {AuthBegun}


ANSWERS: list[tuple[Any, Any]] = [
    (SignAnswer(1, b"s"), Signed(b"s")),
    (Offer(1, ("password",), "hi", "en"), AuthOffer(("password",), "hi", "en")),
    *((AuthAnswer(1, o, ("x",), "note"), AuthVerdict(o, ("x",), "note")) for o in Outcome),
    (Ask(1, "n", "i", (("p", True),)), Challenge("n", "i", (("p", True),))),
    *((OpenAnswer(1, code, "t"), OpenVerdict(code, "t")) for code in OpenCode),
    (RequestAnswer(1, True), RequestVerdict(True)),
    (RequestAnswer(1, False), RequestVerdict(False)),
    (StartAnswer(1, 0), RequestVerdict(False)),
    (StartAnswer(1, 1), RequestVerdict(True)),
    (StartAnswer(1, 2), RequestVerdict(True)),
    (GlobalAnswer(1, True, b"d"), GlobalVerdict(True, b"d")),
    (ForwardAnswer(1, 0), ForwardVerdict(None)),
    (ForwardAnswer(1, 80), ForwardVerdict(80)),
]


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS)
def test_verdicts(answer: Any, verdict: Any) -> None:
    sent: list[Call] = []
    questions = Questions(sent.append)
    event = sample(ShellRequested)
    questions.ask(event)
    got = questions.answered(answer)
    assert got == (event, verdict)
    assert type(got[1]) is type(verdict)


def test_every_answer_has_a_verdict() -> None:
    others = {Assign, Exited, EndConnection, Joined, Finished, Notice}
    assert set(VERDICTS) == set(TO_WORKER.values()) - others
    assert {type(answer) for answer, _ in ANSWERS} == set(VERDICTS)
    assert {type(verdict) for _, verdict in ANSWERS} == set(typing.get_args(Verdict))


def test_an_answer_that_is_not_owed_is_refused() -> None:
    questions = Questions(lambda call: None)
    with pytest.raises(BoundaryError, match="not owed"):
        questions.answered(RequestAnswer(1, True))
    questions.ask(sample(ShellRequested))
    with pytest.raises(BoundaryError, match="not owed"):
        questions.answered(RequestAnswer(2, True))
    questions.answered(RequestAnswer(1, True))
    with pytest.raises(BoundaryError, match="not owed"):
        questions.answered(RequestAnswer(1, True))


def test_one_at_a_time_but_for_a_signature() -> None:
    sent: list[Any] = []
    questions = Questions(sent.append)
    for number in (1, 2, 3):
        questions.ask(sample(EnvRequested, number))
    questions.ask(sample(SignatureWanted, 4))
    assert [type(call) for call in sent] == [RequestEnv, Sign]
    questions.answered(SignAnswer(sent[1].call, b""))
    assert len(sent) == 2
    event, _ = questions.answered(RequestAnswer(sent[0].call, True))
    assert event.ticket == 1
    assert [type(call) for call in sent] == [RequestEnv, Sign, RequestEnv]
    assert len({call.call for call in sent}) == 3


def test_what_waits_for_a_channel_that_is_gone_is_not_asked() -> None:
    sent: list[Any] = []
    questions = Questions(sent.append)
    first, second = sample(ShellRequested, 1), sample(ShellRequested, 2)
    other = dataclasses.replace(second, channel=ChannelId(9), ticket=Ticket(3))
    for event in (first, second, other):
        questions.ask(event)
    questions.forget(second.channel)
    questions.answered(StartAnswer(sent[0].call, 0))
    assert [call.channel for call in sent] == [first.channel, 9]
