"""Sources: people of folders, and people whom a program knows (docs/policy.md, sources)."""

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pysshd.patterns.names import is_name
from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.conditions import FALSE, TRUE, UNSURE, Case, Who
from pysshd.policy.decide import decide
from pysshd.policy.diff import Difference, difference
from pysshd.policy.diff_sessions import Side
from pysshd.policy.explain import default_login, explain
from pysshd.policy.fields import NAME_FORM
from pysshd.policy.keyfiles import KeyFile, KeyFolder, name_in, parse_key_file, split_pattern
from pysshd.policy.load import Loaded, load_file, load_text
from pysshd.policy.matrix import LOGIN, matrix
from pysshd.policy.outside import program_problem, read_folder
from pysshd.policy.people import AskedSource, KeyCommand, Person, PersonKey, UserDefaults
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Exec, Facts, Login, Pty, Query, Request, Shell, Step, UnixFacts
from pysshd.policy.report import show
from pysshd.policy.ruleset import Ruleset, rebuilt, ruleset_of
from pysshd.policy.scene import Scene, held_steps, holder_of, named_step
from pysshd.policy.settings import Settings
from pysshd.policy.templates import parse_template
from pysshd.ssh.crypto.keys import parse_public_key_line
from tests.policy.support import FINGERPRINTS, KEYS, NOON

PATTERN = "/etc/keys/*.pub"
HEAD = "version: 1\ngroups: [staff, ops, ldap]\n"
DROPPED = f"sources: [{{directory: '{PATTERN}', groups: staff}}]\n"
ASKED = "sources: [{command: [/usr/bin/keys-of, '{user}'], groups: ldap}]\n"
CONFINED = "{shell: true, exec: any, confined: true}"


def folder(**people: str | tuple[str, ...]) -> Mapping[str, KeyFolder]:
    """What is in the folder: the keys of each."""
    files = {name: (keys,) if isinstance(keys, str) else keys for name, keys in people.items()}
    read = ((name, parse_key_file("\n".join(keys).encode())) for name, keys in files.items())
    return {PATTERN: KeyFolder(tuple(sorted(read)))}


def load(text: str, **people: str | tuple[str, ...]) -> Loaded:
    return load_text(HEAD + text, "p.yaml", folders=folder(**people))


def errors(text: str, folders: Mapping[str, KeyFolder] | None = None) -> str:
    with pytest.raises(PolicyError) as caught:
        load_text(HEAD + text, "p.yaml", folders=folders)
    return "\n".join(f"{problem}" for problem in caught.value.problems if problem.severity == "error")


def warned(loaded: Loaded) -> list[str]:
    return [problem.message for problem in loaded.warnings]


def login(ruleset: Ruleset, person: str, account: str, key: str, number: int = 0) -> bool:
    step = Step("publickey", FINGERPRINTS[KEYS.index(key)])
    facts = Facts(account, person, None, "", "", NOON, (), None)
    return decide(ruleset, Query(facts, Login((), step))).allowed


# Folders


def test_each_file_is_a_person() -> None:
    ruleset = load(DROPPED, alice=KEYS[0], bob=KEYS[1:3]).ruleset
    assert list(ruleset.people) == ["alice", "bob"]
    bob = ruleset.people["bob"]
    assert (bob.groups, bob.accounts, bob.where, bob.listed) == (frozenset(["staff"]), ("bob",), "p.yaml:3", False)
    assert [(key.fingerprint, key.label, key.where) for key in bob.keys] == [
        (fingerprint, fingerprint, "/etc/keys/bob.pub") for fingerprint in FINGERPRINTS[1:3]
    ]
    assert [login(ruleset, "bob", "bob", key) for key in KEYS] == [False, True, True, False]
    assert not login(ruleset, "alice", "bob", KEYS[0])
    assert ruleset.outside == ("/etc/keys",)
    assert not ruleset.open_ended


def test_an_empty_folder_is_good_and_nobody() -> None:
    loaded = load(DROPPED + "grants: [{who: group:staff, allow: {pty: true}}]\n")
    assert (loaded.ruleset.people, loaded.warnings) == ({}, ())


def test_entries_lie_over_folders() -> None:
    users = (
        f"users: {{alice: {{groups: ops, home: /srv/alice, keys: [{{name: desk, key: '{KEYS[0]}', "
        f"not_after: 2020-01-01}}]}}, bob: {{accounts: [bob, git]}}}}\n"
        "user_defaults: {groups: ldap, home: '/homes/{user}'}\n"
    )
    people = load(users + DROPPED, alice=(KEYS[0], KEYS[1]), bob=KEYS[2], carol=KEYS[3]).ruleset.people
    blobs = [parse_public_key_line(key).blob for key in KEYS]
    assert [key.blob for key in people["alice"].keys] == blobs[:2]
    assert [(key.blob, key.where) for key in people["bob"].keys] == [(blobs[2], "/etc/keys/bob.pub")]
    assert people["alice"].groups == {"ops", "staff"}
    assert people["alice"].home == "/srv/alice"
    # A key that stands in both counts as it does in the entry: by its name, and in its time.
    assert [(key.label, key.window.end is not None) for key in people["alice"].keys] == [
        ("desk", True), (FINGERPRINTS[1], False)
    ]  # fmt: skip
    # Groups of the defaults fill a gap, and where a folder has groups there is none.
    assert (people["bob"].groups, people["bob"].accounts) == (frozenset(["staff"]), ("bob", "git"))
    assert (people["carol"].groups, people["carol"].home) == (frozenset(["staff"]), "/homes/carol")
    assert people["alice"].listed
    assert people["bob"].listed
    without = DROPPED.replace(", groups: staff", "")
    assert load(users + without, carol=KEYS[3]).ruleset.people["carol"].groups == {"ldap"}


def test_a_key_in_a_file_of_an_entry_counts_as_it_stands_there() -> None:
    entry = "users: {alice: {keys: [{name: desk, file: /keys/alice, not_after: 2020-01-01}]}}\n"
    files = {"/keys/alice": parse_key_file(f"no-pty {KEYS[0]}".encode())}
    both = folder(alice=(KEYS[0], KEYS[1]))
    ruleset = load_text(HEAD + entry + DROPPED, "p.yaml", key_files=files, folders=both).ruleset
    assert [key.label for key in ruleset.people["alice"].keys] == ["desk", FINGERPRINTS[1]]
    assert [login(ruleset, "alice", "alice", key) for key in KEYS[:2]] == [False, True]


