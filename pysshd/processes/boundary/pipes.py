"""How much a pipe between a program and its worker holds.

The pipe through which much goes is to hold what a turn of the worker moves: with less, program and worker wake each
other for every few packets, and to wake another CPU takes longer than to seal them. For a monitor that is root those of
every program are so. The pipes of any other user share a soft limit (pipe-user-pages-soft, pipe(7)), past which a new
one holds next to nothing: there each begins as the kernel makes it, and the worker widens it when much goes through.
"""

import fcntl
from typing import Final

WIDE: Final = 512 * 1024
"""Bytes that a widened pipe holds, where the host lets it."""


def widen(descriptor: int) -> bool:
    """Have a pipe hold as much as it may, up to `WIDE`; whether that is more than before.

    What is no pipe stays as it is: a channel that the server interface serves has sockets.
    """
    try:
        before = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    except OSError:
        return False
    size = WIDE
    while size > before:
        try:
            return fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, size) > before
        except OSError:
            # Past the limit of the user or of the host (fs.pipe-max-size), and some is better than none.
            size //= 2
    return False
