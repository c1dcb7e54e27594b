"""What a call is: a structure with a number and the phases in which a worker may send it, and how one is read."""

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar, TypeVar, dataclass_transform

from pysshd.errors import BoundaryError, DecodeError
from pysshd.ssh.wire.messages.fields import Structure, structure

MAX_CALL = 64 * 1024
"""Bytes of one call: what a SEQPACKET socket carries whole; a larger one is a violation."""


class Phase(IntEnum):
    """What a worker's connection is at; a call outside its phases kills the worker."""

    WAITING = 0
    KEX = 1
    AUTH = 2
    OPEN = 3


BEFORE = frozenset({Phase.WAITING})
ANY = frozenset({Phase.KEX, Phase.AUTH, Phase.OPEN})
KEX = frozenset({Phase.KEX})
AUTH = frozenset({Phase.AUTH})
OPEN = frozenset({Phase.OPEN})


class Call(Structure):
    """A call between worker and monitor; the first byte is its number."""

    __slots__ = ()
    NUMBER: ClassVar[int]
    PHASES: ClassVar[frozenset[Phase]] = frozenset()


_C = TypeVar("_C", bound=Call)


@dataclass_transform(frozen_default=True)
def call(cls: type[_C]) -> type[_C]:
    """Make a frozen structure of `cls`, with its number in front."""
    made = structure(cls)
    made.PREFIX = bytes([made.NUMBER])
    return made


def by_number(*kinds: type[Call]) -> Mapping[int, type[Call]]:
    """These calls by their numbers; ValueError where two have the same."""
    table: dict[int, type[Call]] = {}
    for kind in kinds:
        if table.setdefault(kind.NUMBER, kind) is not kind:
            raise ValueError(f"call {kind.__name__} has number {kind.NUMBER}, which {table[kind.NUMBER].__name__} has")
    return table


def decode(message: bytes, allowed: Mapping[int, type[Call]]) -> Call:
    """Read one call that is a member of `allowed`; BoundaryError for anything else."""
    if not message or len(message) > MAX_CALL:
        raise BoundaryError(f"call has {len(message)} bytes, expected 1 to {MAX_CALL}")
    kind = allowed.get(message[0])
    if kind is None:
        raise BoundaryError(f"call has number {message[0]}, expected one of this direction")
    try:
        return kind.decode(message)
    except DecodeError as error:
        raise BoundaryError(f"call {kind.__name__} can not be read: {error}") from None
