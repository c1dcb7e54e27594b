"""People, their keys and passwords: what the document says of them, and what is refused."""

import base64
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.keyfiles import KeyFile, name_in, parse_key_file, split_pattern
from pysshd.policy.load import load_text
from pysshd.policy.passwords import PasswordError, parse_password
from pysshd.policy.people import KeyCandidates, SecretText
from pysshd.policy.problems import PolicyError
from tests.policy.support import FINGERPRINTS, HASH, KEYS, load


def test_a_person_as_the_file_says() -> None:
    ruleset = load()
    alice, bob = ruleset.people["alice"], ruleset.people["bob"]
    assert (alice.groups, alice.accounts, alice.where) == (frozenset(["ops", "dba"]), ("alice", "git"), "p.yaml:4")
    assert (bob.accounts, bob.password, bob.home) == (("bob",), None, None)
    assert [(key.name, key.label, key.fingerprint) for key in alice.keys] == [
        ("laptop", "laptop", FINGERPRINTS[0]),
        (None, FINGERPRINTS[1], FINGERPRINTS[1]),
    ]
    assert alice.password is not None
    assert (alice.password.memory, alice.password.iterations, alice.password.lanes) == (64, 1, 1)
    assert alice.password.phc.reveal() == HASH


@pytest.mark.security("S120")
def test_a_hash_shows_itself_to_nobody() -> None:
    ruleset = load()
    for shown in (
        repr(ruleset),
        str(ruleset.people["alice"]),
        repr(SecretText("x")),
        str(SecretText("x")),
        f"{SecretText('x')}",
    ):
        assert HASH not in shown
        assert "jxYh9pyVPhN" not in shown


def test_who_a_key_or_an_account_means() -> None:
    ruleset = load()
    assert [person.name for person in ruleset.people_of("git")] == ["alice", "carol"]
    assert ruleset.people_of("mallory") == ()
    alice = ruleset.people["alice"]
    assert ruleset.person_of_key("git", FINGERPRINTS[0]) == KeyCandidates(((alice, alice.keys[0]),), ())
    assert ruleset.person_of_key("bob", FINGERPRINTS[0]) == KeyCandidates()
    assert ruleset.person_of_key("git", "SHA256:none") == KeyCandidates()


def test_key_files_are_candidates() -> None:
    ruleset = load_text(
        "version: 1\nusers:\n"
        f'  a: {{keys: [{{file: keys/a.pub}}, "{KEYS[0]}"], accounts: git}}\n'
        "  b: {keys: [{file: /k}]}\n",
        "/etc/pysshd/policy.yaml",
    ).ruleset
    found = ruleset.person_of_key("git", "SHA256:none")
    assert found.found == ()
    assert [(person.name, key.file) for person, key in found.files] == [("a", "/etc/pysshd/keys/a.pub")]


def test_key_files_are_judged_at_load() -> None:
    text = (
        "version: 1\nusers:\n"
        "  a: {keys: [{name: k, file: /a}], accounts: git}\n"
        "  b: {keys: [{file: /b}], accounts: git}\n"
        f'  c: {{keys: [{{file: /a}}, "{KEYS[0]}"], accounts: [c]}}\n'
        "grants:\n"
        f"  - {{who: 'key:{FINGERPRINTS[0]}', allow: {{forced: [x], confined: true}}}}\n"
        "  - {who: b, allow: {shell: true, confined: true}}\n"
    )
    good = {"/a": KeyFile((FINGERPRINTS[0],)), "/b": KeyFile((FINGERPRINTS[1],))}
    with pytest.raises(PolicyError) as caught:
        load_text(text, key_files=good)
    assert "stands twice for one person" in str(caught.value)
    assert "clash" not in str(caught.value)
    shared = good | {"/b": KeyFile((FINGERPRINTS[0],))}
    with pytest.raises(PolicyError, match="both may log in as git"):
        load_text(text, key_files=shared)
    with pytest.raises(PolicyError, match="key file /b: the file can not be opened"):
        load_text(text, key_files=good | {"/b": KeyFile(problem="the file can not be opened")})
    with pytest.raises(PolicyError, match="clash"):
        load_text(text)  # a file that was not read may hold any key


def test_key_file_contents() -> None:
    both = f"# people\n\n{KEYS[0]}\r\n{KEYS[1]}\n".encode()
    assert parse_key_file(both) == KeyFile((FINGERPRINTS[0], FINGERPRINTS[1]))
    assert parse_key_file(b"\n") == KeyFile(problem="it holds no key")
    assert parse_key_file(b"\xff") == KeyFile(problem="it is not UTF-8")
    private = parse_key_file(b"# x\n-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n")
    assert private.problem == "its line 2 is not 'type base64 comment' of an accepted public key"
    for line in (f"restrikt {KEYS[0]}", f"restrict, {KEYS[0]}", f'command="x {KEYS[0]}', f"verify-required {KEYS[0]}"):
        assert parse_key_file(line.encode()).problem.startswith("its line 1 can not be kept: ")
    for line in (f"restrict {KEYS[0][:-9]}", "restrict", f"{'x' * 17_000} {KEYS[0]}", f"x {KEYS[0][12:]}"):
        problem = parse_key_file(line.encode()).problem
        assert problem == "its line 1 is not 'type base64 comment' of an accepted public key"


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("/etc/keys/*.pub", ("/etc/keys", "", ".pub")),
        ("/etc/keys/k-*", ("/etc/keys", "k-", "")),
        ("/*", ("/", "", "")),
    ],
)
def test_the_parts_of_a_pattern_of_key_files(pattern: str, parts: tuple[str, str, str]) -> None:
    assert split_pattern(pattern) == parts


