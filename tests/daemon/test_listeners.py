"""Listening sockets: bound all or none, accepted from without blocking, and patient when descriptors run out."""

import asyncio
import errno
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pysshd.daemon import listeners
from pysshd.daemon.listeners import Acceptor, Listener, bind
from pysshd.errors import StartupError
from pysshd.policy.settings import Listen


def entry(host: str, port: int) -> Listen:
    return Listen(f"{host}:{port}", host, port)


@contextmanager
def bound(*entries: Listen) -> Iterator[list[Listener]]:
    made = bind(entries)
    try:
        yield made
    finally:
        for listener in made:
            listener.socket.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_v6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_an_address_is_said_as_it_was_bound() -> None:
    with bound(entry("127.0.0.1", 0)) as (listener,):
        port = listener.socket.getsockname()[1]
        assert (listener.name, listener.address) == ("127.0.0.1:0", f"127.0.0.1:{port}")
        assert not listener.socket.getblocking()
        assert not listener.socket.get_inheritable()


@pytest.mark.skipif(not has_v6(), reason="the host has no IPv6 loopback")
def test_both_families_have_a_socket_each() -> None:
    port = free_port()
    with bound(entry("*", port)) as made:
        assert [listener.address for listener in made] == [f"0.0.0.0:{port}", f"[::]:{port}"]
        assert {listener.name for listener in made} == {f"*:{port}"}
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as client:
                client.connect((host, port))
    with bound(entry("::1", port)) as (listener,):
        assert listener.address == f"[::1]:{port}"


def test_a_port_in_use_is_named_and_nothing_stays_bound() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        used, free = taken.getsockname()[1], free_port()
        with pytest.raises(StartupError, match=f"127.0.0.1:{used} can not be bound: port {used} is in use"):
            bind([entry("127.0.0.1", free), entry("127.0.0.1", used)])
        with bound(entry("127.0.0.1", free)):
            pass


def test_an_address_that_the_host_has_not() -> None:
    with pytest.raises(StartupError, match=r"192\.0\.2\.1:2222 can not be bound: "):
        bind([entry("192.0.2.1", 2222)])


@pytest.mark.ordinary_user
def test_a_port_that_needs_a_privilege() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 22:
        pytest.skip("the host gives every port to everybody")
    with pytest.raises(StartupError, match="needs a privilege"):
        bind([entry("127.0.0.1", 22)])


def test_a_silent_policy_listens_where_the_host_has_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    v4, v6 = entry("127.0.0.1", port), entry("::1", port)
    monkeypatch.setattr(listeners, "DEFAULT", (v4, v6))
    real = socket.socket

    def without_v6(family: int = socket.AF_INET, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no")
        return real(family, *rest)

    monkeypatch.setattr("pysshd.daemon.listeners.socket.socket", without_v6)
    with bound() as made:
        assert [listener.address for listener in made] == [f"127.0.0.1:{port}"]
    with pytest.raises(StartupError):
        bind([v6])


def test_accepting_and_closing() -> None:
    came: list[str] = []

    async def run() -> None:
        with bound(entry("127.0.0.1", 0)) as made:

            def accepted(client: socket.socket, address: tuple[str, int], listener: Listener) -> None:
                with client:
                    assert client.getpeername() == address
                    came.append(listener.name)

            acceptor = Acceptor(made, accepted, pytest.fail)
            address = made[0].socket.getsockname()
            clients = [socket.create_connection(address) for _ in range(5)]
            while len(came) < 5:
                await asyncio.sleep(0.005)
            acceptor.close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address)
            for client in clients:
                client.close()

    asyncio.run(run())


def test_without_a_descriptor_it_pauses_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """EMFILE leaves the listener ready: the loop must not spin on it, and the client must be served later."""
    monkeypatch.setattr(listeners, "PAUSE", 0.2)
    complaints: list[str] = []
    came: list[int] = []

    async def run() -> None:
        with bound(entry("127.0.0.1", 0)) as made, socket.socket() as client:

            def accepted(accepted: socket.socket, address: tuple[str, int], listener: Listener) -> None:
                accepted.close()
                came.append(1)

            acceptor = Acceptor(made, accepted, complaints.append)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            client.setblocking(False)
            client.connect_ex(made[0].socket.getsockname())
            resource.setrlimit(resource.RLIMIT_NOFILE, (_highest() + 1, hard))
            filler = []
            try:
                while True:
                    filler.append(os.dup(0))
            except OSError:
                pass
            try:
                spent, started = time.process_time(), time.monotonic()
                async with asyncio.timeout(20):
                    while len(complaints) < 3:
                        await asyncio.sleep(0.01)
                assert time.process_time() - spent < 0.2
                assert time.monotonic() - started > 2 * listeners.PAUSE - 0.05
            finally:
                for descriptor in filler:
                    os.close(descriptor)
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert "pauses" in complaints[0]
            async with asyncio.timeout(5):
                while not came:
                    await asyncio.sleep(0.01)
            acceptor.close()

    asyncio.run(run())


def _highest() -> int:
    return max(int(name) for name in os.listdir("/proc/self/fd"))
