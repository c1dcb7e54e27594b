"""Acting with the rights of an account for a moment, in a helper process that is root and runs nothing else."""

import contextlib
import os
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def rights_of(uid: int, gid: int, groups: Sequence[int]) -> Iterator[None]:
    """Open files as this account would: effective ids and groups are its own in the block, and root's again after it.

    The real and the saved uid stay root's, so the account can neither signal nor trace this process. What can not be
    given back ends the process. A process that is not root may act as itself alone.
    """
    if os.getuid() != 0:
        if uid != os.getuid():
            raise PermissionError(f"uid {os.getuid()} can not act as uid {uid}")
        yield
        return
    before = os.getgroups()
    os.setgroups(list(groups))
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        try:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(before)
        except OSError:
            os._exit(1)
