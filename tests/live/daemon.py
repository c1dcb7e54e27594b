"""A daemon of a test: started, ready, watched and ended; nothing of it may be left.

    with serving(POLICY, keys, folder) as daemon:
        assert daemon.ssh("exit 7").returncode == 7

The policy of a test says nothing of `version` and `server`, which are made here. `@@NAME@@` in it is the line of a
public key, which is made at its first use.
"""

import contextlib
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.live.client import HOST, Client, Keys

IS_ROOT = os.geteuid() == 0
KEEPER = Path(__file__).with_name("keeper.py")
START_WITHIN = 30.0
STOP_WITHIN = 30.0
WITHIN = 20.0
"""Seconds for what has to happen, where it does not matter how soon: waiting ends as soon as it is so.

So this is no property of the daemon, but how long a machine that others use may keep one of its processes waiting.
"""

ROOTLESS, SERVICE, ROOT, SYSTEM = "rootless", "service", "root", "system"
"""How a daemon is started: by an ordinary user; by root, to become `server.user`; by root, to serve root alone; by
root, with `accounts: system`."""

MODES = (SERVICE, ROOT) if IS_ROOT else (ROOTLESS,)
PLAIN = MODES[0]
"""The mode of tests that are the same in each."""

LOUD = frozenset(
    {"daemon.error", "log.dropped", "worker.died", "worker.hung", "worker.violation", "session.failed", "hook.failed"}
)
"""Events that no test may cause without saying so."""

Event = dict[str, Any]


