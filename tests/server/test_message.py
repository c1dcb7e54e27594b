"""The message given to hooks: RFC 4251 §5, with the examples that stand there."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import DecodeError
from pysshd.server.message import Message

READS: list[Callable[[Message], Any]] = [
    Message.get_byte,
    Message.get_boolean,
    Message.get_int,
    Message.get_int64,
    Message.get_adaptive_int,
    Message.get_mpint,
    Message.get_string,
    Message.get_binary,
    Message.get_text,
    Message.get_list,
]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [  # RFC 4251 §5, "mpint"
        (0, "00000000"),
        (0x9A378F9B2E332A7, "0000000809a378f9b2e332a7"),
        (0x80, "000000020080"),
        (-0x1234, "00000002edcc"),
        (-0xDEADBEEF, "00000005ff21524111"),
    ],
)
def test_an_mpint_is_that_of_the_rfc(value: int, encoded: str) -> None:
    assert Message().add_mpint(value).asbytes().hex() == encoded
    assert Message(bytes.fromhex(encoded)).get_mpint() == value


def test_values_come_out_as_they_went_in() -> None:
    message = Message()
    message.add_byte(b"a").add_boolean(True).add_int(0x29B7F4AA).add_int64(1 << 40).add_string("testing")
    message.add_string(b"\xff").add_list(["zlib", "none"]).add_list([]).add_bytes(b"end")
    again = Message(message.asbytes())
    assert again.get_byte() == b"a"
    assert again.get_boolean() is True
    assert again.get_int() == 0x29B7F4AA
    assert again.get_int64() == 1 << 40
    assert again.get_text() == "testing"
    assert again.get_binary() == b"\xff"
    assert again.get_list() == ["zlib", "none"]
    assert again.get_list() == []
    assert again.get_remainder() == b"end"
    assert again.get_so_far() + again.get_remainder() == bytes(message)
    again.rewind()
    assert again.get_so_far() == b""
    assert again.get_bytes(1) == b"a"


@given(st.integers(min_value=-(1 << 600), max_value=1 << 600))
def test_adaptive_ints_come_back(value: int) -> None:
    assert Message(Message().add_adaptive_int(value).asbytes()).get_adaptive_int() == value


def test_an_adaptive_int_is_short_while_it_can_be() -> None:
    assert Message().add_adaptive_int(7).asbytes() == b"\0\0\0\x07"
    assert Message().add_adaptive_int(0xFF000000).asbytes()[0] == 0xFF


def test_add_goes_by_type() -> None:
    made = Message().add(True, 7, "ab", b"c", ["x", "y"])
    assert made.asbytes() == b"\x01\0\0\0\x07\0\0\0\x02ab\0\0\0\x01c\0\0\0\x03x,y"
    with pytest.raises(TypeError, match="float"):
        Message().add(1.5)  # type: ignore[arg-type]


@given(st.binary(max_size=40), st.sampled_from(READS))
def test_reading_past_the_end_raises_and_nothing_else_does(data: bytes, read: Callable[[Message], Any]) -> None:
    message = Message(data)
    try:
        read(message)
    except DecodeError:
        assert len(message.get_so_far()) <= len(data)
    else:
        assert len(message.get_so_far()) >= 1


def test_a_length_beyond_the_end_takes_nothing() -> None:
    message = Message(b"\xff\xff\xff\xffabc")
    with pytest.raises(DecodeError):
        message.get_string()
    assert message.get_so_far() == b""
    with pytest.raises(DecodeError):
        message.get_bytes(-1)


def test_what_is_in_a_message_is_not_in_its_repr() -> None:
    assert "secret" not in repr(Message(b"secret"))
