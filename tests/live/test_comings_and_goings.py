"""Connections that are opened, used and closed leave nothing: descriptors, terminals, processes and memory come back.

Short here; `-m long` opens two thousand.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice

import pytest

from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.channel import Session, opened
from tests.live.client import Keys
from tests.live.conftest import OWNER
from tests.live.daemon import IS_ROOT, PLAIN, Daemon, serving, until
from tests.live.host import own_host, serving_host
from tests.live.looking import name_of, nursery, status, workers, zygote
from tests.live.wire import Wire

MANY, WHOLE = 80, 2000
HELPER = "pysshd: helper"
OF_A_HELPER = 3
"""Descriptors that the monitor holds for a helper: one that stays for the next question comes and goes as it will."""

QUIET_LOOKS = 6
"""So often in a row, a tenth of a second apart, the processes are the same when everything is over."""

AT_ONCE = 6
"""How many connections are open at any time."""

NOISE, WHOLE_NOISE = 1024, 1024
"""kB by which a process may grow between the first quarter of the connections and the last one, short and long."""

ALICE = "pysshd-t-alice"
HOSTED = """
limits: {startups: {start: 100, rate: 30%, full: 200}}
sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]
login: [{who: "*", methods: publickey}]
roles: {shell: {shell: true, exec: any, pty: true}}
grants: [{who: "*", roles: shell}]
"""


@contextmanager
def house(keys: Keys, isolation: str) -> Iterator[tuple[Daemon, bytes]]:
    """A daemon, and who may log in with the key `alice`: an account of a host where root may have one."""
    server = [f"isolation: {isolation}"]
    if not IS_ROOT:
        with serving(OWNER, keys, mode=PLAIN, server=server) as daemon:
            yield daemon, b"alice"
        return
    server += ["acknowledge: [shared-workers-with-system-accounts]"] if isolation == "shared" else []
    with own_host() as host:
        host.add(ALICE, keys=keys.public("alice") + "\n")
        with serving_host(host, HOSTED, keys, server=server) as daemon:
            yield daemon, ALICE.encode()


# --- what somebody does on a connection


def with_pipes(channel: Session) -> None:
    assert channel.exec("cat; exit 3")
    channel.data(b"x" * 20_000)
    channel.eof()
    assert channel.end() == 3
    assert channel.output == b"x" * 20_000


def with_a_terminal(channel: Session) -> None:
    assert channel.pty()
    assert channel.exec("tty; exit 4")
    assert channel.end() == 4
    assert channel.output.startswith(b"/dev/pts/")


def with_both(channel: Session) -> None:
    other = channel.another(1)
    assert other is not None
    with_a_terminal(other)
    with_pipes(channel)


def without_an_end(channel: Session) -> None:
    assert channel.exec("echo begun; exec sleep 300")
    channel.see(b"begun")


def without_an_end_at_a_terminal(channel: Session) -> None:
    assert channel.pty()
    without_an_end(channel)


def with_nothing(_: Session) -> None:
    """A channel that is opened, and nothing else."""


USES: tuple[Callable[[Session], None], ...] = (
    with_pipes, with_a_terminal, with_both, without_an_end, without_an_end_at_a_terminal, with_nothing
)  # fmt: skip


def come_and_go(daemon: Daemon, user: bytes, count: int) -> None:
    """Open, use and close so many connections, some of them open at any time."""
    key = daemon.client.keys.private("alice")
    held: deque[Wire] = deque()
    try:
        for use in islice(cycle(USES), count):
            made = Wire(daemon)
            held.append(made)
            made.connect()
            made.request_service()
            assert made.sign_in(user, key)[0] == MessageNumber.USERAUTH_SUCCESS
            channel = opened(made, 0)
            assert channel is not None
            use(channel)
            if len(held) == AT_ONCE:
                held.popleft().close()
    finally:
        for made in held:
            made.close()


# --- what is left


@dataclass(frozen=True)
class Held:
    """What processes of a daemon hold: how many descriptors, and kB of memory that are not pages of files."""

    descriptors: dict[str, int]
    memory: dict[str, int]
    processes: int

    def __str__(self) -> str:
        return ", ".join(
            f"{name} {self.descriptors[name]} descriptors {self.memory[name]} kB" for name in self.descriptors
        ) + f", {self.processes} processes"  # fmt: skip


def held_by(daemon: Daemon, isolation: str) -> Held:
    """What is held now; workers of one connection come and go, so that only shared ones count."""
    pids = {"monitor": daemon.pid, "zygote": zygote(daemon)}
    if isolation != "shared":
        pids["nursery"] = nursery(daemon)
    else:
        pids |= {f"worker {number}": pid for number, pid in enumerate(sorted(workers(daemon)), 1)}
    # The kernel tells how many there are where it would not show which; before Linux 6.2 it said nothing here.
    descriptors = {name: os.stat(f"/proc/{pid}/fd").st_size for name, pid in pids.items()}
    descriptors["monitor"] -= OF_A_HELPER * sum(name_of(pid) == HELPER for pid in daemon.processes())
    memory = {name: int(status(pid)["RssAnon"].split()[0]) for name, pid in pids.items()}
    return Held(descriptors, memory, len(lasting(daemon)))


def lasting(daemon: Daemon) -> list[int]:
    """The processes below the monitor, without helpers."""
    return [pid for pid in daemon.processes() if name_of(pid) != HELPER]


def settled(daemon: Daemon, isolation: str, processes: int | None) -> Held:
    """What is held when the last connection has ended and as many processes are left as in the beginning."""
    opened_, closed = "connection.opened", "connection.closed"
    until(lambda: daemon.log.count(f'"{opened_}"') == daemon.log.count(f'"{closed}"'), 20, "the end of each connection")
    if processes is not None:
        until(lambda: len(lasting(daemon)) == processes, 15, f"{processes} processes, as in the beginning")
    seen = [lasting(daemon)]
    while len(seen) < QUIET_LOOKS or seen[-QUIET_LOOKS:] != seen[-1:] * QUIET_LOOKS:
        time.sleep(0.1)
        seen.append(lasting(daemon))
        assert len(seen) < 200, f"processes come and go though nobody is there: {seen[-3:]}"
    return held_by(daemon, isolation)


def comings_and_goings(keys: Keys, isolation: str, count: int) -> None:
    with house(keys, isolation) as (daemon, user):
        # What is made once, such as the buffers and threads of the first turns, is made before the first look.
        come_and_go(daemon, user, 4 * len(USES))
        assert daemon.ssh("exit 7", login=user.decode()).returncode == 7
        time.sleep(1)
        start = settled(daemon, isolation, None)
        looks = [start]
        for _ in range(4):
            begun = time.monotonic()
            come_and_go(daemon, user, count // 4)
            looks.append(settled(daemon, isolation, start.processes))
            print(f"{count // 4} connections in {time.monotonic() - begun:.0f} s: {looks[-1]}")
        print(f"in the beginning: {start}")
        for name, number in start.descriptors.items():
            assert looks[-1].descriptors[name] == number, f"descriptors of the {name}"
            grown = looks[-1].memory[name] - looks[1].memory[name]
            assert grown < NOISE, f"the {name} has grown by {grown} kB in {count * 3 // 4} connections"
        assert not daemon.zombies()


@pytest.mark.security("S116")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
def test_connections_that_come_and_go_leave_nothing(keys: Keys, isolation: str) -> None:
    comings_and_goings(keys, isolation, MANY)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.security("S116")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
def test_two_thousand_connections_leave_nothing(keys: Keys, isolation: str) -> None:
    comings_and_goings(keys, isolation, WHOLE)


# --- sessions


def sessions(daemon: Daemon, user: bytes, count: int) -> None:
    """Run so many short programs one after the other, with pipes and at terminals, a hundred on each connection."""
    key = daemon.client.keys.private("alice")
    for begun in range(0, count, 100):
        held = Wire(daemon)
        try:
            held.connect()
            held.request_service()
            assert held.sign_in(user, key)[0] == MessageNumber.USERAUTH_SUCCESS
            for number in range(min(100, count - begun)):
                channel = opened(held, number)
                assert channel is not None
                assert number % 2 == 0 or channel.pty()
                assert channel.exec("echo x; exit 3")
                assert channel.end() == 3
                assert channel.output.split() == [b"x"]
        finally:
            held.close()


def many_sessions(keys: Keys, isolation: str, count: int) -> None:
    with house(keys, isolation) as (daemon, user):
        come_and_go(daemon, user, 2 * len(USES))
        sessions(daemon, user, count // 4)
        looks = [settled(daemon, isolation, None)]
        for _ in range(3):
            begun = time.monotonic()
            sessions(daemon, user, count // 4)
            looks.append(settled(daemon, isolation, looks[0].processes))
            print(f"{count // 4} sessions in {time.monotonic() - begun:.0f} s: {looks[-1]}")
        for name, number in looks[0].descriptors.items():
            assert looks[-1].descriptors[name] == number, f"descriptors of the {name}"
            grown = looks[-1].memory[name] - looks[0].memory[name]
            assert grown < NOISE, f"the {name} has grown by {grown} kB in {count * 3 // 4} sessions"
        assert not daemon.zombies()


@pytest.mark.security("S98", "S116")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
def test_many_sessions_end_with_their_status_and_leave_nothing(keys: Keys, isolation: str) -> None:
    many_sessions(keys, isolation, 160)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.security("S98", "S116")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
def test_ten_thousand_sessions_end_with_their_status_and_leave_nothing(keys: Keys, isolation: str) -> None:
    many_sessions(keys, isolation, 10_000)
