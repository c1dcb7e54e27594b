"""The people of the host beside those of the file, with helpers that say what a test wants."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pysshd.identity import system
from pysshd.identity.accounts import SystemAccounts
from pysshd.identity.host.calls import (
    CheckPassword,
    Found,
    FoundAccount,
    FoundKeys,
    FoundPerson,
    LookUp,
    PasswordChecked,
)
from pysshd.identity.key_files import KeyFiles
from pysshd.identity.passwords import PasswordQueue
from pysshd.identity.queue import HelperQueue
from pysshd.identity.system import SystemPeople
from pysshd.identity.virtual import VirtualPeople
from pysshd.policy.load import load_text
from pysshd.policy.query import UNKNOWN
from pysshd.server.known import Known, person_of
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.generate import generate_private_key

NOW = datetime(2027, 3, 1, tzinfo=UTC)
KEYS = [generate_private_key("ed25519").public for _ in range(4)]
OWN, SHARED, FILE, STRANGE = KEYS
POLICY = f"""
version: 1
server: {{accounts: system, min_uid: 500}}
groups: [ops]
users:
  alice: {{groups: ops, accounts: [alice, git], keys: ["{FILE.line}"]}}
  web: {{accounts: [www], run_as: deploy, keys: ["{KEYS[3].line}"]}}
sources:
  - {{system: {{min_uid: 1000}}, keys: [{{authorized_keys: ~/.ssh/authorized_keys}}], password: system}}
