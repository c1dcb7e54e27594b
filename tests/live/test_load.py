"""Daemons under load that costs its maker less: handshakes without end, readers that read nothing, signals."""

import os
import signal
import statistics
import threading
import time
from contextlib import suppress

import pytest

from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import ChannelOpen, ChannelRequest, ChannelWindowAdjust
from pysshd.ssh.wire.messages.requests import Exec
from pysshd.ssh.wire.messages.transport import KexEcdhInit
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.client import Keys
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import Daemon, until
from tests.live.watch import GROWTH_MAX, sizes, unharmed
from tests.live.wire import Wire, wire
from tests.ssh.client.kex import METHODS, ClientShare
from tests.ssh.client.raw import RawClient

COMPATIBLE = """
crypto: {profile: compatible}
users: {alice: {keys: ["@@alice@@"]}}
roles: {owner: {shell: true, exec: any}}
grants: [{who: alice, roles: owner}]
"""
GROUPS = ("diffie-hellman-group18-sha512", "diffie-hellman-group16-sha512")


# --- DHeat (CVE-2002-20001): the client sends random bytes, the server raises to a power


class Heater(threading.Thread):
    """Opens connection after connection and has each do as much arithmetic as it lets itself be asked for."""

    def __init__(self, daemon: Daemon, kex: str, over: threading.Event) -> None:
        super().__init__()
        self._daemon = daemon
        self._kex = kex
        self._over = over
        self.handshakes = 0

    def run(self) -> None:
        # Not a valid exponent's power, but the server can not know: nothing is computed here.
        public = b"\x01" + os.urandom(255)
        while not self._over.is_set():
            with suppress(OSError, EOFError, ValueError):
                odd = Wire(self._daemon, RawClient(kex=[self._kex], auto=False))
                odd.socket.settimeout(1)
                try:
                    odd.client.begin()
                    odd.flush()
                    odd.until(Number.KEXINIT)
                    odd.say(KexEcdhInit(public).encode())
                    self.handshakes += bool(odd.socket.recv(65536))
                finally:
                    odd.close()


class Again(Heater):
    """Has keys exchanged again and again on one connection, and logs nobody in."""

    def run(self) -> None:
        while not self._over.is_set():
            with suppress(OSError, EOFError, ValueError), wire(self._daemon, kex=[self._kex]) as odd:
                odd.socket.settimeout(3)
                while not self._over.is_set():
                    odd.client.send_kexinit()
                    odd.until(Number.NEWKEYS)
                    self.handshakes += 1


def cheap(_: Entropy) -> ClientShare:
    """A share that costs the client nothing: its power is the first, so that the secret is the server's own value."""
    return ClientShare(codec.mpint(2)[4:], lambda reply: codec.mpint(int.from_bytes(reply, "big")))


def dheat(daemon: Daemon, seconds: float, threads: int, kind: type[Heater] = Heater) -> None:
    over = threading.Event()
    heaters = [kind(daemon, GROUPS[number % 2], over) for number in range(threads)]
    for heater in heaters:
        heater.start()
    times = []
    try:
        end = time.monotonic() + seconds
        time.sleep(1)
        while time.monotonic() < end:
            start = time.monotonic()
            assert daemon.ssh("exit 7", options=("-b", "127.0.0.2")).returncode == 7
            times.append(time.monotonic() - start)
            time.sleep(0.2)
    finally:
        over.set()
        for heater in heaters:
            heater.join(10)
    done = sum(heater.handshakes for heater in heaters)
    slow, middle = max(times), statistics.median(times)
    print(f"{done / seconds:.0f} handshakes a second beside {len(times)} logins of {middle:.2f} s, at most {slow:.2f}")
    assert done > 0
    assert middle < 2
    assert slow < 4


@pytest.mark.security("S33")
def test_handshakes_of_one_source_do_not_slow_another_down(serve: Serve) -> None:
    with serve(COMPATIBLE) as daemon, unharmed(daemon):
        dheat(daemon, 3, 4)


@pytest.mark.security("S33", "S38")
def test_keys_that_are_exchanged_again_before_a_login_slow_nobody_down(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in GROUPS:
        monkeypatch.setitem(METHODS, name, cheap)
    with serve(COMPATIBLE) as daemon, unharmed(daemon):
        dheat(daemon, 3, 10, Again)


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.security("S33")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
def test_a_minute_of_handshakes_does_not_slow_another_down(serve: Serve, isolation: str) -> None:
    with serve(COMPATIBLE, server=(f"isolation: {isolation}",)) as daemon, unharmed(daemon):
        dheat(daemon, 60, 10)


# --- a client that stops reading


@pytest.mark.security("S79")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
@pytest.mark.parametrize("window", [0, 1 << 31], ids=["no window", "no socket"])
def test_a_client_that_reads_nothing_stalls_itself_alone(serve: Serve, keys: Keys, isolation: str, window: int) -> None:
    with serve(OWNER, server=(f"isolation: {isolation}",)) as daemon:
        assert daemon.ssh("true").returncode == 0
        with wire(daemon) as held:
            assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
            worker = int(daemon.events("connection.opened")[-1]["worker"])
            held.say(ChannelOpen("session", 0, window, 32768).encode())
            held.until(Number.CHANNEL_OPEN_CONFIRMATION)
            held.say(ChannelRequest(0, "exec", True, Exec(b"yes").encode()).encode())
            held.until(Number.CHANNEL_SUCCESS)
            before = grown = at(worker)
            end = time.monotonic() + 0.8
            asked = 0
            while time.monotonic() < end:
                # What it asks for meanwhile is answered into a socket that nobody empties.
                asked += 1
                with suppress(OSError):
                    held.socket.settimeout(0.01)
                    held.client.send(ChannelWindowAdjust(0, 1).encode() if window == 0 else b"\x02" + bytes(4))
                    held.flush()
                grown = max(grown, at(worker))
                time.sleep(0.005)
            assert daemon.ssh("exit 7").returncode == 7
            print(f"the worker has grown by {grown - before} kB")
            assert grown - before < GROWTH_MAX
        program = daemon.events("session.started")[-2]["pid"]
        daemon.wait_event("session.ended", pid=program)


def at(pid: int) -> int:
    found = sizes(pid)
    assert found is not None
    return found[0]


# --- signals


def hangups(daemon: Daemon, count: int) -> None:
    """So many SIGHUPs while sessions run and clients come and go."""
    clients = [daemon.client.start("read x; exit 5") for _ in range(6)]
    until(lambda: len(daemon.events("session.started")) == 6)
    over = threading.Event()

    def hang_up() -> None:
        for _ in range(count):
            os.kill(daemon.pid, signal.SIGHUP)
            time.sleep(0.001)
        over.set()

    thread = threading.Thread(target=hang_up)
    thread.start()
    logins = 0
    try:
        while not over.is_set() or not logins:
            assert daemon.ssh("exit 7").returncode == 7
            logins += 1
    finally:
        thread.join()
    for client in clients:
        assert client.poll() is None
        assert client.stdin is not None
        client.stdin.write(b"x\n")
        client.stdin.close()
        assert client.wait(20) == 5
    assert daemon.events("daemon.signal")
    print(f"{count} hang-ups, {len(daemon.events('daemon.signal'))} in the log, {logins} logins beside them")


@pytest.mark.security("S129")
def test_hang_ups_under_load_drop_no_session(serve: Serve) -> None:
    with serve(OWNER) as daemon:
        hangups(daemon, 1000)