def test_defaults_make_accounts_of_people_of_folders() -> None:
    ruleset = load(DROPPED + "user_defaults: {accounts: ['{user}', git]}\n", alice=KEYS[0]).ruleset
    assert login(ruleset, "alice", "git", KEYS[0])
    assert [person.name for person in ruleset.people_of("git")] == ["alice"]


def test_two_folders_add_up() -> None:
    text = "sources:\n  - {directory: '/a/*', groups: staff}\n  - {directory: '/b/*', groups: ops}\n"
    key, other = (KeyFolder((("alice", parse_key_file(KEYS[number].encode())),)) for number in (0, 1))
    ruleset = load_text(HEAD + text, folders={"/a/*": key, "/b/*": other}).ruleset
    assert ruleset.people["alice"].groups == {"staff", "ops"}
    assert len(ruleset.people["alice"].keys) == 2
    assert ruleset.outside == ("/a", "/b")


def test_lines_of_two_folders_narrow_together() -> None:
    text = (
        "sources: [{directory: '/a/*', groups: staff}, {directory: '/b/*'}, {directory: '/c/*'}]\n"
        f"users: {{alice: {{keys: ['{KEYS[1]}']}}}}\nserver: {{owner: alice}}\n"
        f"grants: [{{who: alice, allow: {CONFINED[:-1]}, pty: true}}}}]\n"
    )
    lines = {"/a/*": ("", ""), "/b/*": ("no-pty ", 'command="ls" '), "/c/*": ('command="id" ', "")}
    files = {
        at: "\n".join(options + key for options, key in zip(said, KEYS, strict=False)) for at, said in lines.items()
    }
    folders = {at: KeyFolder((("alice", parse_key_file(text.encode())),)) for at, text in files.items()}
    ruleset = load_text(HEAD + text, folders=folders).ruleset
    assert [key.where for key in ruleset.people["alice"].keys[1:]] == ["/a/alice", "/b/alice", "/c/alice"]

    def ask(number: int, request: Request) -> str:
        steps = (Step("publickey", FINGERPRINTS[number]),)
        return decide(ruleset, Query(Facts("alice", "alice", None, "", "", NOON, steps, None), request)).reason

    assert ask(0, Pty("xterm")).endswith("allows no pty")
    assert "forces 'id'" in ask(0, Exec(b"ls -l"))
    # What stands in the entry counts as it does there.
    assert "allows no" not in ask(1, Pty("xterm"))
    assert "forces" not in ask(1, Exec(b"ls -l"))


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("al ice", KeyFile(), f"'al ice' in its name is no name of a person, expected {NAME_FORM}"),
        ("-rf", KeyFile(), f"'-rf' in its name is no name of a person, expected {NAME_FORM}"),
        ("bob", KeyFile(problem="it holds no key"), "it holds no key"),
        (
            "guest",
            parse_key_file(KEYS[3].encode()),
            "guest of users stands for whoever comes, and has no keys of a folder",
        ),
    ],
)
def test_a_file_that_is_not_that_of_a_person_is_told_of(name: str, file: KeyFile, said: str) -> None:
    text = DROPPED + "users: {guest: {names: ['g-*']}}\n"
    told = errors(text, {PATTERN: KeyFolder(((name, file), ("alice", parse_key_file(KEYS[0].encode()))))})
    assert told == f"p.yaml:3:23: key file /etc/keys/{name}.pub: {said}"


def test_a_folder_that_can_not_be_read_is_told_of() -> None:
    assert "p.yaml:3:23: nothing there" in errors(DROPPED, {PATTERN: KeyFolder(problem="nothing there")})


@pytest.mark.security("S65")
def test_options_narrow_and_those_that_can_not_be_kept_are_told_of() -> None:
    file = parse_key_file(f'command="id" {KEYS[0]}'.encode())
    (key,) = load(DROPPED, alice=f'command="id" {KEYS[0]}').ruleset.people["alice"].keys
    assert key.narrowing == file.narrowing(FINGERPRINTS[0]) != NO_NARROWING
    never = parse_key_file(f"verify-required {KEYS[0]}".encode())
    assert "its line 1 can not be kept: option verify-required" in errors(
        DROPPED, {PATTERN: KeyFolder((("alice", never),))}
    )


def test_a_person_whose_entry_has_an_error_is_not_made_of_the_file_alone() -> None:
    said = errors(DROPPED + "users: {alice: {groups: ops, hone: /srv}}\n", folder(alice=KEYS[0], bob=KEYS[1]))
    assert said == "p.yaml:4:30: unknown key 'hone', expected one of groups, keys, accounts, password, totp, names, " \
                   "home, run_as, not_before, not_after (did you mean 'home'?)"  # fmt: skip


def test_a_key_of_two_people() -> None:
    users = f"users: {{alice: {{keys: ['{KEYS[0]}']}}}}\n"
    (said,) = warned(load(DROPPED + users, bob=KEYS[0]))
    assert said == f"key {FINGERPRINTS[0]} of bob is also a key of alice at p.yaml:4"
    both = DROPPED + users + "user_defaults: {accounts: ['{user}', git]}\n"
    assert "of bob is also a key of alice at p.yaml:4, and both may log in as git" in errors(both, folder(bob=KEYS[0]))


def test_who_may_name_whoever_could_come() -> None:
    """A file that is taken away must not keep the policy from being read: that would hold a revocation back."""
    grants = "grants: [{who: [alice, dave], allow: {pty: true}}]\n"
    assert warned(load(DROPPED + grants, alice=KEYS[0])) == [
        "dave in who is no person of users, and no file of a folder has the name"
    ]
    assert load_text(HEAD + DROPPED + grants).warnings == ()
    assert "unknown person 'dave' in who" in errors(grants)


def test_a_key_of_a_folder_may_be_named() -> None:
    grants = f"grants: [{{who: 'key:{FINGERPRINTS[0]}', allow: {{pty: true}}}}]\n"
    assert warned(load(DROPPED + grants, alice=KEYS[0])) == []
    assert "nobody" in "".join(warned(load(DROPPED + grants, alice=KEYS[1])))
    assert load_text(HEAD + DROPPED + grants).warnings == ()


