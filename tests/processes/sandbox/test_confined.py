"""Confined programs: ordinary programs run, and nothing of the daemon's can be read, changed, signalled or traced."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import struct
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import landlock, namespaces, process
from pysshd.processes.sandbox.kernel import call
from pysshd.processes.sandbox.tree import Confinement
from tests.processes.sandbox.forks import (
    GID,
    IS_ROOT,
    UID,
    as_ordinary_user,
    confined,
    outcomes,
    python,
    shell,
)

REASON = namespaces.supported()
needs_namespaces = pytest.mark.skipif(REASON is not None, reason=REASON or "")
pytestmark = needs_namespaces


class State:
    """A state folder like the daemon's, with a key, a socket, and two homes, all of the user of the tests."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.folder = root / "state"
        self.home = self.folder / "homes" / "bob"
        self.other = self.folder / "homes" / "carol"
        for folder in (self.home, self.other):
            folder.mkdir(parents=True)
        self.key = self.folder / "host_key"
        self.key.write_text("secret")
        (self.other / "mail").write_text("secret")
        self.control = self.folder / "control"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.control))
        self.listener.listen()
        for path in (root, *root.rglob("*")):
            os.chown(path, UID, GID)

    def confinement(self, *hidden: str, **options: Any) -> Confinement:
        return Confinement(str(self.home), (str(self.folder), *hidden), **options)

    def run(self, script: str, *hidden: str) -> tuple[int, str]:
        return confined(self.confinement(*hidden), shell(script, str(self.home)))

    def ask(self, work: Callable[[], Any]) -> Any:
        status, text = confined(self.confinement(), python(work))
        assert status == 0, text
        return json.loads(text)


@pytest.fixture
def state() -> Iterator[State]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        made = State(pathlib.Path(name))
        yield made
        made.listener.close()


def test_the_exit_status_comes_out(state: State) -> None:
    assert state.run("echo hello; exit 7") == (7, "hello\n")


def test_the_signal_that_ended_the_program_comes_out(state: State) -> None:
    assert state.run("kill -TERM $$")[0] == -signal.SIGTERM
    assert state.run("kill -SEGV $$")[0] == -signal.SIGSEGV
    assert state.run("kill -KILL $$")[0] == -signal.SIGKILL


def test_a_program_that_can_not_be_run_is_said_so(state: State) -> None:
    def execute() -> NoReturn:
        os.execv("/nonexistent", ["x"])

    status, text = confined(state.confinement(), execute)
    assert (status, text.splitlines()) == (
        126,
        ["confined: the program could not be started: [Errno 2] No such file or directory"],
    )


@pytest.mark.security("S114")
def test_what_the_kernel_says_of_a_confined_program(state: State) -> None:
    _, text = state.run("cat /proc/self/status")
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert status["Uid"].split() == [str(UID)] * 4
    assert status["Gid"].split() == [str(GID)] * 4
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert {status[name] for name in ("SigBlk", "SigIgn")} == {"0" * 16}


@pytest.mark.security("S115")
def test_a_confined_program_inherits_three_descriptors(state: State) -> None:
    extra = os.open("/", os.O_RDONLY)
    os.set_inheritable(extra, True)
    _, text = state.run("echo /proc/self/fd/*")
    os.close(extra)
    # The shell's own look at the folder is the fourth.
    assert len(text.split()) <= 4
    assert text.split()[:3] == ["/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"]


def test_the_home_can_be_written_and_keeps_what_is_written(state: State) -> None:
    status, text = state.run("echo mine > file && mkdir folder && mv file folder && cat folder/file && pwd")
    assert (status, text) == (0, f"mine\n{state.home}\n")
    written = state.home / "folder" / "file"
    assert (written.read_text(), written.stat().st_uid) == ("mine\n", UID)


@pytest.mark.parametrize("path", ["/etc", "/usr", "/", "/dev", "/usr/bin"])
def test_the_system_can_not_be_written(state: State, path: str) -> None:
    status, text = state.run(f"touch {path}/pysshd-test")
    assert status != 0
    assert "Read-only file system" in text


