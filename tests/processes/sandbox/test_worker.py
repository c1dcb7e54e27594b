"""A worker in its sandbox: what it can still do, and what it can do no longer, by trying (F15)."""

import array
import asyncio
import ctypes
import faulthandler
import fcntl
import mmap
import os
import pathlib
import pty
import resource
import selectors
import signal
import socket
import struct
import sys
import termios
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pysshd.errors import SandboxError
from pysshd.processes.boundary.calls.zygote import ForkWorker
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.sandbox import landlock, profile
from pysshd.processes.sandbox.kernel import call
from pysshd.processes.sandbox.limits import WorkerLimits
from pysshd.processes.worker import program
from pysshd.processes.zygote import nursery, warm
from tests.processes.sandbox.forks import GID, IS_ROOT, UID, as_ordinary_user, in_child, outcomes, status_of_self

needs_landlock = pytest.mark.skipif(not landlock.abi_version(), reason="this kernel has no Landlock")
LEVEL: profile.Level = "require" if landlock.abi_version() else "best_effort"

# As root the worker becomes another user; started by an ordinary user it stays who it is.
WHO = {"uid": UID, "gid": GID} if IS_ROOT else {"uid": None, "gid": None}


def confine(**options: Any) -> profile.SandboxReport:
    return profile.confine_worker(LEVEL, **(WHO | options))


def in_worker(work: Callable[..., Any], before: Callable[[], Any] | None = None) -> Any:
    """What `work` returns in a confined worker; it is given what `before` returned, if that is there."""

    def confine_and_work() -> Any:
        profile.prepare()
        if before is None:
            confine()
            return work()
        prepared = before()
        confine()
        return work(prepared)

    return in_child(confine_and_work)


@pytest.mark.security("S114")
def test_what_the_kernel_says_of_a_worker() -> None:
    def work() -> object:
        with open("/proc/self/status") as status:
            confine()
            return status.read()

    status = dict(line.split(":\t", 1) for line in in_child(work).splitlines() if ":\t" in line)
    assert status["Uid"].split() == [str(UID)] * 4
    assert status["Gid"].split() == [str(GID)] * 4
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    empty = ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (["CapBnd"] if IS_ROOT else [])
    assert {status[name] for name in empty} == {"0" * 16}
    if IS_ROOT:
        assert status["Groups"].split() == []


def _start_thread() -> None:
    threading.Thread(target=int).start()


def _executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)


FORBIDDEN: dict[str, Callable[[], Any]] = {
    "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "openat": lambda: os.open("etc/passwd", os.O_RDONLY, dir_fd=3),
    "create": lambda: os.open("/tmp/pysshd-test", os.O_CREAT | os.O_WRONLY),
    "stat": lambda: os.stat("/etc/passwd"),
    "stat of a descriptor and a path": lambda: os.stat("/etc/passwd", dir_fd=3),
    "list": lambda: os.listdir("/"),
    "readlink": lambda: os.readlink("/proc/self/exe"),
    "chmod": lambda: os.chmod("/tmp", 0o777),
    "fchmod": lambda: os.fchmod(2, 0o777),
    "unlink": lambda: os.unlink("/tmp/x"),
    "chdir": lambda: os.chdir("/"),
    "chroot": lambda: os.chroot("/"),
    "socket": lambda: socket.socket(),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "socket pair": socket.socketpair,
    "connect": lambda: call("connect", 0, bytes(16), 16),
    "bind": lambda: call("bind", 0, bytes(16), 16),
    "listen": lambda: call("listen", 0, 1),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": os.fork,
    "fork by posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "thread by clone": lambda: call("clone", 0x10900, 0, 0, 0, 0),
    "clone3": lambda: call("clone3", bytes(64), 64),
    "kill of the parent": lambda: os.kill(os.getppid(), 0),
    "kill of itself": lambda: os.kill(os.getpid(), 0),
    "kill of everyone": lambda: os.kill(-1, 0),
    "tgkill": lambda: call("tgkill", os.getppid(), os.getppid(), 0),
    "pidfd_open": lambda: os.pidfd_open(os.getppid()),
    "ptrace": lambda: call("ptrace", 16, os.getppid(), 0, 0),
    "process_vm_readv": lambda: call("process_vm_readv", os.getppid(), 0, 0, 0, 0, 0),
    "memfd_create": lambda: os.memfd_create("x"),
    "io_uring": lambda: call("io_uring_setup", 1, bytes(120)),
    "bpf": lambda: call("bpf", 0, 0, 0),
    "keyctl": lambda: call("keyctl", 0, 0, 0, 0, 0),
    "unshare": lambda: call("unshare", 0x10000000),
    "setns": lambda: call("setns", 0, 0),
    "mount": lambda: call("mount", b"none", b"/", 0, 0, 0),
    "setuid": lambda: os.setuid(0),
    "setgroups": lambda: os.setgroups([]),
    "prctl": lambda: call("prctl", 4, 1, 0, 0, 0),
    "rlimit": lambda: call("prlimit64", 0, resource.RLIMIT_CORE, 0, bytes(16)),
    "executable memory": _executable_memory,
    "pipe": os.pipe,
    "owner of signals": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
    "asynchronous signals": lambda: fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC),
    "typing into a terminal": lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"),
}