def test_a_key_that_the_settings_refuse_is_warned_of() -> None:
    text = DROPPED + "crypto: {user_key_algorithms: [rsa-sha2-512]}\n"
    assert f"key {FINGERPRINTS[0]} of alice lets nobody in" in "".join(warned(load(text, alice=KEYS[0])))


def test_checks_are_made_for_who_may_be_dropped_tomorrow() -> None:
    clash = (
        "roles: {a: {forced: [a], confined: true}, b: {forced: [b], confined: true}}\n"
        "grants: [{who: '*', roles: a}, {who: group:staff, roles: b}]\n"
    )
    assert "somebody" in errors(DROPPED + clash, folder())
    owner = "grants: [{who: '*', roles: login-shell}]\n"
    assert "somebody" in errors(DROPPED + owner, folder())
    own = "server: {owner: alice}\n" + owner.replace("'*'", "alice")
    assert load(DROPPED + own, alice=KEYS[0]).ruleset.settings.server.owner == "alice"
    assert "owner 'alice' is no person of users" in errors(DROPPED + own, folder())


def test_somebody_is_nobodys_owner() -> None:
    """Who stands for others is never taken for the one whose programs are the daemon's own user."""
    assert "may run a program that is not confined" in errors(
        ASKED + "grants: [{who: group:ldap, roles: login-shell}]\n"
    )
    assert "may run a program that is not confined" in errors(ASKED + "grants: [{who: dave, roles: login-shell}]\n")


def test_who_has_keys_of_a_folder_is_not_warned_of() -> None:
    assert warned(load(DROPPED + "users: {alice: {groups: ops}}\n", alice=KEYS[0])) == []
    said = "alice has neither keys nor a password, and can not log in"
    assert said in warned(load(DROPPED + "users: {alice: {groups: ops}}\n"))
    assert said not in warned(load_text(HEAD + DROPPED + "users: {alice: {groups: ops}}\n"))


def test_people_of_folders_who_are_never_admitted_are_warned_of() -> None:
    text = DROPPED + "login: [{who: bob, methods: publickey}]\ngrants: [{who: [alice, bob], allow: {pty: true}}]\n"
    (said,) = warned(load(text, alice=KEYS[0], bob=KEYS[1]))
    assert said.startswith("alice can never log in, though a grant names them")


def test_guests_beside_sources() -> None:
    guests = "users: {guest: {names: ['*']}}\n"
    assert load_text(HEAD + DROPPED + guests, folders=folder(alice=KEYS[0]), language=True)
    assert "names beside sources of the host or of a program" in errors(ASKED + guests)


def test_cases_know_people_of_folders() -> None:
    grants = f"roles: {{box: {CONFINED}}}\ngrants: [{{who: group:staff, roles: box}}]\n"
    cases = "tests: [{as: alice, from: 10.0.0.1, login: publickey, allow: shell}]\n"
    assert not load(DROPPED + grants + cases, alice=KEYS[0]).tests_failed
    assert "unknown person 'alice' in as" in errors(DROPPED + grants + cases, folder())


def test_the_name_of_a_file_is_none_that_the_policy_writes() -> None:
    """Whoever may drop a file opens no account below `min_uid`: that takes a line of the policy."""
    text = "server: {accounts: system}\nuser_defaults: {run_as: borg}\nusers: {carol: {accounts: [carol, git]}}\n"
    ruleset = load(text + DROPPED, root=KEYS[0], carol=KEYS[1]).ruleset
    accounts = ("carol", "git", "borg", "root")
    for person, written in (("carol", {"carol", "git", "borg"}), ("root", {"borg"})):
        assert {name for name in accounts if ruleset.writes(name, ruleset.people[person])} == written
    ruleset = load(text.replace("user_defaults: {run_as: borg}\n", "") + DROPPED, root=KEYS[0]).ruleset
    unix = UnixFacts("root", 0, frozenset())
    step = Step("publickey", FINGERPRINTS[0])
    facts = Facts("root", "root", None, "", "", NOON, (), None, unix)
    assert "below min_uid" in decide(ruleset, Query(facts, Login((), step))).reason


def test_a_comparison_knows_for_whom_a_name_is_written() -> None:
    """Whoever is uid 0 has to be named in `who`: bob of the file may be that, and anna of a folder never is."""
    text = f"server: {{accounts: system}}\nusers: {{bob: {{keys: ['{KEYS[1]}']}}}}\n" + DROPPED
    text += "login: [{who: [anna, bob], methods: publickey}]\ngrants: [{who: WHO, allow: {pty: true}}]\n"
    old, new = (load(text.replace("WHO", who), anna=KEYS[0]).ruleset for who in ("'*'", "[anna, bob]"))
    (change,) = difference(Side(old), Side(new)).gained
    assert (change.people, change.example) == (("bob",), "bob, where bob is uid 0: pty")


@pytest.mark.parametrize("line", ["alice: {accounts: [alice, root]}", "alice: {run_as: root}"])
def test_what_the_file_writes_for_somebody_opens_nothing_for_others(line: str) -> None:
    """One person may be root by their line; a file `root.pub`, and a program that has a key for root, are no line."""
    text = f"server: {{accounts: system}}\nusers: {{{line}}}\ngrants: [{{who: [root, alice], roles: login-shell}}]\n"
    text += "login: [{who: [root, alice], methods: publickey}]\n"
    unix = UnixFacts("root", 0, frozenset(), frozenset(), "", "/root")

    def refused(ruleset: Ruleset, person: Person | None, step: Step) -> bool:
        assert person is not None
        facts = Facts(person.accounts[-1], person.name, None, "", "", NOON, (step,), person, unix)
        entered, shell = (decide(ruleset, Query(facts, request)) for request in (Login((), step), Shell()))
        assert entered.allowed is shell.allowed
        assert ("below min_uid" in entered.reason) is not entered.allowed
        return not entered.allowed

    dropped = load(text + DROPPED, root=KEYS[0], alice=KEYS[1]).ruleset
    assert refused(dropped, dropped.people["root"], Step("publickey", FINGERPRINTS[0]))
    assert not refused(dropped, dropped.people["alice"], Step("publickey", FINGERPRINTS[1]))
    program = ASKED.replace("groups: ldap", "run_as: nobody, groups: ldap")
    ruleset = load_text(HEAD + text + program).ruleset
    assert ruleset.asked is not None
    by_program = Step("publickey", FINGERPRINTS[0], ruleset.asked.command.label)
    assert refused(ruleset, ruleset.person_of("root"), by_program)
    assert not refused(ruleset, ruleset.person_of("alice"), by_program)


