"""Every message: it comes back, it consumes exactly its bytes, and no length in it is believed."""

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import DecodeError
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.connection import ChannelOpen, ChannelWindowAdjust
from pysshd.ssh.wire.messages.fields import Message, Structure
from pysshd.ssh.wire.messages.requests import HOST_KEYS_MAX, X11Req, decode_strings, encode_strings
from pysshd.ssh.wire.messages.transport import Disconnect, ExtInfo, KexInit
from pysshd.ssh.wire.messages.userauth import (
    PasswordBody,
    PublickeyBody,
    UserauthInfoResponse,
    UserauthRequest,
)
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.wire.samples import SAMPLES

CLASSES = tuple(dict.fromkeys(type(sample) for sample in SAMPLES))
EXTREMES = (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x00100000)


def name(sample: object) -> str:
    return type(sample).__name__


def ends_open(sample: Structure) -> bool:
    """Whether the last field takes whatever is left."""
    return bool(sample.LAYOUT) and sample.LAYOUT[-1].read is Reader.rest


def subclasses(base: type[Structure]) -> set[type[Structure]]:
    found = set(base.__subclasses__())
    return found.union(*(subclasses(each) for each in found)) if found else found


def test_there_is_a_sample_of_every_class() -> None:
    # A slotted dataclass is made beside the class as it was written; the layout tells the real one.
    # Other rooms declare structures of their own, and hold them to tests of their own.
    ours = {each.__name__ for each in subclasses(Structure) if each.__module__.startswith("pysshd.ssh.wire.")}
    assert ours - {"Message"} == {each.__name__ for each in CLASSES}


def test_every_message_number_is_a_message() -> None:
    unused = {MessageNumber.NEWCOMPRESS}
    assert {each.NUMBER for each in CLASSES if issubclass(each, Message)} == set(MessageNumber) - unused


@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_message_comes_back(sample: Structure) -> None:
    wire = sample.encode()
    assert type(sample).decode(wire) == sample
    assert type(sample).decode(memoryview(wire)) == sample
    if isinstance(sample, Message):
        assert wire[0] == sample.NUMBER


def test_messages_byte_by_byte() -> None:
    # RFC 4254 §5.1 and §5.2, RFC 4252 §7 laid out by hand.
    assert ChannelWindowAdjust(1, 0x200000).encode().hex() == "5d" + "00000001" + "00200000"
    opened = ChannelOpen("session", 0, 0x200000, 0x8000)
    assert opened.encode().hex() == "5a" + "00000007" + b"session".hex() + "00000000" + "00200000" + "00008000"
    probe = PublickeyBody(False, "ssh-ed25519", b"\1\2")
    assert probe.encode().hex() == "00" + "0000000b" + b"ssh-ed25519".hex() + "00000002" + "0102"
    assert Disconnect(2).encode().hex() == "01" + "00000002" + "00000000" + "00000000"


@pytest.mark.security("S18")
@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_message_cut_at_any_byte_is_refused_or_shorter(sample: Structure) -> None:
    wire = sample.encode()
    for size in range(len(wire)):
        try:
            decoded = type(sample).decode(wire[:size])
        except DecodeError:
            continue
        # Only what has a rest at its end may be shorter, and by nothing else than that rest.
        assert ends_open(sample)
        assert decoded.encode() == wire[:size]


@pytest.mark.security("S18")
@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_any_four_bytes_as_a_length_cost_nothing(sample: Structure) -> None:
    wire = sample.encode()
    tracemalloc.start()
    try:
        for at in range(len(wire) - 3):
            for extreme in EXTREMES:
                try:
                    type(sample).decode(wire[:at] + extreme.to_bytes(4, "big") + wire[at + 4 :])
                except DecodeError:
                    continue
        assert tracemalloc.get_traced_memory()[1] < 1 << 18
    finally:
        tracemalloc.stop()


@pytest.mark.security("S19")
@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_byte_behind_the_last_field_is_refused(sample: Structure) -> None:
    wire = sample.encode() + b"\0"
    if ends_open(sample):
        assert type(sample).decode(wire).encode() == wire
    else:
        with pytest.raises(DecodeError, match="follow"):
            type(sample).decode(wire)


@pytest.mark.parametrize("sample", [each for each in SAMPLES if isinstance(each, Message)], ids=name)
def test_another_number_is_refused(sample: Message) -> None:
    wire = sample.encode()
    with pytest.raises(DecodeError, match="number"):
        type(sample).decode(bytes([wire[0] ^ 0x80]) + wire[1:])


@given(st.sampled_from(CLASSES), st.binary(max_size=80))
def test_any_bytes_give_a_message_or_a_decode_error(kind: type[Structure], data: bytes) -> None:
    data = kind.PREFIX + data
    try:
        message = kind.decode(data)
    except DecodeError:
        return
    # Booleans have many forms on the wire and one in memory; all else is one to one.
    assert kind.decode(message.encode()) == message
    assert len(message.encode()) == len(data)


@pytest.mark.security("S18")
@pytest.mark.parametrize("count", [3, 33, 65, 0x7FFFFFFF, 0xFFFFFFFF])
def test_counts_are_never_believed(count: int) -> None:
    pair = codec.text("a") + codec.string(b"")
    with pytest.raises(DecodeError, match="list announces"):
        ExtInfo.decode(b"\x07" + codec.uint32(count) + pair * 2)
    with pytest.raises(DecodeError, match="list announces"):
        UserauthInfoResponse.decode(b"\x3d" + codec.uint32(count) + codec.string(b"") * 2)


def test_fewer_items_than_there_are_is_refused() -> None:
    with pytest.raises(DecodeError, match="follow"):
        UserauthInfoResponse.decode(b"\x3d" + codec.uint32(1) + codec.string(b"") * 2)


def test_field_that_hangs_on_a_flag() -> None:
    assert PublickeyBody.decode(PublickeyBody(False, "a", b"b").encode()).signature is None
    with pytest.raises(DecodeError):
        PublickeyBody.decode(b"\1" + PublickeyBody(False, "a", b"b").encode()[1:])
    with pytest.raises(ValueError, match="has_signature is false"):
        PublickeyBody(False, "a", b"b", b"c").encode()


def test_secrets_are_not_in_repr() -> None:
    canary = b"canary"
    for holder in (
        UserauthRequest(b"u", "s", "password", canary),
        PasswordBody(True, canary, canary),
        UserauthInfoResponse((canary,)),
        X11Req(False, b"p", canary),
    ):
        assert "canary" not in repr(holder)


def test_cookie_has_sixteen_bytes() -> None:
    short = KexInit(bytes(15), (), (), (), (), (), (), (), ())
    with pytest.raises(ValueError, match="expected 16"):
        short.encode()


@pytest.mark.security("S18")
def test_strings_without_a_count() -> None:
    for strings in ((), (b"one",), (b"", b"two", b""), tuple([b"x"] * HOST_KEYS_MAX)):
        data = encode_strings(strings)
        assert decode_strings(data) == strings
        for size in range(1, len(data)):
            with contextlib.suppress(DecodeError):
                assert encode_strings(decode_strings(data[:size])) == data[:size]
    for broken in (b"\0", b"\0\0\0\1", b"\xff\xff\xff\xffx", encode_strings([b"x"] * (HOST_KEYS_MAX + 1))):
        with pytest.raises(DecodeError):
            decode_strings(broken)
