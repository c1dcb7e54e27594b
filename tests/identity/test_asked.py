"""People whom programs know, with programs that say what a test wants."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from pysshd.identity import asked
from pysshd.identity.accounts import ServiceAccounts, ServiceUser
from pysshd.identity.asked import AskedPeople
from pysshd.identity.host.calls import AskProgram, ProgramSaid
from pysshd.identity.key_files import KeyFiles
from pysshd.identity.passwords import PasswordQueue
from pysshd.identity.queue import HelperQueue
from pysshd.identity.system import SystemPeople
from pysshd.identity.virtual import VirtualPeople
from pysshd.policy.load import load_text
from pysshd.server.known import Known, person_of
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.keys import PublicKey
from tests.identity.test_system import KEYS, NOW, Clock, Helpers
from tests.identity.test_system import people as host_people

OWN, SHARED, FILE, STRANGE = KEYS
POLICY = f"""
version: 1
groups: [ops, ldap]
users:
  alice: {{groups: ops, accounts: [alice, git], keys: ["{FILE.line}"]}}
  carol: {{accounts: [git], keys: ["{STRANGE.line}"]}}
sources: [{{command: [/bin/keys, "{{user}}", "{{account}}"], groups: ldap, timeout: 3s}}]
"""
HOST = f"""
version: 1
server: {{accounts: system, min_uid: 500}}
groups: [ldap]
users:
  alice: {{accounts: [alice, git], keys: ["{FILE.line}"]}}
sources:
  - system: {{min_uid: 1000}}
    keys: [{{command: [/bin/keys, "{{user}}"], run_as: nobody}}]
  - {{command: [/bin/more, "{{user}}"], run_as: nobody, groups: ldap}}
"""


@dataclass
class Programs:
    """Programs that have keys for some, by their path and the person; a text is a fault."""

    says: dict[tuple[str, str], list[PublicKey] | str] = field(default_factory=dict)
    asked: list[AskProgram] = field(default_factory=list)
    answer: bytes | None = None
    notes: tuple[str, ...] = ()
    options: str = ""

    async def ask(self, question: bytes) -> bytes:
        found = AskProgram.decode(question)
        self.asked.append(found)
        if self.answer is not None:
            return self.answer
        said = self.says.get((found.argv[0], found.argv[1]), [])
        if isinstance(said, str):
            return ProgramSaid((), said, self.notes).encode()
        keys = tuple((sha256(key.blob).digest(), number, self.options) for number, key in enumerate(said, 1))
        return ProgramSaid(keys, "", self.notes).encode()


def people(programs: Programs, told: list[str] | None = None, policy: str = POLICY) -> AskedPeople:
    ruleset = load_text(policy).ruleset
    complain = (told if told is not None else []).append
    queue = HelperQueue("key program", programs.ask, Clock(), 4, 5, complain=complain)
    inner: SystemPeople | VirtualPeople
    if ruleset.settings.server.accounts == "system":
        inner = host_people(Helpers(), [], policy)
    else:

        async def never(_: bytes) -> bytes:
            raise AssertionError("no hash of the file is asked for")

        accounts = ServiceAccounts(ServiceUser(1000, "/home/me", "/bin/sh"), Path("/s"), ruleset.people)
        passwords = PasswordQueue(never, Clock(), 1)
        inner = VirtualPeople(ruleset, KeyFiles(frozenset({0})), passwords, accounts, SystemEntropy())
    return AskedPeople(ruleset, inner, queue, frozenset({0, 7}), complain)


def look_up(made: AskedPeople, account: str, peer: Hashable = None) -> Known:
    return asyncio.run(made.look_up(account, peer))


def holder(made: AskedPeople, account: str, key: PublicKey, known: Known) -> str | None:
    found = asyncio.run(made.key_holder(account, key, NOW, known))
    return found.person if found is not None else None


def test_who_has_a_key_is_a_person_and_who_has_none_is_not() -> None:
    programs = Programs({("/bin/keys", "zoe"): [OWN, SHARED]}, notes=("a note",))
    told: list[str] = []
    made = people(programs, told)
    known = look_up(made, "zoe")
    (question,) = programs.asked
    assert question == AskProgram(("/bin/keys", "zoe", "zoe"), ("zoe", "zoe"), "", 3000, (0, 7))
    assert told == ["program /bin/keys (policy.yaml:7): a note"]
    assert (set(known.people), known.not_of_host, known.unobtained) == ({"zoe"}, frozenset(["zoe"]), "")
    assert known.people["zoe"].groups == {"ldap"}
    assert [holder(made, "zoe", key, known) for key in KEYS] == ["zoe", "zoe", None, None]
    assert made.account("zoe", "zoe", False, known).home == "/home/me"
    with pytest.raises(LookupError):
        made.account("zoe", "zoe", False)
    nobody = look_up(made, "bob")
    assert (nobody.people, nobody.keys, nobody.unobtained, nobody.not_of_host) == ({}, {}, "", frozenset())
    assert len(programs.asked) == 2


@pytest.mark.security("S67")
@pytest.mark.parametrize("account", ["", "-rf", "a b", "a;id", "x" * 65, "café", "{user}", "a\0b"])
def test_nobody_is_asked_about_what_is_no_name(account: str) -> None:
    programs = Programs()
    assert look_up(people(programs), account) == Known()
    assert programs.asked == []


def test_between_two_lines_with_options_others_have_their_turn() -> None:
    """What somebody wrote in front of many keys holds up nobody else's login."""
    programs = Programs({("/bin/keys", "zoe"): [OWN, SHARED, FILE, STRANGE]}, options="no-pty")
    made = people(programs)
    turns: list[int] = []

    async def both() -> int:
        asking = asyncio.ensure_future(made.look_up("zoe", None))
        while not programs.asked:
            await asyncio.sleep(0)
        while not asking.done():
            turns.append(1)
            await asyncio.sleep(0)
        return len((await asking).keys)

    assert asyncio.run(both()) == 4
    with_options = len(turns)
    turns.clear()
    programs.asked.clear()
    programs.options = ""
    assert asyncio.run(both()) == 4
    assert with_options - len(turns) == 4