# Names of files


@given(st.text(), st.text(max_size=3), st.text(max_size=3))
def test_a_name_comes_back_out_of_the_name_of_its_file(name: str, before: str, after: str) -> None:
    found = name_in(before + name + after, before, after)
    assert found in (name, None)
    if is_name(name) and not before.startswith("."):
        assert found == name


@pytest.mark.parametrize(
    ("file", "found"),
    [("alice.pub", "alice"), (".alice.pub", None), (".pub", None), ("alice.pub~", None), ("alice.pub.bak", None),
     ("alice", None), ("a.pub.pub", "a.pub")],
)  # fmt: skip
def test_which_files_are_meant(file: str, found: str | None) -> None:
    assert name_in(file, "", ".pub") == found


def test_patterns_are_taken_apart() -> None:
    assert split_pattern("/etc/keys/u-*.pub") == ("/etc/keys", "u-", ".pub")
    assert split_pattern("/*") == ("/", "", "")


# Reading folders


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of keys with one file in it, trusted as far as this user's files are."""
    made = tmp_path / "keys"
    made.mkdir(mode=0o755)
    write(made / "alice.pub", KEYS[0] + "\n")
    return made


def write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o644)


OWNERS = {0, os.geteuid()}


def test_a_folder_is_read(place: Path) -> None:
    write(place / "bob.pub", f"# two\n{KEYS[1]}\n{KEYS[2]}\n")
    write(place / "bob.pub~", "nonsense")
    write(place / ".hidden.pub", "nonsense")
    found = read_folder(f"{place}/*.pub", OWNERS)
    assert found.problem == ""
    assert [(name, file.fingerprints, file.problem) for name, file in found.files] == [
        ("alice", FINGERPRINTS[:1], ""), ("bob", FINGERPRINTS[1:3], "")
    ]  # fmt: skip


@pytest.mark.security("S66")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("link", "it is a link, expected a file"),
        ("folder", "it is not a regular file"),
        ("fifo", "it is not a regular file"),
        ("socket", "the file can not be opened: No such device or address"),
        ("mode", "the file has mode 0664 and others may write to it: chmod go-w it"),
        ("world", "the file has mode 0666 and others may write to it: chmod go-w it"),
        ("huge", "it has more than 262144 bytes"),
        ("empty", "it holds no key"),
        ("unreadable", "the file can not be opened: Permission denied"),
    ],
)
def test_a_file_that_is_not_to_be_trusted_is_told_of(place: Path, fault: str, said: str) -> None:
    file = place / "bob.pub"
    write(file, KEYS[1])
    if fault in ("link", "folder", "fifo", "socket"):
        file.unlink()
        made: dict[str, Callable[[], None]] = {
            "link": lambda: file.symlink_to("alice.pub"),
            "folder": file.mkdir,
            "fifo": lambda: os.mkfifo(file),
            "socket": lambda: os.mknod(file, stat.S_IFSOCK | 0o644),
        }
        made[fault]()
    elif fault == "huge":
        write(file, KEYS[1] + "\n" * (1 << 18))
    elif fault == "empty":
        write(file, "")
    elif fault == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root may read whatever there is")
        file.chmod(0)
    else:
        file.chmod({"mode": 0o664, "world": 0o666}[fault])
    found = read_folder(f"{place}/*.pub", OWNERS)
    assert found.problem == ""
    assert found.files[0] == ("alice", parse_key_file(KEYS[0].encode()))
    assert found.files[1][1].problem == said


@pytest.mark.security("S66")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("missing", "folder @/none can not be opened: No such file or directory"),
        ("file", "@/keys/alice.pub is not a folder"),
        ("below_a_file", "@/keys/alice.pub is not a folder"),
        ("group", "folder @/keys has mode 0775 and others may write to it: chmod go-w it"),
        ("above", "folder @ has mode 0777 and others may write to it: chmod go-w it"),
        ("sticky", "folder @/keys has mode 1777 and others may write to it: chmod go-w it"),
        ("nul", "folder @/k\0 can not be opened: no such name is possible"),
        ("links", "there are more than 16 links on the way to @/loop"),
    ],
)
def test_a_folder_that_is_not_to_be_trusted_is_told_of(place: Path, fault: str, said: str) -> None:
    above = place.parent
    pattern = f"{place}/*.pub"
    if fault in ("missing", "file", "below_a_file", "nul", "links"):
        (above / "loop").symlink_to("loop")
        name = {
            "missing": "none",
            "file": "keys/alice.pub",
            "below_a_file": "keys/alice.pub/x",
            "nul": "k\0",
            "links": "loop",
        }
        pattern = f"{above}/{name[fault]}/*.pub"
    else:
        (above if fault == "above" else place).chmod({"group": 0o775, "above": 0o777, "sticky": 0o1777}[fault])
    found = read_folder(pattern, OWNERS)
    above.chmod(0o755)
    assert found.problem == said.replace("@/loop", show(f"{above}/loop")).replace("@", str(above))
    assert found.files == ()


def test_links_of_trusted_owners_are_gone_through(place: Path) -> None:
    (place.parent / "link").symlink_to("x/../keys")
    (place.parent / "x").mkdir()
    (place.parent / "whole").symlink_to(place.parent / "link")
    assert len(read_folder(f"{place.parent}/whole/*.pub", OWNERS).files) == 1


def test_a_folder_behind_links_is_told_of_by_its_own_path(place: Path) -> None:
    (place.parent / "x").mkdir()
    (place.parent / "link").symlink_to("x/../keys/./../keys")
    place.chmod(0o770)
    assert read_folder(f"{place.parent}/link/*.pub", OWNERS).problem == (
        f"folder {place} has mode 0770 and others may write to it: chmod go-w it"
    )


