"""The one way from Python to system calls that the standard library does not wrap.

Calls go through libc's `syscall(2)` with the numbers of `syscalls`, so that no wrapper need
be there in an old libc.
"""

import ctypes
import errno
import functools
import os

from pysshd.errors import SandboxError
from pysshd.processes.sandbox.syscalls import Arch, number_of

Argument = int | bytes | ctypes.Array[ctypes.c_char] | ctypes.Structure

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


@functools.cache
def machine() -> Arch:
    """The architecture of this process. Raises SandboxError where the tables do not have it."""
    name = os.uname().machine
    bits = 8 * ctypes.sizeof(ctypes.c_void_p)
    found = next((arch for arch in Arch if arch.machine == name), None)
    if found is None or bits != 64:
        known = " or ".join(arch.machine for arch in Arch)
        raise SandboxError(f"sandbox: this is a {bits}-bit program on {name}, expected a 64-bit one on {known}")
    return found


def call(name: str, *arguments: Argument) -> int:
    """Do the system call `name`; numbers go as they are, bytes as strings, structures by address.

    Raises OSError with the errno and the name of the call, also where the architecture or the kernel has no such call.
    """
    number = number_of(machine(), name)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)
    result: int = _syscall(ctypes.c_long(number), *(_converted(argument) for argument in arguments))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result


def _converted(argument: Argument) -> object:
    if isinstance(argument, int):
        # A variadic call would pass a Python int as 32 bits and leave the upper half to chance.
        return ctypes.c_ulong(argument & 0xFFFF_FFFF_FFFF_FFFF)
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument)
    return ctypes.byref(argument)
