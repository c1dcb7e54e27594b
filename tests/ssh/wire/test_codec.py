"""The types of RFC 4251 §5: its own examples, then what a peer may try."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import DecodeError
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import MPINT_SIZE_MAX, NAMES_MAX, Reader

NAMES = st.text(st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) != ","]), min_size=1, max_size=64)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (0, "00000000"),
        (0x9A378F9B2E332A7, "0000000809a378f9b2e332a7"),
        (0x80, "000000020080"),
    ],
)
def test_mpint_examples_of_rfc_4251(value: int, wire: str) -> None:
    assert codec.mpint(value).hex() == wire
    assert Reader(bytes.fromhex(wire)).mpint() == value


@pytest.mark.security("S20")
@pytest.mark.parametrize(
    "wire",
    [
        "00000002edcc",  # -1234, RFC 4251 §5
        "00000005ff21524111",  # -0xdeadbeef, RFC 4251 §5
        "0000000100",  # zero with a byte
        "00000002007f",  # a needless leading zero
        "000000030000ff",
        "0000000180",
    ],
)
def test_mpint_that_is_negative_or_not_in_its_shortest_form_is_refused(wire: str) -> None:
    with pytest.raises(DecodeError):
        Reader(bytes.fromhex(wire)).mpint()


@pytest.mark.security("S20")
def test_mpint_is_bounded() -> None:
    largest = (1 << 8 * (MPINT_SIZE_MAX - 1)) - 1
    assert Reader(codec.mpint(largest)).mpint() == largest
    with pytest.raises(DecodeError, match="longer than"):
        Reader(codec.mpint(largest + 1 << 8)).mpint()
    with pytest.raises(DecodeError):
        Reader(codec.string(b"\x01" * 200_000)).mpint()


@pytest.mark.parametrize(
    ("names", "wire"),
    [((), "00000000"), (("zlib",), "000000047a6c6962"), (("zlib", "none"), "000000097a6c69622c6e6f6e65")],
)
def test_name_list_examples_of_rfc_4251(names: tuple[str, ...], wire: str) -> None:
    assert codec.name_list(names).hex() == wire
    assert Reader(bytes.fromhex(wire)).name_list() == names


@pytest.mark.security("S17")
@pytest.mark.parametrize(
    "data",
    [
        b",",
        b"a,",
        b",a",
        b"a,,b",
        b"a b",
        b"a\0",
        b"a\n",
        b"\x7f",
        b"\xc3\xa9",
        b"a" * 65,
        b",".join([b"a"] * (NAMES_MAX + 1)),
        b"," * 262_000,
    ],
)
def test_name_list_with_what_is_not_a_name_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="name-list"):
        Reader(codec.string(data)).name_list()


@pytest.mark.security("S17")
def test_name_list_costs_little_however_long() -> None:
    hostile = [b"a," * 131_000, b"a" * 262_000, b",".join(b"x%d" % i for i in range(40_000)), b"\0" * 262_000]
    start = time.process_time()
    for data in hostile:
        with pytest.raises(DecodeError):
            Reader(codec.string(data)).name_list()
    assert time.process_time() - start < 0.05
    most = tuple(f"name{i:060}" for i in range(NAMES_MAX))
    assert Reader(codec.name_list(most)).name_list() == most


@pytest.mark.parametrize("names", [("",), ("a,b",), ("a b",), ("a" * 65,)])
def test_encoding_a_bad_name_is_our_defect(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="printable"):
        codec.name_list(names)


def test_boolean_is_true_for_every_byte_but_zero() -> None:
    assert [octet for octet in range(256) if not Reader(bytes([octet])).boolean()] == [0]
    assert (codec.boolean(True), codec.boolean(False)) == (b"\1", b"\0")


def test_text_is_strict_utf_8() -> None:
    assert Reader(codec.text("grün")).text() == "grün"
    for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"abc\xe2\x82"):
        with pytest.raises(DecodeError, match="utf-8"):
            Reader(codec.string(bad)).text()


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 255), st.booleans())
def test_numbers_come_back(small: int, large: int, octet: int, flag: bool) -> None:
    reader = Reader(codec.uint32(small) + codec.uint64(large) + codec.byte(octet) + codec.boolean(flag))
    assert (reader.uint32(), reader.uint64(), reader.byte(), reader.boolean()) == (small, large, octet, flag)
    reader.end()


@given(st.binary(max_size=100), st.text(max_size=50), st.lists(NAMES, max_size=9), st.integers(0, 2**600))
def test_values_come_back_from_bytes_and_from_views(data: bytes, text: str, names: list[str], number: int) -> None:
    wire = codec.string(data) + codec.text(text) + codec.name_list(names) + codec.mpint(number) + data
    for source in (wire, memoryview(wire)):
        reader = Reader(source)
        assert (reader.string(), reader.text(), reader.name_list()) == (data, text, tuple(names))
        assert reader.mpint() == number
        assert reader.remaining == len(data)
        assert reader.rest() == data
        reader.end()
    assert bytes(Reader(wire).view()) == data


@given(st.binary(max_size=40), st.sampled_from(["string", "view", "text", "name_list", "mpint", "uint32", "uint64"]))
def test_any_bytes_give_a_value_or_a_decode_error(data: bytes, method: str) -> None:
    reader = Reader(data)
    try:
        getattr(reader, method)()
    except DecodeError:
        return
    assert 0 <= reader.remaining <= len(data)


@pytest.mark.security("S18")
@pytest.mark.parametrize("method", ["string", "view", "text", "name_list", "mpint"])
@pytest.mark.parametrize("length", [5, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_length_beyond_the_data_is_refused_before_anything_is_allocated(method: str, length: int) -> None:
    with pytest.raises(DecodeError):
        getattr(Reader(length.to_bytes(4, "big") + b"abcd"), method)()


def test_reading_past_the_end_and_leaving_bytes_behind_are_refused() -> None:
    for method in ("byte", "boolean", "uint32", "uint64"):
        with pytest.raises(DecodeError):
            getattr(Reader(b""), method)()
    with pytest.raises(DecodeError):
        Reader(b"abc").raw(4)
    with pytest.raises(DecodeError, match="2 bytes follow"):
        Reader(b"ab").end()


@pytest.mark.parametrize("encode", [codec.byte, codec.uint32, codec.uint64])
def test_encoding_a_number_that_does_not_fit_is_our_defect(encode: object) -> None:
    assert callable(encode)
    for value in (-1, 1 << 64):
        with pytest.raises(OverflowError):
            encode(value)
    with pytest.raises(ValueError, match="negative"):
        codec.mpint(-1)