@pytest.mark.parametrize(("count", "good"), [(16, True), (17, False)])
def test_as_many_links_as_may_lead_to_a_folder(place: Path, count: int, good: bool) -> None:
    (place.parent / "link0").symlink_to("keys")
    for number in range(1, count):
        (place.parent / f"link{number}").symlink_to(f"link{number - 1}")
    found = read_folder(f"{place.parent}/link{count - 1}/*.pub", OWNERS)
    assert len(found.files) == good
    assert ("there are more than 16 links on the way to " in found.problem) is not good


@pytest.mark.parametrize(("size", "problem"), [(262_144, ""), (262_145, "it has more than 262144 bytes")])
def test_the_longest_file_of_a_folder(place: Path, size: int, problem: str) -> None:
    key = (place / "alice.pub").read_text("utf-8")
    (place / "alice.pub").write_text(key + "\n" * (size - len(key)), "utf-8")
    ((_, file),) = read_folder(f"{place}/*.pub", OWNERS).files
    assert file.problem == problem


@pytest.mark.root
def test_owners_are_looked_at(place: Path) -> None:
    os.chown(place / "alice.pub", 65534, -1)
    ((_, file),) = read_folder(f"{place}/*.pub", OWNERS).files
    assert file.problem == "the file is owned by uid 65534, expected 0"
    (place.parent / "link").symlink_to("keys")
    os.lchown(place.parent / "link", 65534, -1)
    assert read_folder(f"{place.parent}/link/*.pub", OWNERS).problem == (
        f"link {place.parent}/link is owned by uid 65534, expected 0"
    )
    os.chown(place, 65534, -1)
    assert "is owned by uid 65534" in read_folder(f"{place}/*.pub", OWNERS).problem


def test_more_files_than_are_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.policy.outside.FILES_MAX", 0)
    assert "has 1 files, expected at most 0" in read_folder(f"{place}/*.pub", OWNERS).problem


def test_a_folder_that_fails_while_it_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> list[str]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pysshd.policy.outside.os.listdir", fails)
    assert read_folder(f"{place}/*.pub", OWNERS) == KeyFolder(
        problem=f"folder {place} can not be read: Input/output error"
    )


def test_the_file_of_a_policy_with_a_folder_and_a_program(place: Path) -> None:
    policy, program = place.parent / "policy.yaml", place.parent / "keys-of"
    write(program, "#!/bin/sh\n")
    text = f"{HEAD}sources:\n  - {{directory: 'keys/*.pub', groups: staff}}\n  - {{command: [{program}, '{{user}}']}}\n"
    write(policy, text)
    with pytest.raises(PolicyError, match="may not be executed"):
        load_file(str(policy), owner_uids=OWNERS)
    program.chmod(0o755)
    first = load_file(str(policy), owner_uids=OWNERS).ruleset
    assert list(first.people) == ["alice"]
    assert first.outside == (str(place), str(program))
    # The name of a file says whose key it is: another name is another version.
    (place / "alice.pub").rename(place / "bob.pub")
    second = load_file(str(policy), owner_uids=OWNERS).ruleset
    assert list(second.people) == ["bob"]
    assert second.version != first.version
    (place / "bob.pub").rename(place / "alice.pub")
    assert load_file(str(policy), owner_uids=OWNERS).ruleset.version == first.version


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("", ""),
        ("missing", "program @/keys-of can not be looked at: No such file or directory"),
        ("folder", "@/keys-of is not a file"),
        ("mode", "program @/keys-of may not be executed: chmod +x it"),
        ("writable", "program @/keys-of has mode 0775 and others may write to it: chmod go-w it"),
        ("above", "folder @ has mode 0777 and others may write to it: chmod go-w it"),
    ],
)
def test_a_program_is_looked_at(tmp_path: Path, fault: str, said: str) -> None:
    program = tmp_path / "keys-of"
    if fault == "folder":
        program.mkdir()
    elif fault != "missing":
        write(program, "#!/bin/sh\n")
        program.chmod({"mode": 0o644, "writable": 0o775}.get(fault, 0o755))
    tmp_path.chmod(0o777 if fault == "above" else 0o755)
    found = program_problem(str(program), OWNERS)
    tmp_path.chmod(0o755)
    assert found.replace(str(tmp_path), "@") == said


# Programs


def test_whoever_a_program_has_a_key_for_is_a_person() -> None:
    ruleset = load_text(HEAD + ASKED, "p.yaml").ruleset
    asked = ruleset.asked
    assert asked is not None
    assert ruleset.commands == (asked.command,)
    assert ruleset.open_ended
    assert asked.command.words_for("zoe", "git") == ("/usr/bin/keys-of", "zoe")
    assert (asked.command.timeout, asked.command.run_as) == (5.0, None)
    assert ruleset.outside == ("/usr/bin/keys-of",)
    zoe = ruleset.person_of("zoe")
    assert zoe is not None
    assert (zoe.groups, zoe.accounts, zoe.where) == (frozenset(["ldap"]), ("zoe",), "p.yaml:3")
    assert [(key.label, key.is_open) for key in zoe.keys] == [("/usr/bin/keys-of {user}", True)]
    assert ruleset.person_of("zoe", asked=False) is None


@pytest.mark.security("S118")
def test_words_and_the_label_of_a_program() -> None:
    text = "sources: [{command: [/bin/k, '--for={user}', '{account}', '{{x}}'], run_as: nobody, timeout: 9s}]\n"
    asked = load_text(HEAD + "server: {accounts: system}\n" + text).ruleset.asked
    assert asked is not None
    assert asked.command.words_for("zoe", "git") == ("/bin/k", "--for=zoe", "git", "{x}")
    assert asked.command.label == "/bin/k --for={user} {account} {{x}} (as nobody)"
    assert asked.command.timeout == 9
    assert asked.command.program == "/bin/k"


def test_nothing_is_said_of_run_as_where_the_server_has_an_error() -> None:
    said = errors("server: {accounts: sistem}\n" + ASKED.replace("groups", "run_as: nobody, groups"))
    assert said.count("p.yaml") == 1
    assert "found 'sistem'" in said


