"""`isolation: shared`: a few workers, many connections each, which do not disturb one another and end one by one."""

import hashlib
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pysshd.processes.monitor.shared_pool import LOOK_EVERY
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import MODES, Daemon, is_running, open_folder, until
from tests.live.looking import status, workers
from tests.live.wire import wire

SHARED = ("isolation: shared",)
MANY = """
limits: {connections: 200, startups: {start: 100, rate: 30%, full: 200, per_source: 100}}
users: {alice: {keys: ["@@alice@@"]}}
roles: {owner: {shell: true, exec: any, pty: true, env: {accept: [LANG], set: {SHLVL: "1"}}}}
grants: [{who: alice, roles: owner}]
"""
MEBIBYTES = 3
STALLED_MAY_HOLD = 24 << 10
"""kB that a worker may grow by while many transfers run and one reader is stalled: no copy of what it does not read."""


@pytest.fixture
def many(serve: Serve) -> Iterator[Daemon]:
    with serve(MANY, server=SHARED) as daemon:
        yield daemon


def upload(words: list[str], path: Path) -> "subprocess.Popen[bytes]":
    with path.open("rb") as source:
        return subprocess.Popen(words, stdin=source, stdout=subprocess.PIPE)


def worker_of_each(daemon: Daemon) -> Counter[int]:
    return Counter(int(event["worker"]) for event in daemon.events("connection.opened"))


def resident(pid: int) -> int:
    return int(status(pid)["VmRSS"].split()[0])


@pytest.mark.parametrize("mode", MODES)
def test_connections_share_confined_workers(serve: Serve, mode: str) -> None:
    with serve(OWNER, server=SHARED, mode=mode) as daemon:
        clients = [daemon.client.start("echo ready; read x; exit 5") for _ in range(6)]
        for client in clients:
            assert client.stdout is not None
            assert client.stdout.readline() == b"ready\n"
        used = worker_of_each(daemon)
        assert len(used) < 6
        assert set(used) <= set(workers(daemon))
        for pid in used:
            said = status(pid)
            assert (said["NoNewPrivs"], said["Seccomp"], int(said["CapEff"], 16)) == ("1", "2", 0)
        for client in clients:
            assert client.stdin is not None
            client.stdin.write(b"x\n")
            client.stdin.close()
            assert client.wait(20) == 5
        assert set(used) <= set(workers(daemon))