def test_the_rest_of_the_host_is_not_there(state: State) -> None:
    _, text = state.run(
        "ls -A /tmp /run; ls -A ..; ls -A ../..; cd /; echo *; ls -d /root /home /srv /sys /boot 2>/dev/null"
    )
    lines = text.splitlines()
    allowed = {"bin", "dev", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "proc", "run", "sbin"} | {
        "tmp",
        "usr",
        "var",
    }
    assert set(lines[-1].split()) <= allowed
    assert lines[:-1] == ["/run:", "", "/tmp:", "bob", "homes"]


def test_nothing_in_the_state_folder_can_be_read_changed_or_connected_to(state: State) -> None:
    def work() -> object:
        attempts: dict[str, Callable[[], Any]] = {
            "read": lambda: os.open(state.key, os.O_RDONLY),
            "stat": lambda: os.stat(state.key),
            "write": lambda: os.open(state.key, os.O_WRONLY),
            "remove": lambda: os.unlink(state.key),
            "chmod": lambda: os.chmod(state.key, 0o777),
            "replace": lambda: os.open(state.folder / "new", os.O_CREAT | os.O_WRONLY),
            "another home": lambda: os.stat(state.other / "mail"),
            "connect": lambda: socket.socket(socket.AF_UNIX).connect(str(state.control)),
            "by the parent": lambda: os.stat(f"{state.home}/../../host_key"),
            "by the first process": lambda: os.stat(f"/proc/1/root{state.key}"),
        }
        return outcomes(attempts)

    results = state.ask(work)
    expected = dict.fromkeys(results, "FileNotFoundError 2") | {
        "replace": "OSError 30",
        "remove": "OSError 30",
        "by the first process": "PermissionError 13",
    }
    if landlock.abi_version() < 6:
        expected["connect"] = "OSError 97"
    assert results == expected
    assert state.key.read_text() == "secret"


def test_state_in_a_home_is_hidden(state: State) -> None:
    secret = state.home / ".local" / "state"
    secret.mkdir(parents=True)
    (secret / "key").write_text("secret")
    (state.home / "policy.yaml").write_text("secret")
    for path in state.home.rglob("*"):
        os.chown(path, UID, GID)
    status, text = state.run(
        "ls -A .local/state; cat policy.yaml; touch .local/state/x; echo x > policy.yaml; mv .local/state y; "
        "rm policy.yaml; mv .local moved; ls -A moved/state",
        str(secret),
        str(state.home / "policy.yaml"),
    )
    assert status == 0
    assert "secret" not in text
    assert "key" not in text
    assert (state.home / "policy.yaml").read_text() == "secret"


@pytest.mark.root
def test_state_in_a_system_folder_is_hidden_and_the_home_in_it_is_not() -> None:
    with tempfile.TemporaryDirectory(dir="/opt") as name:
        root = pathlib.Path(name)
        root.chmod(0o755)
        state = State(root)
        status, text = state.run(f"ls -A {root} {state.folder} {state.folder}/homes; echo hi > file; cat file")
        state.listener.close()
        assert status == 0
        assert text.split() == [f"{root}:", "state", f"{state.folder}:", "homes", f"{state.folder}/homes:", "bob", "hi"]
        assert (state.home / "file").read_text() == "hi\n"


def test_a_home_under_the_private_tmp_is_there() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        state = State(pathlib.Path(name))
        status, text = state.run("echo hi > file; ls -A /tmp")
        state.listener.close()
        assert (status, text.split()) == (0, [pathlib.Path(name).name])
        assert (state.home / "file").read_text() == "hi\n"


def test_a_home_behind_a_symbolic_link_is_found_by_either_name(state: State) -> None:
    link = state.root / "link"
    link.symlink_to(state.home.parent)
    confinement = Confinement(str(link / "bob"), (str(state.folder),))
    status, text = confined(confinement, shell("echo hi > file; cat file", str(link / "bob")))
    assert (status, text) == (0, "hi\n")
    assert (state.home / "file").read_text() == "hi\n"