@pytest.mark.security("S114")
def test_a_worker_can_do_nothing_of_this() -> None:
    results = in_worker(lambda: outcomes(FORBIDDEN))
    allowed = {name: result for name, result in results.items() if "Error 1" not in result}
    assert allowed == {}


F15 = ("open", "socket", "connect", "exec", "fork", "kill of the parent", "ptrace", "thread", "thread by clone")


@pytest.mark.security("S114")
@pytest.mark.parametrize("how", ["nursery", "one", "many"])
def test_what_a_worker_can_still_do_as_the_zygote_runs_it(how: str) -> None:
    """The self-test (F15), where a worker of one connection or of many would begin to serve."""

    def work() -> object:
        profile.prepare()
        ours, _theirs = Endpoint.pair()
        found: dict[str, str] = {}

        def test_itself(*_: object) -> int:
            found.update(outcomes({**FORBIDDEN, "thread": _start_thread}))
            return 0

        # In this child alone.
        cast(Any, program).serve_one = cast(Any, program).serve_many = test_itself
        asked = ForkWorker(LEVEL, WHO["uid"], WHO["gid"], shared=how == "many", nursery=how == "nursery")
        if how != "nursery":
            assert warm.PROGRAMS.worker(ours, asked, os.getppid()) == 0
            return found
        settled = nursery.prepare(asked, os.getppid())

        def forked() -> object:
            assert nursery.serve(settled, os.getppid(), ours) == 0
            return found

        return in_child(forked)

    results = in_child(work)
    can = sorted(name for name, result in results.items() if result == "done")
    print(f"of {len(results)} things that it tries, a worker can do {', '.join(can) or 'none'}")
    assert {name: results[name] for name in F15} == {
        name: "RuntimeError None" if name == "thread" else "PermissionError 1" for name in F15
    }
    assert can == []


def test_each_attempt_would_have_told_otherwise() -> None:
    """The same attempts outside the sandbox: most succeed, and the rest fails for another reason."""
    harmless = {"open", "stat", "list", "readlink", "socket", "unix socket", "socket pair", "fork by posix_spawn"} | {
        "kill of itself",
        "kill of the parent",
        "pidfd_open",
        "memfd_create",
        "pipe",
        "executable memory",
        "chdir",
        "rlimit",
        "prctl",
    }
    results = in_child(lambda: outcomes({name: FORBIDDEN[name] for name in harmless}))
    assert results == dict.fromkeys(harmless, "done")


def test_a_thread_can_not_be_started() -> None:
    assert in_worker(lambda: outcomes({"thread": _start_thread})) == {"thread": "RuntimeError None"}


