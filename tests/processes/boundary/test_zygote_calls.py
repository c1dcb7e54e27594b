"""The calls between monitor and zygote come back as they went, and nothing else is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import decode
from pysshd.processes.boundary.calls.zygote import (
    FROM_ZYGOTE,
    TO_ZYGOTE,
    Account,
    Adopt,
    Become,
    Confinement,
    Done,
    Failed,
    Forked,
    ForkHelper,
    ForkSession,
    ForkWorker,
    Greet,
    Hello,
    Release,
    Retire,
    SessionFailure,
    SessionSpec,
    ZygoteCall,
)

numbers = st.integers(0, 2**32 - 1)
long_numbers = st.integers(0, 2**64 - 1)
limits = st.just(-1) | st.integers(0, 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
octets = st.binary(max_size=20)
strings = st.lists(octets, max_size=5).map(tuple)
accounts = st.builds(Account, numbers, numbers, st.lists(numbers, max_size=5).map(tuple))
confinements = st.builds(Confinement, octets, strings, strings, long_numbers, numbers)
specs = st.builds(
    SessionSpec,
    text,
    octets,
    strings,
    st.lists(st.tuples(octets, octets), max_size=5).map(tuple),
    octets,
    st.booleans(),
    st.none() | accounts,
    numbers,
    st.none() | confinements,
    st.lists(st.tuples(numbers, limits, limits), max_size=4).map(tuple),
    st.booleans(),
    st.booleans(),
    octets,
)
few_numbers = st.lists(numbers, max_size=16).map(tuple)
calls = st.one_of(
    st.builds(Greet, text, numbers),
    st.builds(ForkWorker, text, st.none() | numbers, st.none() | numbers),
    st.builds(ForkHelper, text),
    st.builds(ForkSession, long_numbers, specs),
    st.builds(Release, long_numbers),
    st.builds(Adopt, st.lists(long_numbers, max_size=16).map(tuple), few_numbers),
    st.builds(Become, accounts),
    st.just(Retire()),
)
answers = st.one_of(
    st.builds(Hello, text, numbers), st.builds(Forked, numbers), st.just(Done()), st.builds(Failed, text)
)


@given(calls)
def test_a_call_comes_back_as_it_went(call: ZygoteCall) -> None:
    assert decode(call.encode(), TO_ZYGOTE) == call
    with pytest.raises(BoundaryError, match="expected one of this direction"):
        decode(call.encode(), FROM_ZYGOTE)


@given(answers)
def test_an_answer_comes_back_as_it_went(answer: ZygoteCall) -> None:
    assert decode(answer.encode(), FROM_ZYGOTE) == answer
    with pytest.raises(BoundaryError, match="expected one of this direction"):
        decode(answer.encode(), TO_ZYGOTE)


@given(text, numbers, text)
def test_a_failure_comes_back_as_it_went(stage: str, error: int, story: str) -> None:
    failure = SessionFailure(stage, error, story)
    assert SessionFailure.decode(failure.encode()) == failure


@given(calls | answers, st.data())
def test_a_call_that_is_cut_or_longer_is_refused(call: ZygoteCall, data: st.DataObject) -> None:
    message = call.encode()
    cut = data.draw(st.integers(0, len(message) - 1))
    for wrong in (message[:cut], message + b"\0"):
        with pytest.raises(BoundaryError):
            decode(wrong, {**TO_ZYGOTE, **FROM_ZYGOTE})


@pytest.mark.security("S112")
@given(st.binary(max_size=200))
def test_random_bytes_are_a_call_or_a_clean_error(message: bytes) -> None:
    try:
        call = decode(message, {**TO_ZYGOTE, **FROM_ZYGOTE})
    except BoundaryError:
        return
    # True is any byte but 0, so only the meaning comes back, not the bytes.
    assert decode(call.encode(), {**TO_ZYGOTE, **FROM_ZYGOTE}) == call


def test_every_call_has_its_own_number() -> None:
    assert {kind.__name__ for kind in TO_ZYGOTE.values()} == {
        "Greet", "ForkWorker", "ForkHelper", "ForkSession", "Release", "Adopt", "Become", "Retire",
    }  # fmt: skip
    assert {kind.__name__ for kind in FROM_ZYGOTE.values()} == {"Hello", "Forked", "Done", "Failed"}