def test_an_entry_lies_over_a_program() -> None:
    users = f"users: {{alice: {{groups: ops, keys: ['{KEYS[0]}'], home: /srv/a}}, bob: {{keys: ['{KEYS[1]}']}}}}\n"
    ruleset = load_text(HEAD + ASKED + users + "user_defaults: {groups: staff}\n").ruleset
    alice, bob = ruleset.person_of("alice"), ruleset.person_of("bob")
    assert alice is not None
    assert bob is not None
    assert (alice.groups, alice.home, len(alice.keys)) == (frozenset(["ops", "ldap"]), "/srv/a", 2)
    assert bob.groups == {"ldap"}
    assert ruleset.people["bob"].groups == {"staff"}


HOST = (
    "server: {accounts: system}\nsources:\n"
    "  - {system: {min_uid: 1000}, groups: staff, keys: [{command: [/bin/k, '{user}'], run_as: nobody}]}\n"
)


def test_a_program_that_has_keys_for_the_hosts_people() -> None:
    ruleset = load_text(HEAD + HOST).ruleset
    assert ruleset.asked is None
    assert ruleset.source is not None
    assert ruleset.commands == ruleset.source.commands != ()
    person = ruleset.person_of("zoe")
    assert person is not None
    assert (person.groups, [key.label for key in person.keys]) == (
        frozenset(["staff"]), ["/bin/k {user} (as nobody)"]
    )  # fmt: skip
    both = load_text(HEAD + HOST + "  - {command: [/bin/k, '{user}'], run_as: nobody, groups: ldap}\n").ruleset
    person = both.person_of("zoe")
    assert person is not None
    assert person.groups == {"staff", "ldap"}
    only = both.person_of("zoe", host=False)
    assert only is not None
    assert only.groups == {"ldap"}


def test_checks_know_what_sources_make_of_entries() -> None:
    """bob is nobody special until the program has a key of his, and then two grants would answer."""
    text = (
        f"users: {{bob: {{keys: ['{KEYS[1]}']}}}}\nroles: {{a: {{forced: [a], confined: true}}, "
        "b: {forced: [b], confined: true}}\ngrants: [{who: bob, roles: a}, {who: group:ldap, roles: b}]\n"
    )
    assert "bob" in errors(ASKED + text)
    # Of the host or of the program alone there is no clash, but of both.
    grants = text.partition("\n")[2].replace("who: bob", "who: group:staff")
    program = "  - {command: [/bin/l, '{user}'], run_as: nobody, groups: ldap}\n"
    assert "somebody" in errors(HOST + program + grants)


def test_checks_know_whoever_has_an_account_that_is_named() -> None:
    """They may be a person of the source, of whom no entry and no `who` speaks."""
    roles = "roles: {a: {forced: [a], confined: true}, b: {forced: [b], confined: true}}\n"
    said = errors(HOST + roles + "grants: [{account: dave, roles: a}, {account: dave, roles: b}]\n")
    assert "would both answer" in said
    assert "dave" in said


def test_a_grant_by_a_group_that_only_sources_give_is_asked() -> None:
    """Denies above all: whoever is in a group that no entry has is meant by them."""
    text = ASKED + (
        f"users: {{bob: {{groups: ops, keys: ['{KEYS[1]}']}}}}\nroles: {{box: {CONFINED}}}\n"
        "grants: [{who: bob, roles: box}, {name: no, who: group:ldap, deny: {shell: true}}, "
        "{who: [bob, group:ldap], allow: {pty: true}}]\n"
    )
    ruleset = load_text(HEAD + text).ruleset
    bob = ruleset.person_of("bob")
    assert bob is not None
    assert [grant.name for grant in ruleset.grants_of(bob)].count("grant 3") == 1
    assert "no" in [grant.name for grant in ruleset.grants_of(bob)]
    assert "no" not in [grant.name for grant in ruleset.grants_of(ruleset.people["bob"])]


def test_groups_that_the_tables_do_not_have_are_looked_for() -> None:
    ruleset = load_text(HEAD + ASKED + "grants: [{who: group:ops, deny: all}]\n").ruleset
    person = Person("zoe", frozenset(["ops", "ldap", "staff"]))
    assert len(ruleset.grants_of(person)) == 1


def test_what_is_not_known_allows_nothing_and_denies() -> None:
    """The program did not answer: whether bob is one of its people is not known."""
    text = ASKED + (
        f"users: {{bob: {{keys: ['{KEYS[1]}']}}}}\nroles: {{box: {CONFINED}}}\n"
        "grants: [{who: bob, roles: box}, {who: group:ldap, allow: {pty: true}}, "
        "{who: group:ldap, deny: {exec: any}}]\n"
        "login: [{who: group:ldap, refuse: true}, {who: '*', methods: publickey}]\n"
    )
    ruleset = load_text(HEAD + text).ruleset
    assert ruleset.asked is not None
    bob = ruleset.asked.perhaps(ruleset.people["bob"])
    assert bob.unknown_groups == {"ldap"}
    steps = (Step("publickey", FINGERPRINTS[1]),)
    facts = Facts("bob", "bob", None, "", "", NOON, steps, bob)
    assert not decide(ruleset, Query(facts, Login((), steps[0]))).allowed
    open_login = load_text(HEAD + text.replace("{who: group:ldap, refuse: true}, ", "")).ruleset
    assert decide(open_login, Query(facts, Login((), steps[0]))).allowed
    assert decide(open_login, Query(facts, Shell())).allowed
    assert not decide(open_login, Query(facts, Exec(b"id"))).allowed
    who = Who("", groups=frozenset(["ldap"]))
    assert who.test(Case(bob, "bob", None, "", NOON)) is UNSURE
    assert who.test(Case(ruleset.people["bob"], "bob", None, "", NOON)) is FALSE
    assert who.test(Case(ruleset.person_of("bob"), "bob", None, "", NOON)) is TRUE
    # A group that the entry gives anyway is known.
    assert ruleset.asked.perhaps(Person("x", frozenset(["ldap"]))).unknown_groups == frozenset()


