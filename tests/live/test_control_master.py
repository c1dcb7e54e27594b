"""Many sessions on one connection, as `ControlMaster` has them."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.daemon import Daemon, is_running, until


@contextmanager
def master(daemon: Daemon) -> Iterator[str]:
    """A client that holds a connection for others; the path of its socket."""
    path = str(daemon.folder / f"master{time.monotonic_ns()}")
    process = daemon.client.start(options=("-M", "-N", "-S", path))
    until(lambda: daemon.ssh(options=("-S", path, "-O", "check")).returncode == 0, what="the master")
    try:
        yield path
    finally:
        daemon.ssh(options=("-S", path, "-O", "exit"))
        process.wait(20)


def through(daemon: Daemon, path: str, command: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """A command on the connection of a master."""
    return daemon.client.run(command, options=("-S", path), stdin=stdin)


@pytest.mark.security("S98")
def test_the_status_arrives_though_both_ends_of_the_data_came_first(daemon: Daemon) -> None:
    """Such a client closes its channel as soon as both sides have nothing more to say."""
    with master(daemon) as path:
        assert through(daemon, path, "exec >&- 2>&-; sleep 0.5; exit 5").returncode == 5


@pytest.mark.security("S98")
def test_100_short_commands_on_one_connection(every_daemon: Daemon) -> None:
    """Each says how it ended before it closes, and none leaves anything."""
    opened = len(every_daemon.events("connection.opened"))
    with master(every_daemon) as path:
        started = time.monotonic()
        wrong: list[object] = []

        def some(which: int) -> None:
            for number in range(which, 100, 6):
                done = through(every_daemon, path, f"echo {number}; exit {number}")
                if (done.returncode, done.stdout) != (number, f"{number}\n".encode()):
                    wrong.append((number, done))

        threads = [threading.Thread(target=some, args=(which,)) for which in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        print(f"\n100 commands on one connection in {time.monotonic() - started:.1f} s")
        until(lambda: not every_daemon.zombies(), what="zombies")
    assert len(every_daemon.events("connection.opened")) == opened + 1


def test_one_that_stalls_does_not_hold_up_the_others(daemon: Daemon) -> None:
    with master(daemon) as path:
        stalled = daemon.client.start("cat /dev/zero", options=("-S", path))
        time.sleep(1)  # its window, the pipes and the sockets are full by now
        deaf = daemon.client.start("sleep 1000", options=("-S", path))
        assert deaf.stdin is not None
        feeding = threading.Thread(target=feed, args=(deaf,))
        feeding.start()
        time.sleep(0.5)
        # Whoever is held up by those waits for as long as they do, which is for ever.
        for size in (1, 100_000, 3_000_000):
            assert through(daemon, path, "cat", stdin=bytes(size)).stdout == bytes(size)
        stalled.kill()
        deaf.kill()
        feeding.join(10)
        assert through(daemon, path, "echo still").stdout == b"still\n"


def feed(process: "subprocess.Popen[bytes]") -> None:
    """Write to a program that does not read, until it is gone."""
    assert process.stdin is not None
    try:
        while True:
            process.stdin.write(bytes(65536))
    except OSError:
        pass


@pytest.mark.security("S116")
def test_exit_ends_every_session(daemon: Daemon) -> None:
    with master(daemon) as path:
        clients = [daemon.client.start("echo $$; exec cat", options=("-S", path)) for _ in range(5)]
        programs = [int(client.stdout.readline()) for client in clients if client.stdout is not None]
        assert len(set(programs)) == 5
        assert clients[0].stdin is not None
        clients[0].stdin.close()  # one session alone: its input ends
        until(lambda: not is_running(programs[0]), what="the program whose input has ended")
        assert all(map(is_running, programs[1:]))
        daemon.ssh(options=("-S", path, "-O", "exit"))
        until(lambda: not any(map(is_running, programs)), what="the programs of a closed connection")
    until(lambda: not daemon.zombies(), what="zombies")
