"""An evil worker (F16): well-formed calls with what a captured worker knows, alone and with the sockets of others.

It knows the password and the key of one user, what others have signed elsewhere, and every public key. It must get no
session as anybody else, and no signature over anything but an exchange hash and the proof of a host key in its session.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast, get_args, get_origin, get_type_hints

import pytest

from pysshd.policy.bounds import Bounds
from pysshd.policy.ways import ShellCommand
from pysshd.processes.boundary.calls.call import Call, Phase, decode
from pysshd.processes.boundary.calls.channels import CloseChannel, OpenChannel
from pysshd.processes.boundary.calls.global_requests import GlobalAnswer
from pysshd.processes.boundary.calls.host_keys import ProveHostKeys, Sign
from pysshd.processes.boundary.calls.login import BeginAuth, OfferPassword, VerifyKey
from pysshd.processes.boundary.calls.requests import RequestExec, RequestSignal
from pysshd.processes.boundary.calls.table import TO_MONITOR, TO_WORKER
from pysshd.processes.monitor.children import ExitStatus
from pysshd.processes.monitor.signer import Signer
from pysshd.server.plan import Account, Plan
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.requests import decode_strings
from tests.processes.monitor.house import (
    ALICE,
    EVE,
    HASH,
    HOST_KEY,
    TERMS,
    FakeChild,
    House,
    Server,
    Wire,
    in_house,
    without_floors,
)

pytestmark = pytest.mark.security("S112")

BOB = EVE
SECOND = generate_private_key("ed25519")
THEIRS = b"the host key of a man in the middle"
HOST_KEYS = (HOST_KEY, SECOND)
HOST_BLOBS = tuple(key.public.blob for key in HOST_KEYS)
PEOPLE = {"alice": (b"alice's", ALICE), "bob": (b"bob's", BOB)}


def _password(server: Server, user: str, password: object) -> int:
    return _step(server, user, user in PEOPLE and password == PEOPLE[user][0].decode())


def _key(server: Server, user: str, key: Any) -> int:
    return _step(server, user, user in PEOPLE and key.asbytes() == PEOPLE[user][1].public.blob)


def _step(server: Server, user: str, right: bool) -> int:
    server.user = user  # type: ignore[attr-defined]
    return 0 if right else 2


def _plan(server: Server, request: object) -> Plan:
    user = server.user
    account = Account(user, None, None, (), "/", "/bin/sh", user)
    return Plan(account, ShellCommand(b"true", False), Bounds(), None, "decision")


def _exec(server: Server, channel: Any, command: bytes) -> bool:
    """Some commands the server serves itself: by what it writes before, or without a word, or it only takes a look."""
    if command == b"serve":
        channel.send(b"by the hook")
        channel.send_exit_status(0)
        channel.close()
    elif command == b"use and refuse":
        channel.send(b"x")
        return False
    return command != b"refuse"


ANSWERS = {
    "check_auth_password": _password,
    "check_auth_publickey": _key,
    "check_channel_exec_request": _exec,
    "plan": _plan,
}


@dataclass
class Witness:
    """Everything that a host key signed."""

    signed: list[bytes] = field(default_factory=list)

    @contextlib.contextmanager
    def watching(self) -> Iterator["Witness"]:
        with pytest.MonkeyPatch.context() as patch:
            original = PrivateKey.sign

            def sign(key: PrivateKey, algorithm: str, data: bytes) -> bytes:
                if key.public.blob in HOST_BLOBS:
                    self.signed.append(data)
                return original(key, algorithm, data)

            patch.setattr(PrivateKey, "sign", sign)
            yield self


def proof_data(key: bytes, session_id: bytes) -> bytes:
    """As the OpenSSH document has it, and not as our own code does."""
    return codec.string(b"hostkeys-prove-00@openssh.com") + codec.string(session_id) + codec.string(key)


def signature(key: PrivateKey, user: bytes, session_id: bytes, host_key: bytes = b"") -> bytes:
    """What a key signs to log in (RFC 4252 §7)."""
    method = b"publickey-hostbound-v00@openssh.com" if host_key else b"publickey"
    data = codec.string(session_id) + b"\x32" + codec.string(user) + codec.string(b"ssh-connection")
    data += codec.string(method) + b"\1" + codec.string(b"ssh-ed25519") + codec.string(key.public.blob)
    return key.sign("ssh-ed25519", data + (codec.string(host_key) if host_key else b""))


class Knowledge:
    """What an evil worker would put into the fields of its calls."""

    def __init__(self, chance: random.Random, session_id: bytes) -> None:
        pick = chance.choice
        foreign = b"f" * 32
        self.chance = chance
        self.names = (b"alice", b"bob", b"root", b"alice\0", b"../alice", b"")
        self.signatures = (
            signature(ALICE, b"alice", session_id),
            signature(ALICE, b"alice", session_id, HOST_BLOBS[0]),
            signature(ALICE, b"bob", session_id),
            # What bob signed in another session, and for a man in the middle's host key.
            signature(BOB, b"bob", foreign),
            signature(BOB, b"bob", foreign, HOST_BLOBS[0]),
            signature(BOB, b"bob", session_id, THEIRS),
            b"",
        )
        self.strings = (
            *self.names, b"alice's", b"session", b"x" * 32, session_id, foreign, *HOST_BLOBS, ALICE.public.blob,
            proof_data(HOST_BLOBS[0], foreign)[:64], proof_data(HOST_BLOBS[0], session_id), BOB.public.blob, THEIRS,
        )  # fmt: skip
        self.pick = pick

    def call(self, kind: type[Call]) -> Call:
        """A call of this kind with fields of the right types."""
        hints = get_type_hints(kind)
        values = (self.value(each.name, hints[each.name]) for each in fields(cast(Any, kind)))
        return cast(Call, cast(Any, kind)(*values))

    def value(self, name: str, hint: Any) -> Any:
        pick = self.pick
        if name == "algorithm":
            return pick(("ssh-ed25519", "ssh-ed25519", "ssh-ed25519", "rsa-sha2-512", "ssh-rsa", "none"))
        if name == "user":
            return pick(self.names)
        if name == "service":
            return pick(("ssh-connection", "ssh-connection", "ssh-userauth"))
        if name == "blob":
            return pick((ALICE.public.blob, ALICE.public.blob, BOB.public.blob, *HOST_BLOBS))
        if name == "host_key":
            return pick((b"", HOST_BLOBS[0], HOST_BLOBS[1], THEIRS))
        if name == "signature":
            return pick(self.signatures)
        if name == "exchange_hash":
            return pick((b"n" * 32, b"m" * 48, b"l" * 64, *self.strings))
        if name == "keys":
            return tuple(pick((*HOST_BLOBS, *HOST_BLOBS, *self.strings)) for _ in range(self.chance.randrange(4)))
        if name == "modes":
            return pick((b"", b"\0", b"\x01\0\0\0\3\0", b"\xff"))
        if name == "channel":
            return pick((0, 0, 0, 1, 2, 4_000_000_000))
        if name == "command":
            return pick((b"serve", b"use and refuse", b"refuse", b"id"))
        if name == "kind":
            return pick(("session", "session", "x11", "direct-tcpip"))
        return self._plain(hint)

    def _plain(self, hint: Any) -> Any:
        if hint is bool:
            return self.chance.random() < 0.5
        if hint is int:
            return self.pick((0, 1, 2, 22, 80, 65535, (1 << 32) - 1))
        if hint is bytes:
            return self.pick(self.strings)
        if hint is str:
            return self.pick(("", "none", "xterm", "KILL", "sftp", "negotiated", "failed", "login.accepted", "\u202e"))
        (item, *_) = get_args(hint)
        if get_origin(item) is tuple:
            parts = get_args(item)
            return tuple(tuple(self._plain(part) for part in parts) for _ in range(self.chance.randrange(3)))
        return tuple(self._plain(item) for _ in range(self.chance.randrange(3)))


KINDS = tuple(TO_MONITOR.values())


class Worker:
    """One captured worker and its connections: one, or several where it is shared."""

    def __init__(self, house: House, chance: random.Random, connections: int) -> None:
        self.chance = chance
        self.child = FakeChild()
        self.wires = [house.open(child=cast(Any, self.child)) for _ in range(connections)]
        self.ids = [chance.randbytes(32) for _ in self.wires]
        self.knows = [Knowledge(chance, each) for each in self.ids]
        for wire in self.wires:
            wire.fake = self.child

    async def begin(self) -> None:
        """Each of its connections to where chance takes it; as alice, where anybody is logged in."""
        for wire, session_id in zip(self.wires, self.ids, strict=True):
            phase = self.chance.choice((Phase.KEX, Phase.AUTH, Phase.OPEN, Phase.OPEN))
            await wire.to_kex()
            if phase is Phase.KEX:
                continue
            await wire.ask(Sign, "ssh-ed25519", session_id)
            user = b"alice" if phase is Phase.OPEN else self.chance.choice((b"alice", b"bob", b"root"))
            await wire.ask(BeginAuth, user, "ssh-connection", b"SSH-2.0-evil")
            if phase is Phase.OPEN:
                assert (await wire.ask(OfferPassword, b"alice's")).outcome == 0
                await wire.ask(OpenChannel, 0, "session")

    async def act(self) -> bool:
        """One call on one of the connections; False where the monitor has ended that one."""
        number = self.chance.randrange(len(self.wires))
        wire, knows = self.wires[number], self.knows[number]
        gate = wire.connection._gate
        # Nine of ten are legal in their phase: the others end it, and there would be little to see.
        kinds = [kind for kind in KINDS if gate.phase in kind.PHASES] if self.chance.random() < 0.9 else KINDS
        call = knows.call(self.chance.choice(kinds))
        try:
            wire.say(call)
        except Exception:  # the monitor has closed its end
            return False
        for _ in range(8):
            await asyncio.sleep(0)
        self._hear(wire, self.ids[number], call)
        return not wire.connection.over.done()

    def _hear(self, wire: Wire, session_id: bytes, asked: Call) -> None:
        """What came meanwhile; a proof must be of one of our keys in this very session."""
        assert wire.end is not None
        wire.end.set_blocking(False)
        while True:
            try:
                received = wire.end.recv()
            except BlockingIOError:
                return
            if received is None:
                return
            for descriptor in received.fds:
                socket.close(descriptor)
            said = decode(received.message, TO_WORKER)
            if isinstance(said, GlobalAnswer) and said.ok:
                assert isinstance(asked, ProveHostKeys)
                first = wire.connection._signing.session_id
                assert first is not None
                for key, proof in zip(asked.keys, decode_strings(said.data), strict=True):
                    HOST_KEYS[HOST_BLOBS.index(key)].public.verify("ssh-ed25519", proof, proof_data(key, first))

    async def end(self) -> None:
        for wire in self.wires:
            wire.close()
        self.child.exits(ExitStatus(0))
        for wire in self.wires:
            await wire.over()


async def evil(house: House, seed: int, messages: int, connections: int) -> Witness:
    chance = random.Random(seed)
    signer = Signer(HOST_KEYS)
    house.services = replace(house.services, signer=signer)
    house.terms_are(assign=replace(TERMS.assign, host_keys=signer.public, announced=HOST_BLOBS))
    house.answers |= ANSWERS
    sent, ids = 0, set()
    witness = Witness()
    with witness.watching():
        while sent < messages or (sent < GO_ON * messages and not has_seen_all(house, witness)):
            worker = Worker(house, chance, connections)
            await worker.begin()
            for _ in range(chance.randrange(10, 40 * connections)):
                sent += 1
                if not await worker.act():
                    break
            await worker.end()
            ids |= {wire.connection._signing.session_id for wire in worker.wires}
    for data in witness.signed:
        assert len(data) in (32, 48, 64) or any(
            data == proof_data(key, each) for key in HOST_BLOBS for each in ids if each is not None
        )
    return witness


GO_ON = 20
"""So many times the messages are sent at most, until all has been tried that could go wrong."""


def has_seen_all(house: House, witness: Witness) -> bool:
    """Whether chance has brought a login, a session, a channel that a hook serves, and a proof of a host key."""
    names = set(house.memory.names)
    proofs = any(len(data) > 64 for data in witness.signed)
    return {"login.accepted", "session.served"} <= names and bool(house.launcher.sessions) and proofs


def judge(house: House, witness: Witness) -> None:
    events = house.memory.events
    accepted = [event.fields for event in events if event.name == "login.accepted"]
    assert {(said["account"], said["person"]) for said in accepted} == {("alice", "alice")}
    assert house.launcher.sessions
    assert {spec.name for spec, _ in house.launcher.sessions} == {"alice@alice"}
    proofs = [data for data in witness.signed if len(data) > 64]
    assert proofs
    names = house.memory.names
    assert names.count("connection.closed") == names.count("connection.opened")
    assert names.count("worker.violation") > 10
    assert "session.served" in names
    assert "daemon.error" not in names
    for _, child in house.launcher.sessions:
        child.exits(ExitStatus(0))


def fast(patch: pytest.MonkeyPatch) -> None:
    """Refusals and signatures need not take their time where time is not what is looked at."""
    without_floors(patch)
    patch.setattr("pysshd.processes.monitor.pacing.TokenBucket.take", lambda self: 0.0)


@pytest.mark.parametrize("connections", [1, 3], ids=["alone", "shared"])
def test_an_evil_worker_gains_nothing(connections: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch)

    async def run(house: House) -> None:
        judge(house, await evil(house, random.randrange(1 << 30), 1500, connections))

    in_house(run)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("connections", [1, 3], ids=["alone", "shared"])
def test_an_evil_worker_gains_nothing_in_100_000_messages(connections: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch)

    async def run(house: House) -> None:
        judge(house, await evil(house, random.randrange(1 << 30), 100_000, connections))

    in_house(run)


# --- the same by hand: what each new call might have been good for

SCRIPT: dict[str, tuple[type[Call], tuple[Any, ...], str | None]] = {
    "a key bound to no host key of ours": (
        VerifyKey, ("ssh-ed25519", ALICE.public.blob, signature(ALICE, b"alice", HASH, THEIRS), THEIRS), None,
    ),
    "a key bound to our second host key": (
        VerifyKey,
        ("ssh-ed25519", ALICE.public.blob, signature(ALICE, b"alice", HASH, HOST_BLOBS[1]), HOST_BLOBS[1]), None,
    ),
    "a plain signature that is passed off as bound": (
        VerifyKey, ("ssh-ed25519", ALICE.public.blob, signature(ALICE, b"alice", HASH), HOST_BLOBS[0]), None,
    ),
    "a bound signature that is passed off as plain": (
        VerifyKey, ("ssh-ed25519", ALICE.public.blob, signature(ALICE, b"alice", HASH, HOST_BLOBS[0]), b""), None,
    ),
    "proofs before the login": (ProveHostKeys, (HOST_BLOBS[:1],), "came in phase auth"),
    "a proof that is no hash": (Sign, ("ssh-ed25519", proof_data(HOST_BLOBS[0], HASH)), "expected 32, 48 or 64"),
    "an algorithm without a key": (Sign, ("rsa-sha2-512", HASH), "no key is there for it"),
}  # fmt: skip


@pytest.mark.security("S54", "S96")
@pytest.mark.parametrize("name", SCRIPT)
def test_what_is_signed_for_one_thing_is_good_for_no_other(name: str) -> None:
    kind, values, violation = SCRIPT[name]

    async def run(house: House) -> None:
        house.services = replace(house.services, signer=Signer(HOST_KEYS))
        wire = await house.open().to_auth()
        if violation is None:
            answer = await wire.ask(kind, *values)
            assert answer.outcome == 2
            assert house.server.count("check_auth_publickey") == 0
            good = signature(ALICE, b"alice", HASH, HOST_BLOBS[0])
            assert (await wire.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, good, HOST_BLOBS[0])).outcome == 0
            wire.fake.exits(ExitStatus(0))
        else:
            wire.say(cast(Any, kind)(9, *values))
            await wire.killed(violation)
        wire.close()
        await wire.over()

    in_house(run)


async def _two_in_one(house: House) -> tuple[FakeChild, Wire, Wire]:
    child = FakeChild()
    alice, other = (house.open(child=cast(Any, child)) for _ in range(2))
    await alice.to_open()
    assert (await alice.ask(OpenChannel, 0, "session")).code == 0
    await other.to_auth(b"bob")
    return child, alice, other


FOREIGN: dict[str, tuple[type[Call], tuple[Any, ...]]] = {
    "exec on her channel": (RequestExec, (0, b"id")),
    "her channel's end": (CloseChannel, (0,)),
    "a signal to her program": (RequestSignal, (0, "KILL")),
    "proofs of the host keys": (ProveHostKeys, ((HOST_KEY.public.blob,),)),
    "her name": (BeginAuth, (b"alice", "ssh-connection", b"")),
}


@pytest.mark.security("S74")
@pytest.mark.parametrize("name", FOREIGN)
def test_the_socket_of_one_connection_does_not_act_for_another(name: str) -> None:
    kind, values = FOREIGN[name]

    async def run(house: House) -> None:
        child, alice, other = await _two_in_one(house)
        number = () if kind is CloseChannel else (9,)
        other.say(cast(Any, kind)(*number, *values))
        await other.over()
        assert child.exit is not None
        assert "came in phase auth" in str(house.memory.the("worker.violation")["detail"])
        assert house.launcher.sessions == []
        for wire in (alice, other):
            wire.close()
            await wire.over()
        assert house.memory.names.count("login.accepted") == 1

    in_house(run)


def test_the_signature_for_one_connection_is_no_login_of_another() -> None:
    """Alice's client signed for her connection; the same worker shows that on another one that it has."""

    async def run(house: House) -> None:
        child = FakeChild()
        first, second = (house.open(child=cast(Any, child)) for _ in range(2))
        await first.to_auth()
        await second.to_kex()
        await second.ask(Sign, "ssh-ed25519", b"s" * 32)
        await second.ask(BeginAuth, b"alice", "ssh-connection", b"")
        made = signature(ALICE, b"alice", HASH)
        assert (await second.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, made)).outcome == 2
        # Nor does it help to have that session's hash signed as a later one of the other.
        await second.ask(Sign, "ssh-ed25519", HASH)
        assert (await second.ask(VerifyKey, "ssh-ed25519", ALICE.public.blob, made)).outcome == 2
        assert (first.logins, second.logins) == (0, 0)
        for wire in (first, second):
            wire.close()
        child.exits(ExitStatus(0))
        for wire in (first, second):
            await wire.over()

    in_house(run)