def test_who_may_be_of_the_host_or_of_a_program() -> None:
    """Whoever has no entry may have the groups of the defaults too; an entry's own groups stay."""
    ruleset = load_text(HEAD + HOST + "user_defaults: {groups: ops}\n").ruleset
    source = ruleset.source
    assert source is not None
    assert source.perhaps(Person("zoe", certified=True)).unknown_groups == {"staff", "ops"}
    carol = source.perhaps(Person("carol", frozenset(["ldap", "staff"])))
    assert (carol.groups, carol.unknown_groups) == (frozenset(["ldap", "staff"]), frozenset())
    assert source.perhaps(Person("carol", frozenset(["ldap"]))).unknown_groups == {"staff"}


def test_groups_of_the_defaults_are_as_unknown_as_those_that_would_take_their_place() -> None:
    """A program that knows bob puts him into its groups in place of those of `user_defaults`."""
    text = ASKED + (
        f"user_defaults: {{groups: staff}}\nusers: {{bob: {{keys: ['{KEYS[1]}']}}}}\nroles: {{box: {CONFINED}}}\n"
        "grants: [{who: group:staff, roles: box}, {who: bob, allow: {pty: true}}, "
        "{who: group:staff, deny: {pty: true}}]\n"
    )
    ruleset = load_text(HEAD + text).ruleset
    assert ruleset.asked is not None
    entry = ruleset.people["bob"]
    bob = ruleset.asked.perhaps(entry)
    assert (bob.groups, bob.unknown_groups) == (frozenset(), frozenset(["staff", "ldap"]))
    assert not bob.by_default
    step = Step("publickey", FINGERPRINTS[1])
    for person, shell, pty in (
        (entry, True, False),
        (ruleset.asked.person("bob", entry), False, True),
        (bob, False, False),
    ):
        facts = Facts("bob", "bob", None, "", "", NOON, (step,), person)
        assert [decide(ruleset, Query(facts, one)).allowed for one in (Shell(), Pty("xterm"))] == [shell, pty]
    # Of a program without groups they stay, and what another source says later is certain.
    assert entry.perhaps_in(frozenset()) == entry
    joined = bob.joined(frozenset(["ldap"]))
    assert (joined.groups, joined.unknown_groups) == (frozenset(["ldap"]), frozenset(["staff"]))


_ENTRIES = st.lists(
    st.sampled_from(
        [
            "{who: bob, allow: {pty: true, exec: ls}}",
            "{who: group:ldap, allow: {pty: true}}",
            "{who: group:ldap, deny: {pty: true}}",
            "{who: group:ops, allow: {exec: ls}}",
            "{who: [bob, group:ldap], deny: {exec: ls}}",
            "{who: '*', unless: {who: group:ldap}, allow: {pty: true}}",
            "{who: '*', unless: {who: group:ldap}, deny: {exec: ls}}",
            "{who: group:ldap, unless: {who: group:ops}, deny: all}",
        ]
    ),
    min_size=1,
    max_size=6,
)
_LOGINS = st.lists(
    st.sampled_from(
        [
            "{who: group:ldap, methods: publickey}",
            "{who: group:ldap, refuse: true}",
            "{who: '*', unless: {who: group:ldap}, methods: publickey}",
            "{who: '*', unless: {who: group:ldap}, refuse: true}",
            "{who: bob, methods: publickey}",
        ]
    ),
    min_size=1,
    max_size=3,
    unique=True,
)


@given(
    _ENTRIES, _LOGINS, st.sampled_from(["", "groups: ops, ", "groups: ldap, "]), st.sampled_from(["", "ops", "ldap"])
)
def test_whoever_is_not_known_may_do_no_more_than_as_who_they_could_be(
    entries: list[str], logins: list[str], groups: str, defaults: str
) -> None:
    text = ASKED + (f"user_defaults: {{groups: {defaults}}}\n" if defaults else "")
    text += f"users: {{bob: {{{groups}keys: ['{KEYS[1]}']}}}}\ngrants: [{', '.join(entries)}]\n"
    try:
        ruleset = load_text(HEAD.replace("ldap]", "ldap]\nserver: {owner: bob}") + text, language=True).ruleset
        ruleset = rebuilt(ruleset, login=load_text(f"{HEAD}{text}login: [{', '.join(logins)}]\n").ruleset.login)
    except PolicyError:
        assume(False)
    asked = ruleset.asked
    assert asked is not None
    entry = ruleset.people["bob"]
    steps = (Step("publickey", FINGERPRINTS[1]),)
    for request in (Login((), steps[0]), Pty("xterm"), Exec(b"ls")):

        def allowed(person: Person, request: Request = request) -> bool:
            facts = Facts("bob", "bob", None, "", "", NOON, steps, person)
            return decide(ruleset, Query(facts, request)).allowed

        if allowed(asked.perhaps(entry)):
            assert allowed(entry)
            assert allowed(asked.person("bob", entry))


def test_a_step_is_that_of_the_program_whose_key_it_is() -> None:
    ruleset = load_text(HEAD + ASKED).ruleset
    person = ruleset.person_of("zoe")
    assert person is not None
    assert person.key_of(Step("publickey", FINGERPRINTS[0], "/usr/bin/keys-of {user}")) == person.keys[0]
    assert person.key_of(Step("publickey", FINGERPRINTS[0], "/usr/bin/other {user}")) is None
    assert person.key_of(Step("publickey", FINGERPRINTS[0])) is None


# Tools


def scene(ruleset: Ruleset, name: str) -> Scene:
    person = holder_of(ruleset, name)
    assert person is not None
    return Scene(person, name, None, "127.0.0.1:2222", NOON, (), ())


