"""A small interpreter of classic BPF, with the instructions that the kernel takes in a filter of system calls."""

import struct
from collections.abc import Sequence

from pysshd.processes.sandbox import bpf
from pysshd.processes.sandbox.bpf import Instruction


def judge(program: Sequence[Instruction], audit: int, number: int, arguments: Sequence[int] = ()) -> int:
    """The action of `program` for a system call: `struct seccomp_data` goes in, the constant of a return comes out."""
    padded = [argument & 0xFFFF_FFFF_FFFF_FFFF for argument in arguments] + [0] * (6 - len(arguments))
    data = struct.pack("<IIQ6Q", number & 0xFFFF_FFFF, audit, 0, *padded)
    accumulator = 0
    position = 0
    while True:
        code, if_true, if_false, constant = program[position]
        position += 1
        match code:
            case bpf.LOAD_WORD:
                assert constant % 4 == 0
                (accumulator,) = struct.unpack_from("<I", data, constant)
            case bpf.AND:
                accumulator &= constant
            case bpf.RETURN:
                return constant
            case bpf.JUMP_EQUAL:
                position += if_true if accumulator == constant else if_false
            case bpf.JUMP_GREATER:
                position += if_true if accumulator > constant else if_false
            case bpf.JUMP_GREATER_OR_EQUAL:
                position += if_true if accumulator >= constant else if_false
            case _:
                raise AssertionError(f"instruction {code:#x} is not known")
