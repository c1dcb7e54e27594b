"""Filters of system calls as programs of classic BPF (seccomp(2), linux/filter.h): built from rules, packed to bytes.

A pure module: the same rules can be built, and tested, for every architecture on any machine.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pysshd.processes.sandbox.syscalls import LAST_KNOWN, X32_BIT, Arch, number_of
from pysshd.records import dataclass

KILL_PROCESS = 0x8000_0000
ALLOW = 0x7FFF_0000
_ERRNO = 0x0005_0000

LOAD_WORD = 0x20
JUMP_EQUAL = 0x15
JUMP_GREATER = 0x25
JUMP_GREATER_OR_EQUAL = 0x35
AND = 0x54
RETURN = 0x06

NUMBER_OFFSET = 0
ARCH_OFFSET = 4
ARGUMENTS_OFFSET = 16

_ALL_BITS = 0xFFFF_FFFF
_LONGEST_JUMP = 255
_LONGEST_PROGRAM = 4096


def fail_with(code: int) -> int:
    """The action that lets the call fail with errno `code`, undone."""
    return _ERRNO | code


class Instruction(NamedTuple):
    """One instruction: operation, distances of the jump when it holds and when not, constant."""

    code: int
    if_true: int
    if_false: int
    constant: int


@dataclass(frozen=True, slots=True)
class ArgumentTest:
    """Holds where the low 32 bits of argument `index` (0 to 5), masked with `mask`, are `value`.

    The upper half is not looked at, for the kernel takes the arguments that are tested here (commands, modes, flags,
    families, pids) as 32-bit numbers: a test of all 64 bits could be passed by setting a bit that the kernel drops.
    """

    index: int
    value: int
    mask: int = _ALL_BITS


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the call `name` where every test holds. The first rule of a call that holds decides."""

    name: str
    action: int
    tests: tuple[ArgumentTest, ...] = ()


def build_filter(arch: Arch, rules: Iterable[Rule], *, rest: int, newer: int | None = None) -> tuple[Instruction, ...]:
    """The program that judges a system call of `arch` by `rules`, in their order; no rule holds: `rest`.

    `newer` is the action for calls that are newer than the tables (None: as `rest`). A call of another architecture,
    or of the x32 ABI, has other numbers than the rules mean and ends the process. A rule for a call that `arch` does
    not have is left out. Raises UnknownSyscallError for a name that no architecture has and ValueError for a program
    that the kernel would not take.
    """
    program = [
        Instruction(LOAD_WORD, 0, 0, ARCH_OFFSET),
        Instruction(JUMP_EQUAL, 1, 0, arch.audit),
        Instruction(RETURN, 0, 0, KILL_PROCESS),
        Instruction(LOAD_WORD, 0, 0, NUMBER_OFFSET),
    ]
    if arch is Arch.X86_64:
        program += [
            Instruction(JUMP_GREATER_OR_EQUAL, 0, 1, X32_BIT),
            Instruction(RETURN, 0, 0, KILL_PROCESS),
        ]
    if newer is not None:
        program += [Instruction(JUMP_GREATER, 0, 1, LAST_KNOWN), Instruction(RETURN, 0, 0, newer)]
    by_name: dict[str, list[Rule]] = {}
    for rule in rules:
        by_name.setdefault(rule.name, []).append(rule)
    for name, rules_of_call in by_name.items():
        number = number_of(arch, name)
        if number is not None:
            body = _body(rules_of_call, rest)
            program += [Instruction(JUMP_EQUAL, 0, _distance(name, body), number), *body]
    program.append(Instruction(RETURN, 0, 0, rest))
    if len(program) > _LONGEST_PROGRAM:
        raise ValueError(f"filter has {len(program)} instructions, expected at most {_LONGEST_PROGRAM}")
    return tuple(program)


def _body(rules: Sequence[Rule], rest: int) -> list[Instruction]:
    body: list[Instruction] = []
    for rule in rules:
        tests = [_test(test) for test in rule.tests]
        left = sum(map(len, tests))
        for instructions in tests:
            left -= len(instructions)
            # Where the test fails, what is left of this rule is jumped over, its return included.
            *before, jump = instructions
            body += [*before, jump._replace(if_false=left + 1)]
        body.append(Instruction(RETURN, 0, 0, rule.action))
        if not rule.tests:
            return body
    return [*body, Instruction(RETURN, 0, 0, rest)]


def _test(test: ArgumentTest) -> list[Instruction]:
    # Both architectures are little-endian: the low half of an argument comes first.
    instructions = [Instruction(LOAD_WORD, 0, 0, ARGUMENTS_OFFSET + 8 * test.index)]
    if test.mask != _ALL_BITS:
        instructions.append(Instruction(AND, 0, 0, test.mask))
    return [*instructions, Instruction(JUMP_EQUAL, 0, 0, test.value)]


def _distance(name: str, body: Sequence[Instruction]) -> int:
    if len(body) > _LONGEST_JUMP:
        raise ValueError(f"filter: rules for {name} take {len(body)} instructions, expected at most {_LONGEST_JUMP}")
    return len(body)


INSTRUCTION_SIZE = struct.calcsize("=HBBI")
"""Bytes of one `struct sock_filter`."""


def pack(program: Iterable[Instruction]) -> bytes:
    """The program as the kernel reads it: an array of `struct sock_filter`."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
