"""Objects whose references are not counted any more, so that a fork that uses them writes nothing on their pages.

CPython counts references inside of each object: to look at something is to write on it, and a fork copies the page.
Since 3.12 an object may be immortal (PEP 683): its count says so, and stays as it is. The interpreter makes its own so;
that memory of forks is saved is what the PEP was written for, but there is no call for it yet. Hence it is done here by
hand, for all that a process has before it forks. That is never freed, which in a process that forks is no loss.
"""

import ctypes
import gc
import sys
from types import CodeType, FrameType
from typing import Final

_IMMORTAL: Final = b"\xff\xff\xff\xff"
"""The lower half of a count that is never changed: the largest is immortal to every version that knows of it."""

_LIMIT: Final = 1 << 31
"""Counts from here on are immortal."""

_AT_ONCE: Final = 256
"""Objects that are looked at in one go: few, or the lists of them would fill the memory that forks share."""


def stop_counting() -> int:
    """Make all that can be found immortal, and return how much that was; 0 where this interpreter has no such thing.

    What is not found goes on being counted.
    """
    if not _works():
        return 0
    # What is frozen is not among the others.
    gc.unfreeze()
    everything = gc.get_objects()
    gc.freeze()
    return sum(_stop_from(everything[at : at + _AT_ONCE], everything) for at in range(0, len(everything), _AT_ONCE))


def _stop_from(found: list[object], everything: list[object]) -> int:
    """Make these immortal, and what they refer to; not the frames of calls that go on, nor the list of everything."""
    done = 0
    while found:
        mortal: list[object] = []
        for each in found:
            if sys.getrefcount(each) < _LIMIT and type(each) is not FrameType and each is not everything:
                ctypes.memmove(id(each), _IMMORTAL, len(_IMMORTAL))
                mortal.append(each)
        done += len(mortal)
        found = gc.get_referents(*mortal)
        for each in mortal:
            if type(each) is CodeType:
                found += _parts(each)
    return done


def _parts(code: CodeType) -> tuple[object, ...]:
    """What a code object refers to: the collector is not told of it."""
    return code.co_consts, code.co_names, code.co_filename, code.co_name, code.co_qualname, code.co_linetable


def _works() -> bool:
    """Try it on an object that nobody has: whether its count is where it is expected, and stays."""
    probe = object()
    before = sys.getrefcount(probe)
    if ctypes.c_uint32.from_address(id(probe)).value not in (before, before - 1):
        return False
    ctypes.memmove(id(probe), _IMMORTAL, len(_IMMORTAL))
    first = ctypes.string_at(id(probe), ctypes.sizeof(ctypes.c_ssize_t))
    many = [probe] * 3
    works = ctypes.string_at(id(probe), len(first)) == first and sys.getrefcount(probe) >= _LIMIT
    del many
    if not works:
        # It was counted once more as an argument.
        ctypes.memmove(id(probe), ctypes.byref(ctypes.c_ssize_t(before - 1)), ctypes.sizeof(ctypes.c_ssize_t))
    return works
