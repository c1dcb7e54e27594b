"""The people of the policy file: keys in the file and in files, passwords by a real helper process."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pysshd.identity import verify
from pysshd.identity.accounts import ServiceAccounts, ServiceUser
from pysshd.identity.hashing import make_hash
from pysshd.identity.key_files import KeyFiles
from pysshd.identity.passwords import PasswordQueue, RunHelper
from pysshd.identity.verify import parse_phc
from pysshd.identity.virtual import VirtualPeople
from pysshd.patterns.key_options import parse_options
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing
from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.query import Step
from pysshd.server.known import NOTHING_KNOWN, Known
from pysshd.server.ports import KeyHolder
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key_line

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
LATE = datetime(2027, 7, 1, 12, 0, tzinfo=UTC)
CHEAP = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"


class Machine:
    """The clock of the machine."""

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Counting:
    """Randomness that counts."""

    def octets(self, size: int) -> bytes:
        return bytes(range(size))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Lines of keys that ssh-keygen made."""
    folder = tmp_path_factory.mktemp("keys")
    lines = {}
    for name, kind in {"alice": "ed25519", "bob": "ecdsa", "carol": "rsa", "stranger": "ed25519"}.items():
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(command, check=True, timeout=50)
        lines[name] = (folder / f"{name}.pub").read_text().strip()
    return lines


class House:
    """People over a policy, and what was said to the log and asked of helpers."""

    def __init__(self, state: Path, policy: str, run_helper: RunHelper | None = None, helpers: int = 2) -> None:
        self.said: list[str] = []
        self.asked: list[bytes] = []
        ruleset = load_text(policy).ruleset
        queue = PasswordQueue(run_helper or self._noted, Machine(), helpers, complain=self.said.append)
        user = ServiceUser(os.geteuid(), "/home/service", "/bin/bash")
        accounts = ServiceAccounts(user, state, ruleset.people)
        files = KeyFiles(frozenset({0, os.geteuid()}))
        self.people = VirtualPeople(ruleset, files, queue, accounts, Counting(), self.said.append)

    async def _noted(self, asked: bytes) -> bytes:
        self.asked.append(asked)
        return verify.answer(asked)

    def holder(self, account: str, line: str, now: datetime = NOW, known: Known = NOTHING_KNOWN) -> KeyHolder | None:
        return asyncio.run(self.people.key_holder(account, key_of(line), now, known))

    def right(self, person: str, password: bytes, now: datetime = NOW) -> bool:
        return asyncio.run(self.people.password_matches(person, password, now, None))


def key_of(line: str) -> PublicKey:
    return parse_public_key_line(line)


def policy(users: str) -> str:
    return f"version: 1\nserver: {{owner: alice}}\nusers:\n{users}\ngrants: [{{who: alice, roles: login-shell}}]\n"


def test_keys_in_the_policy(tmp_path: Path, keys: dict[str, str]) -> None:
    house = House(
        tmp_path,
        policy(
            f'  alice: {{keys: ["{keys["alice"]}"], accounts: [alice, git]}}\n'
            f'  bob: {{keys: [{{name: yubi, key: "{keys["bob"]}", not_after: 2027-06-30}}], accounts: [bob, git]}}\n'
            f'  carol: {{keys: ["{keys["carol"]}"], not_after: 2027-06-30}}'
        ),
    )
    found = house.holder("alice", keys["alice"])
    assert found is not None
    assert (found.person, found.step.method, found.step.key) == (
        "alice",
        "publickey",
        key_of(keys["alice"]).fingerprint,
    )
    bob = house.holder("git", keys["bob"])
    assert bob is not None
    assert (bob.person, bob.step.label) == ("bob", "yubi")
    assert house.holder("carol", keys["carol"]) is not None
    for account, line in (("alice", "bob"), ("bob", "alice"), ("alice", "stranger"), ("nobody", "alice"), ("", "bob")):
        assert house.holder(account, keys[line]) is None
    assert house.holder("bob", keys["bob"], LATE) is None
    assert house.holder("carol", keys["carol"], LATE) is None
    assert house.holder("alice", keys["alice"], LATE) is not None
    assert house.said == []