def test_explain_says_what_it_takes_for_granted() -> None:
    grants = f"roles: {{box: {CONFINED}}}\ngrants: [{{who: group:ldap, roles: box}}]\n"
    ruleset = load_text(HEAD + ASKED + grants).ruleset
    asked = scene(ruleset, "zoe")
    held = held_steps(asked.person, {})
    assert named_step(asked.person, FINGERPRINTS[0], held, {}) == Step(
        "publickey", FINGERPRINTS[0], "/usr/bin/keys-of {user}"
    )
    found = explain(ruleset, default_login(ruleset, asked, held), Shell(), held)
    assert found.allowed
    assert found.assumed == ("zoe has a key by /usr/bin/keys-of, and so is in ldap",)
    both = load_text(HEAD + ASKED.replace("groups: ldap", "groups: [ldap, ops]")).ruleset
    assert explain(both, scene(both, "zoe"), Shell(), ()).assumed == (
        "zoe has a key by /usr/bin/keys-of, and so is in ldap, ops",
    )
    plain = load_text(HEAD + ASKED.replace(", groups: ldap", "")).ruleset
    found = explain(plain, scene(plain, "zoe"), Shell(), ())
    assert found.assumed == ("zoe has a key by /usr/bin/keys-of",)
    of_host = load_text(HEAD + HOST).ruleset
    without = scene(of_host, "zoe")
    assert explain(of_host, without, Shell(), ()).assumed == ()
    held = held_steps(without.person, {})
    assert explain(of_host, default_login(of_host, without, held), Shell(), held).assumed == (
        "zoe has a key by /bin/k",
    )
    folder_only = load(DROPPED, alice=KEYS[0]).ruleset
    assert explain(folder_only, scene(folder_only, "alice"), Shell(), ()).assumed == ()


def test_whoever_has_no_entry_may_be_asked_about_in_cases() -> None:
    text = ASKED + f"roles: {{box: {CONFINED}}}\ngrants: [{{who: group:ldap, roles: box}}]\n"
    text += f"tests: [{{as: zoe, from: 10.0.0.1, login: publickey, key: '{FINGERPRINTS[2]}', allow: shell}}]\n"
    assert not load_text(HEAD + text).tests_failed


def test_the_matrix_has_people_of_folders_and_anybody_with_a_key() -> None:
    users = f"users: {{bob: {{keys: ['{KEYS[1]}']}}}}\n"
    grants = "grants: [{who: group:ldap, allow: {pty: true}}, {who: group:staff, allow: {env: {accept: LANG}}}]\n"
    text = ASKED.replace("[{", "[{directory: '/etc/keys/*.pub', groups: staff}, {")
    found = matrix(Side(load(users + text + grants, alice=KEYS[0]).ruleset))
    rows = {row.person: {column: cell.state for column, cell in row.cells.items()} for row in found.rows}
    by = "with a key of /usr/bin/keys-of"
    assert list(rows) == ["bob", f"bob {by}", "alice", f"alice {by}", f"anybody {by}"]
    assert rows["bob"].get("pty") is None
    assert rows[f"bob {by}"]["pty"] == rows[f"anybody {by}"]["pty"] == rows["alice"]["env"] == "yes"
    assert all(row[LOGIN] == "yes" for row in rows.values())
    plain = matrix(Side(load(users + text.replace("groups: ldap", "timeout: 3s") + grants, alice=KEYS[0]).ruleset))
    assert [row.person for row in plain.rows] == ["bob", "alice", f"anybody {by}"]


def gained(old: Ruleset, new: Ruleset) -> set[tuple[str, str]]:
    found: Difference = difference(Side(old), Side(new))
    return {(who, change.what) for change in found.gained for who in change.people}


def test_diff_knows_people_of_folders() -> None:
    text = DROPPED + "grants: [{who: group:staff, allow: {pty: true}}]\n"
    old, new = load(text, alice=KEYS[0]).ruleset, load(text, alice=KEYS[0], bob=KEYS[1]).ruleset
    assert gained(old, new) == {("bob", "pty: true"), ("bob", "login by publickey")}
    assert gained(new, old) == set()
    assert gained(old, old) == set()
    other = load(text, alice=KEYS[2]).ruleset
    assert gained(old, other) == {("alice", f"login by publickey with the key {FINGERPRINTS[2]}")}
    # Whether a key stands in a folder or in the policy is the same.
    users = f"users: {{alice: {{groups: staff, keys: ['{KEYS[0]}']}}}}\n"
    inline = load(users + text.partition("\n")[2]).ruleset
    assert gained(inline, old) == gained(old, inline) == set()


def test_diff_knows_programs() -> None:
    users = f"users: {{bob: {{keys: ['{KEYS[1]}']}}}}\n"
    grants = "grants: [{who: group:ldap, allow: {pty: true}}, {who: bob, allow: {env: {accept: LANG}}}]\n"
    none, some = load_text(HEAD + users + grants).ruleset, load_text(HEAD + users + ASKED + grants).ruleset
    by = "with a key of /usr/bin/keys-of"
    found = gained(none, some)
    assert (f"anybody {by}", "login by publickey") in found
    assert (f"anybody {by}", "pty: true") in found
    assert (f"bob {by}", "pty: true") in found
    assert not {what for who, what in found if who == "bob"}
    assert gained(some, none) == set()
    assert gained(some, some) == set()
    other = load_text(HEAD + users + ASKED.replace("keys-of", "others") + grants).ruleset
    assert any("with the key of /usr/bin/others {user}" in what for _, what in gained(some, other))
    slower = load_text(HEAD + users + ASKED.replace("groups", "timeout: 20s, groups") + grants).ruleset
    assert gained(some, slower) == set()
    fewer = load_text(HEAD + users + ASKED + grants.replace("group:ldap, allow", "group:ldap, deny")).ruleset
    assert (f"bob {by}", "pty: true") in gained(fewer, some)


def test_two_programs_are_not_alike_to_a_comparison() -> None:
    """People who differ by nothing but the program that has their keys are each compared."""
    grants = "grants: [{who: '*', allow: {pty: true}}]\n"
    old, new = (load_text(HEAD + HOST.replace("/bin/k", program) + grants).ruleset for program in ("/bin/k", "/bin/l"))
    assert any("with the key of /bin/l" in what for _, what in gained(old, new))


def test_a_source_is_made_by_hand_as_well() -> None:
    command = KeyCommand((parse_template("/bin/k"), parse_template("{user}")), where="a:1")
    assert command == KeyCommand((parse_template("/bin/k"), parse_template("{user}")), where="b:2")
    source = AskedSource(command, defaults=UserDefaults(accounts=("{user}",)))
    ruleset = ruleset_of(
        Settings(), [Person("bob", keys=(PersonKey("x", fingerprint="SHA256:x"),))], (), (), asked=source
    )
    assert ruleset.defaults == source.defaults
    bob = ruleset.person_of("bob")
    assert bob is not None
    assert [key.label for key in bob.keys] == ["x", "/bin/k {user}"]