def test_twenty_connections_in_one_worker_do_not_disturb_one_another(many: Daemon) -> None:
    many.ssh("true")
    before = {pid: resident(pid) for pid in workers(many)}
    stalled = many.client.start("head -c 300000000 /dev/zero")
    typist = many.client.start("cat")
    assert typist.stdin is not None
    assert typist.stdout is not None
    with open_folder() as folder:
        path = folder / "data"
        path.write_bytes(os.urandom(MEBIBYTES << 20))
        summed = hashlib.sha256(path.read_bytes()).hexdigest()
        path.chmod(0o644)
        words = many.client.words("sha256sum")
        ups = [upload(words, path) for _ in range(20)]
        downs = [many.client.start(f"cat {path}") for _ in range(20)]
        late = []
        for _ in range(20):
            start = time.monotonic()
            typist.stdin.write(b"k\n")
            typist.stdin.flush()
            assert typist.stdout.readline() == b"k\n"
            late.append(time.monotonic() - start)
            time.sleep(0.02)
        for up in ups:
            out, _ = up.communicate(timeout=50)
            assert out.split()[0].decode() == summed
        for down in downs:
            out, _ = down.communicate(timeout=50)
            assert hashlib.sha256(out).hexdigest() == summed
    assert sorted(late)[len(late) // 2] < 1.0
    assert max(worker_of_each(many).values()) >= 20
    assert stalled.poll() is None
    for pid, size in before.items():
        assert resident(pid) - size < STALLED_MAY_HOLD
    typist.stdin.close()
    assert typist.wait(10) == 0
    stalled.kill()
    stalled.wait(10)
    assert set(before) == set(workers(many))


def test_a_worker_that_dies_takes_its_connections_along_and_no_others(many: Daemon) -> None:
    many.expected.add("worker.died")
    clients = [many.client.start("echo $$; sleep 300") for _ in range(6)]
    programs = []
    for client in clients:
        assert client.stdout is not None
        programs.append(int(client.stdout.readline()))
    opened = [int(event["worker"]) for event in many.events("connection.opened")][-6:]
    victim = Counter(opened).most_common(1)[0][0]
    os.kill(victim, signal.SIGSEGV)
    for client, program, worker in zip(clients, programs, _in_order(many, programs), strict=True):
        if worker == victim:
            assert client.wait(20) == 255
            until(partial(_is_gone, program), what="its program")
        else:
            assert client.poll() is None
            assert is_running(program)
    many.wait_event("worker.died", pid=victim, status="signal SIGSEGV")
    assert len(many.events("worker.died")) == 1
    lost = [event for event in many.events("connection.closed") if "signal SIGSEGV" in str(event["reason"])]
    assert len(lost) == opened.count(victim)
    for _ in range(8):
        assert many.ssh("true").returncode == 0
    until(lambda: victim not in workers(many) and len(workers(many)) >= 2, what="another worker")
    for client in clients:
        client.kill()
        client.wait(10)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_worker_that_hangs_is_ended_and_the_others_go_on(many: Daemon) -> None:
    many.expected |= {"worker.hung", "worker.died"}
    clients = [many.client.start("echo $$; sleep 300") for _ in range(4)]
    for client in clients:
        assert client.stdout is not None
        client.stdout.readline()
    victim = next(iter(worker_of_each(many)))
    os.kill(victim, signal.SIGSTOP)
    many.wait_event("worker.hung", within=4.5 * LOOK_EVERY, pid=victim, source="2 connections")
    many.wait_event("worker.died", pid=victim, status="signal SIGKILL")
    until(lambda: [client.poll() for client in clients].count(255) == 2, 5, "the end of its connections")
    for _ in range(4):
        assert many.ssh("true").returncode == 0
    assert [client.poll() for client in clients].count(None) == 2
    for client in clients:
        client.kill()
        client.wait(10)


def _is_gone(pid: int) -> bool:
    return not is_running(pid)


def _in_order(daemon: Daemon, programs: list[int]) -> list[int]:
    """The worker of the connection that each of these programs belongs to."""
    connection = {int(event["pid"]): event["connection"] for event in daemon.events("session.started")}
    worker = {event["connection"]: int(event["worker"]) for event in daemon.events("connection.opened")}
    return [worker[connection[program]] for program in programs]


def test_a_client_that_breaks_the_protocol_ends_itself_alone(many: Daemon) -> None:
    other = many.client.start("echo ready; read x")
    assert other.stdout is not None
    assert other.stdout.readline() == b"ready\n"
    for _ in range(4):
        with wire(many) as bad:
            bad.say(b"\xff" * 40)
            bad.socket.sendall(os.urandom(4000))
            bad.end()
    assert other.poll() is None
    assert other.stdin is not None
    other.stdin.close()
    assert other.wait(10) == 1


@pytest.mark.root
def test_everything_is_let_go_when_connections_end(many: Daemon) -> None:
    """Who else could look: not even their own user sees what these processes hold."""
    for _ in range(4):
        assert many.ssh("true").returncode == 0

    def held() -> list[int]:
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in (many.pid, *workers(many))]

    def all_over() -> bool:
        return len(many.events("connection.closed")) == len(many.events("connection.opened"))

    until(all_over, what="connections")
    before = held()
    clients = [many.client.start("true") for _ in range(30)]
    for client in clients:
        assert client.wait(30) == 0
    until(all_over, what="connections")
    until(lambda: held() == before, what=f"descriptors of {before}")
