"""Every process of a daemon dies in every way: what ends with it, what does not, and how soon."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pysshd.daemon.workers import READY_WORKERS
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import MODES, WITHIN, Daemon, is_running, until
from tests.live.looking import nursery, workers, zygote

MEGABYTES = 16
PLAIN_COMMANDS = """
users: {alice: {keys: ["@@alice@@"]}}
roles: {plain: {exec: [sha256sum, "sleep 300", "false"]}}
grants: [{who: alice, roles: plain}]
"""
GONE = 1.0
"""Seconds after the monitor's death in which nothing that touches the network may be left."""

KILL_AFTER = 5.0
SWEEP = KILL_AFTER + 10.0
"""Seconds in which even a program is gone that ignores all that it can."""

STUBBORN = (
    "trap '' HUP TERM; sh -c 'trap \"\" HUP TERM; while :; do sleep 1; done' & echo $$ $!; while :; do sleep 1; done"
)
"""A program and its child, both deaf to what asks them to end; it writes both numbers."""

WITH_CHILD = "sleep 300 & echo $$ $!; wait"


@pytest.fixture
def own(serve: Serve) -> Iterator[Daemon]:
    """A daemon that a test may hurt."""
    with serve(OWNER) as daemon:
        yield daemon


def started(daemon: Daemon, command: str, *, pty: bool = False) -> tuple[list[int], subprocess.Popen[bytes]]:
    """Start a command that writes the numbers of its processes; these, and the client."""
    options = ("-tt",) if pty else ()
    client = daemon.client.start(command, options=options)
    assert client.stdout is not None
    return [int(word) for word in client.stdout.readline().split()], client


def skip_where_no_other_zygote_can_be_started(daemon: Daemon) -> None:
    """It says so where its interpreter is not for the user that it has become."""
    if any("no other one can be started" in event["detail"] for event in daemon.events("daemon.warning")):
        pytest.skip(f"{sys.executable} is not for the user that the daemon has become")


def worker_of(daemon: Daemon) -> int:
    """The worker of the connection that came last."""
    return int(daemon.events("connection.opened")[-1]["worker"])


@contextmanager
def transfer(daemon: Daemon) -> Iterator[None]:
    """A transfer that goes on for as long as the block runs, and has to come out right."""
    head, tail = os.urandom(1 << 20), os.urandom(MEGABYTES << 20)
    client = daemon.client.start("sha256sum")
    assert client.stdin is not None
    client.stdin.write(head)
    client.stdin.flush()
    daemon.wait_event("session.started", request="exec sha256sum")
    yield
    out, _ = client.communicate(tail, timeout=30)
    assert client.returncode == 0
    assert out.split()[0].decode() == hashlib.sha256(head + tail).hexdigest()


@contextmanager
def nobody_else_ends_anything(daemon: Daemon) -> Iterator[None]:
    """Let the keeper, which ends what a daemon leaves, wait until the block is over."""
    os.kill(daemon.keeper.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(daemon.keeper.pid, signal.SIGCONT)


def gone(pids: list[int], what: str, within: float = WITHIN) -> float:
    """Wait until none of these is left; after how many seconds that was."""
    return until(lambda: not any(map(is_running, pids)), within, f"{what} {pids}")


def test_a_killed_worker_ends_its_connection_alone(own: Daemon) -> None:
    own.expected |= {"worker.died"}
    with transfer(own):
        pids, client = started(own, WITH_CHILD)
        os.kill(worker_of(own), signal.SIGKILL)
        assert client.wait(20) == 255
        gone(pids, "session of a dead worker")
        assert own.ssh("exit 7").returncode == 7
    assert own.wait_event("worker.died")["status"] == "signal SIGKILL"


def test_workers_killed_while_they_wait_cost_nobody_a_login(own: Daemon) -> None:
    own.expected |= {"daemon.error"}  # one that is killed on its way into its sandbox
    until(lambda: len(workers(own)) == READY_WORKERS)
    killed = workers(own)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(killed) & set(workers(own)))
    assert [own.ssh("exit 7").returncode for _ in range(6)] == [7] * 6


@pytest.mark.parametrize("mode", MODES)
def test_a_killed_zygote_ends_nobody_and_the_next_login_works(serve: Serve, mode: str) -> None:
    # Without a shell: root's own reads root's own files first, whatever they do.
    with serve(PLAIN_COMMANDS, mode=mode) as own:
        skip_where_no_other_zygote_can_be_started(own)
        with transfer(own):
            client = own.client.start("sleep 300")
            session = own.wait_event("session.started", request="exec sleep 300")["pid"]
            first = zygote(own)
            os.kill(first, signal.SIGKILL)
            assert [own.ssh("false").returncode for _ in range(8)] == [1] * 8
            assert zygote(own) != first
            assert is_running(session)
            assert client.poll() is None


def test_a_killed_nursery_ends_nobody_and_the_next_login_works(own: Daemon) -> None:
    with transfer(own):
        client = own.client.start("sleep 300")
        session = own.wait_event("session.started", request="exec sleep 300")["pid"]
        first = nursery(own)
        os.kill(first, signal.SIGKILL)
        assert [own.ssh("false").returncode for _ in range(8)] == [1] * 8
        assert nursery(own) != first
        assert is_running(session)
        assert client.poll() is None
    (lost,) = [event["detail"] for event in own.events() if "nursery" in str(event.get("detail"))]
    assert f"lost its nursery {first}: it ended with signal 9; another one is forked" in lost


