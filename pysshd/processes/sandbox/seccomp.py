"""Filters of system calls, put on the calling process for good."""

import ctypes
from collections.abc import Sequence

from pysshd.processes.sandbox.bpf import INSTRUCTION_SIZE, Instruction, pack
from pysshd.processes.sandbox.kernel import call
from pysshd.processes.sandbox.process import refusal

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install(program: Sequence[Instruction]) -> None:
    """Have the kernel judge every further system call of this process and its children by `program`.

    Needs no_new_privs, which an ordinary user must have set. Filters add up: the strictest one decides. Raises
    SandboxError where the kernel refuses.
    """
    install_packed(pack(program))


def install_packed(program: bytes) -> None:
    """As `install`, for a program that is packed already."""
    packed = ctypes.create_string_buffer(program, len(program))
    instructions = len(program) // INSTRUCTION_SIZE
    with refusal("seccomp"):
        call(
            "prctl",
            _PR_SET_SECCOMP,
            _SECCOMP_MODE_FILTER,
            _Program(instructions, ctypes.addressof(packed)),
            0,
            0,
        )
