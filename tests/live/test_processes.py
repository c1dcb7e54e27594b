"""Which processes a daemon is, as the kernel sees them: who they are, what they hold, what they have given up."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from pysshd.daemon.workers import READY_WORKERS
from tests.live.client import Keys
from tests.live.daemon import IS_ROOT, ROOT, Daemon, until
from tests.live.looking import descriptors, is_dumpable, memory, name_of, nursery, status, workers, zygote

SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


def waiting_workers(daemon: Daemon) -> list[int]:
    """The workers that have no client yet, as many as are kept ready.

    A daemon that has just started may have forked one only, which its first client has; the others come a tenth of a
    second later.
    """
    busy = {event["worker"] for event in daemon.events("connection.opened")}

    def waiting() -> list[int]:
        return [pid for pid in workers(daemon) if pid not in busy]

    until(lambda: len(waiting()) >= READY_WORKERS, what="as many workers wait as are kept ready")
    return waiting()


def busy_worker(daemon: Daemon) -> int:
    """The worker of a connection that is logged in and runs a program."""
    waiting = waiting_workers(daemon)
    since = len(daemon.events())
    daemon.client.start("sleep 60")
    daemon.wait_event("session.started", since=since, within=10)
    opened = [event["worker"] for event in daemon.events("connection.opened")]
    assert opened[-1] in waiting
    return int(opened[-1])


@pytest.mark.security("S114")
def test_a_worker_has_given_up_what_it_can(every_daemon: Daemon) -> None:
    for pid in [busy_worker(every_daemon), *workers(every_daemon)]:
        found = status(pid)
        assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
        assert {found[name] for name in SETS} == {"0" * 16}
        assert "0" not in found["Uid"].split() + found["Gid"].split()
        assert len(set(found["Uid"].split())) == len(set(found["Gid"].split())) == 1
        assert "0" not in found["Groups"].split()
        if every_daemon.mode == ROOT:
            assert found["CapBnd"] == "0" * 16
            assert found["Uid"] != status(every_daemon.pid)["Uid"]
            assert found["Groups"] == ""


@pytest.mark.security("S117")
def test_monitor_zygote_and_workers_are_not_to_be_traced(every_daemon: Daemon) -> None:
    if every_daemon.mode == ROOT:
        pytest.skip("the files of root's processes are root's either way")
    for pid in (every_daemon.pid, zygote(every_daemon), nursery(every_daemon), *workers(every_daemon)):
        assert not is_dumpable(pid), name_of(pid)


@pytest.mark.security("S120")
def test_nobody_leaves_a_core_file(every_daemon: Daemon) -> None:
    for pid in (every_daemon.pid, zygote(every_daemon), nursery(every_daemon), *workers(every_daemon)):
        (line,) = [text for text in Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in text]
        assert line.split()[4] == "0", name_of(pid)


@pytest.mark.root
def test_a_worker_holds_its_socket_and_what_it_was_granted(every_daemon: Daemon) -> None:
    pid = busy_worker(every_daemon)
    until(lambda: len(descriptors(pid)) == 9, what=lambda: descriptors(pid))
    held = descriptors(pid)
    kinds = {number: link.partition(":")[0] for number, link in held.items()}
    waiting = {0: "/dev/null", 1: "/dev/null", 2: "pipe", 3: "socket", 4: "anon_inode"}
    assert waiting.items() <= kinds.items()
    granted = sorted(kind for number, kind in kinds.items() if number not in waiting)
    assert granted == ["pipe", "pipe", "pipe", "socket"], held


@pytest.mark.root
def test_a_nursery_is_nobody_and_holds_its_socket_alone(every_daemon: Daemon) -> None:
    """It stands where its workers do, but that it can still fork."""
    pid = nursery(every_daemon)
    (worker, *_) = workers(every_daemon)
    # While it serves itself, before it forks any, it has more.
    until(lambda: set(descriptors(pid)) == {0, 1, 2, 3}, what=lambda: descriptors(pid))
    held = descriptors(pid)
    assert held[3].startswith("socket:")
    own, theirs = status(pid), status(worker)
    for name in ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"):
        assert own[name] == theirs[name], name


@pytest.mark.root
def test_a_waiting_worker_holds_no_client(every_daemon: Daemon) -> None:
    for pid in waiting_workers(every_daemon):
        until(lambda pid=pid: len(descriptors(pid)) == 5, what=lambda pid=pid: descriptors(pid))  # type: ignore[misc]


@pytest.mark.root
@pytest.mark.security("S115")
def test_a_session_holds_its_streams_alone(every_daemon: Daemon) -> None:
    daemon = every_daemon
    daemon.client.start("exec sleep 61")
    pid = daemon.wait_event("session.started", within=10, request="exec exec sleep 61")["pid"]
    if daemon.mode != ROOT:
        # Root's own shell reads root's own files first, whatever they start.
        until(lambda: name_of(pid) == "sleep")
        until(lambda: set(descriptors(pid)) == {0, 1, 2}, what="the loader is done")

    def shared() -> set[str]:
        kept = {link for other in (daemon.pid, zygote(daemon)) for link in descriptors(other).values()}
        return (kept & set(descriptors(pid).values())) - {"/dev/null"}

    # The monitor lets go of its own once the worker has them, which the log does not wait for.
    until(lambda: not shared(), what=shared)
    links = [link for number, link in descriptors(zygote(daemon)).items() if number > 3]
    assert set(links) == {"anon_inode:[pidfd]"}, "beside its socket a zygote holds handles of sessions alone"


@pytest.mark.root
@pytest.mark.security("S39")
def test_no_process_but_the_monitor_has_a_host_key_in_memory(every_daemon: Daemon, keys: Keys) -> None:
    daemon, secrets = every_daemon, secrets_of(keys.host_keys())
    worker = busy_worker(daemon)
    session = daemon.events("session.started")[-1]["pid"]
    assert held_by(daemon.pid, secrets), "the scan does not even find the keys where they are"
    for pid in {worker, session, zygote(daemon), nursery(daemon), *workers(daemon)}:
        assert not held_by(pid, secrets), name_of(pid)


def secrets_of(files: Iterable[Path]) -> dict[str, bytes]:
    """What must not be found, in both orders of octets: an ed25519 seed and the primes and exponent of RSA."""
    found = {}
    for file in files:
        key = load_ssh_private_key(file.read_bytes(), None)
        if isinstance(key, Ed25519PrivateKey):
            found[f"{file.name} seed"] = key.private_bytes_raw()
        elif isinstance(key, RSAPrivateKey):
            numbers = key.private_numbers()
            for name, number in (("p", numbers.p), ("q", numbers.q), ("d", numbers.d)):
                for order in ("big", "little"):
                    octets = number.to_bytes((number.bit_length() + 7) // 8, order)
                    found[f"{file.name} {name} {order}"] = octets[16:80]
    found |= {f"{file.name} file": file.read_bytes().splitlines()[3] for file in files}
    return found


def held_by(pid: int, secrets: dict[str, bytes]) -> set[str]:
    """The names of the secrets that are in the memory of a process."""
    os.kill(pid, signal.SIGSTOP)
    try:
        return {name for piece in memory(pid) for name, octets in secrets.items() if octets in piece}
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(not IS_ROOT, reason="a user's bounding set can not be dropped")
def test_what_a_rootless_monitor_keeps_is_nothing(every_daemon: Daemon) -> None:
    if every_daemon.mode == ROOT:
        pytest.skip("it is root, and stays it")
    for pid in (every_daemon.pid, zygote(every_daemon)):
        found = status(pid)
        assert {found[name] for name in SETS} == {"0" * 16}
        assert "0" not in found["Uid"].split() + found["Gid"].split() + found["Groups"].split()
