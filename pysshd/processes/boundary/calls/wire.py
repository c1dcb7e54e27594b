"""The lists that calls carry, each with the most items that it may have."""

from typing import Annotated

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.fields import Wire, counted


def _pairs(read_first: Wire, read_second: Wire, most: int) -> Wire:
    def read(reader: Reader) -> tuple[object, object]:
        return read_first.read(reader), read_second.read(reader)

    def write(pair: tuple[object, object]) -> bytes:
        return read_first.write(pair[0]) + read_second.write(pair[1])

    return counted(read, write, 5, most)


_TEXT = Wire(Reader.text, codec.text)
_STRING = Wire(Reader.string, codec.string)
_BOOLEAN = Wire(Reader.boolean, codec.boolean)

Prompts = Annotated[tuple[tuple[str, bool], ...], _pairs(_TEXT, _BOOLEAN, 32)]
HostKeys = Annotated[tuple[tuple[str, bytes], ...], _pairs(_TEXT, _STRING, 32)]
Fields = Annotated[tuple[tuple[str, bytes], ...], _pairs(_TEXT, _STRING, 16)]
Strings = Annotated[tuple[bytes, ...], counted(Reader.string, codec.string, 4, 64)]
