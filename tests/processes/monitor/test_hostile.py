"""A worker that was taken over gains nothing: it is killed or refused, that is written down, nobody else is hurt."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from pysshd.errors import DisconnectReason
from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import CloseChannel, OpenChannel
from pysshd.processes.boundary.calls.connection import Bye, EndConnection, Ready, Report
from pysshd.processes.boundary.calls.global_requests import RequestGlobal
from pysshd.processes.boundary.calls.host_keys import Sign, SignAnswer
from pysshd.processes.boundary.calls.login import (
    AnswerInteractive,
    AuthAnswer,
    BeginAuth,
    OfferNone,
    OfferPassword,
    VerifyKey,
)
from pysshd.processes.boundary.calls.requests import RequestExec, RequestPty, RequestSignal, RequestWindow
from pysshd.processes.boundary.calls.table import CALLS
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.ssh.wire import codec
from tests.processes.monitor.house import ALICE, CURVED, EVE, HASH, TERMS, House, Wire, in_house, signed, without_floors

pytestmark = pytest.mark.security("S112")

ZERO = ExitStatus(0)

HOSTILE: dict[str, tuple[str, Callable[[], Call | bytes], str]] = {
    "ready again": ("kex", lambda: Ready(()), "phase kex"),
    "password before a user": ("kex", lambda: OfferPassword(1, b"right"), "phase kex"),
    "key before a user": ("kex", lambda: VerifyKey(1, "ssh-ed25519", b"", b""), "phase kex"),
    "user before a key exchange": ("kex", lambda: BeginAuth(1, b"alice", "ssh-connection", b""), "key exchange"),
    "channel before a login": ("auth", lambda: OpenChannel(1, 0, "session"), "phase auth"),
    "program before a login": ("auth", lambda: RequestExec(1, 0, b"id"), "phase auth"),
    "close before a login": ("auth", lambda: CloseChannel(0), "phase auth"),
    "global before a login": ("auth", lambda: RequestGlobal(1, "tcpip-forward", b""), "phase auth"),
    "another user": ("auth", lambda: BeginAuth(9, b"root", "ssh-connection", b""), "phase auth"),
    "another user later": ("open", lambda: BeginAuth(9, b"root", "ssh-connection", b""), "phase open"),
    "password after login": ("open", lambda: OfferPassword(9, b"right"), "phase open"),
    "responses to nothing": ("auth", lambda: AnswerInteractive(9, (b"x",)), "nothing was asked"),
    "program on no channel": ("open", lambda: RequestExec(9, 4_000_000_000, b"id"), "is not open"),
    "close of no channel": ("open", lambda: CloseChannel(3), "is not open"),
    "signal to nobody": ("open", lambda: RequestSignal(9, 5, "KILL"), "is not open"),
    "unchecked modes": ("open", lambda: RequestPty(9, 0, b"x", 1, 1, 0, 0, b"\x01\x02"), "is not open"),
    "answer of the monitor": ("kex", lambda: AuthAnswer(1, 0, ()), "of this direction"),
    "assignment": ("kex", lambda: TERMS.assign, "of this direction"),
    "unknown number": ("kex", lambda: b"\xff", "of this direction"),
    "cut short": ("kex", lambda: b"\x02\0\0", "can not be read"),
    "left over": ("kex", lambda: Bye("x").encode() + b"x", "can not be read"),
    "no host key of that name": ("kex", lambda: Sign(1, "rsa-sha2-512", HASH), "no key is there"),
    "signature over a text": ("kex", lambda: Sign(1, "ssh-ed25519", b"x" * 33), "expected 32, 48 or 64"),
    "signature over nothing": ("kex", lambda: Sign(1, "ssh-ed25519", b""), "expected 32, 48 or 64"),
    "unknown report": ("kex", lambda: Report("login.accepted", ()), "has no meaning"),
    "report without fields": ("kex", lambda: Report("", ()), "has no meaning"),
    "report of a time": ("kex", lambda: Report("failed", (("time", b"1970"),)), "not its own"),
    "report of a person": ("kex", lambda: Report("failed", (("person", b"root"),)), "not its own"),
    "report of self": ("kex", lambda: Report("failed", (("self", b"x"),)), "not its own"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_violation_kills_the_worker_and_is_written_down(name: str) -> None:
    phase, make, detail = HOSTILE[name]

    async def run(house: House) -> None:
        other = await house.open().to_open()
        wire = house.open()
        await {"kex": wire.to_kex, "auth": wire.to_auth, "open": wire.to_open}[phase]()
        wire.say(make())
        await wire.killed(detail)
        assert house.memory.the("connection.closed")["reason"] == "its worker broke the call table"
        assert (await other.ask(OpenChannel, 0, "session")).code == 0
        assert house.launcher.sessions == []
        await farewell(other, wire)

    in_house(run)


async def farewell(*wires: Wire) -> None:
    for wire in wires:
        wire.close()
        if not wire.connection.over.done():
            wire.fake.exits(ZERO)
        await wire.over()


def test_two_questions_at_once() -> None:
    async def run(house: House) -> None:
        house.answers["check_auth_password"] = slow
        wire = await house.open().to_auth()
        wire.say(OfferPassword(7, b"right"))
        wire.say(OfferNone(8, "none"))
        await wire.killed("while an answer is owed")
        await asyncio.sleep(0.1)
        assert wire.logins == 0
        assert "login.accepted" not in house.memory.names
        await farewell(wire)

    async def slow_answer() -> int:
        await asyncio.sleep(0.05)
        return 0

    def slow(*_: Any) -> Any:
        return slow_answer()

    in_house(run)


def test_descriptors_of_a_worker_are_closed() -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_kex()
        out, into = os.pipe()
        wire.say(Bye("x"), (into, into, into))
        os.close(into)
        await wire.killed("sent descriptors")
        # The last of the copies is gone: the pipe is at its end.
        os.set_blocking(out, False)
        assert os.read(out, 1) == b""
        os.close(out)
        await farewell(wire)

    in_house(run)


def test_an_oversized_message_kills_the_worker() -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_kex()
        assert wire.end is not None
        raw = socket.socket(fileno=os.dup(wire.end.fileno()))
        with raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            raw.send(b"\x29" + b"x" * 70_000)
        await wire.killed("longer than 65536")
        await farewell(wire)

    in_house(run)


FIELDS = {
    "session_id": codec.string(b"H" * 32),
    "message": b"\x33",
    "user": codec.string(b"bob"),
    "service": codec.string(b"ssh-userauth"),
    "method": codec.string(b"password"),
    "has_signature": b"\0",
    "algorithm": codec.string(b"rsa-sha2-512"),
    "blob": codec.string(EVE.public.blob),
}


@pytest.mark.security("S54")
@pytest.mark.parametrize("field", FIELDS)
def test_a_signature_over_anything_else_is_refused(field: str) -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_auth()
        answer = await wire.ask(
            VerifyKey, "ssh-ed25519", ALICE.public.blob, signed(ALICE, "ssh-ed25519", **{field: FIELDS[field]})
        )
        assert answer.outcome == 2
        assert house.server.count("check_auth_publickey") == 0
        assert "signature" in house.memory.the("login.refused")["reason"]
        good = await wire.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, signed(ALICE))
        assert good.outcome == 0
        await farewell(wire)

    in_house(run)


@pytest.mark.security("S54")
def test_a_replayed_signature_is_refused_in_another_session() -> None:
    async def run(house: House) -> None:
        first = await house.open().to_auth()
        signature = signed(ALICE)
        assert (await first.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, signature)).outcome == 0
        second = await house.open().to_kex()
        await second.ask(Sign, "ssh-ed25519", b"another hash, of another session")
        # The session id is the first hash that was signed: a later one, even the right one, changes nothing.
        await second.ask(Sign, "ssh-ed25519", HASH)
        await second.ask(BeginAuth, b"alice", "ssh-connection", b"SSH-2.0-x")
        await second.ask(Sign, "ssh-ed25519", HASH)
        assert (await second.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, signature)).outcome == 2
        assert second.logins == 0
        await farewell(first, second)

    in_house(run)


@pytest.mark.security("S74")
def test_the_user_of_the_first_call_is_the_user_of_all() -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_auth(b"mallory")
        for key in (ALICE, EVE):
            assert (await wire.ask(VerifyKey, "ssh-ed25519", key.public.blob, signed(key))).outcome == 2
        user = codec.string(b"mallory")
        proof = signed(ALICE, user=user)
        assert (await wire.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, proof)).outcome == 2
        assert {asked[1] for asked in house.server.asked if len(asked) > 1} == {"mallory"}
        await farewell(wire)

    in_house(run)


@pytest.mark.security("S52")
def test_no_guess_beyond_the_limit() -> None:
    async def run(house: House) -> None:
        house.terms_are(auth_attempts=3)
        wire = await house.open().to_auth()
        for _ in range(3):
            assert (await wire.ask(OfferNone, "odd")).outcome == 2
        wire.say(OfferPassword(9, b"right"))
        await wire.killed("after 3 failures")
        assert wire.logins == 0
        await farewell(wire)

    in_house(run)


def test_signatures_are_paced_and_not_refused() -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_kex()
        loop = asyncio.get_running_loop()
        for _ in range(100):
            await wire.ask(Sign, "ssh-ed25519", HASH)
        started = loop.time()
        for _ in range(10):
            assert isinstance(await wire.ask(Sign, "ssh-ed25519", HASH), SignAnswer)
        assert loop.time() - started > 0.1
        await farewell(wire)

    in_house(run)


def test_reports_are_few() -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_kex()
        for _ in range(65):
            wire.say(Report("failed", (("reason", b"x"), ("detail", b"\x1b[2J\r\nforged"))))
        await wire.killed("came 65 times")
        assert house.memory.names.count("connection.failed") == 64
        await farewell(wire)

    in_house(run)


@pytest.mark.security("S73")
def test_a_login_after_the_grace_time_is_none() -> None:
    async def wait(*_: Any) -> int:
        await asyncio.sleep(0.8)
        return 0

    async def run(house: House) -> None:
        house.terms_are(login_grace=0.5)
        house.answers["check_auth_password"] = wait
        wire = await house.open().to_auth()
        wire.say(OfferPassword(9, b"right"))
        end = await wire.hear()
        assert isinstance(end, EndConnection)
        assert end.reason == DisconnectReason.BY_APPLICATION
        assert (await wire.hear()).outcome == 2
        # Nothing is answered any more, and least of all a right password.
        wire.say(OfferPassword(10, b"right"))
        wire.say(Bye("told"))
        wire.close()
        wire.fake.exits(ZERO)
        await wire.over()
        assert wire.logins == 0
        assert "login.accepted" not in house.memory.names
        assert house.memory.the("connection.closed")["reason"] == "nobody logged in within the grace time"

    in_house(run)


@pytest.mark.security("S03", "S73")
def test_a_worker_that_does_not_end_after_the_grace_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.processes.monitor.pool.Worker.patience", 0.1)
    monkeypatch.setattr("pysshd.processes.monitor.pool.END_WITHIN", 0.1)

    async def run(house: House) -> None:
        house.terms_are(login_grace=0.1)
        wire = await house.open().to_kex()
        await wire.over()
        assert wire.fake.ends == 1
        assert "worker.died" in house.memory.names
        wire.close()

    in_house(run)


def test_a_worker_whose_client_left_at_the_moment_of_an_answer_has_not_died() -> None:
    """Its last word is read, and it is left to end by itself: a kill would be a death, and an alarm."""

    async def run(house: House) -> None:
        wire = await house.open().to_kex()
        assert wire.end is not None
        wire.say(Bye("the client went away"))
        wire.end.close()
        wire.connection._send(SignAnswer(1, b""))
        assert wire.fake.signals == []
        wire.fake.exits(ExitStatus(0))
        await wire.over()
        assert wire.fake.signals == []
        assert "worker.died" not in house.memory.names
        assert house.memory.the("connection.closed")["reason"] == "the client went away"
        wire.close()

    in_house(run)


def test_a_worker_that_is_gone_before_it_is_asked() -> None:
    async def run(house: House) -> None:
        ours, theirs = Endpoint.pair()
        theirs.close()
        wire = house.open(endpoint=ours)
        await wire.over()
        assert "could not be told" in house.memory.the("connection.closed")["reason"]
        wire.close()

    in_house(run)


def test_a_worker_that_reads_nothing_is_killed() -> None:
    async def run(house: House) -> None:
        wire = await house.open().to_open()
        for number in range(20_000):
            wire.say(RequestGlobal(number, "x", b""))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if wire.connection.over.done() or wire.fake.exit is not None:
                break
        await wire.over()
        assert wire.fake.signals == [SIGKILL]
        wire.close()

    in_house(run)


def random_call(chance: random.Random) -> bytes:
    """Something between a call and noise."""
    kind = chance.choice(list(CALLS.values()))
    parts = [kind.PREFIX]
    for _ in kind.LAYOUT:
        size = chance.choice((0, 1, 4, 32, 32, 200))
        parts.append(
            chance.choice(
                (
                    codec.uint32(chance.choice((0, 1, 2, 3, 80, 1 << 31, (1 << 32) - 1))),
                    codec.string(chance.randbytes(size)),
                    codec.string(chance.choice((b"session", b"ssh-ed25519", b"alice", b"none", b"failed", HASH))),
                    codec.string(chance.choice((ALICE, EVE, CURVED)).public.blob),
                    bytes([chance.randrange(256)]),
                )
            )
        )
    data = b"".join(parts)
    if chance.random() < 0.2:
        data = data[: chance.randrange(len(data)) + 1]
    if chance.random() < 0.1:
        data = chance.randbytes(chance.choice((1, 5, 300)))
    return data


async def fuzz(house: House, seed: int, messages: int) -> None:
    """Messages of chance on connection after connection, each from a state that is likely to be broken elsewhere."""
    chance = random.Random(seed)
    other = await house.open().to_open()
    assert (await other.ask(OpenChannel, 0, "session")).code == 0
    sent = 0
    while sent < messages:
        wire = house.open()
        await chance.choice((wire.to_kex, wire.to_auth, wire.to_open))()
        for _ in range(chance.randrange(1, 12)):
            sent += 1
            try:
                wire.say(random_call(chance))
            except Exception:  # the monitor has closed its end
                break
            for _ in range(3):
                await asyncio.sleep(0)
        await farewell(wire)
    assert (await other.ask(RequestWindow, 0, 80, 24, 0, 0)).ok is False
    await farewell(other)
    for _, child in house.launcher.sessions:
        child.exits(ZERO)
    accounts = {event.fields.get("account") for event in house.memory.events if event.name == "login.accepted"}
    assert accounts == {"alice"}
    opened = house.memory.names.count("connection.opened")
    assert house.memory.names.count("connection.closed") == opened
    assert house.memory.names.count("worker.violation") > opened / 2
    assert "daemon.error" not in house.memory.names


@pytest.mark.parametrize("seed", [1, 2])
def test_fuzz(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    without_floors(monkeypatch)
    in_house(lambda house: fuzz(house, seed, 5_000))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fuzz_long(monkeypatch: pytest.MonkeyPatch) -> None:
    without_floors(monkeypatch)
    in_house(lambda house: fuzz(house, random.randrange(1 << 30), 100_000))


SCRIPT = """
import sys
from pysshd.processes.boundary.calls.host_keys import Sign
from pysshd.processes.boundary.calls.requests import RequestShell
from pysshd.processes.boundary.socket import Endpoint
end = Endpoint.from_fd(int(sys.argv[1]))
end.recv()
end.send(Sign(1, "ssh-ed25519", b"h" * 32).encode())
end.recv()
end.send(RequestShell(2, 0).encode())
import time
time.sleep(60)
"""


def test_a_process_that_breaks_the_table_is_killed_and_reaped(tmp_path: Path) -> None:
    async def run(house: House) -> None:
        ours, theirs = Endpoint.pair()
        os.set_inheritable(theirs.fileno(), True)
        script = tmp_path / "worker.py"
        script.write_text(SCRIPT)
        pid = os.posix_spawn(sys.executable, [sys.executable, str(script), str(theirs.fileno())], os.environ)
        theirs.close()
        child = Child(
            "worker", pid, os.pidfd_open(pid), generation=1, words=None,
            on_end=lambda child: None, on_release=lambda child: None,
        )  # fmt: skip
        wire = house.open(child, ours)
        await wire.over()
        assert child.exit is not None
        assert child.exit.signal == SIGKILL
        assert "RequestShell came in phase kex" in house.memory.the("worker.violation")["detail"]
        assert house.memory.the("worker.died")["status"] == "signal SIGKILL"
        wire.close()

    in_house(run)
