"""What a worker may do, and what a confined program may not: the rules of the two filters.

Both refuse with an error instead of killing. The worker's code is Python, which meets an unforeseen call on an error
path as an exception that is logged and ends the one connection; killed, it would tell nobody why. An attacker gains
nothing by it, for a call that fails has done nothing. A pure module.
"""

import errno

from pysshd.processes.sandbox.bpf import ALLOW, ArgumentTest, Rule, fail_with

REFUSE = fail_with(errno.EPERM)
ABSENT = fail_with(errno.ENOSYS)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_F_COMMANDS = {
    "F_DUPFD": 0,
    "F_GETFD": 1,
    "F_SETFD": 2,
    "F_GETFL": 3,
    "F_DUPFD_CLOEXEC": 1030,
    "F_SETPIPE_SZ": 1031,
    "F_GETPIPE_SZ": 1032,
}
_F_SETFL = 4
_O_ASYNC = 0x2000

# TIOCSIG interrupts what runs on a terminal that was granted: no more than the character typed there would.
_WORKER_IOCTLS = {
    "TCGETS": 0x5401,
    "TIOCGWINSZ": 0x5413,
    "TIOCSWINSZ": 0x5414,
    "FIONREAD": 0x541B,
    "TIOCSIG": 0x4004_5436,
    "FIONBIO": 0x5421,
    "FIONCLEX": 0x5450,
    "FIOCLEX": 0x5451,
}

_SOL_SOCKET = 1
_SOL_TCP = 6
_SOCKET_OPTIONS_SET = {
    "SO_SNDBUF": (_SOL_SOCKET, 7),
    "SO_RCVBUF": (_SOL_SOCKET, 8),
    "SO_KEEPALIVE": (_SOL_SOCKET, 9),
    "SO_LINGER": (_SOL_SOCKET, 13),
    "SO_RCVLOWAT": (_SOL_SOCKET, 18),
    "TCP_NODELAY": (_SOL_TCP, 1),
    "TCP_KEEPIDLE": (_SOL_TCP, 4),
    "TCP_KEEPINTVL": (_SOL_TCP, 5),
    "TCP_KEEPCNT": (_SOL_TCP, 6),
    "TCP_QUICKACK": (_SOL_TCP, 12),
    "TCP_USER_TIMEOUT": (_SOL_TCP, 18),
    "TCP_NOTSENT_LOWAT": (_SOL_TCP, 25),
    "IP_TOS": (0, 1),
    "IPV6_TCLASS": (41, 67),
}
_SOCKET_OPTIONS_READ = {
    "SO_TYPE": (_SOL_SOCKET, 3),
    "SO_ERROR": (_SOL_SOCKET, 4),
    "SO_ACCEPTCONN": (_SOL_SOCKET, 30),
    "SO_PROTOCOL": (_SOL_SOCKET, 38),
    "SO_DOMAIN": (_SOL_SOCKET, 39),
    "TCP_INFO": (_SOL_TCP, 11),
} | _SOCKET_OPTIONS_SET

_PROT_EXEC = 4

# The calls of the data path come first: a filter is read from its start, at every call.
_WORKER_CALLS = _names("""
    recvfrom sendto recvmsg sendmsg read write readv writev epoll_wait epoll_pwait epoll_pwait2 epoll_ctl
    futex clock_gettime getrandom munmap mremap brk madvise
    close shutdown dup dup2 dup3 lseek fstat getsockname getpeername poll ppoll
    clock_getres clock_nanosleep nanosleep gettimeofday time sched_yield restart_syscall
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack
    getpid gettid getppid getuid geteuid getgid getegid exit exit_group
""")


def worker_rules(pid: int) -> tuple[Rule, ...]:
    """The allow-list of a worker with the process id `pid`: to be built with `rest=REFUSE`.

    It uses descriptors, waits, allocates and ends; it opens, connects, starts, signals and changes nothing.
    `newfstatat` is not in it: with a path it would tell of any file, which Landlock does not prevent.
    """
    not_executable = (ArgumentTest(2, 0, _PROT_EXEC),)
    return (
        *(Rule(name, ALLOW) for name in _WORKER_CALLS),
        Rule("mmap", ALLOW, not_executable),
        Rule("mprotect", ALLOW, not_executable),
        *(Rule("fcntl", ALLOW, (ArgumentTest(1, command),)) for command in _F_COMMANDS.values()),
        # With O_ASYNC the kernel sends signals, and F_SETOWN, which is not allowed either, says to whom.
        Rule("fcntl", ALLOW, (ArgumentTest(1, _F_SETFL), ArgumentTest(2, 0, _O_ASYNC))),
        *(Rule("ioctl", ALLOW, (ArgumentTest(1, command),)) for command in _WORKER_IOCTLS.values()),
        *(_option("setsockopt", *option) for option in _SOCKET_OPTIONS_SET.values()),
        *(_option("getsockopt", *option) for option in _SOCKET_OPTIONS_READ.values()),
        # abort() and raise() signal their own process so.
        Rule("tgkill", ALLOW, (ArgumentTest(0, pid),)),
    )


