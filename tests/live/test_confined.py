"""Confined sessions of a whole daemon: what the programs of one person can do to the daemon, and to others."""

import json
import os
import pwd
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from pysshd.processes.sandbox.namespaces import supported
from tests.live.client import Client, Keys
from tests.live.conftest import Serve
from tests.live.daemon import (
    IS_ROOT,
    PLAIN,
    Daemon,
    free_port,
    is_running,
    launch,
    open_folder,
    read_line,
    service_user,
    serving,
    until,
    wait_ready,
    whole_policy,
)
from tests.live.looking import workers, zygote

POLICY = """
users:
  alice: {keys: ["@@alice@@"]}
  bob: {keys: ["@@bob@@"]}
  carol: {keys: ["@@carol@@"]}
roles:
  box: {shell: true, exec: any, pty: true, env: {accept: [LANG]}, confined: true}
grants:
  - {who: alice, roles: login-shell}
  - {who: [bob, carol], roles: box}
"""

if IS_ROOT:
    user = service_user()
    REASON = supported(user.pw_uid, user.pw_gid)
else:
    REASON = supported()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"this host confines no program: {REASON}")


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    """A daemon with an owner and two people who are confined."""
    with serving(POLICY, keys, mode=PLAIN) as daemon:
        yield daemon


def as_bob(daemon: Daemon, command: str, login: str = "bob", **more: object) -> "subprocess.CompletedProcess[bytes]":
    """Run a command as somebody who is confined."""
    return daemon.ssh(command, login=login, key=login, **more)


def refusal(file: Path, folder: Path) -> str:
    """Start a daemon that must not start, and leaves nothing; what it said."""
    keeper = launch(["--config", str(file)], folder)
    assert read_line(keeper, 10) is not None
    end = json.loads(read_line(keeper, 20) or "{}")
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    keeper.wait(10)
    keeper.stdout.close()
    assert (end["status"], end["left"]) == (2, [])
    return (folder / "log").read_text()


def test_a_second_shell_is_refused_with_its_place(keys: Keys) -> None:
    policy = POLICY.replace("  - {who: [bob, carol], roles: box}\n", "  - {who: bob, roles: login-shell}\n")
    with open_folder() as folder:
        (folder / "state").mkdir(mode=0o700)
        file = folder / "policy.yaml"
        text = whole_policy(policy, keys, PLAIN, folder, 2299, ["owner: alice"])
        file.write_text(text)
        (line,) = [number for number, found in enumerate(text.splitlines(), 1) if "who: bob" in found]
        log = refusal(file, folder)
        refused = [found for found in log.splitlines() if found.startswith(f"{file}:{line}:")]
        assert len(refused) == 1, log
        assert "bob" in refused[0]
        assert not list((folder / "state").iterdir())


def test_nothing_of_the_daemon_can_be_read_changed_or_reached(house: Daemon, keys: Keys) -> None:
    assert as_bob(house, "echo mine > ~/mine", login="carol").returncode == 0
    secret = house.state / "secret"
    secret.write_text("treasure")
    if IS_ROOT:
        os.chown(secret, *(service_user()[2:4]))
    for name in (house.state, secret, house.policy, *keys.host_keys(), house.folder / "log", house.state / "homes"):
        assert name.exists()
        # What it makes at these paths is in a folder of its own, which ends with it.
        read = f"cat {name} {name}/* {name}/carol/*; ls -aR {name}"
        write = f"touch {name}/x; echo x >> {name}; mv {name} {name}2; rm -rf {name}; ln -s / {name}"
        said = as_bob(house, f"({read}; {write}) 2>/dev/null; true").stdout.decode()
        for word in ("treasure", "version", "PRIVATE", "mine", "carol", "host_", '"event"'):
            assert word not in said, (name, said)
        assert name.exists()
        assert not (name / "x").exists()
    assert secret.read_text() == "treasure"
    assert (house.state / "homes" / "carol" / "mine").read_text() == "mine\n"
    assert "version: 1" in house.policy.read_text()
    found = as_bob(
        house, "find / -xdev -name 'ssh_host*' -o -name policy.yaml -o -name secret -o -name mine 2>/dev/null"
    )
    assert found.stdout == b""


