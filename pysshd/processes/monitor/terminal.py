"""A pseudo-terminal for a session: opened here, its modes set, its slave for the program, its master for the worker.

The opcodes are those of RFC 4254 §8 and RFC 8160; a mode that Linux does not know is passed over, as the RFC asks.
"""

import fcntl
import grp
import os
import struct
import termios
from collections.abc import Mapping
from functools import cache
from typing import Any

from pysshd.records import dataclass
from pysshd.ssh.wire.modes import TTY_OP_ISPEED, TTY_OP_OSPEED

IFLAG, OFLAG, CFLAG, LFLAG, ISPEED, OSPEED, CC = range(7)
"""Places in the list of `termios.tcgetattr`."""

IUTF8 = 0o40000
"""The kernel's flag for UTF-8 input; Python's termios has no name for it."""

DISABLED = 0xFF
"""A control character that the client does not have (RFC 4254 §8: 255 if not)."""

CHARACTERS: Mapping[int, int] = {
    1: termios.VINTR,
    2: termios.VQUIT,
    3: termios.VERASE,
    4: termios.VKILL,
    5: termios.VEOF,
    6: termios.VEOL,
    7: termios.VEOL2,
    8: termios.VSTART,
    9: termios.VSTOP,
    10: termios.VSUSP,
    12: termios.VREPRINT,
    13: termios.VWERASE,
    14: termios.VLNEXT,
    18: termios.VDISCARD,
}

FLAGS: Mapping[int, tuple[int, int]] = {
    30: (IFLAG, termios.IGNPAR),
    31: (IFLAG, termios.PARMRK),
    32: (IFLAG, termios.INPCK),
    33: (IFLAG, termios.ISTRIP),
    34: (IFLAG, termios.INLCR),
    35: (IFLAG, termios.IGNCR),
    36: (IFLAG, termios.ICRNL),
    37: (IFLAG, termios.IUCLC),
    38: (IFLAG, termios.IXON),
    39: (IFLAG, termios.IXANY),
    40: (IFLAG, termios.IXOFF),
    41: (IFLAG, termios.IMAXBEL),
    42: (IFLAG, IUTF8),
    50: (LFLAG, termios.ISIG),
    51: (LFLAG, termios.ICANON),
    52: (LFLAG, termios.XCASE),
    53: (LFLAG, termios.ECHO),
    54: (LFLAG, termios.ECHOE),
    55: (LFLAG, termios.ECHOK),
    56: (LFLAG, termios.ECHONL),
    57: (LFLAG, termios.NOFLSH),
    58: (LFLAG, termios.TOSTOP),
    59: (LFLAG, termios.IEXTEN),
    60: (LFLAG, termios.ECHOCTL),
    61: (LFLAG, termios.ECHOKE),
    62: (LFLAG, termios.PENDIN),
    70: (OFLAG, termios.OPOST),
    71: (OFLAG, termios.OLCUC),
    72: (OFLAG, termios.ONLCR),
    73: (OFLAG, termios.OCRNL),
    74: (OFLAG, termios.ONOCR),
    75: (OFLAG, termios.ONLRET),
    90: (CFLAG, termios.CS7),
    91: (CFLAG, termios.CS8),
    92: (CFLAG, termios.PARENB),
    93: (CFLAG, termios.PARODD),
}

Attributes = list[Any]
"""What `termios.tcgetattr` returns: six numbers and a list of characters."""

SPEEDS: Mapping[int, int] = {
    int(name[1:]): getattr(termios, name) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()
}


@dataclass(frozen=True, slots=True)
class PtyRequest:
    """What a client asked a terminal to be; sizes in characters and pixels, modes as (opcode, argument)."""

    term: str
    columns: int
    rows: int
    pixel_width: int
    pixel_height: int
    modes: tuple[tuple[int, int], ...]


def open_terminal(request: PtyRequest) -> tuple[int, int, str]:
    """Return (master, slave, the slave's path) of a new pseudo-terminal with the size and modes that were asked for."""
    master, slave = os.openpty()
    try:
        sizes = (min(n, 0xFFFF) for n in (request.rows, request.columns, request.pixel_width, request.pixel_height))
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *sizes))
        attributes = termios.tcgetattr(slave)
        termios.tcsetattr(slave, termios.TCSANOW, with_modes(attributes, request.modes))
        return master, slave, os.ttyname(slave)
    except BaseException as error:
        os.close(master)
        os.close(slave)
        if isinstance(error, termios.error):
            raise OSError(*error.args) from None
        raise


class Ownership:
    """A terminal that was handed over to an account, and is given back.

    It is held by its inode (O_PATH), which keeps no terminal open and can never be another terminal's of the same name.
    """

    def __init__(self, slave: int, uid: int, gid: int) -> None:
        """Hand over the terminal of `slave`: it becomes the account's, with the group tty for those who write to it."""
        group, mode = tty_group()
        os.fchown(slave, uid, gid if group is None else group)
        os.fchmod(slave, mode)
        self._inode = os.open(f"/proc/self/fd/{slave}", os.O_PATH | os.O_CLOEXEC)

    def give_back(self) -> None:
        """Make it root's again, once; whoever has it open keeps it so."""
        if self._inode < 0:
            return
        path, self._inode = f"/proc/self/fd/{self._inode}", -1
        try:
            os.chown(path, 0, 0)
            os.chmod(path, 0o600)
        except OSError:
            # The terminal is gone, and its inode with it.
            pass
        finally:
            os.close(int(path.rpartition("/")[2]))


@cache
def tty_group() -> tuple[int | None, int]:
    """The group of terminals and their mode, so that write(1) may write to them; where there is none, nobody else may.

    The daemon asks once at its start, for a directory of groups could be slow.
    """
    try:
        return grp.getgrnam("tty").gr_gid, 0o620
    except KeyError:
        return None, 0o600


def with_modes(attributes: Attributes, modes: tuple[tuple[int, int], ...]) -> Attributes:
    """Return `attributes` (of `tcgetattr`) with the encoded modes applied, in their order."""
    changed = list(attributes)
    characters = list(changed[CC])
    for opcode, argument in modes:
        if opcode in CHARACTERS:
            characters[CHARACTERS[opcode]] = bytes([0 if argument == DISABLED else argument & 0xFF])
        elif opcode in FLAGS:
            place, flag = FLAGS[opcode]
            before = changed[place]
            if flag in (termios.CS7, termios.CS8):
                changed[place] = (before & ~termios.CSIZE) | flag if argument else before
            else:
                changed[place] = before | flag if argument else before & ~flag
        elif opcode in (TTY_OP_ISPEED, TTY_OP_OSPEED) and argument in SPEEDS:
            changed[ISPEED if opcode == TTY_OP_ISPEED else OSPEED] = SPEEDS[argument]
    changed[CC] = characters
    return changed