def test_more_folders_can_be_read(state: State) -> None:
    tools = state.root / "tools"
    tools.mkdir()
    (tools / "tool").write_text("#!/bin/sh\necho works\n")
    (tools / "tool").chmod(0o755)
    os.chown(tools, UID, GID)
    confinement = state.confinement(read_only=(str(tools),))
    status, text = confined(confinement, shell(f"{tools}/tool; touch {tools}/x; exit 3", "/"))
    assert status == 3
    assert text.startswith("works\n")
    assert "Read-only file system" in text


@pytest.mark.security("S117")
def test_no_process_outside_can_be_signalled_or_traced(state: State) -> None:
    monitor = os.getpid()
    other = os.fork()
    if other == 0:
        if IS_ROOT:
            process.become_user(UID, GID)
        time.sleep(30)
        os._exit(0)

    def work() -> object:
        attempts: dict[str, Callable[[], Any]] = {}
        for name, pid in (("monitor", monitor), ("session", other)):
            attempts |= {
                f"signal {name}": lambda pid=pid: os.kill(pid, signal.SIGTERM),  # type: ignore[misc]
                f"group of {name}": lambda pid=pid: os.killpg(pid, signal.SIGTERM),  # type: ignore[misc]
                f"memory of {name}": lambda pid=pid: os.open(f"/proc/{pid}/mem", os.O_RDONLY),  # type: ignore[misc]
                f"trace {name}": lambda pid=pid: call("ptrace", 16, pid, 0, 0),  # type: ignore[misc]
                f"pidfd of {name}": lambda pid=pid: os.pidfd_open(pid),  # type: ignore[misc]
                f"limits of {name}": lambda pid=pid: call("prlimit64", pid, 7, bytes(16), 0),  # type: ignore[misc]
            }
        attempts["first process"] = lambda: os.open("/proc/1/mem", os.O_RDONLY)
        results = outcomes(attempts)
        with contextlib.suppress(OSError):
            # To everyone that can be reached.
            os.kill(-1, signal.SIGKILL)
        return results, os.getppid(), sorted(name for name in os.listdir("/proc") if name.isdigit())

    try:
        results, parent, visible = state.ask(work)
        assert not [name for name, result in results.items() if result == "done"]
        assert (parent, visible) == (1, ["1", "2"])
        assert os.waitpid(other, os.WNOHANG) == (0, 0)
    finally:
        os.kill(other, signal.SIGKILL)
        os.waitpid(other, 0)


def test_abstract_sockets_of_the_host_can_not_be_connected_to(state: State) -> None:
    name = f"\0pysshd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        results = state.ask(lambda: outcomes({"connect": lambda: socket.socket(socket.AF_UNIX).connect(name)}))
    expected = "PermissionError 1" if landlock.abi_version() >= 6 else "OSError 97"
    assert results == {"connect": expected}


