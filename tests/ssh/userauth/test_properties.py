"""Whatever comes in whatever order: nothing but the two exceptions, and never more than the limits allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import DecodeError, ProtocolError
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.events.userauth import (
    AuthBegun,
    AuthOffer,
    AuthVerdict,
    Challenge,
    InteractiveAnswered,
    InteractiveBegun,
    KeyProbed,
    NoneOffered,
    Outcome,
)
from tests.ssh.userauth.driver import (
    FAILED,
    INTERACTIVE,
    METHODS,
    NONE,
    PASSWORD,
    PROBE,
    SIGNED,
    Driver,
    request,
    responses,
    started,
)

KNOWN = [NONE, PASSWORD, PROBE, SIGNED, INTERACTIVE, responses(b"1"), responses(), request("odd")]


def _mutated(payload: bytes, at: int, octet: int) -> bytes:
    at %= len(payload)
    return payload[:at] + bytes([octet]) + payload[at + 1 :]


PAYLOADS = st.one_of(
    st.sampled_from(KNOWN),
    st.sampled_from(KNOWN),
    st.builds(_mutated, st.sampled_from(KNOWN), st.integers(0, 200), st.integers(0, 255)),
    st.builds(lambda number, rest: bytes([number]) + rest, st.integers(50, 79), st.binary(max_size=80)),
)
OUTCOMES = st.sampled_from([Outcome.FAILURE, Outcome.FAILURE, Outcome.PARTIAL, Outcome.SUCCESS])


@given(st.lists(st.tuples(PAYLOADS, OUTCOMES, st.booleans()), max_size=40))
def test_any_sequence(steps: list[tuple[bytes, Outcome, bool]]) -> None:
    driver = Driver()
    proved = failures = 0
    events: list[Event] = []
    for payload, outcome, challenge in steps:
        was = driver.machine.authenticated
        try:
            events, sent = driver.receive(payload)
        except (ProtocolError, DecodeError):
            assert driver.machine.authenticated is was
            return
        failures += sent.count(FAILED)
        while events:
            (event,) = events
            if isinstance(event, ConnectionFailed):
                return
            if isinstance(event, AuthBegun):
                events, sent = driver.answer(event.ticket, AuthOffer(METHODS, ""))
            elif challenge and isinstance(event, InteractiveBegun | InteractiveAnswered):
                events, sent = driver.answer(event.ticket, Challenge("", "", (("?", False),)))
            else:
                hopeless = isinstance(event, NoneOffered) and event.method != "none"
                given_ = Outcome.FAILURE if hopeless else outcome
                proved += given_ is Outcome.SUCCESS and not isinstance(event, KeyProbed)
                events, sent = driver.answer(event.ticket, AuthVerdict(given_, METHODS))  # type: ignore[union-attr]
            failures += sent.count(FAILED)
        assert not driver.machine.pending
        assert driver.machine.authenticated is (proved > 0)
        assert proved <= 1
        assert failures <= 5 + 1  # the first none is no attempt


@pytest.mark.parametrize("payload", [NONE, PASSWORD, PROBE, SIGNED, INTERACTIVE])
@pytest.mark.parametrize("first", [True, False])
def test_truncated_at_every_byte(payload: bytes, first: bool) -> None:
    outcomes = set()
    for size in range(len(payload)):
        driver = Driver() if first else started()
        try:
            outcome = driver.begin(payload[:size]) if first else driver.receive(payload[:size])
        except DecodeError:
            outcomes.add("malformed")
            continue
        assert outcome == ([], [FAILED])
        outcomes.add("failed")
    assert outcomes == ({"malformed"} if payload == NONE else {"malformed", "failed"})


def test_truncated_responses() -> None:
    whole = responses(b"123", b"4")
    for size in range(1, len(whole)):
        driver = started()
        begun = driver.asked(INTERACTIVE, InteractiveBegun)
        driver.answer(begun.ticket, Challenge("", "", (("?", False), ("!", True))))
        assert driver.receive(whole[:size]) == ([], [FAILED])
