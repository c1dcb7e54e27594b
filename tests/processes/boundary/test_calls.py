"""The calls between worker and monitor: each comes back as it went, and nothing else is read."""

import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls import channels, connection, global_requests, host_keys, login, requests
from pysshd.processes.boundary.calls.call import MAX_CALL, Call, Phase, by_number, decode
from pysshd.processes.boundary.calls.call import call as structured_call
from pysshd.processes.boundary.calls.login import AnswerInteractive, BeginAuth, OfferPassword
from pysshd.processes.boundary.calls.requests import RequestX11
from pysshd.processes.boundary.calls.table import CALLS, FROM_SHARED, TO_MONITOR, TO_SHARED, TO_WORKER
from pysshd.processes.boundary.calls.wire import Fields, HostKeys, Prompts, Strings
from pysshd.processes.boundary.socket import MAX_MESSAGE
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages import fields

THEMES = (channels, connection, global_requests, host_keys, login, requests)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.lists(st.from_regex(r"[!-+\--~]{1,20}", fullmatch=True), max_size=4).map(tuple)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    fields.Uint32: st.integers(0, 0xFFFFFFFF),
    fields.Text: TEXT,
    fields.String: st.binary(max_size=60),
    fields.Boolean: st.booleans(),
    fields.NameList: NAMES,
    Prompts: st.lists(st.tuples(TEXT, st.booleans()), max_size=4).map(tuple),
    HostKeys: st.lists(st.tuples(TEXT, st.binary(max_size=9)), max_size=4).map(tuple),
    Fields: st.lists(st.tuples(TEXT, st.binary(max_size=9)), max_size=4).map(tuple),
    Strings: st.lists(st.binary(max_size=9), max_size=4).map(tuple),
}
KINDS = sorted(CALLS.values(), key=lambda kind: kind.NUMBER)


def any_of(kind: Any) -> st.SearchStrategy[Call]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{slot.name: VALUES[hints[slot.name]] for slot in kind.LAYOUT})


ANY = st.sampled_from(KINDS).flatmap(any_of)


def direction(kind: type[Call]) -> typing.Mapping[int, type[Call]]:
    return next(table for table in (TO_MONITOR, TO_WORKER, TO_SHARED, FROM_SHARED) if kind.NUMBER in table)


@given(ANY)
def test_round_trip(call: Call) -> None:
    message = call.encode()
    assert message[0] == call.NUMBER
    assert decode(message, direction(type(call))) == call


@pytest.mark.security("S112")
@given(ANY, st.data())
def test_what_is_cut_or_longer_is_refused(call: Call, data: Any) -> None:
    message = call.encode()
    cut = message[: data.draw(st.integers(0, len(message) - 1))]
    more = message + data.draw(st.binary(min_size=1, max_size=8))
    for broken in (cut, more):
        with pytest.raises(BoundaryError):
            decode(broken, direction(type(call)))


@pytest.mark.security("S112")
@given(ANY)
def test_the_other_direction_is_refused(call: Call) -> None:
    other = TO_WORKER if direction(type(call)) is TO_MONITOR else TO_MONITOR
    with pytest.raises(BoundaryError, match="of this direction"):
        decode(call.encode(), other)


@pytest.mark.security("S112")
@pytest.mark.parametrize("number", sorted(set(range(256)) - set(CALLS)))
def test_unknown_numbers_are_refused(number: int) -> None:
    for allowed in (TO_MONITOR, TO_WORKER):
        with pytest.raises(BoundaryError, match=f"number {number}"):
            decode(bytes([number]) + bytes(40), allowed)


@pytest.mark.security("S112")
@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_noise_is_read_exactly_or_refused(kind: type[Call], noise: bytes) -> None:
    message = bytes([kind.NUMBER]) + noise
    try:
        call = decode(message, direction(kind))
    except BoundaryError:
        return
    assert decode(call.encode(), direction(kind)) == call
    # A boolean is the one type with more than one form (RFC 4251 §5).
    assert len(call.encode()) == len(message)


@pytest.mark.security("S112")
def test_sizes_and_counts_are_bounded() -> None:
    assert MAX_CALL == MAX_MESSAGE
    largest = OfferPassword(1, b"x" * (MAX_CALL - 9))
    assert decode(largest.encode(), TO_MONITOR) == largest
    for broken in (b"", largest.encode() + b"x"):
        with pytest.raises(BoundaryError, match="expected 1 to"):
            decode(broken, TO_MONITOR)
    for count in (65, 1 << 31, 0xFFFFFFFF):
        for rest in (b"", b"\0" * 4000):
            with pytest.raises(BoundaryError, match="can not be read"):
                decode(bytes([1]) + codec.uint32(count) + rest, TO_MONITOR)


@pytest.mark.security("S67", "S112")
def test_texts_are_utf8() -> None:
    for broken in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80"):
        with pytest.raises(BoundaryError, match="OfferNone can not be read"):
            decode(bytes([4]) + codec.uint32(1) + codec.string(broken), TO_MONITOR)


CANARY = b"the-canary-of-a-secret"


@pytest.mark.security("S120")
@pytest.mark.parametrize(
    "call",
    [
        OfferPassword(1, CANARY),
        AnswerInteractive(1, (CANARY, b"x")),
        RequestX11(1, 0, False, "MIT-MAGIC-COOKIE-1", CANARY, 0),
    ],
)
def test_no_secret_is_shown(call: Call) -> None:
    for shown in (repr(call), str(call), f"{call}", repr([call]), repr({"call": call})):
        assert CANARY.decode() not in shown
        assert type(call).__name__ in shown
    with pytest.raises(BoundaryError) as caught:
        decode(call.encode() + b"x", TO_MONITOR)
    assert CANARY.decode() not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.security("S120")
@pytest.mark.parametrize("kind", [OfferPassword, AnswerInteractive])
def test_no_broken_call_shows_what_it_held(kind: Any) -> None:
    for cut in range(1, 30):
        with pytest.raises(BoundaryError) as caught:
            decode((bytes([kind.NUMBER]) + codec.uint32(1) + codec.string(CANARY) + b"\0")[:-1][: 31 - cut], TO_MONITOR)
        assert "canary" not in str(caught.value)


def test_every_call_has_one_number_and_a_direction() -> None:
    assert sorted(CALLS) == sorted([*TO_MONITOR, *TO_WORKER, *TO_SHARED, *FROM_SHARED])
    for number, kind in CALLS.items():
        assert number == kind.NUMBER
        assert bytes([number]) == kind.PREFIX
        assert kind.__doc__
        assert bool(kind.PHASES) == (number in TO_MONITOR)
        assert set(Phase) >= kind.PHASES

    @structured_call
    class Twice(Call):
        NUMBER = 1

    with pytest.raises(ValueError, match="which Ready has"):
        by_number(*CALLS.values(), Twice)


def test_every_call_that_is_written_down_is_in_the_table() -> None:
    written = {kind for theme in THEMES for kind in vars(theme).values() if isinstance(kind, type)}
    assert {kind for kind in written if issubclass(kind, Call) and kind is not Call} == set(CALLS.values())


@pytest.mark.security("S112", "S74")
def test_no_call_but_the_first_names_a_person() -> None:
    for kind in TO_MONITOR.values():
        names = {slot.name for slot in kind.LAYOUT}
        assert not names & {"user", "account", "person", "username", "uid", "home"} or kind is BeginAuth