def test_the_control_socket_can_not_be_reached(house: Daemon) -> None:
    """A confined program has the daemon's uid, and neither the way to the socket nor the secret."""
    folder = house.state / "control"
    assert (folder / "socket").is_socket()
    code = (
        "import socket\n"
        f"for path in ({str(folder / 'socket')!r}, '/proc/1/root{folder}/socket'):\n"
        "    try: socket.socket(socket.AF_UNIX).connect(path); print('reached', path)\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    said = as_bob(house, f"/usr/bin/python3 -I - ; cat {folder}/secret; ls {folder}", stdin=code.encode())
    assert (folder / "secret").read_bytes() not in said.stdout
    assert b"reached" not in said.stdout
    assert len(said.stdout.split()) == 2, said


@pytest.mark.security("S117")
def test_neither_the_daemon_nor_another_session_can_be_signalled_or_traced(house: Daemon) -> None:
    other = house.client.start("echo $$; exec sleep 300", login="carol", key="carol")
    mine = house.client.start("echo $$; exec sleep 300")
    assert other.stdout is not None
    assert mine.stdout is not None
    owner = int(mine.stdout.readline())
    other.stdout.readline()
    victims = [house.pid, zygote(house), *workers(house), owner, *house.processes()]
    script = "; ".join(f"kill -KILL {pid}; kill -STOP {pid}; cat /proc/{pid}/environ" for pid in sorted(set(victims)))
    before = {pid for pid in victims if is_running(pid)}
    done = as_bob(house, f"{script}; kill -KILL -1; true")
    assert b"SSH_CONNECTION" not in done.stdout
    assert done.returncode in (0, 137, 255)
    time.sleep(0.2)
    assert {owner, house.pid, zygote(house)} <= {pid for pid in before if is_running(pid)}
    assert other.poll() is None
    assert mine.poll() is None
    listed = as_bob(house, "ps -e -o pid= 2>/dev/null | wc -l; ls -d /proc/[0-9]* | wc -l")
    assert all(int(word) < 10 for word in listed.stdout.split()), "it sees its own processes alone"
    assert house.ssh("exit 7").returncode == 7


TRACE = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for pid in map(int, sys.argv[1:]):
    for request in (16, 0x4206):
        if libc.ptrace(request, pid, 0, 0) == 0:
            print("traced", pid)
print("tried")
"""


@pytest.mark.security("S117")
def test_tracing_by_number_fails(house: Daemon) -> None:
    pids = " ".join(map(str, [house.pid, zygote(house), *workers(house), os.getppid(), 1]))
    done = as_bob(house, f"/usr/bin/python3 - {pids}", stdin=TRACE.encode())
    assert done.stdout == b"tried\n", done.stderr


@pytest.mark.parametrize("place", ["beside", "home"])
def test_the_policy_is_hidden_wherever_it_lies(serve: Serve, keys: Keys, place: str) -> None:
    with open_folder() as folder:
        home = folder / "people" / "bob"
        home.mkdir(parents=True)
        if IS_ROOT:
            os.chown(home, *(service_user()[2:4]))
        policy = POLICY.replace('bob: {keys: ["@@bob@@"]}', f'bob: {{keys: ["@@bob@@"], home: {home}}}')
        if place == "beside":
            with serve(policy) as daemon:
                done = as_bob(daemon, f"pwd; touch here; cat {daemon.policy}; ls {daemon.folder}")
                assert done.stdout.decode().splitlines()[0] == str(home)
                assert b"version" not in done.stdout
                assert (home / "here").exists()
            return
        # A folder that its owner may write can be moved away under the daemon's file, so such a home is refused.
        (home / "state").mkdir(mode=0o700)
        file = home / "policy.yaml"
        file.write_text(whole_policy(policy, keys, PLAIN, home, 2298, ["owner: alice"]))
        log = refusal(file, folder)
        assert any(line.startswith(f"{file}:") and "home" in line for line in log.splitlines()), log


@pytest.mark.root
@pytest.mark.parametrize("parent", ["/etc", "/usr/local/etc", "/opt"])
@pytest.mark.parametrize("deep", [True, False], ids=["folder", "file"])
def test_a_policy_in_a_folder_of_the_system_is_hidden_and_the_system_is_not(
    keys: Keys, parent: str, deep: bool
) -> None:
    uid, gid = service_user()[2:4]
    with open_folder() as folder, tempfile.TemporaryDirectory(prefix="pysshd-tests-", dir=parent) as made:
        os.chmod(made, 0o755)
        place = Path(made) if deep else Path(parent)
        file, key = place / f"pysshd-tests-{os.getpid()}.yaml", Path(made) / "host_key"
        (folder / "state").mkdir(mode=0o700)
        os.chown(folder / "state", uid, gid)
        key.write_bytes(keys.host_keys()[0].read_bytes())
        key.chmod(0o600)
        port = free_port()
        text = whole_policy(POLICY, keys, PLAIN, folder, port, ["owner: alice"])
        try:
            file.write_text(re.sub(r"^  host_keys: .*$", f"  host_keys: [{key}]", text, flags=re.M))
            # The service user itself may read both.
            file.chmod(0o644)
            os.chown(key, uid, gid)
            keeper = launch(["--config", str(file), "--log-format", "json"], folder)
            client = Client(folder, port, keys, "")
            daemon = Daemon(PLAIN, folder, port, client, keeper, json.loads(read_line(keeper, 10) or "{}")["pid"])
            try:
                wait_ready(daemon)
                names = f"{file} {key} {made}/*"
                done = as_bob(daemon, f"cat {names}; ls {made}; test -s /etc/passwd && echo system")
                assert done.stdout == b"system\n", done
                assert as_bob(daemon, f"rm -rf {names}; mv {made} {made}2; exit 7").returncode == 7
                assert file.stat().st_size
                assert key.stat().st_size
                assert daemon.ssh(f"grep -c version {file}").stdout == b"1\n", "the owner is not confined"
                daemon.stop()
            finally:
                daemon.kill()
        finally:
            file.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sh -c 'echo hi'", b"hi\n"),
        ("git init -q r && cd r && git status --porcelain && rm -rf ~/r && echo done", b"done\n"),
        ("/usr/bin/python3 -c 'import ssl, json; print(6*7)'", b"42\n"),
        ("tty", b"not a tty\n"),
        ("cd; pwd | sed 's,.*/,,'", b"bob\n"),
        ("echo hello > f && cat f && rm f", b"hello\n"),
        ("echo $HOME | sed 's,.*/,,'; echo $USER", b"bob\nbob\n"),
        ("echo tmp > /tmp/x && cat /tmp/x", b"tmp\n"),
        ("cat", b"input"),
        ("head -c 3000000 /dev/zero | wc -c", b"3000000\n"),
    ],
)
def test_programs_run(house: Daemon, command: str, expected: bytes) -> None:
    done = as_bob(house, command, stdin=b"input")
    assert done.stdout == expected, done.stderr


def test_who_one_is(house: Daemon) -> None:
    name = pwd.getpwuid(service_user().pw_uid).pw_name
    assert as_bob(house, "id -un").stdout.decode().strip() == name
    assert (
        "0000000000000000" in as_bob(house, "grep CapEff /proc/self/status").stdout.decode()
        or not Path("/proc").exists()
    )


def test_a_terminal_works_with_job_control(house: Daemon) -> None:
    done = as_bob(house, "tty; set -m; sleep 0.1 & fg; test -t 0 && stty size && exit 9", options=("-tt",))
    assert done.returncode == 9, done.stdout
    assert b"/dev/" in done.stdout
    assert b"no job control" not in done.stdout
    assert b"can't access tty" not in done.stdout


def test_how_it_ended_is_told(house: Daemon) -> None:
    assert as_bob(house, "exit 7").returncode == 7
    assert as_bob(house, "nonexistent-program").returncode == 127
    done = as_bob(house, "kill -TERM $$")
    assert done.returncode in (255, 143)
    assert house.wait_event("session.ended", status="signal SIGTERM")


def test_a_home_persists_and_the_rest_does_not(house: Daemon) -> None:
    as_bob(house, "echo kept > ~/kept; echo lost > /tmp/lost")
    done = as_bob(house, "cat ~/kept; cat /tmp/lost")
    assert done.stdout == b"kept\n"


DEAF = "trap '' HUP TERM; (setsid sh -c 'trap \"\" HUP TERM; exec sleep 4242') & echo go; while :; do sleep 1; done"


@pytest.mark.security("S116")
def test_every_process_ends_with_the_connection(house: Daemon) -> None:
    """All kinds at once, for those that are deaf have to be waited for."""
    clients, everybody = [], []
    for command, options in product(("sleep 4141 & echo go; wait", DEAF), ((), ("-tt",))):
        client = house.client.start(command, login="bob", key="bob", options=options)
        assert client.stdout is not None
        assert client.stdout.readline().strip() == b"go"
        leader = house.events("session.started")[-1]["pid"]
        below = everything_below(leader)
        assert len(below) >= 3
        clients.append(client)
        everybody += [leader, *below]
    for client in clients:
        client.kill()
    until(lambda: not any(map(is_running, everybody)), what="processes of confined sessions")


def everything_below(pid: int) -> list[int]:
    """The processes below one, at this moment."""
    found: list[int] = []
    look = [pid]
    while look:
        try:
            below = Path(f"/proc/{look[0]}/task/{look.pop(0)}/children").read_text().split()
        except OSError:
            continue
        found += map(int, below)
        look += map(int, below)
    return found


def test_the_end_of_the_monitor_ends_what_is_confined(serve: Serve) -> None:
    with serve(POLICY) as daemon:
        daemon.may_leave = True
        client = daemon.client.start(DEAF, login="bob", key="bob")
        assert client.stdout is not None
        client.stdout.readline()
        leader = daemon.events("session.started")[-1]["pid"]
        everybody = [leader, *everything_below(leader)]
        # The keeper ends what a daemon leaves, and is not to help here.
        os.kill(daemon.keeper.pid, signal.SIGSTOP)
        os.kill(daemon.pid, signal.SIGKILL)
        until(lambda: not any(map(is_running, everybody)), what="confined session of a dead monitor")
        os.kill(daemon.keeper.pid, signal.SIGCONT)
        daemon.wait_end()


def test_a_full_scratch_folder_and_a_fork_bomb_stay_inside(house: Daemon) -> None:
    done = as_bob(house, "head -c 200000000 /dev/zero > /tmp/full; wc -c < /tmp/full")
    assert int(done.stdout.split()[-1]) <= 64 * 1024 * 1024
    as_bob(house, "for i in $(seq 700); do sleep 5 & done 2>/dev/null; kill -KILL -1", timeout=40)
    assert house.ssh("exit 7").returncode == 7
    assert as_bob(house, "exit 7", login="carol").returncode == 7
