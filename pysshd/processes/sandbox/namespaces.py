"""Confined programs: a user, mount, pid, ipc and uts namespace with the system read-only and one home.

Three processes: the caller's stays outside, where the monitor signals and reaps it, and stands for the program
(`standin`); the first process of the pid namespace (`init`) waits for what nobody waits for; the program is its child,
so that signals do to it what they do to any program. The death of either of the first two ends everything inside, at
once and whatever it ignores.

The network stays the host's, for git, rsync and borg need it. What a program could reach through it beside addresses
are abstract UNIX sockets: Landlock's scope closes these, and where the kernel has none (before 6.12) the program gets
no UNIX socket but pairs. A network namespace would close them too, and everything else with them.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import init, process, standin
from pysshd.processes.sandbox.kernel import call
from pysshd.processes.sandbox.tree import Confinement

__all__ = ["Confinement", "run_confined", "supported"]

_CLONE_NEWNS = 0x0002_0000
_CLONE_NEWUTS = 0x0400_0000
_CLONE_NEWIPC = 0x0800_0000
_CLONE_NEWUSER = 0x1000_0000
_CLONE_NEWPID = 0x2000_0000
_NEW_NAMESPACES = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWUSER | _CLONE_NEWPID

_NOBODY = 65534
_TIOCNOTTY = 0x5422


def run_confined(confinement: Confinement, execute: Callable[[], NoReturn], pipe: int | None = None) -> NoReturn:
    """Run `execute` confined, in a grandchild of this process, and end this process as the program ends.

    Called in a forked session process without threads that is the account already (`become_user`), never uid 0, with
    the program's descriptors at 0, 1 and 2. Every other descriptor is closed, but `pipe`, which is close-on-exec: the
    caller and `execute` hold it until the program runs, so that each can say there what failed. `execute` finds / as
    its working folder, default signal handlers and, where descriptor 0 is a terminal, itself as the leader of its
    session; it imports nothing, for our own code may not be in its tree, and ends in an exec. A signal that this
    process is sent goes on to the program's process group, SIGKILL ends everything, and so does the program's own end:
    nothing stays behind. Raises SandboxError, with nothing started, where the set-up fails; the caller must then exit.
    """
    uid, gid = os.getuid(), os.getgid()
    if 0 in (*os.getresuid(), *os.getresgid()):
        raise SandboxError("confined: the session is root's, expected an ordinary account")
    terminal = _ttyname(0)
    parent = os.getppid()
    with _all_signals_blocked():
        _leave_terminal()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        _enter(uid, gid)
        status, report = os.pipe()
        alive, life = os.pipe()
        child = os.fork()
        if child == 0:
            process_end = init.Ends(report=report, alive=alive, null=null, pipe=pipe)
            init.run(confinement, execute, terminal, process_end)
        kept = () if pipe is None else (pipe,)
        process.close_all_except((0, 1, 2, status, life, null, *kept))
        outcome = standin.stand_in(child, status, null, parent, kept)
    standin.end_as(outcome)


def supported(uid: int | None = None, gid: int | None = None) -> str | None:
    """None where this host lets a program be confined, else the reason; tried for real in a forked child.

    `uid` and `gid`: as whom to try, where the caller is root (None: as nobody). It forks and waits some milliseconds:
    never call it in a process that has threads.
    """
    reason, answer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reason)
        _try(uid, gid, answer)
    os.close(answer)
    with open(reason, "rb") as stream:
        text = stream.read(4096).decode(errors="replace")
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return None
    return text or f"confined: the trial ended with status {code}, expected 0"


def _try(uid: int | None, gid: int | None, answer: int) -> NoReturn:
    # Whatever happens, the caller's code must not go on in this process too.
    try:
        # The one place that survives the closing of everything else.
        os.dup2(answer, 2)
        os.setsid()
        if os.geteuid() == 0:
            process.become_user(_NOBODY if uid is None else uid, _NOBODY if gid is None else gid)
        run_confined(Confinement(home="", hidden=()), lambda: os._exit(0))
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, str(error).encode()[:4096])
    os._exit(1)


def _enter(uid: int, gid: int) -> None:
    """Move this process to a new user namespace where it is who it was, and its children to new other ones."""
    # The files of a process that is not dumpable are root's.
    process.set_dumpable()
    try:
        with process.refusal("confined: namespaces"):
            call("unshare", _NEW_NAMESPACES)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with process.refusal(f"confined: {name}"):
                _write(f"/proc/self/{name}", text)
    finally:
        process.set_non_dumpable()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _ttyname(descriptor: int) -> str | None:
    try:
        return os.ttyname(descriptor)
    except OSError:
        return None


def _leave_terminal() -> None:
    """Give up a controlling terminal, so that the program can have it: one session alone can. Signals are blocked."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return
    with process.refusal("confined: terminal"):
        call("ioctl", terminal, _TIOCNOTTY, 0)
    os.close(terminal)
    for number in (signal.SIGHUP, signal.SIGCONT):
        # The kernel has sent both to this process's group for it; to ignore a signal discards one that waits.
        signal.signal(number, signal.signal(number, signal.SIG_IGN))


@contextlib.contextmanager
def _all_signals_blocked() -> Iterator[None]:
    # A blocked signal waits for sigwait, also where its action is to be ignored, and also in the first process of a pid
    # namespace, which is sent no signal otherwise that it has no handler for.
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    child_action = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, child_action)
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
