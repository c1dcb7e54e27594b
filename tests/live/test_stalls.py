"""A client that stops reading stalls its own program, and nothing else (S79).

Short here; `-m long` stalls for as long as `PYSSHD_STALL_SECONDS` says (an hour, unless told otherwise).
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.ssh.wire.messages.connection import ChannelOpen, ChannelOpenConfirmation, ChannelWindowAdjust
from pysshd.ssh.wire.messages.requests import Exec
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.channel import PACKET, Session
from tests.live.client import Keys
from tests.live.conftest import OWNER
from tests.live.daemon import PLAIN, Daemon, serving, until
from tests.live.looking import status, workers
from tests.live.wire import Wire, wire

SHORT = 1.0
LONG = float(os.environ.get("PYSSHD_STALL_SECONDS", "3600"))
MAY_GROW = 4 << 10
"""kB: what a turn of a bulk transfer needs, of which none may come on top while a client is stalled."""

MAY_BURN = 0.05
"""Seconds of CPU per second: a stalled transfer costs nothing."""

SEVERAL = OWNER.replace("limits: {", "limits: {connections: 50, ")


@pytest.fixture(scope="module", params=["connection", "shared"])
def daemon(request: pytest.FixtureRequest, keys: Keys) -> Iterator[Daemon]:
    server = (f"isolation: {request.param}",)
    with serving(SEVERAL, keys, mode=PLAIN, server=server) as daemon:
        yield daemon


def resident(daemon: Daemon) -> int:
    """kB of all workers together."""
    return sum(int(status(pid)["VmRSS"].split()[0]) for pid in workers(daemon))


def burnt(daemon: Daemon) -> float:
    """Seconds of CPU that the monitor and the workers have used."""
    ticks = 0
    for pid in (daemon.pid, *workers(daemon)):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def watch(daemon: Daemon, seconds: float) -> None:
    """While somebody is stalled: nothing grows, nothing is busy, and others are served as ever."""
    # What the buffers of sockets and pipes take, they have once nobody has anything to do.
    until(lambda: idle(daemon), what="a stalled transfer at rest")
    grown, used, started = resident(daemon), burnt(daemon), time.monotonic()
    time.sleep(seconds)
    assert resident(daemon) - grown < MAY_GROW
    assert burnt(daemon) - used < MAY_BURN * (time.monotonic() - started) + 0.1
    done = daemon.ssh("head -c 3000000 /dev/zero", timeout=10)
    assert (done.returncode, len(done.stdout)) == (0, 3_000_000)


def idle(daemon: Daemon) -> bool:
    """Whether the monitor and the workers do nothing for a while."""
    before = burnt(daemon)
    time.sleep(0.3)
    return burnt(daemon) - before < 0.015


def stalled_socket(daemon: Daemon, seconds: float) -> None:
    """The client is stopped, so its socket fills; once it goes on, so does the program."""
    client = daemon.client.start("yes; echo")
    assert client.stdout is not None
    assert client.stdout.read(1 << 16) == b"y\n" * (1 << 15)
    client.send_signal(signal.SIGSTOP)
    try:
        watch(daemon, seconds)
    finally:
        client.send_signal(signal.SIGCONT)
    assert client.stdout.read(1 << 24) == b"y\n" * (1 << 23)
    client.kill()
    client.wait()


def closed_window(daemon: Daemon, seconds: float) -> None:
    """The client reads its socket and never widens its window; after one more byte of it comes one more byte."""
    with wire(daemon) as connection:
        assert connection.sign_in(b"alice", daemon.client.keys.private("alice"))[0] == MessageNumber.USERAUTH_SUCCESS
        stalled, other = _opened(connection, 0, 100_001), _opened(connection, 1, 1 << 20)
        assert stalled.ask("exec", Exec(b"yes").encode())
        watch(daemon, seconds)
        assert other.ask("exec", Exec(b"echo still here").encode())
        other.see(b"still here")
        connection.say(ChannelWindowAdjust(stalled.number, 1).encode())
        while len(stalled.output) < 100_002:
            stalled._take()
        assert stalled.output == b"y\n" * 50_001


def _opened(connection: Wire, ours: int, window: int) -> Session:
    connection.say(ChannelOpen("session", ours, window, PACKET).encode())
    answer = connection.until(MessageNumber.CHANNEL_OPEN_CONFIRMATION)
    return Session(connection, ours, ChannelOpenConfirmation.decode(answer).sender)


@pytest.mark.security("S79")
@pytest.mark.parametrize("how", [stalled_socket, closed_window])
def test_a_client_that_stops_reading_stalls_its_program_alone(daemon: Daemon, how: object) -> None:
    assert callable(how)
    how(daemon, SHORT)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.security("S79")
@pytest.mark.parametrize("how", [stalled_socket, closed_window])
def test_for_long(daemon: Daemon, how: object) -> None:
    assert callable(how)
    how(daemon, LONG)


def test_a_program_that_reads_no_more_ends_what_feeds_it(daemon: Daemon) -> None:
    """`yes | ssh host 'exec <&-; …'`: the client is told, and stops sending."""
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
        assert source.stdout is not None
        client = daemon.client.start("exec <&-; sleep 0.5; echo done", stdin=source.stdout)
        source.stdout.close()
        assert source.wait(20) == -signal.SIGPIPE
        assert client.wait(20) == 0