def _loop_over(selector_and_pair: tuple[selectors.BaseSelector, socket.socket, socket.socket]) -> object:
    selector, ours, theirs = selector_and_pair
    selector.register(ours, selectors.EVENT_READ)
    theirs.send(b"ping")
    events = selector.select(1)
    data = ours.recv(10)
    selector.modify(ours, selectors.EVENT_READ | selectors.EVENT_WRITE)
    selector.unregister(ours)
    return len(events), data.decode()


def test_a_selectors_loop_works() -> None:
    assert in_worker(_loop_over, lambda: (selectors.DefaultSelector(), *socket.socketpair())) == [1, "ping"]


def test_an_asyncio_loop_works() -> None:
    def before() -> object:
        loop = asyncio.new_event_loop()
        # The second is for `create_connection`, whose first use imports nothing more.
        return loop, *socket.socketpair()

    async def talk(ours: socket.socket, theirs: socket.socket) -> str:
        reader, writer = await asyncio.open_connection(sock=ours)
        theirs.send(b"question\n")
        line = await reader.readline()
        await asyncio.sleep(0.01)
        writer.write(b"answer")
        await writer.drain()
        answer = theirs.recv(10)
        writer.close()
        return f"{line.decode().strip()} {answer.decode()}"

    def work(prepared: Any) -> object:
        loop, ours, theirs = prepared
        ours.setblocking(False)
        return loop.run_until_complete(talk(ours, theirs))

    assert in_worker(work, before) == "question answer"


def _receive_a_descriptor(pair: tuple[socket.socket, socket.socket]) -> object:
    ours, theirs = pair
    passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))]
    theirs.sendmsg([b"here"], passed)
    data, fds, _, _ = socket.recv_fds(ours, 10, 4)
    granted = socket.socket(fileno=fds[0])
    granted.setblocking(True)
    granted.sendall(b"through it")
    return data.decode(), ours.recv(20).decode(), granted.family == socket.AF_UNIX


def test_descriptors_can_be_received_and_used() -> None:
    def before() -> object:
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    assert in_worker(_receive_a_descriptor, before) == ["here", "through it", True]


def _tcp() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def _use_tcp(pair: tuple[socket.socket, socket.socket]) -> object:
    ours, theirs = pair
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    ours.settimeout(1)
    ours.sendall(b"x" * 100_000)
    left = 100_000
    while left:
        left -= len(theirs.recv(65536))
    ours.shutdown(socket.SHUT_WR)
    error = ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    names = ours.getpeername() == theirs.getsockname()
    ours.close()
    return theirs.recv(1).decode(), error, names


def test_a_tcp_connection_works() -> None:
    assert in_worker(_use_tcp, _tcp) == ["", 0, True]


def _use_pipe(ends: tuple[int, int]) -> object:
    reader, writer = ends
    size = fcntl.fcntl(writer, 1031, 2**16)  # F_SETPIPE_SZ
    os.set_blocking(reader, False)
    os.writev(writer, [b"ab", b"cd"])
    copy = os.dup(reader)
    buffers = [bytearray(1), bytearray(3)]
    os.readv(copy, buffers)
    os.close(copy)
    return size, [bytes(buffer).decode() for buffer in buffers], outcomes({"empty": lambda: os.read(reader, 1)})


def test_pipes_work() -> None:
    assert in_worker(_use_pipe, os.pipe) == [2**16, ["a", "bcd"], {"empty": "BlockingIOError 11"}]


def test_a_granted_terminal_can_be_resized() -> None:
    def resize(ends: tuple[int, int]) -> object:
        master, slave = ends
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
        fcntl.ioctl(master, 0x40045436, signal.SIGINT)  # TIOCSIG
        return os.get_terminal_size(slave), os.isatty(master)

    assert in_worker(resize, pty.openpty) == [[132, 50], True]


