"""How a message is declared: a class whose annotations are wire types, read and written in the order of the fields.

    @structure
    class WindowAdjust(Message):
        NUMBER = MessageNumber.CHANNEL_WINDOW_ADJUST
        recipient: Uint32
        bytes_to_add: Uint32

`decode` consumes exactly the bytes that it is given. To add a message is to declare it; no code reads a single one.
"""

from collections.abc import Callable
from dataclasses import field
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    TypeVar,
    dataclass_transform,
    get_origin,
    get_type_hints,
)

from pysshd.errors import DecodeError
from pysshd.records import dataclass
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.numbers import MessageNumber

_S = TypeVar("_S", bound="Structure")


@dataclass(frozen=True, slots=True)
class Wire:
    """How one type is read and written, and on which earlier boolean field its presence hangs (None: always there)."""

    read: Callable[[Reader], Any]
    write: Callable[[Any], bytes]
    when: str | None = None


class _Slot(NamedTuple):
    """One field of a structure, resolved: `flag` is the position of the boolean that it hangs on, or None."""

    name: str
    read: Callable[[Reader], Any]
    write: Callable[[Any], bytes]
    flag: int | None


def counted(read: Callable[[Reader], Any], write: Callable[[Any], bytes], item_size: int, most: int) -> Wire:
    """A uint32 count and that many items, each of at least `item_size` bytes.

    The count is only ever compared: with `most`, and with what the bytes that are there could hold.
    """

    def read_items(reader: Reader) -> tuple[Any, ...]:
        count = reader.uint32()
        if count > most:
            raise DecodeError(f"list announces {count} items, expected at most {most}")
        if count > reader.remaining // item_size:
            raise DecodeError(f"list announces {count} items, but only {reader.remaining} bytes follow")
        return tuple(read(reader) for _ in range(count))

    def write_items(items: tuple[Any, ...]) -> bytes:
        return codec.uint32(len(items)) + b"".join(map(write, items))

    return Wire(read_items, write_items)


def _raw(size: int) -> Wire:
    def write(value: bytes) -> bytes:
        if len(value) != size:
            raise ValueError(f"byte array has {len(value)} bytes, expected {size}")
        return value

    return Wire(lambda reader: reader.raw(size), write)


Byte = Annotated[int, Wire(Reader.byte, codec.byte)]
Boolean = Annotated[bool, Wire(Reader.boolean, codec.boolean)]
Uint32 = Annotated[int, Wire(Reader.uint32, codec.uint32)]
Mpint = Annotated[int, Wire(Reader.mpint, codec.mpint)]
String = Annotated[bytes, Wire(Reader.string, codec.string)]
Text = Annotated[str, Wire(Reader.text, codec.text)]
NameList = Annotated[tuple[str, ...], Wire(Reader.name_list, codec.name_list)]
Cookie = Annotated[bytes, _raw(16)]
Rest = Annotated[bytes, Wire(Reader.rest, bytes)]
"""The bytes up to the end: the part of a message whose form follows from an earlier field."""


class Structure:
    """Fields without a message number in front: the body of a request, or of an authentication method."""

    __slots__ = ()
    PREFIX: ClassVar[bytes] = b""
    LAYOUT: ClassVar[tuple[_Slot, ...]] = ()

    def encode(self) -> bytes:
        """The wire form. A value that does not fit its type is a `ValueError`, `OverflowError` or `TypeError`."""
        parts = [self.PREFIX]
        for name, _, write, flag in self.LAYOUT:
            value = getattr(self, name)
            if flag is None or getattr(self, self.LAYOUT[flag].name):
                parts.append(write(value))
            elif value is not None:
                raise ValueError(f"{type(self).__name__}.{name} is given, but {self.LAYOUT[flag].name} is false")
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Self:
        """Read all of `data`; `DecodeError` where a byte is missing, left over or not allowed."""
        reader = Reader(data)
        if cls.PREFIX:
            number = reader.byte()
            if number != cls.PREFIX[0]:
                raise DecodeError(f"message has number {number}, expected {cls.PREFIX[0]} ({cls.__name__})")
        values: list[Any] = []
        for _, read, _, flag in cls.LAYOUT:
            values.append(read(reader) if flag is None or values[flag] else None)
        reader.end()
        return cls(*values)


class Message(Structure):
    """A whole payload, its number first."""

    __slots__ = ()
    NUMBER: ClassVar[MessageNumber]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def structure(cls: type[_S]) -> type[_S]:
    """Make a frozen, slotted dataclass of `cls` and work out its layout once."""
    made = dataclass(frozen=True, slots=True)(cls)
    hints = get_type_hints(made, include_extras=True)
    names = [name for name, hint in hints.items() if get_origin(hint) is Annotated]
    slots = []
    for name in names:
        wire = next(item for item in hints[name].__metadata__ if isinstance(item, Wire))
        slots.append(_Slot(name, wire.read, wire.write, None if wire.when is None else names.index(wire.when)))
    made.LAYOUT = tuple(slots)
    if issubclass(made, Message):
        made.PREFIX = bytes([made.NUMBER])
    return made
