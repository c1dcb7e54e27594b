"""The two filters, run in an interpreter for both architectures."""

import errno
import fcntl
import socket
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.processes.sandbox.bpf import (
    ALLOW,
    KILL_PROCESS,
    ArgumentTest,
    Instruction,
    Rule,
    build_filter,
    fail_with,
    pack,
)
from pysshd.processes.sandbox.filters import ABSENT, REFUSE, confined_rules, worker_rules
from pysshd.processes.sandbox.syscalls import LAST_KNOWN, X32_BIT, Arch, UnknownSyscallError, known_names, number_of
from tests.processes.sandbox.interpreter import judge

PID = 4711
ARCHES = list(Arch)
WORKER = {arch: build_filter(arch, worker_rules(PID), rest=REFUSE) for arch in Arch}
CONFINED = {arch: build_filter(arch, confined_rules(unix_sockets=True), rest=ALLOW, newer=ABSENT) for arch in Arch}

any_arch = pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.machine)
numbers = st.integers(0, 2**32 - 1)


def verdict(program: dict[Arch, tuple[Instruction, ...]], arch: Arch, name: str, *arguments: int) -> int:
    number = number_of(arch, name)
    assert number is not None
    return judge(program[arch], arch.audit, number, arguments)


# Numbers of linux/unistd.h that a wrong table would confuse, from the manual pages of the architectures.
@pytest.mark.parametrize(
    ("name", "x86_64", "aarch64"),
    [("read", 0, 63), ("write", 1, 64), ("execve", 59, 221), ("prctl", 157, 167), ("seccomp", 317, 277)]
    + [(name, number, number) for name, number in (("landlock_restrict_self", 446), ("clone3", 435), ("openat2", 437))]
    + [("open", 2, None), ("fork", 57, None), ("poll", 7, None), ("epoll_wait", 232, None)],
)
def test_numbers(name: str, x86_64: int, aarch64: int | None) -> None:
    assert (number_of(Arch.X86_64, name), number_of(Arch.AARCH64, name)) == (x86_64, aarch64)


@any_arch
def test_no_two_names_share_a_number(arch: Arch) -> None:
    found = [number for name in known_names() if (number := number_of(arch, name)) is not None]
    assert len(found) == len(set(found))
    assert max(found) <= LAST_KNOWN


@any_arch
@given(audit=numbers, number=numbers)
def test_another_architecture_ends_the_process(arch: Arch, audit: int, number: int) -> None:
    if audit != arch.audit:
        assert judge(WORKER[arch], audit, number) == KILL_PROCESS
        assert judge(CONFINED[arch], audit, number) == KILL_PROCESS


@given(number=numbers)
def test_the_x32_abi_ends_the_process(number: int) -> None:
    for program in (WORKER, CONFINED):
        assert judge(program[Arch.X86_64], Arch.X86_64.audit, number | X32_BIT) == KILL_PROCESS


@any_arch
def test_a_worker_is_refused_all_but_its_list(arch: Arch) -> None:
    always = {name for name in known_names() if number_of(arch, name) is not None} & {
        rule.name for rule in worker_rules(PID) if not rule.tests
    }
    tested = {rule.name for rule in worker_rules(PID) if rule.tests}
    by_number = {number_of(arch, name): name for name in known_names()}
    for number in range(LAST_KNOWN + 10):
        name = by_number.get(number)
        if name not in tested:
            assert judge(WORKER[arch], arch.audit, number) == (ALLOW if name in always else REFUSE), name


FORBIDDEN = """
    open openat openat2 creat socket socketpair connect bind listen accept4 execve execveat fork vfork clone clone3 kill
    tkill ptrace process_vm_readv process_vm_writev memfd_create io_uring_setup bpf keyctl unshare setns mount chmod
    fchmod fchmodat prctl seccomp setresuid prlimit64 pidfd_open pidfd_getfd stat newfstatat readlinkat unlinkat
    rt_sigqueueinfo personality perf_event_open userfaultfd chdir pkey_mprotect
"""


