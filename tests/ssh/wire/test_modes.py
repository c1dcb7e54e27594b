"""Encoded terminal modes (RFC 4254 §8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import DecodeError
from pysshd.ssh.wire.modes import IUTF8, TTY_OP_ISPEED, TTY_OP_OSPEED, decode_modes, encode_modes

# Laid out by hand after RFC 4254 §8: VINTR 3, ECHO off, IUTF8 (RFC 8160), 38400 baud both ways, end.
MODES = bytes.fromhex("01 00000003 35 00000000 2a 00000001 80 00009600 81 00009600 00")
PAIRS = ((1, 3), (53, 0), (IUTF8, 1), (TTY_OP_ISPEED, 38400), (TTY_OP_OSPEED, 38400))


def test_modes_of_the_rfc() -> None:
    assert decode_modes(MODES) == PAIRS
    assert encode_modes(PAIRS) == MODES


def test_modes_end_where_nothing_is_known() -> None:
    assert decode_modes(b"") == ()
    assert decode_modes(b"\0" + MODES) == ()
    assert decode_modes(MODES[:-1] + b"\xa0\x01\x02") == PAIRS
    assert decode_modes(MODES[:-1]) == PAIRS


@pytest.mark.parametrize("size", [size for size in range(len(MODES)) if size % 5])
def test_modes_that_are_cut_off(size: int) -> None:
    with pytest.raises(DecodeError):
        decode_modes(MODES[:size])


@pytest.mark.security("S84")
def test_modes_are_capped() -> None:
    assert len(decode_modes(MODES[:5] * 128)) == 128
    with pytest.raises(DecodeError):
        decode_modes(MODES[:5] * 129)


@given(st.lists(st.tuples(st.integers(1, 159), st.integers(0, 0xFFFFFFFF)), max_size=128))
def test_modes_survive(pairs: list[tuple[int, int]]) -> None:
    assert decode_modes(encode_modes(tuple(pairs))) == tuple(pairs)


@given(st.binary(max_size=700))
def test_modes_of_any_bytes(encoded: bytes) -> None:
    try:
        pairs = decode_modes(encoded)
    except DecodeError:
        return
    assert encoded.startswith(encode_modes(pairs)[:-1])