def test_without_a_scope_there_are_no_unix_sockets_at_all(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi_version", lambda: 2)
    results = state.ask(
        lambda: outcomes(
            {
                "unix": lambda: socket.socket(socket.AF_UNIX),
                "pair": socket.socketpair,
                "tcp": socket.socket,
            }
        )
    )
    assert results == {"unix": "OSError 97", "pair": "done", "tcp": "done"}


def test_what_a_confined_program_can_not_do(state: State) -> None:
    def work() -> object:
        home = str(state.home)
        attempts: dict[str, Callable[[], Any]] = {
            "user namespace": lambda: call("unshare", 0x10000000),
            "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, 0),
            "unmount": lambda: call("umount2", home.encode(), 2),
            "clone of a mount": lambda: call("open_tree", -100, b"/", 1),
            "remount": lambda: call("mount_setattr", -100, b"/usr", 0, bytes(32), 32),
            "chroot": lambda: os.chroot("/tmp"),
            "keyring": lambda: call("keyctl", 0, 0, 0, 0, 0),
            "bpf": lambda: call("bpf", 0, 0, 0),
            "io_uring": lambda: call("io_uring_setup", 1, bytes(120)),
            "clone3": lambda: call("clone3", bytes(64), 64),
            "set-user-id": lambda: os.close(os.open(f"{home}/s", os.O_CREAT | os.O_WRONLY, 0o4755)),
            "set-user-id later": lambda: os.chmod(home, 0o6755),
            "device": lambda: os.mknod(f"{home}/d", 0o020600, os.makedev(1, 3)),
            "owner": lambda: os.chown(home, 0, 0),
            "another user": lambda: os.setuid(0),
            "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
            "host name": lambda: socket.sethostname("x"),
        }
        return outcomes(attempts)

    results = state.ask(work)
    assert not [name for name, result in results.items() if result == "done"]
    assert results["clone3"] == results["io_uring"] == "OSError 38"


def test_a_fork_bomb_ends_at_its_limit(state: State) -> None:
    def work() -> object:
        children = 0
        with contextlib.suppress(BlockingIOError):
            while children < 100:
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
                children += 1
        return children

    status, text = confined(state.confinement(processes=20), python(work))
    assert status == 0
    # Beside the program there are the first process and the one outside.
    assert 10 < json.loads(text) < 20


def test_the_private_tmp_has_a_limit_and_is_gone_afterwards(state: State) -> None:
    confinement = state.confinement(scratch_bytes=2**20)
    status, text = confined(confinement, shell("head -c 2000000 /dev/zero > /tmp/file; ls /tmp", "/"))
    assert status == 0
    assert "No space left on device" in text
    assert text.endswith("file\n")
    assert confined(Confinement("", ()), shell("echo x > /var/tmp/file; cat /tmp/file", "/")) == (0, "x\n")
    assert confined(confinement, shell("ls -A /tmp /dev/shm", "/")) == (0, "/dev/shm:\n\n/tmp:\n")


@pytest.mark.parametrize(
    ("program", "script", "expected"),
    [
        (
            "git",
            "git init -q . && git -c user.name=b -c user.email=b@b commit -q --allow-empty -m x && git log --format=%s",
            "x",
        ),
        (
            "python3",
            'python3 -c \'import subprocess, threading, sqlite3; print(subprocess.run(["echo", "x"]).returncode)\'',
            "x\n0",
        ),
        ("rsync", "mkdir a b && echo x > a/f && rsync -a a/ b/ && cat b/f", "x"),
        ("borg", "borg init -e none repo && borg list repo && echo x", "x"),
        ("bash", "bash -c 'for i in 1 2; do echo $i & done; wait' | sort | tr '\\n' ' '", "1 2"),
        ("tar", "echo x > f && tar cf - f | tar tf -", "f"),
    ],
)
def test_ordinary_programs_run(state: State, program: str, script: str, expected: str) -> None:
    found = shutil.which(program, path="/usr/local/bin:/usr/bin:/bin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    status, text = state.run(script)
    assert (status, text.strip()) == (0, expected)


WAITING = """
exec 2> /dev/null
trap 'echo got HUP' HUP
trap 'echo got USR1' USR1
trap 'echo got TERM; exit 5' TERM
echo ready
while :; do sleep 0.05; done
"""


def _line(output: int) -> str:
    """A line that a program writes."""
    text = b""
    while not text.endswith(b"\n"):
        octet = os.read(output, 1)
        assert octet, text
        text += octet
    return text.decode().strip()


def _signals(*numbers: signal.Signals, group: bool) -> Callable[[int, int], None]:
    """Send signals to a program that has said ready, each once it has said that it got the one before."""

    def send(session: int, output: int) -> None:
        assert _line(output) == "ready"
        for number in numbers:
            (os.killpg if group else os.kill)(session, number)
            if number is not numbers[-1]:
                assert _line(output) == f"got {number.name.removeprefix('SIG')}"

    return send


@pytest.mark.parametrize("group", [True, False])
def test_signals_reach_the_program_once(state: State, group: bool) -> None:
    send = _signals(signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, group=group)
    status, text = confined(state.confinement(), shell(WAITING, str(state.home)), send)
    assert (status, text.splitlines()) == (5, ["got TERM"])


def test_a_signal_that_the_program_does_not_handle_ends_it(state: State) -> None:
    send = _signals(signal.SIGTERM, group=True)
    assert confined(state.confinement(), shell("echo ready; exec sleep 1000", "/"), send) == (-signal.SIGTERM, "")


@pytest.mark.security("S116")
def test_kill_ends_all_that_is_inside(state: State) -> None:
    # The output is read to its end: nobody is left who holds it.
    script = "trap '' HUP TERM INT; setsid sleep 1000 & echo ready; sleep 1000"
    status, _ = confined(state.confinement(), shell(script, "/"), _signals(signal.SIGKILL, group=True))
    assert status == -signal.SIGKILL


@pytest.mark.security("S116")
def test_nothing_stays_behind_the_program(state: State) -> None:
    assert state.run("setsid sleep 1000 & echo over") == (0, "over\n")


@pytest.mark.security("S116")
def test_a_program_that_ignores_everything_dies_some_seconds_after_the_monitor(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pysshd.processes.sandbox.standin._GRACE", 0.5)
    reader, writer = os.pipe()
    monitor = os.fork()
    if monitor == 0:
        pid = os.getpid()
        if os.fork() == 0:
            os.dup2(writer, 1)
            os.setsid()
            if IS_ROOT:
                process.become_user(UID, GID)
            process.set_parent_death_signal(signal.SIGHUP, pid)
            script = "trap 'echo got HUP' HUP; trap '' TERM; echo ready; while :; do sleep 0.05; done"
            namespaces.run_confined(state.confinement(), shell(script, "/"))
        time.sleep(60)
    os.close(writer)
    with open(reader) as output:
        assert output.readline() == "ready\n"
        os.kill(monitor, signal.SIGKILL)
        os.waitpid(monitor, 0)
        started = time.monotonic()
        assert output.read() == "got HUP\n"
        assert time.monotonic() - started > 0.3


def test_closing_its_output_is_seen_while_the_program_runs(state: State) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        os.setsid()
        if IS_ROOT:
            process.become_user(UID, GID)
        namespaces.run_confined(state.confinement(), shell("exec >&-; sleep 1000", "/"))
    os.close(writer)
    assert os.read(reader, 1) == b""
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)


@pytest.mark.parametrize(("script", "said"), [("exec sleep 1000", b""), (None, b"not found")])
def test_the_callers_pipe_lasts_until_the_program_runs(state: State, script: str | None, said: bytes) -> None:
    reader, writer = os.pipe()

    def execute() -> NoReturn:
        if script is not None:
            shell(script)()
        os.write(writer, b"not found")
        os._exit(1)

    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        if IS_ROOT:
            process.become_user(UID, GID)
        namespaces.run_confined(state.confinement(), execute, writer)
    os.close(writer)
    with open(reader, "rb") as stream:
        assert stream.read() == said
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


class Terminal:
    """A confined program on a terminal of its own; `leads` where the session has taken it as its controlling one."""

    def __init__(self, state: State, script: str, *, leads: bool) -> None:
        self.master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        # With NOFLSH an interrupt does not throw away what the program writes when it is interrupted.
        attributes[3] = attributes[3] & ~termios.ECHO | termios.NOFLSH
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        os.fchown(slave, UID, -1)
        self.session = os.fork()
        if self.session == 0:
            os.close(self.master)
            os.setsid()
            if leads:
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for descriptor in (0, 1, 2):
                os.dup2(slave, descriptor)
            if IS_ROOT:
                process.become_user(UID, GID)
            namespaces.run_confined(state.confinement(), shell(script, str(state.home)))
        os.close(slave)

    def read(self, end: bytes = b"") -> str:
        """What the program writes until `end`, or until the terminal is closed."""
        text = b""
        with contextlib.suppress(OSError):
            while not end or end not in text:
                text += os.read(self.master, 4096)
        return text.decode()

    def wait(self) -> int:
        with contextlib.suppress(OSError):
            os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.session, 0)[1])