def test_everyone_who_may_have_an_account_is_asked_about() -> None:
    programs = Programs({("/bin/keys", "alice"): [OWN], ("/bin/keys", "git"): [SHARED]})
    made = people(programs)
    known = look_up(made, "git")
    assert {question.argv for question in programs.asked} == {
        ("/bin/keys", name, "git") for name in ("alice", "carol", "git")
    }
    assert {name: person.groups for name, person in known.people.items()} == {
        "alice": {"ops", "ldap"}, "git": {"ldap"}
    }  # fmt: skip
    assert [holder(made, "git", key, known) for key in KEYS] == ["alice", "git", "alice", "carol"]
    # Who has an entry and may not have the account is not asked about.
    programs.asked.clear()
    assert look_up(made, "carol") == Known()
    assert programs.asked == []


def test_a_fault_is_unknown_and_no_empty_answer() -> None:
    told: list[str] = []
    made = people(Programs({("/bin/keys", "alice"): "it hangs", ("/bin/keys", "zoe"): "it hangs"}), told)
    known = look_up(made, "alice")
    assert known.unobtained == "the keys that /bin/keys has are not known, for it hangs"
    assert told == ["program /bin/keys (policy.yaml:7) says no keys: it hangs"]
    # What the file says of her is known, and whether she is in the groups of the program's people is not.
    assert (known.people["alice"].groups, known.people["alice"].unknown_groups) == (
        frozenset(["ops"]),
        frozenset(["ldap"]),
    )
    assert [holder(made, "alice", key, known) for key in (OWN, FILE)] == [None, "alice"]
    stranger = look_up(made, "zoe")
    assert (stranger.people, stranger.unobtained) == ({}, known.unobtained)


@pytest.mark.parametrize("answer", [b"", b"nonsense"])
def test_a_helper_that_answers_what_can_not_be_read(answer: bytes) -> None:
    known = look_up(people(Programs(answer=answer)), "alice")
    assert "helper answered what can not be read" in known.unobtained


def test_a_helper_that_does_not_answer() -> None:
    class Failing(Programs):
        async def ask(self, question: bytes) -> bytes:
            raise OSError

    told: list[str] = []
    known = look_up(people(Failing(), told), "alice")
    assert known.unobtained == "the keys that /bin/keys has are not known, for it could not be asked"
    assert told[0] == "key program helper failed with OSError; refused"


def test_more_people_than_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "NAMES_MAX", 2)
    programs, told = Programs(), list[str]()
    look_up(people(programs, told), "git")
    assert len(programs.asked) == 2
    assert told == ["account git is shared by 3 people, of whom programs that know keys are asked about 2"]


