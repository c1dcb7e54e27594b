"""The small parts: what signs, what paces, and what notes decisions."""

import itertools
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.audit.sinks import AuditLog
from pysshd.daemon.clock import SystemClock
from pysshd.errors import BoundaryError, InvalidSignatureError
from pysshd.policy.query import Step
from pysshd.processes.monitor.journal import REFUSALS, ConnectionJournal, described
from pysshd.processes.monitor.pacing import TokenBucket
from pysshd.processes.monitor.signer import HASH_SIZES, Signer
from pysshd.server.ports import DecisionRecord
from pysshd.server.requests import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Global,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Subsystem,
)
from pysshd.ssh.crypto.generate import generate_private_key
from tests.processes.monitor.house import CURVED, HOST_KEY, Memory


@pytest.mark.parametrize("size", range(70))
def test_nothing_but_a_hash_is_signed(size: int) -> None:
    signer = Signer([HOST_KEY])
    data = bytes(size)
    if size in HASH_SIZES:
        HOST_KEY.public.verify("ssh-ed25519", signer.sign("ssh-ed25519", data), data)
    else:
        with pytest.raises(BoundaryError, match="expected 32, 48 or 64"):
            signer.sign("ssh-ed25519", data)


def test_the_first_key_of_an_algorithm_counts_and_the_order_is_what_is_asked() -> None:
    order = ("rsa-sha2-512", "ecdsa-sha2-nistp256", "ssh-ed25519")
    signer = Signer([HOST_KEY, CURVED, generate_private_key("ed25519")], order=order)
    assert signer.public == (
        ("ecdsa-sha2-nistp256", CURVED.public.blob), ("ssh-ed25519", HOST_KEY.public.blob),
    )  # fmt: skip
    for name in ("rsa-sha2-512", "", "ssh-rsa"):
        with pytest.raises(BoundaryError, match="no key is there"):
            signer.sign(name, bytes(32))


@pytest.mark.security("S34")
def test_a_faulty_signature_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    row = HOST_KEY._row
    real = row.sign

    def faulty(private: object, algorithm: str, data: bytes) -> bytes:
        good = bytearray(real(private, algorithm, data))
        good[20] ^= 1
        return bytes(good)

    class Faulty:
        algorithms = row.algorithms
        sign = staticmethod(faulty)

    key = object.__new__(type(HOST_KEY))
    for name, value in (("_private", HOST_KEY._private), ("_row", Faulty()), ("public", HOST_KEY.public)):
        setattr(key, name, value)
    with pytest.raises(InvalidSignatureError):
        Signer([key]).sign("ssh-ed25519", bytes(32))


@given(st.integers(1, 20), st.floats(0.5, 50), st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_a_bucket_lets_through_a_burst_and_then_a_rate(burst: int, rate: float, steps: list[float]) -> None:
    now = [100.0]
    bucket = TokenBucket(burst, rate, lambda: now[0])
    ready: list[float] = []
    for step in steps:
        now[0] += step
        wait = bucket.take()
        assert wait >= 0
        ready.append(now[0] + wait)
    assert ready == sorted(ready) or all(b >= a - 1e-9 for a, b in itertools.pairwise(ready))
    for at, start in enumerate(ready):
        within = sum(start <= time <= start + 1.0 for time in ready[at:])
        assert within <= burst + rate + 1


REQUESTS: list[tuple[Request, str | bytes]] = [
    (Shell(), "shell"), (Exec(b"a\xff"), b"exec a\xff"), (Subsystem("sftp"), "subsystem sftp"), (Pty("vt"), "pty vt"),
    (Env("A", b"secret"), "env A"), (Signal("TERM", Shell()), "signal TERM"), (Break(Shell()), "break"),
    (Global("x"), "global request x"), (Session("session"), "channel session"), (Agent(), "agent"),
    (Connect("a.b", 1), "forward a.b:1"), (Connect("a.b", 1, ip_address("10.0.0.1")), "forward a.b:1 at 10.0.0.1"),
    (Listen("localhost", 0), "listen localhost:0"), (X11(True, 1), "x11"), (ConnectUnix("/x"), "forward-unix /x"),
    (ListenUnix("/x"), "listen-unix /x"), (Connect("::1", 1), "forward [::1]:1"), (Listen("", 1), "listen :1"),
    (Login((), Step("password")), "log in by password"), (Sftp("list", b"/\xff"), b"sftp list /\xff"),
]  # fmt: skip


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.mark.parametrize(("request_", "said"), REQUESTS)
@pytest.mark.parametrize("allowed", [True, False])
def test_decisions_are_lines_of_the_log(request_: Request, said: str, allowed: bool, memory: Memory) -> None:
    assert described(request_) == said
    journal = ConnectionJournal(AuditLog((memory,), SystemClock().wall), "c1", "192.0.2.1:5", SystemClock().monotonic)
    record = DecisionRecord(request_, allowed, "why", "policy.yaml:3", "d1", None, "alice")
    journal.decided(record)
    if isinstance(request_, Login):
        assert memory.events == []
        assert journal.last_login is record
    elif allowed and isinstance(request_, Session | Global):  # a client's keepalives come every few seconds
        assert memory.events == []
    else:
        refused = "env.refused" if isinstance(request_, Env) else "request.refused"
        fields = memory.the("request.allowed" if allowed else refused)
        assert fields["request"] == said
        assert (fields["person"], fields["source"], fields["connection"]) == ("alice", "192.0.2.1:5", "c1")
    assert "secret" not in memory.text


def test_a_storm_of_refused_requests_is_sampled_and_counted(memory: Memory) -> None:
    now = 50.0
    journal = ConnectionJournal(AuditLog((memory,), SystemClock().wall), "c1", "192.0.2.1:5", lambda: now)
    refused = DecisionRecord(Pty("xterm"), False, "why", "policy.yaml:3", "d1", None, "alice")
    for _ in range(1000):
        journal.decided(refused)
    journal.decided(DecisionRecord(Shell(), True, "why", "policy.yaml:3", "d2", None, "alice"))
    now += 1.0
    journal.decided(refused)
    lines = [event for event in memory.events if event.name == "request.refused"]
    assert len(lines) == REFUSALS + 1
    assert lines[-1].fields["unwritten_before"] == 1000 - REFUSALS
    assert [event.name for event in memory.events].count("request.allowed") == 1