@any_arch
@pytest.mark.parametrize("name", FORBIDDEN.split())
def test_a_worker_may_not(arch: Arch, name: str) -> None:
    if number_of(arch, name) is not None:
        assert verdict(WORKER, arch, name) == REFUSE


NODELAY = (3, socket.SOL_TCP, socket.TCP_NODELAY)
ARGUMENTS = [
    ("mmap", (0, 4096, 3), ALLOW),
    ("mmap", (0, 4096, 7), REFUSE),
    ("mprotect", (0, 4096, 1), ALLOW),
    ("mprotect", (0, 4096, 5), REFUSE),
    ("fcntl", (3, 1031, 2**18), ALLOW),
    ("fcntl", (3, fcntl.F_SETFL, 0o4000), ALLOW),
    ("fcntl", (3, fcntl.F_SETFL, 0o24000), REFUSE),
    ("fcntl", (3, fcntl.F_SETOWN, 1), REFUSE),
    ("fcntl", (3, 1032 + 1, 0), REFUSE),
    ("ioctl", (3, termios.TIOCSWINSZ), ALLOW),
    ("ioctl", (3, 0x40045436), ALLOW),
    ("ioctl", (3, termios.TIOCSTI), REFUSE),
    ("ioctl", (3, termios.TIOCSTI | 1 << 32), REFUSE),
    ("setsockopt", NODELAY, ALLOW),
    ("setsockopt", (3, socket.SOL_TCP, socket.TCP_QUICKACK), ALLOW),
    ("setsockopt", (3, socket.SOL_SOCKET, 26), REFUSE),
    ("setsockopt", (3, socket.SOL_TCP, 31), REFUSE),
    ("getsockopt", (3, socket.SOL_SOCKET, socket.SO_ERROR), ALLOW),
    ("getsockopt", (3, socket.SOL_SOCKET, 77), REFUSE),
    ("tgkill", (PID, PID, 6), ALLOW),
    ("tgkill", (PID + 1, PID, 6), REFUSE),
]


@any_arch
@pytest.mark.parametrize(("name", "arguments", "expected"), ARGUMENTS)
def test_arguments_of_a_worker(arch: Arch, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(WORKER, arch, name, *arguments) == expected


NO_FAMILY = fail_with(errno.EAFNOSUPPORT)
CONFINED_CASES = [
    ("openat", (0, 0, 0o101, 0o644), ALLOW),
    ("openat", (0, 0, 0o101, 0o4755), REFUSE),
    ("openat", (0, 0, 0o1, 0o4755), ALLOW),
    ("openat", (0, 0, 0o20200001, 0o2755), REFUSE),
    ("fchmod", (3, 0o4755), REFUSE),
    ("fchmodat", (-100, 0, 0o2755), REFUSE),
    ("fchmodat", (-100, 0, 0o1777), ALLOW),
    ("fchmodat2", (-100, 0, 0o6755), REFUSE),
    ("mknodat", (-100, 0, 0o104755), REFUSE),
    ("clone", (17,), ALLOW),
    ("clone", (0x3D0F00,), ALLOW),
    ("clone", (0x1000_0000 | 17,), REFUSE),
    ("clone", (0x0002_0000 | 1 << 40,), REFUSE),
    ("clone3", (), ABSENT),
    ("openat2", (), ABSENT),
    ("io_uring_setup", (), ABSENT),
    ("unshare", (0x1000_0000,), REFUSE),
    ("setns", (), REFUSE),
    ("mount", (), REFUSE),
    ("ptrace", (), REFUSE),
    ("keyctl", (), REFUSE),
    ("bpf", (), REFUSE),
    ("ioctl", (0, termios.TIOCSTI), REFUSE),
    # flatpak once compared all 64 bits here, of which the kernel drops the upper half (CVE-2019-10063).
    ("ioctl", (0, termios.TIOCSTI | 1 << 32), REFUSE),
    ("ioctl", (0, termios.TIOCGWINSZ), ALLOW),
    ("personality", (0xFFFF_FFFF,), ALLOW),
    ("personality", (0x0400000,), REFUSE),
    ("socket", (socket.AF_INET, socket.SOCK_STREAM, 0), ALLOW),
    ("socket", (socket.AF_INET6, socket.SOCK_DGRAM, 17), ALLOW),
    ("socket", (socket.AF_INET, socket.SOCK_STREAM, 132), NO_FAMILY),
    ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, 0), ALLOW),
    ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, 12), NO_FAMILY),
    ("socket", (38, socket.SOCK_SEQPACKET, 0), NO_FAMILY),
    ("socket", (40, socket.SOCK_STREAM, 0), NO_FAMILY),
    ("socket", (socket.AF_UNIX, socket.SOCK_STREAM, 0), ALLOW),
    ("execve", (), ALLOW),
    ("memfd_create", (), ALLOW),
]