def test_keys_in_files(tmp_path: Path, keys: dict[str, str]) -> None:
    file = tmp_path / "bob.pub"
    file.write_text(f"{keys['bob']}\n")
    file.chmod(0o644)
    house = House(
        tmp_path,
        policy(f'  alice: {{keys: ["{keys["alice"]}"]}}\n  bob: {{keys: [{{file: "{file}"}}], accounts: [bob, git]}}'),
    )
    found = house.holder("git", keys["bob"])
    assert found is not None
    assert found.person == "bob"
    entry = house.people._ruleset.people["bob"].key_of(found.step)
    assert entry is not None
    assert entry.file == str(file)
    assert house.holder("bob", keys["carol"]) is None
    file.write_text(f"{keys['carol']}\n")
    assert house.holder("bob", keys["carol"]) is not None
    assert house.holder("bob", keys["bob"]) is None
    assert house.said == []
    file.chmod(0o666)
    assert house.holder("bob", keys["carol"]) is None
    file.unlink()
    assert house.holder("bob", keys["carol"]) is None
    assert len(house.said) == 2
    assert all(str(file) in line for line in house.said)
    assert house.holder("alice", keys["alice"]) is not None
    assert len(house.said) == 2


FORCES, NO_PTY = parse_options('command="id"', UTC), parse_options("no-pty", UTC)


def of_sources(house: House, line: str, *said: tuple[str, Narrowing]) -> Known:
    """Alice as sources know her, who have this key for her: by these labels, with this in front of it."""
    alice = house.people._ruleset.people.get("alice") or Person("alice", accounts=("alice",))
    return Known({"alice": alice}, keys={key_of(line).fingerprint: tuple(("alice", *one) for one in said)})


@pytest.mark.parametrize("in_file", [False, True])
def test_a_key_of_the_policy_is_never_that_of_a_source(tmp_path: Path, keys: dict[str, str], in_file: bool) -> None:
    file = tmp_path / "alice.pub"
    file.write_text(f"{keys['alice']}\n")
    file.chmod(0o644)
    key = f'file: "{file}"' if in_file else f'key: "{keys["alice"]}"'
    house = House(tmp_path, policy(f"  alice: {{keys: [{{name: laptop, {key}, not_after: 2027-06-30}}]}}"))
    known = of_sources(house, keys["alice"], ("/bin/keys", FORCES), ("~/k", NO_NARROWING))
    found = house.holder("alice", keys["alice"], known=known)
    assert found is not None
    assert (found.step.label, found.step.narrowing, found.step.lines) == ("laptop", NO_NARROWING, (FORCES,))
    assert house.holder("alice", keys["alice"], LATE, known) is None
    other = of_sources(house, keys["bob"], ("/bin/keys", FORCES))
    assert house.holder("alice", keys["bob"], LATE, other) == KeyHolder(
        "alice", Step("publickey", key_of(keys["bob"]).fingerprint, "/bin/keys", narrowing=FORCES)
    )


def test_lines_of_several_places_narrow_together(tmp_path: Path, keys: dict[str, str]) -> None:
    file = tmp_path / "alice.pub"
    house = House(tmp_path, policy(f'  alice: {{keys: ["{keys["bob"]}"]}}'))
    known = of_sources(house, keys["alice"], ("~/k", NO_NARROWING), ("~/k", NO_PTY), ("/bin/keys", FORCES))
    found = house.holder("alice", keys["alice"], known=known)
    assert found is not None
    # Of one source the first line counts.
    assert (found.step.label, found.step.lines) == ("~/k", (FORCES,))
    # The same key in an entry and, since the policy was loaded, in a file of another one.
    entries = f'[{{name: own, key: "{keys["alice"]}"}}, {{file: "{file}", options: no-agent-forwarding}}]'
    house = House(tmp_path, policy(f"  alice: {{keys: {entries}}}"))
    file.write_text(f"no-pty {keys['alice']}\n")
    file.chmod(0o644)
    found = house.holder("alice", keys["alice"])
    assert found is not None
    assert (found.step.label, found.step.lines) == ("own", (NO_PTY, parse_options("no-agent-forwarding", UTC)))


