"""A terminal that is an account's for a while: by its inode, and never another terminal's of the same name."""

import os
import stat

import pytest

from pysshd.processes.monitor.terminal import Ownership, PtyRequest, open_terminal, tty_group

REQUEST = PtyRequest("xterm", 80, 24, 0, 0, ())
UID = 61234


def whose(descriptor: int) -> tuple[int, int, int]:
    """Owner, group and mode of what a descriptor is open on."""
    found = os.fstat(descriptor)
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


@pytest.mark.root
@pytest.mark.security("S116")
def test_it_is_handed_over_and_given_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    master, slave, _ = open_terminal(REQUEST)
    group, mode = tty_group()
    terminal = Ownership(slave, UID, UID)
    assert whose(slave) == (UID, UID if group is None else group, mode)
    terminal.give_back()
    assert whose(slave) == (0, 0, 0o600)
    terminal.give_back()
    os.close(master)
    os.close(slave)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.root
def test_what_has_its_name_by_then_is_left_alone() -> None:
    master, slave, path = open_terminal(REQUEST)
    terminal = Ownership(slave, UID, UID)
    os.close(master)
    os.close(slave)
    held: list[int] = []
    try:
        for _ in range(64):
            found = open_terminal(REQUEST)
            held += found[:2]
            if found[2] == path:
                break
        os.fchown(held[-1], UID + 1, UID + 1)
        was = whose(held[-1])
        terminal.give_back()
        assert whose(held[-1]) == was
    finally:
        for descriptor in held:
            os.close(descriptor)


@pytest.mark.root
def test_it_keeps_no_terminal_open() -> None:
    """The master reads the end once the program has closed its slave."""
    master, slave, _ = open_terminal(REQUEST)
    terminal = Ownership(slave, UID, UID)
    os.close(slave)
    with pytest.raises(OSError, match="Input/output"):
        os.read(master, 1)
    terminal.give_back()
    os.close(master)