grants: [{{who: "system-group:wheel", roles: login-shell}}]
"""


@dataclass
class Helpers:
    """A host of alice, bob, git and deploy; bob and alice have keys."""

    asked: list[LookUp] = field(default_factory=list)
    passwords: list[CheckPassword] = field(default_factory=list)
    fault: str = ""
    fails: bool = False
    hangs: bool = False
    options: str = ""

    def account(self, name: str, uid: int) -> FoundAccount:
        home = f"/home/{name}".encode()
        return FoundAccount(name, uid, uid, (uid, 27), home, b"/bin/sh", True, ("wheel",), (), self.fault)

    async def look_up(self, question: bytes) -> bytes:
        if self.hangs:
            await asyncio.sleep(30)
        if self.fails:
            raise OSError
        asked = LookUp.decode(question)
        self.asked.append(asked)
        uids = {"alice": 1000, "bob": 1001, "git": 600, "deploy": 1002}
        accounts = tuple(self.account(name, uids[name]) for name in asked.accounts if name in uids)
        people = [name for name in asked.people if uids.get(name, 0) >= asked.min_uid]
        held = {"alice": [OWN], "bob": [SHARED, OWN]}
        keys = tuple(
            FoundKeys(name, 0, tuple((_digest(key.blob), 7, self.options) for key in held.get(name, ())), b"/keys")
            for name in people
        )
        found = tuple(FoundPerson(name, self.fault) for name in people)
        return Found(accounts, found, keys, ((b"LANG", b"C"),), ("a note",)).encode()

    async def check(self, question: bytes) -> bytes:
        asked = CheckPassword.decode(question)
        self.passwords.append(asked)
        return PasswordChecked(asked.password == b"right", "" if asked.name else "nobody").encode()


def _digest(blob: bytes) -> bytes:
    from hashlib import sha256

    return sha256(blob).digest()


class Clock:
    """A clock that stands until it is set."""

    seconds = 0.0

    def wall(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


def people(
    helpers: Helpers, complaints: list[str] | None = None, policy: str = POLICY, clock: Clock | None = None
) -> SystemPeople:
    ruleset = load_text(policy).ruleset
    told = complaints if complaints is not None else []

    async def never(_: bytes) -> bytes:
        raise AssertionError("no hash of the file is asked for")

    file = VirtualPeople(
        ruleset,
        KeyFiles(frozenset({0})),
        PasswordQueue(never, Clock(), 1),
        SystemAccounts(ruleset.people),
        SystemEntropy(),
    )
    look_ups = HelperQueue("look-up", helpers.look_up, Clock(), 4, 0.2, complain=told.append)
    return SystemPeople(
        ruleset, file, look_ups, HelperQueue("password", helpers.check, Clock(), 1, 5), clock or Clock(), told.append
    )


def known(made: SystemPeople, account: str) -> Known:
    return asyncio.run(made.look_up(account, None))


def test_one_question_for_everyone_who_may_have_the_account() -> None:
    helpers, told = Helpers(), list[str]()
    made = people(helpers, told)
    found = known(made, "git")
    (asked,) = helpers.asked
    assert (asked.accounts, asked.people, asked.min_uid) == (("git",), ("alice", "git"), 1000)
    assert (asked.key_files, asked.groups, asked.stand_in) == (("~/.ssh/authorized_keys",), ("wheel",), "")
    assert set(found.people) == {"alice"}  # git is below min_uid
    assert found.people["alice"].groups == frozenset({"ops"})
    assert [key.label for key in found.people["alice"].keys] == [FILE.fingerprint, "~/.ssh/authorized_keys"]
    assert found.unix("git").groups == frozenset({"wheel"})
    assert found.unix("git").home == "/home/git"
    assert told == ["a note"]
    known(made, "www")
    assert helpers.asked[1].accounts == ("www", "deploy")
    assert helpers.asked[1].stand_in == "alice"


def test_whose_a_key_is() -> None:
    made = people(Helpers())
    for account, key, person in (
        ("alice", OWN, "alice"),
        ("alice", FILE, "alice"),
        ("git", OWN, "alice"),
        ("bob", OWN, "bob"),
        ("bob", SHARED, "bob"),
        ("alice", SHARED, None),
        ("bob", FILE, None),
        ("deploy", OWN, None),
        ("nobody-there", OWN, None),
    ):
        found = known(made, account)
        holder = asyncio.run(made.key_holder(account, key, NOW, found))
        assert (holder.person if holder else None) == person, account
        if holder is not None and key is OWN:
            assert holder.step.label == "~/.ssh/authorized_keys"


@pytest.mark.security("S113")
def test_people_of_the_host_may_all_be_one_account() -> None:
    helpers = Helpers()
    policy = POLICY + 'user_defaults: {run_as: deploy, home: "/srv/{user}"}\n'
    known = asyncio.run(people(helpers, policy=policy).look_up("bob", "peer"))
    assert helpers.asked[0].accounts == ("bob", "deploy")
    assert (known.people["bob"].run_as, known.people["bob"].home) == ("deploy", "/srv/bob")
    assert known.unix("deploy").uid == 1002


def test_the_account_of_a_session_has_what_the_host_says() -> None:
    made = people(Helpers())
    account = made.account("web", "www", False, known(made, "www"))
    assert (account.name, account.uid, account.gid, account.groups) == ("deploy", 1002, 1002, (1002, 27))
    assert (account.home, account.shell, account.person) == ("/home/deploy", "/bin/sh", "web")
    assert account.environment == ((b"LANG", b"C"),)
    confined = made.account("bob", "bob", True, known(made, "bob"))
    assert confined.home == "/home/bob"
    with pytest.raises(LookupError):
        made.account("web", "www", False, known(made, "bob"))
    with pytest.raises(LookupError):
        made.account("carol", "bob", False, known(made, "bob"))


@pytest.mark.parametrize("kind", ["fails", "hangs"])
def test_a_look_up_that_fails_says_so_and_nothing_else(kind: str) -> None:
    told: list[str] = []
    made = people(Helpers(fails=kind == "fails", hangs=kind == "hangs"), told)
    found = known(made, "alice")
    assert found.unix("alice").uid is UNKNOWN
    assert found.unix("alice").groups is UNKNOWN
    assert "could not be looked up" in found.unix("alice").fault
    assert asyncio.run(made.key_holder("alice", OWN, NOW, found)) is None
    assert told
    with pytest.raises(LookupError):
        made.account("alice", "alice", False, found)


def test_an_answer_that_is_none_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    helpers, told = Helpers(), list[str]()

    async def garbage(_: bytes) -> bytes:
        return b"\1\2\3"

    monkeypatch.setattr(helpers, "look_up", garbage)
    assert known(people(helpers, told), "alice").fault
    assert "can not be read" in told[0]


def test_a_person_of_no_use_has_no_keys_and_the_reason_is_kept() -> None:
    helpers = Helpers(fault="account bob is locked")
    made = people(helpers)
    found = known(made, "bob")
    assert found.fault == "account bob is locked"
    assert asyncio.run(made.key_holder("bob", OWN, NOW, found)) is None


@pytest.mark.security("S68", "S70")
def test_a_password_is_checked_by_the_host_for_people_of_the_host() -> None:
    helpers = Helpers()
    made = people(helpers)

    def right(person: str, account: str, secret: bytes = b"right") -> bool:
        return asyncio.run(made.password_matches(person, secret, NOW, None, known(made, account)))

    assert right("bob", "bob")
    assert right("alice", "alice")
    assert not right("bob", "bob", b"wrong")
    assert not right("web", "www")  # no person of the host
    assert not right("", "bob")
    assert not right("bob", "alice")
    assert [asked.name for asked in helpers.passwords] == ["bob", "alice", "bob", "", "", ""]
    assert {asked.password for asked in helpers.passwords} == {b"right", b"wrong"}


def test_who_an_account_is_is_remembered_for_a_moment_where_no_keys_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the host that changes ends it at once, and so does time."""
    files = (str(tmp_path / "passwd"), str(tmp_path / "shadow"))
    monkeypatch.setattr(system, "FILES", files)
    helpers, clock = Helpers(), Clock()
    made = people(
        helpers, policy=POLICY.replace(POLICY[POLICY.index("sources:") : POLICY.index("grants:")], ""), clock=clock
    )
    for expected in (1, 1):
        assert known(made, "git").unix("git").uid == 600
        assert len(helpers.asked) == expected
    known(made, "www")
    assert len(helpers.asked) == 2
    (tmp_path / "shadow").write_text("git:!:::::::\n")
    known(made, "git")
    assert len(helpers.asked) == 3
    clock.seconds = system.REMEMBERED_FOR + 0.1
    known(made, "git")
    assert len(helpers.asked) == 4
    with_keys = people(helpers, clock=clock)
    known(with_keys, "bob")
    known(with_keys, "bob")
    assert len(helpers.asked) == 6