@pytest.mark.parametrize("leads", [True, False])
def test_a_terminal_is_the_programs_own(state: State, leads: bool) -> None:
    terminal = Terminal(state, "tty; echo > /dev/tty; cut -d' ' -f8 /proc/$$/stat; echo pid $$; exit 4", leads=leads)
    lines = terminal.read().split()
    assert lines[0] == "/dev/console"
    # The program's group has the terminal's foreground.
    assert lines[1] == lines[3]
    assert terminal.wait() == 4


def test_interrupt_typed_on_the_terminal_reaches_the_program(state: State) -> None:
    terminal = Terminal(state, "trap 'echo interrupted; exit 3' INT; echo ready; sleep 20 & wait", leads=True)
    terminal.read(b"ready\n")
    os.write(terminal.master, b"\x03")
    assert terminal.read() == "interrupted\n"
    assert terminal.wait() == 3


@pytest.mark.security("S116")
@pytest.mark.parametrize("leads", [True, False])
def test_the_end_of_the_terminal_hangs_up(state: State, leads: bool) -> None:
    terminal = Terminal(state, "echo ready; sleep 1000; echo no", leads=leads)
    terminal.read(b"ready\n")
    assert terminal.wait() == -signal.SIGHUP


def test_the_window_of_the_terminal_can_be_resized(state: State) -> None:
    terminal = Terminal(state, "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done", leads=True)
    terminal.read(b"ready\n")
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    assert terminal.read() == "50 132\n"
    assert terminal.wait() == 0