def service_user() -> pwd.struct_passwd:
    """Whom the programs of sessions run as in the mode `PLAIN`: whoever runs this, or the user made for tests."""
    if not IS_ROOT:
        return pwd.getpwuid(os.geteuid())
    for name in ("pysshd-tests", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("this host has neither pysshd-tests nor nobody")


def user_of(mode: str) -> pwd.struct_passwd:
    """Whom the programs of sessions run as in this mode."""
    return pwd.getpwuid(0) if mode in (ROOT, SYSTEM) else service_user()


_PORTS = cycle(range(100))
"""The ports of one run of tests are below those that the kernel gives to clients, and another run has others: one that
was free when it was looked for is free still when the daemon, which first has to start, comes to it."""


def free_port() -> int:
    """A port of loopback that nobody listens on, nor will soon."""
    for number in _PORTS:
        port = 10_000 + os.getpid() % 200 * 100 + number
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise AssertionError("a cycle has no end")


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter (those of pytest are root's alone)."""
    folder = Path(tempfile.mkdtemp(prefix="pysshd-live-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Daemon:
    """A running daemon: how to reach it, what it logged, which processes it is."""

    mode: str
    folder: Path
    port: int
    client: Client
    keeper: "subprocess.Popen[str]"
    pid: int
    expected: set[str] = field(default_factory=set)
    """Loud events that this test causes on purpose."""

    may_leave: bool = False
    """The test leaves a process behind on purpose."""

    log_format: str = "json"
    """`text`: there are no `events`."""

    past: int = 0
    """So many events are of tests before this one, with which it shares the daemon."""

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self.folder / "state"

    @property
    def policy(self) -> Path:
        """Its policy file."""
        return self.folder / "policy.yaml" if self.mode != ROOT else self.state / "policy.yaml"

    @property
    def log(self) -> str:
        """Everything that it wrote to standard error and output."""
        return (self.folder / "log").read_text("utf-8")

    def events(self, name: str | None = None) -> list[Event]:
        """Its log as objects, in order, but what is past; those of one event where it is named."""
        return [event for event in self._all_events()[self.past :] if name in (None, event["event"])]

    def forget(self) -> None:
        """What it has told until now is past, and no matter of the test that comes."""
        self.past = len(self._all_events())

    def _all_events(self) -> list[Event]:
        return [json.loads(line) for line in self.log.splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]

    def wait_event(self, name: str, within: float = WITHIN, since: int = 0, **fields: Any) -> Event:
        """The first event of this name with these fields, waiting for it; the first `since` lines do not count."""
        end = time.monotonic() + within
        while True:
            for event in self.events()[since:]:
                if event["event"] == name and fields.items() <= event.items():
                    return event
            assert time.monotonic() < end, f"no event {name} with {fields} within {within} s in:\n{self.log[-6000:]}"
            time.sleep(0.02)

    def ssh(self, *words: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
        """Run the real client to its end; see `Client.run`."""
        return self.client.run(*words, **options)

    def processes(self) -> list[int]:
        """Every process below the monitor, zombies too, the monitor not."""
        found, look = [], [self.pid]
        while look:
            below = children_of(look.pop())
            found += below
            look += below
        return found

    def zombies(self) -> list[int]:
        """Those that have ended and are not buried."""
        return [pid for pid in self.processes() if state_of(pid) == "Z"]

    def connect(self) -> socket.socket:
        """A plain connection to it."""
        return socket.create_connection((HOST, self.port), timeout=20)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and assert that it ended as it should."""
        until(lambda: not self.zombies(), what="zombies")
        os.kill(self.pid, number)
        self.check_end(self._ended())

    def check_end(self, end: Mapping[str, Any]) -> None:
        """Assert that it ended by itself, quietly and wholly."""
        log = self.log
        for word in ("Traceback", "Exception ignored", "Warning:", "was never"):
            assert word not in log, log[-8000:]
        loud = [event for event in self._all_events() if event["event"] in LOUD - self.expected]
        assert not loud, f"{loud}\n{log[-8000:]}"
        assert end["status"] == 0, f"{end}\n{log[-4000:]}"
        assert self.may_leave or not end["left"], end["left"]
        assert self.log_format == "text" or self.events()[-1]["event"] == "daemon.stopped", log[-2000:]

    def wait_end(self, within: float = STOP_WITHIN) -> Mapping[str, Any]:
        """How a daemon ended that something else has ended: `status`, and what it `left`."""
        return self._ended(within)

    def _ended(self, within: float = STOP_WITHIN) -> Mapping[str, Any]:
        said = read_line(self.keeper, within)
        assert said is not None, f"the daemon did not end within {within} s:\n{self.log[-4000:]}"
        self.keeper.wait(10)
        end: Mapping[str, Any] = json.loads(said)
        return end

    def kill(self) -> None:
        """End it and all its processes, however they are."""
        if self.keeper.poll() is None:
            assert self.keeper.stdin is not None
            self.keeper.stdin.close()
            self.keeper.wait(10)
        for stream in (self.keeper.stdin, self.keeper.stdout):
            if stream is not None:
                stream.close()


def children_of(pid: int) -> list[int]:
    """The children of all threads of a process; none where it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def state_of(pid: int) -> str:
    """The letter of the state of a process; X where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    return state_of(pid) not in "ZX"


def until(condition: Callable[[], object], within: float = WITHIN, what: str | Callable[[], object] = "it") -> float:
    """Wait until `condition` holds; returns after how many seconds, and fails after `within`.

    what: of what that is said, or tells what was found instead when it is too late.
    """
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start >= within:
            raise AssertionError(f"{what if isinstance(what, str) else what()}: not so after {within} s")
        time.sleep(0.01)
    return time.monotonic() - start


def until_runs(pid: int, *words: str) -> None:
    """Wait until the process `pid` is the program that was started with `words`."""
    wanted = "".join(f"{word}\0" for word in words).encode()
    until(lambda: Path(f"/proc/{pid}/cmdline").read_bytes() == wanted, what=" ".join(words))


def until_foreground(shell: int, *words: str) -> None:
    """Wait until the program that was started with `words` has the terminal of `shell`: only then do keys reach it."""
    wanted = "".join(f"{word}\0" for word in words).encode()

    def has_it() -> bool:
        group = int(Path(f"/proc/{shell}/stat").read_text().rpartition(")")[2].split()[5])
        try:
            return Path(f"/proc/{group}/cmdline").read_bytes() == wanted and state_of(group) != "T"
        except OSError:
            return False

    until(has_it, what=f"{words} in the foreground")


def read_line(process: "subprocess.Popen[str]", within: float) -> str | None:
    """A line of a process's output; None where none comes in time, or it ends."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], within)
    return (process.stdout.readline() or None) if ready else None


def whole_policy(policy: str, keys: Keys, mode: str, folder: Path, port: int, server: Sequence[str]) -> str:
    """A whole policy file of the test's part of it."""
    lines = ["version: 1", "server:", f"  state: {folder / 'state'}"]
    if not any(line.startswith("listen") for line in server):
        lines += [f'  listen: ["{HOST}:{port}"]']
    if not any(line.startswith("host_keys") for line in server):
        lines += [f"  host_keys: [{', '.join(map(str, keys.host_keys()))}]"]
    if mode == SERVICE:
        lines += [f"  user: {service_user().pw_name}"]
    if mode == SYSTEM:
        lines += ["  accounts: system"]
    if mode != ROOTLESS and not any(line.startswith("worker_user") for line in server):
        lines += ["  worker_user: nobody"]
    lines += [f"  {line.replace('@PORT@', str(port))}" for line in server]
    return keys.filled("\n".join(lines) + "\n" + policy)


def start(
    policy: str,
    keys: Keys,
    folder: Path,
    *,
    mode: str = PLAIN,
    server: Sequence[str] = (),
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    log_format: str = "json",
) -> Daemon:
    """Start a daemon and wait until it is ready; `server` are more lines of that section, `folder` is its own."""
    port = free_port()
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    user = user_of(mode)
    if IS_ROOT:
        os.chown(state, user.pw_uid, user.pw_gid)
    file = folder / "policy.yaml" if mode != ROOT else state / "policy.yaml"
    file.write_text(whole_policy(policy, keys, mode, folder, port, server), "utf-8")
    file.chmod(0o644)
    words = ["quickstart", "--state", str(state)] if mode == ROOT else ["--config", str(file)]
    client = Client(folder, port, keys, user.pw_name)
    keeper = launch([*words, "--log-format", log_format, *arguments], folder, environment)
    said = read_line(keeper, START_WITHIN)
    assert said is not None
    daemon = Daemon(mode, folder, port, client, keeper, json.loads(said)["pid"], log_format=log_format)
    try:
        wait_ready(daemon)
    except BaseException:
        daemon.kill()
        raise
    return daemon


def launch(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start pysshd below a keeper, its output in `folder/log`."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    words = [sys.executable, "-I", str(KEEPER), sys.executable, "-P", "-W", "error", "-m", "pysshd", *arguments]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **(environment or {})},
        )


def wait_ready(daemon: Daemon) -> None:
    """Wait until a daemon accepts connections."""
    end = time.monotonic() + START_WITHIN
    while not (daemon.events("daemon.ready") or daemon.log.endswith(" info    ready\n")):
        ended = read_line(daemon.keeper, 0.02)
        assert ended is None, f"the daemon did not start ({ended}):\n{daemon.log}"
        assert time.monotonic() < end, f"the daemon is not ready within {START_WITHIN} s:\n{daemon.log}"


@contextlib.contextmanager
def serving(policy: str, keys: Keys, *, expected: Sequence[str] = (), **options: Any) -> Iterator[Daemon]:
    """A daemon in a folder of its own that is ended, and asserted to have ended well, at the end of the block.

    expected: events of `LOUD` that the test causes. The rest is what `start` takes.
    """
    with open_folder() as folder:
        daemon = start(policy, keys, folder, **options)
        daemon.expected |= set(expected)
        try:
            yield daemon
            daemon.client.close()
            if daemon.keeper.poll() is None:
                daemon.stop()
        finally:
            daemon.client.close()
            daemon.kill()