def test_with_people_of_the_host() -> None:
    says: dict[tuple[str, str], list[PublicKey] | str] = {
        ("/bin/keys", "bob"): [STRANGE],
        ("/bin/keys", "zoe"): [STRANGE],
        ("/bin/more", "zoe"): [FILE],
        ("/bin/more", "bob"): [FILE],
    }
    programs = Programs(says)
    made = people(programs, policy=HOST)
    bob = look_up(made, "bob")
    assert {(question.argv, question.run_as) for question in programs.asked} == {
        (("/bin/keys", "bob"), "nobody"), (("/bin/more", "bob"), "nobody")
    }  # fmt: skip
    assert bob.people["bob"].groups == {"ldap"}
    assert bob.not_of_host == frozenset()
    assert holder(made, "bob", STRANGE, bob) == holder(made, "bob", FILE, bob) == "bob"
    # The first program only adds to people of the host: it makes nobody one.
    zoe = look_up(made, "zoe")
    assert zoe.not_of_host == {"zoe"}
    assert [holder(made, "zoe", key, zoe) for key in (STRANGE, FILE)] == [None, "zoe"]
    programs.says = {("/bin/keys", "bob"): "no", ("/bin/more", "bob"): []}
    bob = look_up(made, "bob")
    assert bob.unobtained == "the keys that /bin/keys has are not known, for no"
    assert bob.people["bob"].unknown_groups == frozenset()


def test_passwords_are_the_inner_ones() -> None:
    made = people(Programs(), policy=HOST.replace("run_as: nobody}]\n", "run_as: nobody}]\n    password: system\n"))
    known = look_up(made, "alice")
    for secret, right in ((b"right", True), (b"wrong", False)):
        assert asyncio.run(made.password_matches("alice", secret, NOW, None, known)) is right


def unknown_of(made: AskedPeople, known: Known, name: str) -> frozenset[str]:
    """The groups that somebody may be in, and that a deny therefore speaks of."""
    person = person_of(made._ruleset, known, name)
    assert person is not None
    return person.unknown_groups


def test_whoever_is_not_asked_about_may_be_in_the_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carol shares the account with more people than are asked about, and comes by a key of the file."""
    made = people(Programs())
    known = look_up(made, "git")
    assert known.by_program == {"alice", "carol", "git"}
    assert (unknown_of(made, known, "alice"), unknown_of(made, known, "carol")) == (frozenset(), frozenset())
    monkeypatch.setattr(asked, "NAMES_MAX", 1)
    known = look_up(made, "git")
    assert known.by_program == {"alice"}
    assert (unknown_of(made, known, "alice"), unknown_of(made, known, "carol")) == (frozenset(), frozenset(["ldap"]))
    assert person_of(made._ruleset, known, "zoe") is None


def test_whoever_comes_by_a_certificate_under_another_name_may_be_in_the_groups() -> None:
    """Nobody is asked about them: who comes is known by the certificate alone. They have no entry."""
    policy = POLICY + f'user_defaults: {{groups: ops}}\nauthorities: {{staff: {{keys: ["{OWN.line}"]}}}}\n'
    made = people(Programs(), policy=policy)
    known = look_up(made, "git")
    assert unknown_of(made, known, "bob") == {"ldap", "ops"}
    assert unknown_of(made, look_up(made, "bob"), "bob") == frozenset()
    failing = people(Programs({("/bin/keys", "bob"): "it hangs"}), policy=policy)
    assert unknown_of(failing, look_up(failing, "bob"), "bob") == {"ldap", "ops"}


@pytest.mark.parametrize("programs", [Programs(notes=("line 1 is passed over",)), Programs(options="no-such-option")])
def test_who_has_but_keys_that_let_nobody_in_may_be_in_the_groups(programs: Programs) -> None:
    """A program that prints a key for alice knows her, whatever is wrong with its line; for zoe the same is nothing."""
    if programs.options:
        programs.says = {("/bin/keys", name): [OWN] for name in ("alice", "zoe")}
    made = people(programs)
    known = look_up(made, "alice")
    assert (known.keys, known.unobtained, known.by_program) == ({}, "", frozenset())
    assert unknown_of(made, known, "alice") == {"ldap"}
    assert known.people["alice"].unknown_groups == {"ldap"}
    assert look_up(made, "zoe").people == {}