def test_new_terminals_can_be_opened_inside(state: State) -> None:
    def work() -> object:
        master, slave = os.openpty()
        return os.ttyname(slave), os.isatty(master)

    assert state.ask(work) == ["/dev/pts/0", True]


def test_a_host_that_masks_proc_gives_a_program_without(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    real = call

    def refusing(name: str, *arguments: Any) -> int:
        if name == "fsopen" and arguments[0] == b"proc":
            raise PermissionError(1, "Operation not permitted", name)
        return real(name, *arguments)

    monkeypatch.setattr("pysshd.processes.sandbox.mounts.call", refusing)
    assert state.run("ls -A /proc; echo works") == (0, "works\n")


@pytest.mark.root
def test_root_is_never_confined(state: State) -> None:
    with pytest.raises(SandboxError, match="the session is root's, expected an ordinary account"):
        namespaces.run_confined(state.confinement(), shell("true"))


def test_a_set_up_that_fails_raises_in_the_session_and_starts_nothing(state: State) -> None:
    def work() -> object:
        try:
            namespaces.run_confined(Confinement(str(state.root / "missing"), ()), shell("echo started >&2"))
        except SandboxError as error:
            return str(error), sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    def through_stderr() -> NoReturn:
        os.dup2(answer, 2)
        if IS_ROOT:
            process.become_user(UID, GID)
        os.write(2, json.dumps(work()).encode())
        os._exit(0)

    reader, answer = os.pipe()
    child = os.fork()
    if child == 0:
        through_stderr()
    os.close(answer)
    with open(reader) as stream:
        message, blocked = json.loads(stream.read())
    assert os.waitpid(child, 0)[1] == 0
    assert message.startswith(f"confined: {state.root}/missing: the kernel refused openat2: No such file")
    assert blocked == []


def test_support_is_tried_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    assert namespaces.supported() is None
    if IS_ROOT:
        assert namespaces.supported(1234, 2345) is None
        assert namespaces.supported(0, 0) == "confined: the session is root's, expected an ordinary account"

    def refusing(name: str, *arguments: Any) -> int:
        raise PermissionError(1, "Operation not permitted", name)

    monkeypatch.setattr(namespaces, "call", refusing)
    assert namespaces.supported() == "confined: namespaces: the kernel refused unshare: Operation not permitted"


def test_the_process_outside_is_not_dumpable_and_holds_no_capability(state: State) -> None:
    found = []

    def look(session: int, output: int) -> None:
        assert _line(output) == "ready"
        with open(f"/proc/{session}/status") as stream:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
        found.append((status["NoNewPrivs"], status["CapEff"], status["CapPrm"]))
        found.append(as_ordinary_user(lambda: outcomes({"memory": lambda: os.open(f"/proc/{session}/mem", 0)})))

        os.killpg(session, signal.SIGKILL)

    confined(state.confinement(), shell("echo ready; sleep 1000"), look)
    assert found == [("1", "0" * 16, "0" * 16), {"memory": "PermissionError 13"}]