def test_a_failure_is_not_remembered() -> None:
    helpers = Helpers(fails=True)
    made = people(helpers, policy=POLICY.replace(POLICY[POLICY.index("sources:") : POLICY.index("grants:")], ""))
    assert known(made, "git").fault
    helpers.fails = False
    assert not known(made, "git").fault


def test_options_in_front_of_a_key_go_with_it() -> None:
    helpers, told = Helpers(options='no-pty,expiry-time="20270301"'), list[str]()
    made = people(helpers, told, POLICY.replace("min_uid: 500}", "min_uid: 500, timezone: Asia/Tokyo}", 1))
    found = known(made, "bob")
    holder = asyncio.run(made.key_holder("bob", SHARED, datetime(2027, 2, 1, tzinfo=UTC), found))
    assert holder is not None
    said = holder.step.narrowing
    assert (said.pty, said.agent, said.where) == (False, True, "/keys:7")
    assert said.expires == datetime(2027, 2, 28, 15, tzinfo=UTC)


def test_options_that_a_helper_should_have_refused_let_nobody_in() -> None:
    helpers, told = Helpers(options="no-such-option"), list[str]()
    made = people(helpers, told)
    found = known(made, "bob")
    assert asyncio.run(made.key_holder("bob", SHARED, NOW, found)) is None
    assert "/keys:7 is passed over: option 'no-such-option' is not known" in told


def test_whom_the_host_says_nothing_of_may_be_in_its_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alice has a key in the file for git; what is denied to the host's people is denied to her, also while her own
    account is locked, and where more people share the account than are looked up.
    """
    policy = POLICY.replace("groups: [ops]", "groups: [ops, hosted]").replace("password: system", "groups: hosted")
    policy += f'authorities: {{staff: {{keys: ["{SHARED.line}"]}}}}\n'

    def groups(helpers: Helpers, name: str = "alice") -> tuple[set[str], set[str]]:
        made = people(helpers, policy=policy)
        person = person_of(load_text(policy).ruleset, known(made, "git"), name)
        assert person is not None
        return set(person.groups), set(person.unknown_groups)

    assert groups(Helpers()) == ({"ops", "hosted"}, set())
    assert groups(Helpers(), "git") == (set(), set())  # the host says that it is below min_uid
    locked = Helpers(fault="account alice is locked")
    assert groups(locked) == groups(Helpers(fails=True)) == ({"ops"}, {"hosted"})
    assert asyncio.run(people(locked, policy=policy).key_holder("git", OWN, NOW, known(people(locked), "git"))) is None
    # A holder of a certificate of whom nobody was asked.
    assert groups(Helpers(), "bob") == (set(), {"hosted"})
    monkeypatch.setattr(system, "NAMES_MAX", 1)
    assert groups(Helpers(), "git") == (set(), {"hosted"})
