"""Which pages a fork has to copy: those on which it writes, and as few of them as can be.

A fork shares every page of the zygote until it writes there. The interpreter puts a new object where an old one left a
hole, so that a fork would copy a page for each of the holes it fills. So the holes are filled before the first fork:
what a fork makes is on pages of its own. And it counts references inside the objects, which `uncounted` ends.
"""

import gc
from collections.abc import Callable
from typing import Final

from pysshd.processes.zygote import uncounted

_POOL: Final = 1 << 14
"""Bytes in which the interpreter's allocator keeps objects of one size (Python 3.10 and later)."""

_SMALLEST, _LARGEST, _STEP = 48, 512, 16
"""Bytes of the objects that it keeps so, from the smallest that `bytes` makes."""

_NUMBER: Final = 1 << 40
"""An integer of 32 bytes, which is less than `bytes` can be."""

_MOST: Final = 20_000
"""Objects of one size, for an allocator that works otherwise."""

_OVERHEAD: Final = b"".__sizeof__()

_filling: Final[list[object]] = []


def settle() -> None:
    """Make the memory of this process ready to be shared: call it when all that forks need is there."""
    gc.collect()
    gc.disable()
    _fill(lambda number: _NUMBER + number)
    for size in range(_SMALLEST, _LARGEST + 1, _STEP):
        _fill(lambda _, size=size: bytes(size - _OVERHEAD))  # type: ignore[misc]
    # What is here now is never garbage; marking it would copy its pages in every fork.
    gc.freeze()


def settle_for_many() -> None:
    """`settle`, and have forks look at things without writing on them: a tenth of a second, the first time.

    It writes on every page itself, so that whoever was forked before shares none of them any more.
    """
    gc.collect()
    uncounted.stop_counting()
    settle()


def _fill(make: Callable[[int], object]) -> None:
    """Take the free places of one size, up to the first on a page that nobody had."""
    seen: set[int] = set()
    for number in range(_MOST):
        made = make(number)
        _filling.append(made)
        pool = id(made) // _POOL
        if pool not in seen and id(made) % _POOL < 64:
            return
        seen.add(pool)