def test_a_key_that_two_have_lets_neither_in(tmp_path: Path, keys: dict[str, str]) -> None:
    file = tmp_path / "both.pub"
    file.write_text(f"{keys['bob']}\n")
    file.chmod(0o644)
    users = "".join(f'  {name}: {{keys: [{{file: "{file}"}}], accounts: [{name}, git]}}\n' for name in ("alice", "bob"))
    house = House(tmp_path, policy(users))
    assert house.holder("git", keys["bob"]) is None
    assert "lets none of them in" in house.said[0]
    assert house.holder("bob", keys["bob"]) == KeyHolder(
        "bob", Person.step(house.people._ruleset.people["bob"].keys[0], key_of(keys["bob"]).fingerprint)
    )


def test_passwords(tmp_path: Path, keys: dict[str, str]) -> None:
    house = House(
        tmp_path,
        policy(
            f'  alice: {{keys: ["{keys["alice"]}"]}}\n'
            f'  bob: {{password: "{CHEAP}"}}\n'
            f'  carol: {{password: "{CHEAP}", not_after: 2027-06-30}}'
        ),
    )
    assert house.right("bob", b"password")
    assert house.right("carol", b"password")
    assert not house.right("bob", b"Password")
    assert house.said == []


@pytest.mark.security("S68", "S70")
@pytest.mark.parametrize(
    ("person", "password", "now"),
    [
        ("nobody", b"password", NOW),
        ("", b"password", NOW),
        ("alice", b"password", NOW),
        ("carol", b"password", LATE),
        ("bob", b"", NOW),
        ("bob", b"pass\0word", NOW),
        ("bob", b"password\0", NOW),
        ("bob", b"p" * 1025, NOW),
        ("bob", b"p" * 200_000, NOW),
    ],
)
def test_whoever_cannot_come_in_costs_the_same_and_stays_out(
    tmp_path: Path, keys: dict[str, str], person: str, password: bytes, now: datetime
) -> None:
    house = House(
        tmp_path,
        policy(
            f'  alice: {{keys: ["{keys["alice"]}"]}}\n'
            f'  bob: {{password: "{CHEAP}"}}\n'
            f'  carol: {{password: "{CHEAP}", not_after: 2027-06-30}}'
        ),
    )
    assert not house.right(person, password, now)
    assert len(house.asked) == 1
    decoy = parse_phc(house.people._decoy)
    real = parse_phc(CHEAP)
    assert (decoy.memory, decoy.iterations, decoy.lanes) == (real.memory, real.iterations, real.lanes)
    assert house.people._decoy.encode() in house.asked[0]
    assert password == b"password" or password == b"" or password not in house.asked[0]


def test_accounts_are_handed_on(tmp_path: Path, keys: dict[str, str]) -> None:
    house = House(tmp_path, policy(f'  alice: {{keys: ["{keys["alice"]}"]}}'))
    assert house.people.account("alice", "alice", False).home == "/home/service"
    assert house.people.account("alice", "alice", True).home == str(tmp_path / "homes" / "alice")