def test_a_killed_zygote_takes_its_nursery_out_of_use(own: Daemon) -> None:
    """What a zygote was replaced for, an address layout that may be known, its nursery has too."""
    skip_where_no_other_zygote_can_be_started(own)
    first = nursery(own)
    os.kill(zygote(own), signal.SIGKILL)
    assert [own.ssh("false").returncode for _ in range(8)] == [1] * 8
    assert nursery(own) != first
    assert not is_running(first)


def test_a_stopped_zygote_keeps_nobody_who_is_in_from_working(own: Daemon) -> None:
    with transfer(own):
        os.kill(zygote(own), signal.SIGSTOP)
        time.sleep(0.3)
    os.kill(zygote(own), signal.SIGCONT)
    assert own.ssh("exit 7").returncode == 7


@pytest.mark.security("S116")
@pytest.mark.parametrize("pty", [False, True], ids=["pipes", "pty"])
def test_a_killed_client_takes_its_programs_along(own: Daemon, pty: bool) -> None:
    pids, client = started(own, WITH_CHILD, pty=pty)
    client.kill()
    gone(pids, "session of a dead client")
    own.wait_event("connection.closed")


@pytest.mark.security("S116")
def test_a_program_that_ignores_its_end_is_killed(own: Daemon) -> None:
    """Both at once, for each has to be waited for."""
    pipes, client = started(own, STUBBORN)
    terminal, second = started(own, STUBBORN, pty=True)
    client.kill()
    second.kill()
    start = time.monotonic()
    for pids in (pipes, terminal):
        gone(pids, "stubborn session", SWEEP)
        assert time.monotonic() - start > KILL_AFTER - 1


def test_the_end_of_the_monitor_ends_workers_and_sessions(own: Daemon) -> None:
    own.may_leave = True
    pipes, _ = started(own, WITH_CHILD)
    terminal, _ = started(own, WITH_CHILD, pty=True)
    # One worker never comes to rest, another can run none of its own code, and reads no signal but one.
    own.client.start("yes")
    own.wait_event("session.started", request="exec yes")
    busy = worker_of(own)
    own.client.start("sleep 300")
    own.wait_event("session.started", request="exec sleep 300")
    stopped = worker_of(own)
    os.kill(stopped, signal.SIGSTOP)
    deaf = started(own, STUBBORN)[0] + started(own, STUBBORN, pty=True)[0]
    everybody = workers(own)
    assert {busy, stopped} <= set(everybody)
    assert len(everybody) >= 8
    everybody.append(nursery(own))
    warm = zygote(own)
    with nobody_else_ends_anything(own):
        start = time.monotonic()
        os.kill(own.pid, signal.SIGKILL)
        seconds = gone(everybody, "workers of a dead monitor", GONE)
        print(f"{len(everybody)} workers were gone {seconds:.2f} s after their monitor")
        gone([*pipes, *terminal], "sessions of a dead monitor")
        gone([warm], "zygote of a dead monitor", SWEEP)
        gone(deaf, "stubborn sessions of a dead monitor", SWEEP)
        assert time.monotonic() - start > KILL_AFTER - 1
    assert own.wait_end()["status"] == -signal.SIGKILL


def test_the_end_of_monitor_and_zygote_at_once_ends_workers_and_leaders(own: Daemon) -> None:
    own.may_leave = True
    pids, _ = started(own, "echo $$; exec sleep 300")
    everybody = workers(own)
    everybody.append(nursery(own))
    warm = zygote(own)
    with nobody_else_ends_anything(own):
        os.kill(warm, signal.SIGKILL)
        os.kill(own.pid, signal.SIGKILL)
        gone(everybody, "workers", GONE)
        gone(pids, "leader")
    own.wait_end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_signal_ends_everything_cleanly(serve: Serve, number: signal.Signals) -> None:
    with serve(OWNER) as daemon:
        pipes, client = started(daemon, WITH_CHILD)
        terminal, second = started(daemon, WITH_CHILD, pty=True)
        daemon.stop(number)
        gone([*pipes, *terminal], "sessions", 0.5)
        assert client.wait(20) == second.wait(20) == 255
        assert daemon.events("daemon.signal")[0]["signal"] == number.name


def test_a_program_that_ignores_its_end_holds_the_daemon_up_no_longer_than_it_must(serve: Serve) -> None:
    with serve(OWNER) as daemon:
        pids, _ = started(daemon, STUBBORN)
        start = time.monotonic()
        daemon.stop()
        assert time.monotonic() - start < SWEEP + 2
        gone(pids, "stubborn session", 0.5)


def test_a_hangup_with_the_same_file_changes_nothing(own: Daemon) -> None:
    with transfer(own):
        before = Path(f"/proc/{own.pid}/stat").read_text().split()[21]
        os.kill(own.pid, signal.SIGHUP)
        assert own.wait_event("daemon.signal")["signal"] == "SIGHUP"
        assert own.wait_event("reload.accepted")["rules"] == own.events("daemon.rules")[0]["rules"]
        assert own.ssh("exit 7").returncode == 7
        assert Path(f"/proc/{own.pid}/stat").read_text().split()[21] == before
    assert own.policy.exists()


def test_signals_that_nobody_should_send_change_nothing(own: Daemon) -> None:
    with transfer(own):
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG, signal.SIGCONT):
            for pid in (own.pid, zygote(own)):
                os.kill(pid, number)
        assert own.ssh("exit 7").returncode == 7