@any_arch
@pytest.mark.parametrize(("name", "arguments", "expected"), CONFINED_CASES)
def test_a_confined_program(arch: Arch, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(CONFINED, arch, name, *arguments) == expected


@any_arch
def test_without_a_scope_a_confined_program_gets_socket_pairs_only(arch: Arch) -> None:
    program = {arch: build_filter(arch, confined_rules(unix_sockets=False), rest=ALLOW)}
    assert verdict(program, arch, "socket", socket.AF_UNIX, socket.SOCK_STREAM, 0) == NO_FAMILY
    assert verdict(program, arch, "socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0) == ALLOW
    assert verdict(program, arch, "socket", socket.AF_INET, socket.SOCK_STREAM, 0) == ALLOW


@any_arch
def test_calls_newer_than_the_tables_are_absent(arch: Arch) -> None:
    assert judge(CONFINED[arch], arch.audit, LAST_KNOWN) == ALLOW
    assert judge(CONFINED[arch], arch.audit, LAST_KNOWN + 1) == ABSENT
    assert judge(WORKER[arch], arch.audit, LAST_KNOWN + 1) == REFUSE


rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["read", "write", "ioctl"]),
        st.sampled_from([ALLOW, REFUSE, ABSENT]),
        st.lists(
            st.builds(ArgumentTest, st.integers(0, 2), st.integers(0, 3), st.sampled_from([1, 2, 3, 0xFFFF_FFFF])),
            max_size=3,
        ).map(tuple),
    ),
    max_size=8,
)


@given(arch=st.sampled_from(ARCHES), given_rules=rules, arguments=st.tuples(*[st.integers(0, 2**33)] * 3))
def test_the_program_does_what_the_rules_say(arch: Arch, given_rules: list[Rule], arguments: tuple[int, ...]) -> None:
    program = build_filter(arch, given_rules, rest=KILL_PROCESS)
    for name in ("read", "write", "ioctl"):
        holding = (
            rule.action
            for rule in given_rules
            if rule.name == name
            and all(arguments[test.index] & 0xFFFF_FFFF & test.mask == test.value for test in rule.tests)
        )
        number = number_of(arch, name)
        assert number is not None
        assert judge(program, arch.audit, number, arguments) == next(holding, KILL_PROCESS)


@any_arch
def test_every_jump_lands_inside(arch: Arch) -> None:
    for program in (WORKER[arch], CONFINED[arch]):
        for position, instruction in enumerate(program):
            assert position + 1 + max(instruction.if_true, instruction.if_false) < len(program) + (
                instruction.code == 0x06
            )
        assert len(pack(program)) == 8 * len(program)


def test_a_misspelt_call_is_an_error() -> None:
    with pytest.raises(UnknownSyscallError, match="opennat"):
        build_filter(Arch.X86_64, [Rule("opennat", REFUSE)], rest=ALLOW)


def test_too_many_rules_for_one_call_are_an_error() -> None:
    with pytest.raises(ValueError, match="read take 301 instructions"):
        build_filter(
            Arch.X86_64, [Rule("read", ALLOW, (ArgumentTest(0, number),)) for number in range(100)], rest=REFUSE
        )