@pytest.mark.parametrize(
    ("filename", "before", "after", "name"),
    [
        ("alice.pub", "", ".pub", "alice"),
        ("a.pub", "", ".pub", "a"),
        (".pub", "", ".pub", None),
        ("pub", "", ".pub", None),
        ("k-a", "k-", "", "a"),
        ("k-", "k-", "", None),
        ("k-a.pub", "k-", ".pub", "a"),
        ("k-.pub", "k-", ".pub", None),
        ("x-a.pub", "k-", ".pub", None),
        ("k-a.pem", "k-", ".pub", None),
        ("aa", "aa", "a", None),  # what stands before and behind may not be one and the same letter
        ("aaa", "aa", "a", None),
        ("aaaa", "aa", "a", "a"),
        ("a", "", "", "a"),
        (".a.pub", "", ".pub", None),
        (".a.pub", ".", ".pub", None),
    ],
)
def test_the_name_in_the_place_of_the_star(filename: str, before: str, after: str, name: str | None) -> None:
    assert name_in(filename, before, after) == name


def test_lines_of_a_key_file_have_options() -> None:
    lines = f'no-pty,command="a b" {KEYS[0]}\n{KEYS[1]}\nrestrict {KEYS[0]}\n'
    found = parse_key_file(lines.encode(), "/k.pub", ZoneInfo("Asia/Tokyo"))
    assert found.fingerprints == (FINGERPRINTS[0], FINGERPRINTS[1], FINGERPRINTS[0])
    said = found.narrowing(FINGERPRINTS[0])
    assert (said.pty, said.agent, said.command, said.where) == (False, True, b"a b", "/k.pub:1")
    assert found.narrowing(FINGERPRINTS[1]) == NO_NARROWING
    timed = parse_key_file(f'expiry-time="20270101" {KEYS[0]}'.encode(), "", ZoneInfo("Asia/Tokyo"))
    assert timed.narrowing(FINGERPRINTS[0]).expires == datetime(2026, 12, 31, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "$argon2id$", HASH + "$x", HASH + "=", HASH[:-1] + "é", HASH.replace("v=19", "v=18"),
        HASH.replace("m=64", "m=0"), HASH.replace("m=64", "m=064"), HASH.replace("t=1", "t=01"),
        HASH.replace("m=64", f"m={(1 << 20) + 1}"), HASH.replace("t=1", "t=0"),
        HASH.replace("t=1", "t=21"), HASH.replace("p=1", "p=0"), HASH.replace("p=1", "p=9"),
        HASH.replace("m=64,t=1,p=1", "m=63,t=1,p=8"), HASH.replace("m=64,t=1", "t=1,m=64"),
        HASH.replace("jxYh9pyVPhN/t2uu/DGLew", "jxYh"), HASH.replace("t2uu/DGLew", "t2uu/DGLex"),
        HASH.replace("ijQrcjQFRy6WrZz24cuf7TQG4wy+EwHP0D0PUmEAbwU", "ijQr"), "$argon2i$" + HASH[10:], "$6$salt$hash",
        HASH + "\n", "$2b$12$x",
    ],
)  # fmt: skip
def test_hashes_that_are_refused(text: str) -> None:
    with pytest.raises(PasswordError) as caught:
        parse_password(text)
    assert "jxYh" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("costs", ["m=1048576,t=20,p=8", "m=64,t=1,p=8", "m=8,t=1,p=1"])
def test_costs_at_their_ends(costs: str) -> None:
    assert parse_password(HASH.replace("m=64,t=1,p=1", costs)).phc.reveal().count(costs) == 1


@pytest.mark.security("S70")
def test_hashes_of_different_costs_tell_who_exists() -> None:
    people = f"version: 1\nusers:\n  a: {{password: '{HASH}'}}\n  b: {{password: '{HASH.replace('t=1', 't=2')}'}}\n"
    [warning] = load_text(people).warnings
    assert (warning.line, HASH[-20:] in warning.message) == (4, False)
    assert "hash of b has m=64,t=2,p=1, that of a at policy.yaml:3 m=64,t=1,p=1" in warning.message
    assert load_text(people.replace("t=2", "t=1")).warnings == ()


def test_a_hash_without_any_padding() -> None:
    """Of 24 bytes in base64 no bit is left over, so that any letter may be the last one."""
    people = f"version: 1\nusers: {{alice: {{password: '$argon2id$v=19$m=64,t=1,p=1${'A' * 31}X${'A' * 31}X'}}}}\n"
    password = load_text(people).ruleset.people["alice"].password
    assert password is not None
    assert (password.memory, password.iterations, password.lanes) == (64, 1, 1)


@pytest.mark.parametrize(
    ("salt", "digest", "words"),
    [
        (8, 16, ""), (64, 64, ""),
        (7, 16, "the argon2id hash has a salt of 7 bytes, expected 8 to 64"),
        (65, 16, "the argon2id hash has a salt of 65 bytes, expected 8 to 64"),
        (8, 15, "the argon2id hash has 15 bytes, expected 16 to 64"),
        (8, 65, "the argon2id hash has 65 bytes, expected 16 to 64"),
    ],
)  # fmt: skip
def test_how_long_a_salt_and_a_hash_may_be(salt: int, digest: int, words: str) -> None:
    parts = (base64.b64encode(bytes(count)).decode().rstrip("=") for count in (salt, digest))
    text = f"$argon2id$v=19$m=64,t=1,p=1${'$'.join(parts)}"
    if not words:
        assert parse_password(text).phc.reveal() == text
        return
    with pytest.raises(PasswordError) as caught:
        parse_password(text)
    assert str(caught.value) == words