def test_time_randomness_memory_and_signals_work() -> None:
    def before() -> object:
        return signal.signal(signal.SIGUSR1, lambda *_: None)

    def work(_: object) -> object:
        signal.raise_signal(signal.SIGUSR1)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        blocks = [bytearray(2**20) for _ in range(64)]
        del blocks
        started = time.monotonic()
        time.sleep(0.01)
        threading.Lock().acquire(timeout=1)
        return len(os.urandom(16)), time.monotonic() - started >= 0.01, time.time() > 0

    assert in_worker(work, before) == [16, True, True]


def _encrypt_and_agree() -> bool:
    private = X25519PrivateKey.generate()
    other = X25519PrivateKey.generate()
    shared = private.exchange(other.public_key())
    sealed = AESGCM(shared).encrypt(bytes(12), b"text", None)
    stream = Cipher(algorithms.AES(shared), modes.CTR(bytes(16))).encryptor()
    code = hmac.HMAC(shared, hashes.SHA256())
    code.update(stream.update(sealed))
    try:
        AESGCM(shared).decrypt(bytes(12), sealed[:-1] + b"?", None)
    except InvalidTag:
        return len(code.finalize()) == 32
    return False


def test_primitives_that_are_warm_work() -> None:
    assert in_worker(lambda _: _encrypt_and_agree(), _encrypt_and_agree) is True


def test_a_traceback_can_be_made_and_written() -> None:
    def work() -> object:
        try:
            undefined_name  # type: ignore[name-defined]  # noqa: B018
        except NameError:
            text = traceback.format_exc()
        sys.stderr.write("a worker's last words\n")
        sys.stderr.flush()
        return text

    assert "NameError: name 'undefined_name' is not defined" in in_worker(work)


def test_an_import_is_an_import_error_and_not_the_end() -> None:
    sys.modules.pop("colorsys", None)
    assert in_worker(lambda: outcomes({"import": lambda: __import__("colorsys")})) == {
        "import": "ModuleNotFoundError None"
    }


def test_an_abort_is_possible() -> None:
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        confine()
        os.abort()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGABRT


@pytest.mark.security("S117")
def test_workers_of_one_user_can_not_touch_each_other(capfd: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    hold, release = os.pipe()
    victim = os.fork()
    if victim == 0:
        os.close(release)
        confine()
        os.write(writer, b"ready")
        os.read(hold, 1)
        os._exit(0)
    assert os.read(reader, 5) == b"ready"
    attempts: dict[str, Callable[[], Any]] = {
        "kill": lambda: os.kill(victim, signal.SIGTERM),
        "ptrace": lambda: call("ptrace", 16, victim, 0, 0),
        "memory": lambda: os.open(f"/proc/{victim}/mem", os.O_RDONLY),
        "environment": lambda: os.read(os.open(f"/proc/{victim}/environ", os.O_RDONLY), 1),
        "descriptors": lambda: os.listdir(f"/proc/{victim}/fd"),
        "process_vm_readv": lambda: _read_memory(victim),
    }
    try:
        assert {result[:17] for result in in_worker(lambda: outcomes(attempts)).values()} == {"PermissionError 1"}
        # A process of the same user without a sandbox may signal, as the kernel has it, and no more.
        del attempts["kill"]
        results = as_ordinary_user(lambda: outcomes(attempts))
        assert {result[:17] for result in results.values()} == {"PermissionError 1"}, results
    finally:
        os.write(release, b"x")
        assert os.waitpid(victim, 0)[1] == 0
        for descriptor in (reader, writer, hold, release):
            os.close(descriptor)


def _read_memory(pid: int) -> None:
    buffer = ctypes.create_string_buffer(8)
    vector = struct.pack("=QQ", ctypes.addressof(buffer), 8)
    call("process_vm_readv", pid, vector, 1, vector, 1, 0)


def test_a_worker_dies_with_the_process_that_it_names() -> None:
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        monitor = os.getpid()
        if os.fork() == 0:
            confine(parent=monitor)
            os.write(writer, b"ready")
            while True:
                time.sleep(60)
        time.sleep(60)
    os.close(writer)
    assert os.read(reader, 5) == b"ready"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.root
def test_what_others_of_its_user_run_is_no_limit_to_forks_of_a_settled_process() -> None:
    """A limit that root inherited, and that never held for root, would hold for whom it becomes."""

    def work() -> object:
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
        settled = profile.settle(LEVEL, **WHO)

        def forked() -> object:
            profile.seal(settled, os.getppid())
            return outcomes({"fork": os.fork})

        return in_child(forked)

    assert in_child(work) == {"fork": "PermissionError 1"}


def test_limits_hold() -> None:
    def work() -> object:
        report = confine(worker_limits=WorkerLimits(descriptors=32, address_space=2**32))
        copies = []
        try:
            while True:
                copies.append(os.dup(1))
        except OSError as error:
            number = error.errno
        return number, max(copies) < 32, outcomes({"memory": lambda: bytearray(2**33)}), report.limits

    number, within, memory, limits = in_child(work)
    assert (number, within, memory) == (24, True, {"memory": "MemoryError None"})
    assert limits[:3] == ["core 0", "processes 0", "descriptors 32"]


def test_a_worker_can_write_no_file(tmp_path: pathlib.Path) -> None:
    def before() -> object:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        return os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)

    def write(file: int) -> object:
        return outcomes({"write": lambda: os.write(file, b"x")})

    # EFBIG: even into a file that it holds.
    assert in_worker(write, before) == {"write": "OSError 27"}