async def helper(asked: bytes) -> bytes:
    """One helper process, as the daemon has it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            ours.setblocking(False)
            command = (sys.executable, "-m", "pysshd.identity.verify", str(theirs.fileno()))
            process = await asyncio.create_subprocess_exec(*command, pass_fds=[theirs.fileno()])
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(ours, asked)
        reply = await loop.sock_recv(ours, 16)
        await process.wait()
    return reply


def test_real_helpers_find_the_one_right_password(tmp_path: Path, keys: dict[str, str]) -> None:
    cpus = len(os.sched_getaffinity(0))
    house = House(tmp_path, policy(f'  alice: {{password: "{CHEAP}"}}'), helper, cpus)
    passwords = [b"wrong%d" % i for i in range(6)]
    passwords.insert(4, b"password")

    async def all_at_once() -> list[bool]:
        checks = (house.people.password_matches("alice", password, NOW, None) for password in passwords)
        return await asyncio.gather(*checks)

    assert asyncio.run(all_at_once()) == [password == b"password" for password in passwords]
    assert house.said == []


def test_a_key_is_found_while_passwords_queue(tmp_path: Path, keys: dict[str, str]) -> None:
    started = asyncio.Event()

    async def slow(_: bytes) -> bytes:
        started.set()
        await asyncio.sleep(60)
        return verify.DIFFERS

    house = House(tmp_path, policy(f'  alice: {{keys: ["{keys["alice"]}"], password: "{CHEAP}"}}'), slow, 1)

    async def both() -> None:
        queued = [asyncio.create_task(house.people.password_matches("alice", b"x", NOW, None)) for _ in range(20)]
        await started.wait()
        assert await house.people.key_holder("alice", key_of(keys["alice"]), NOW) is not None
        assert not any(task.done() for task in queued)
        for task in queued:
            task.cancel()
        await asyncio.gather(*queued, return_exceptions=True)

    asyncio.run(both())


@pytest.mark.security("S57", "S67")
@pytest.mark.parametrize(
    "account", ["/etc/shadow", "../../etc/shadow", "\\\\host\\x", "-oX", "a\0b", "{home}", "~root"]
)
def test_what_a_client_sends_is_never_a_path(
    tmp_path: Path, keys: dict[str, str], account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bob.pub"
    file.write_text(f"{keys['bob']}\n")
    users = f'  alice: {{keys: ["{keys["alice"]}"]}}\n  bob: {{keys: [{{file: "{file}"}}]}}'
    house = House(tmp_path, policy(users))
    touched: list[str] = []
    for name in ("open", "lstat", "stat", "readlink"):
        real = getattr(os, name)

        def noted(path: str, *args: object, _real: Callable[..., object] = real, **more: object) -> object:
            touched.append(str(path))
            return _real(path, *args, **more)

        monkeypatch.setattr(f"pysshd.identity.key_files.os.{name}", noted)
    assert house.holder(account, keys["stranger"]) is None
    monkeypatch.undo()
    assert not house.right(account, account.encode())
    assert str(file) in touched
    assert all(str(file).startswith(path.rstrip("/")) for path in touched)


@pytest.mark.security("S55", "S70")
def test_a_stranger_costs_the_file_reads_of_someone_known(tmp_path: Path, keys: dict[str, str]) -> None:
    file = tmp_path / "bob.pub"
    file.write_text(f"{keys['bob']}\n")
    users = f'  alice: {{keys: ["{keys["alice"]}"]}}\n  bob: {{keys: [{{file: "{file}"}}]}}'
    house = House(tmp_path, policy(users))
    reads: list[str] = []
    real = house.people._files.keys

    def noted(path: str) -> Mapping[str, Narrowing]:
        reads.append(path)
        return real(path)

    house.people._files.keys = noted  # type: ignore[method-assign]
    for account in ("bob", "alice", "nobody", "../x"):
        reads.clear()
        house.holder(account, keys["stranger"])
        assert reads == [str(file)], account


@pytest.mark.long
def test_of_twenty_one_with_four_lanes_the_right_one_is_in_in_time(tmp_path: Path) -> None:
    made = make_hash(b"password", Counting())
    cpus = len(os.sched_getaffinity(0))
    house = House(tmp_path, policy(f'  alice: {{password: "{made}"}}'), helper, cpus)

    async def timed(password: bytes) -> tuple[bool, float]:
        started = time.monotonic()
        matches = await house.people.password_matches("alice", password, NOW, None)
        return matches, time.monotonic() - started

    async def whole() -> None:
        alone = [(await timed(b"wrong"))[1] for _ in range(cpus)]
        results = await asyncio.gather(*(timed(b"password" if i == 20 else b"wrong") for i in range(21)))
        assert [matches for matches, _ in results] == [False] * 20 + [True]
        # Where several helpers share memory and CPUs, one takes longer than it does alone.
        assert results[20][1] < (21 / cpus + 2) * max(alone) * cpus

    asyncio.run(whole())
