"""A guarded connection over a real socket pair: on the other end a worker that a test scripts, behind it a server."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pysshd.audit.events import AuditEvent, as_json, as_text
from pysshd.audit.sinks import AuditLog, DescriptorSink
from pysshd.daemon.clock import SystemClock
from pysshd.policy.bounds import Bounds
from pysshd.policy.ways import ShellCommand
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.channels import Notice
from pysshd.processes.boundary.calls.connection import Assign
from pysshd.processes.boundary.calls.host_keys import Sign, SignAnswer
from pysshd.processes.boundary.calls.login import BeginAuth, Offer, OfferPassword
from pysshd.processes.boundary.calls.table import TO_WORKER
from pysshd.processes.boundary.calls.zygote import SessionSpec
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.monitor.children import Child, ExitStatus
from pysshd.processes.monitor.connection import GuardedConnection
from pysshd.processes.monitor.hearing import readable
from pysshd.processes.monitor.hook_threads import HookThreads
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.pool import Worker
from pysshd.processes.monitor.signer import Signer
from pysshd.processes.monitor.terms import Peer, Services, Terms
from pysshd.server.connection import Connection
from pysshd.server.interface import ServerInterface
from pysshd.server.plan import Account, Plan
from pysshd.server.requests import Request
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire import codec
from tests.audit.canaries import harmless

HOST_KEY = PrivateKey(Ed25519PrivateKey.from_private_bytes(b"a host key for tests, known well"))
ALICE = PrivateKey(Ed25519PrivateKey.from_private_bytes(b"the key of alice, for tests only"))
EVE = PrivateKey(Ed25519PrivateKey.from_private_bytes(b"the key of eve, good for nothing"))
CURVED = PrivateKey(generate_private_key(SECP256R1()))
HASH = b"h" * 32
ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")

TERMS = Terms(
    assign=Assign(
        b"SSH-2.0-test", ("curve25519-sha256",), (("ssh-ed25519", HOST_KEY.public.blob),), ("aes256-ctr",),
        ("hmac-sha2-256",), ALGORITHMS, 1 << 30, 3600, 6, 4, 60, 3,
    ),
    login_grace=30.0, auth_attempts=6, sessions=4, hidden=(), timezone=None,
)  # fmt: skip


def signed(key: PrivateKey, by: str = "ssh-ed25519", **changes: Any) -> bytes:
    """A signature as RFC 4252 §7 has it, over the usual fields but for `changes`."""
    fields = {
        "session_id": codec.string(HASH),
        "message": b"\x32",
        "user": codec.string(b"alice"),
        "service": codec.string(b"ssh-connection"),
        "method": codec.string(b"publickey"),
        "has_signature": b"\1",
        "algorithm": codec.string(by.encode()),
        "blob": codec.string(key.public.blob),
    }
    assert fields.keys() >= changes.keys()
    return key.sign(by, b"".join({**fields, **changes}.values()))


class Memory(DescriptorSink):
    """Keeps events, and sees to it that each is one harmless line."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def write(self, event: AuditEvent) -> None:
        assert harmless(as_json(event))
        assert harmless(as_text(event))
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def the(self, name: str) -> dict[str, Any]:
        """The fields of the one event of a name."""
        (event,) = [event for event in self.events if event.name == name]
        return dict(event.fields)

    @property
    def text(self) -> str:
        return "\n".join(as_text(event) + as_json(event) for event in self.events)


class FakeChild:
    """As much of a `Child` as is asked of a process that does nothing."""

    def __init__(self, pid: int = 4711) -> None:
        self.pid = pid
        self.generation = 1
        self.exit: ExitStatus | None = None
        self.last_words = b""
        self.signals: list[int] = []
        self.ends = 0
        self._exited: asyncio.Future[ExitStatus] = asyncio.get_running_loop().create_future()

    def exits(self, status: ExitStatus) -> None:
        if self.exit is None:
            self.exit = status
            self._exited.set_result(status)

    async def wait(self) -> ExitStatus:
        return await asyncio.shield(self._exited)

    def signal(self, number: int) -> bool:
        self.signals.append(number)
        if number == signal.SIGKILL:
            self.exits(ExitStatus(None, number))
        return True

    def signal_group(self, number: int) -> bool:
        self.signals.append(number)
        return True

    async def end(self, *, hung_up: bool = False) -> None:
        self.ends += 1
        self.exits(ExitStatus(None, signal.SIGHUP))


class FakeLauncher:
    """Starts programs that do nothing."""

    generation = 1

    def __init__(self) -> None:
        self.sessions: list[tuple[SessionSpec, FakeChild]] = []
        self.fails: Exception | None = None

    async def session(self, spec: SessionSpec, fds: tuple[int, ...]) -> FakeChild:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        child = FakeChild(5000 + len(self.sessions))
        self.sessions.append((spec, child))
        return child


class Server(ServerInterface):
    """Alice comes in by her key or her password; what else is asked is answered by `answers`, a hook by name."""

    inline = True

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("check_", "get_")) or name in ("plan", "cancel_port_forward_request"):
            return lambda *args: self.hook(name, args)
        return super().__getattribute__(name)

    def hook(self, name: str, args: tuple[Any, ...]) -> Any:
        self.asked.append((name, *args))
        answer = self.answers.get(name, DEFAULTS.get(name, False))
        return answer(self, *args) if callable(answer) else answer

    def count(self, name: str) -> int:
        return sum(asked[0] == name for asked in self.asked)


class ThreadServer(Server):
    """The same, its hooks in threads."""

    inline = False


def _key(server: Server, user: str, key: Any) -> int:
    return 0 if user == "alice" and key.asbytes() in (ALICE.public.blob, CURVED.public.blob) else 2