@pytest.mark.parametrize("options", [{"uid": 0, "gid": 0}, {"uid": 65534, "gid": 0}, {"uid": 0, "gid": 65534}])
def test_a_worker_is_never_root(options: dict[str, Any]) -> None:
    with pytest.raises(SandboxError, match="it would run as root, expected another user"):
        profile.confine_worker("best_effort", **options)


@pytest.mark.root
def test_a_worker_of_root_needs_another_user() -> None:
    with pytest.raises(SandboxError, match="it would run as root, expected another user"):
        profile.confine_worker("best_effort", uid=None, gid=None)


def test_half_a_user_is_refused() -> None:
    with pytest.raises(SandboxError, match="a uid without a gid"):
        profile.confine_worker("best_effort", uid=65534, gid=None)


def test_a_process_with_threads_is_refused() -> None:
    def work() -> object:
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait)
        thread.start()
        result = outcomes({"confine": confine})
        stop.set()
        thread.join()
        return result, status_of_self()["NoNewPrivs"]

    assert in_child(work) == [{"confine": "SandboxError None"}, "0"]


def test_require_needs_landlock_and_best_effort_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi_version", lambda: 0)
    with pytest.raises(SandboxError, match="this kernel has none, which `sandbox: require` needs"):
        profile.survey("require")
    assert in_child(lambda: outcomes({"confine": lambda: profile.confine_worker("require", **WHO)})) == {
        "confine": "SandboxError None"
    }
    lines = in_child(lambda: profile.confine_worker("best_effort", **WHO).lines())
    assert "landlock is missing (best_effort)" in lines[-1]
    assert "landlock is missing" in profile.survey("best_effort")[-1]


@needs_landlock
def test_the_report_says_what_holds() -> None:
    lines = in_child(lambda: confine().lines())
    assert lines[0].startswith(f"worker: uid {UID}, no capabilities")
    assert ("bounding set stays" in lines[0]) is not IS_ROOT
    assert "limits: core 0, processes 0, descriptors 256" in lines[1]
    assert "(require): no file system" in lines[2]
    assert profile.survey("require")[-1] == lines[2]


@pytest.mark.parametrize(
    ("abi", "line"),
    [
        (3, "no file system; left to seccomp: no TCP bind or connect, no signals or abstract sockets to others"),
        (4, "no file system, no TCP bind or connect; left to seccomp: no signals or abstract sockets to others"),
        (6, "no file system, no TCP bind or connect, no signals or abstract sockets to others"),
    ],
)
def test_the_report_by_version(abi: int, line: str) -> None:
    report = profile.SandboxReport("require", 1, abi, True, ())
    assert report.lines()[-1] == f"worker: landlock {abi} (require): {line}"