def _option(call: str, level: int, option: int) -> Rule:
    return Rule(call, ALLOW, (ArgumentTest(1, level), ArgumentTest(2, option)))


_CONFINED_REFUSED = _names("""
    mount umount2 pivot_root chroot unshare setns open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick
    mount_setattr ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd
    bpf perf_event_open userfaultfd keyctl add_key request_key kexec_load kexec_file_load init_module finit_module
    delete_module create_module reboot swapon swapoff acct quotactl quotactl_fd syslog sethostname setdomainname
    vhangup iopl ioperm modify_ldt lookup_dcookie nfsservctl uselib ustat sysfs _sysctl fanotify_init fanotify_mark
    name_to_handle_at open_by_handle_at migrate_pages move_pages
    clock_settime clock_adjtime settimeofday adjtimex
""")

# Programs take these for calls of a kernel that is older, and fall back to what the filter can judge: the flags of
# clone3 and the mode of openat2 lie in memory that a filter does not see, io_uring does what it is not asked about.
_CONFINED_ABSENT = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register")

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
_NEW_NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000

# Type into the terminal as if the person had, select and paste, take its line discipline, take the console's output.
_CONFINED_IOCTLS = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "TIOCSETD": 0x5423, "TIOCCONS": 0x541D}

# PER_LINUX, PER_LINUX32, with UNAME26, and the question what it is.
_PERSONALITIES = (0, 0x0008, 0x20000, 0x20008, 0xFFFF_FFFF)

_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_INTERNET_PROTOCOLS = {"default": 0, "ICMP": 1, "TCP": 6, "UDP": 17, "ICMPv6": 58}
_NETLINK_ROUTE = 0
_NO_SUCH_FAMILY = fail_with(errno.EAFNOSUPPORT)

_S_ISUID, _S_ISGID = 0o4000, 0o2000
_MODE_ARGUMENTS = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "mknod": 1, "mknodat": 2, "creat": 1}
_OPEN_ARGUMENTS = {"open": (1, 2), "openat": (2, 3)}
_O_CREAT, _O_TMPFILE = 0x40, 0x40_0000


def confined_rules(*, unix_sockets: bool) -> tuple[Rule, ...]:
    """The deny-list of a confined program: to be built with `rest=ALLOW, newer=ABSENT`.

    Ordinary programs run under it. What they cannot do: leave or make namespaces, mount, load code into the kernel,
    reach into other processes, put words into a terminal, make a file set-user-id or set-group-id (its owner is the
    daemon's own user, and other people on the host could run it), use protocols other than those of the Internet.
    `unix_sockets` is False where no Landlock scope keeps abstract sockets of the host out of reach: then the program
    gets socket pairs only.
    """
    return (
        *(Rule(name, REFUSE) for name in _CONFINED_REFUSED),
        *(Rule(name, ABSENT) for name in _CONFINED_ABSENT),
        Rule("clone", ALLOW, (ArgumentTest(0, 0, _NEW_NAMESPACES),)),
        Rule("clone", REFUSE),
        *(Rule("ioctl", REFUSE, (ArgumentTest(1, command),)) for command in _CONFINED_IOCTLS.values()),
        *(Rule("personality", ALLOW, (ArgumentTest(0, persona),)) for persona in _PERSONALITIES),
        Rule("personality", REFUSE),
        *_socket_rules(unix_sockets),
        *_set_id_rules(),
    )


def _socket_rules(unix_sockets: bool) -> tuple[Rule, ...]:
    return (
        *((Rule("socket", ALLOW, (ArgumentTest(0, _AF_UNIX),)),) if unix_sockets else ()),
        *(
            Rule("socket", ALLOW, (ArgumentTest(0, family), ArgumentTest(2, protocol)))
            for family in (_AF_INET, _AF_INET6)
            for protocol in _INTERNET_PROTOCOLS.values()
        ),
        # getaddrinfo asks it which addresses this host has.
        Rule("socket", ALLOW, (ArgumentTest(0, _AF_NETLINK), ArgumentTest(2, _NETLINK_ROUTE))),
        Rule("socket", _NO_SUCH_FAMILY),
        Rule("socketpair", ALLOW, (ArgumentTest(0, _AF_UNIX),)),
        Rule("socketpair", _NO_SUCH_FAMILY),
    )


def _set_id_rules() -> tuple[Rule, ...]:
    return (
        *(
            Rule(name, REFUSE, (ArgumentTest(index, bit, bit),))
            for name, index in _MODE_ARGUMENTS.items()
            for bit in (_S_ISUID, _S_ISGID)
        ),
        # Without one of these flags the mode is whatever the register held.
        *(
            Rule(name, REFUSE, (ArgumentTest(flags, flag, flag), ArgumentTest(mode, bit, bit)))
            for name, (flags, mode) in _OPEN_ARGUMENTS.items()
            for flag in (_O_CREAT, _O_TMPFILE)
            for bit in (_S_ISUID, _S_ISGID)
        ),
    )