def plan(server: Server, request: Request) -> Plan:
    account = Account("alice", None, None, (), "/", "/bin/sh", "alice")
    return Plan(account, ShellCommand(b"true", False), Bounds(), None, "decision")


DEFAULTS: dict[str, Any] = {
    "get_banner": (None, None),
    "get_allowed_auths": "publickey,password",
    "check_auth_none": 2,
    "check_auth_password": lambda server, user, password: 0 if (user, password) == ("alice", "right") else 2,
    "check_auth_publickey": _key,
    "check_auth_interactive": 2,
    "check_auth_interactive_response": 2,
    "check_channel_request": 0,
    "check_channel_direct_tcpip_request": 1,
    **dict.fromkeys(
        (f"check_channel_{name}_request" for name in ("pty", "env", "shell", "exec", "subsystem", "signal", "break")),
        True,
    ),
    "plan": plan,
}


class House:
    """One monitor's shared services, and the connections that tests open in it."""

    def __init__(self, threads: HookThreads, terms: Terms) -> None:
        self.memory = Memory()
        self.launcher = FakeLauncher()
        self.servers: list[Server] = []
        self.answers: dict[str, Any] = {}
        self.inline = True
        self.terms = terms
        self.faults: list[dict[str, Any]] = []
        log = AuditLog((self.memory,), SystemClock().wall)
        self.services = Services(
            Signer([HOST_KEY]), cast(Launcher, self.launcher), self._make, threads, log, SystemClock()
        )
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.faults.append(context))

    def _make(self, connection: Connection, journal: Any) -> Server:
        server = (Server if self.inline else ThreadServer)(connection)
        server.answers = self.answers
        self.servers.append(server)
        return server

    @property
    def server(self) -> Server:
        return self.servers[-1]

    def open(self, child: Child | None = None, endpoint: Endpoint | None = None) -> "Wire":
        """A connection that has begun, and the worker's end of it."""
        return Wire(self, child, endpoint)

    def terms_are(self, **changes: Any) -> None:
        self.terms = replace(self.terms, **changes)


class Wire:
    """The worker's side of one connection."""

    def __init__(self, house: House, child: Child | None, endpoint: Endpoint | None) -> None:
        self.house = house
        self.fake = FakeChild()
        ours, theirs = (endpoint, None) if endpoint is not None else Endpoint.pair()
        assert ours is not None
        self.logins = 0
        worker = Worker(child or cast(Child, self.fake), ours, ("test",))
        self.connection = GuardedConnection(
            peer=Peer(("192.0.2.7", 4022), ("192.0.2.1", 22), "*:22"),
            worker=worker,
            services=house.services,
            terms=house.terms,
            name="connection",
            authenticated=self._logged_in,
        )
        client, self.client = socket.socketpair()
        with client:
            self.connection.start(client)
        self.end = theirs
        self.notices: list[bytes] = []
        """What the client was told on standard error."""

        self._number = 0

    def _logged_in(self) -> None:
        self.logins += 1

    def say(self, call: Call | bytes, fds: tuple[int, ...] = ()) -> None:
        """Send, whatever it is."""
        assert self.end is not None
        self.end.send(call if isinstance(call, bytes) else call.encode(), fds)

    async def hear(self) -> Any:
        """The next call of the monitor; None at the end."""
        assert self.end is not None
        self.end.set_blocking(False)
        async with asyncio.timeout(5):
            await readable(self.end)
        received = self.end.recv()
        if received is None:
            return None
        self.fds = received.fds
        return decode(received.message, TO_WORKER)

    async def ask(self, kind: Any, *args: Any) -> Any:
        """Send a question with the next number; its answer."""
        self._number += 1
        self.say(kind(self._number, *args))
        while isinstance(answer := await self.hear(), Notice):
            self.notices.append(answer.text)
        assert answer is None or answer.call == self._number
        return answer

    async def to_kex(self) -> "Wire":
        assert isinstance(await self.hear(), Assign)
        for descriptor in self.fds:
            socket.close(descriptor)
        return self

    async def to_auth(self, user: bytes = b"alice", service: str = "ssh-connection") -> "Wire":
        await self.to_kex()
        assert isinstance(await self.ask(Sign, "ssh-ed25519", HASH), SignAnswer)
        assert isinstance(await self.ask(BeginAuth, user, service, b"SSH-2.0-client"), Offer)
        return self

    async def to_open(self) -> "Wire":
        await self.to_auth()
        assert (await self.ask(OfferPassword, b"right")).outcome == 0
        return self

    async def over(self) -> None:
        """Wait until the connection is over."""
        async with asyncio.timeout(10):
            await asyncio.shield(self.connection.over)

    async def killed(self, detail: str) -> None:
        """The worker was killed for a violation, which is in the log; nothing else was."""
        await self.over()
        assert self.fake.signals == [signal.SIGKILL]
        assert detail in str(self.house.memory.the("worker.violation")["detail"])

    def close(self) -> None:
        self.client.close()
        if self.end is not None:
            self.end.close()


def without_floors(patch: pytest.MonkeyPatch) -> None:
    """Refusals need not take their time where time is not what is looked at."""
    for name in ("NONE_FLOOR", "KEY_FLOOR", "PASSWORD_FLOOR"):
        patch.setattr(f"pysshd.processes.monitor.login.{name}", 0.0)


@contextlib.contextmanager
def threads(**options: Any) -> Iterator[HookThreads]:
    with contextlib.closing(HookThreads(SystemClock(), **options)) as made:
        yield made


def in_house(test: Callable[[House], Awaitable[None]], terms: Terms = TERMS) -> House:
    """Run `test` in a house; no exception may have come where nobody expects one."""

    async def run() -> House:
        with threads() as made:
            house = House(made, terms)
            await test(house)
        assert house.faults == []
        return house

    return asyncio.run(run())
