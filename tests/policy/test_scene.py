"""Scenes: logins that could have been, as `explain` and `tests` describe them."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from pysshd.policy.explain import default_login, explain, login_by, plain
from pysshd.policy.load import load_text
from pysshd.policy.query import UNKNOWN, Shell, Step, UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.scene import Scene, counts, facts_of, held_steps, holder_of, log_in
from pysshd.policy.steps import Certificate
from tests.policy.sftp import load
from tests.policy.support import FINGERPRINTS, KEYS, NOON, PEOPLE

AUTHORITIES = f"""\
{PEOPLE}authorities:
  web: {{keys: ["{KEYS[2][:-4]}"], accounts: {{git: [web]}}}}
  staff: {{keys: [ca/staff.pub], accounts: {{git: [db], "{{principal}}": ["*"]}}}}
""".replace(f'bob: {{groups: ops, keys: ["{KEYS[2]}"]}}', "bob: {groups: ops, keys: [{file: bob.pub}]}")


def scene_of(ruleset_text: str, person: str, account: str | None = None) -> tuple[Ruleset, Scene, tuple[Step, ...]]:
    ruleset = load(ruleset_text, AUTHORITIES)
    holder = holder_of(ruleset, person)
    assert holder is not None
    return ruleset, Scene(holder, account or person, None, "127.0.0.1:2222", NOON, (), ()), held_steps(holder, {})


def test_the_certificate_is_one_by_which_the_login_succeeds() -> None:
    text = "login: [{who: 'principal:staff/db', methods: certificate}]\n"
    ruleset, scene, held = scene_of(text, "alice", "git")
    found = login_by(ruleset, scene, ("certificate",), held)
    assert found.certificate is not None
    assert (found.certificate.authority, found.certificate.principals) == ("staff", frozenset(["db"]))
    assert log_in(ruleset, found).decision.reason == "login entry 1 is met by certificate"
    # Both authorities could certify alice; the first that the file names is told where either will do.
    either = scene_of("login: [{methods: certificate}]\n", "alice", "git")
    first = login_by(either[0], either[1], ("certificate",), held).certificate
    assert first is not None
    assert first.authority == "web"


def test_a_login_without_a_certificate_asks_for_none() -> None:
    ruleset, scene, held = scene_of("login: [{methods: publickey}]\n", "alice")
    found = login_by(ruleset, scene, ("publickey",), held)
    assert found.certificate is None
    assert found.keys == (Step("publickey", FINGERPRINTS[0], "laptop"),)
    assert log_in(ruleset, found).admitted


def test_a_login_that_fails_is_shown_as_it_was_asked_for() -> None:
    ruleset, scene, held = scene_of("login: [{methods: publickey}]\n", "alice")
    found = login_by(ruleset, scene, ("password", "publickey"), held)
    assert (found.chain, found.certificate, len(found.keys)) == (("password", "publickey"), None, 1)
    assert not log_in(ruleset, found).admitted
    nothing = default_login(load("login: [{who: bob, methods: publickey}]\n"), scene, held)
    assert (nothing.chain, nothing.keys) == (("publickey",), held[:1])


def test_who_has_done_nothing_is_not_logged_in() -> None:
    ruleset, scene, _ = scene_of("login: [{methods: publickey}]\n", "alice")
    found = log_in(ruleset, scene)
    assert not found.admitted
    assert (found.decision.reason, found.decision.decided_by) == ("no step of a login is done", "p.yaml:4")


@pytest.mark.parametrize(
    ("chain", "keys", "words"),
    [
        (("publickey",), 0, "alice has no keys, and publickey takes 1"),
        (("publickey", "publickey"), 1, "alice has 1 key, and publickey+publickey takes 2"),
        (("publickey", "password", "publickey", "publickey"), 2,
         "alice has 2 keys, and publickey+password+publickey+publickey takes 3"),
        (("certificate",), 2, "no authority of the file certifies alice for this account"),
    ],
)  # fmt: skip
def test_who_has_too_few_keys_for_a_chain(chain: tuple[str, ...], keys: int, words: str) -> None:
    ruleset, scene, held = scene_of("login: [{methods: publickey}]\n", "alice")
    found = log_in(ruleset, replace(scene, chain=chain, keys=held[:keys]))
    assert not found.admitted
    assert (found.decision.reason, found.decision.decided_by) == (words, "p.yaml:4")


def test_the_trace_of_a_login_that_stops_short_is_kept() -> None:
    ruleset, scene, held = scene_of("login: [{who: bob, refuse: true}, {methods: publickey+password}]\n", "alice")
    for chain in (("publickey",), ("publickey", "password", "totp")):
        found = log_in(ruleset, replace(scene, chain=chain, keys=held[:1]), trace=True)
        assert not found.admitted
        trace = [(tried.entry, tried.matched) for tried in found.decision.trace]
        assert trace == [("login entry 1", False), ("login entry 2", True)]
        assert found.decision.decided_by == "p.yaml:11"
    assert found.decision.reason == "publickey+password is enough alone, so that totp is not asked for"


def test_a_certificate_is_told_to_machines_with_its_times() -> None:
    ruleset, scene, held = scene_of("login: [{methods: certificate}]\n", "alice", "git")
    until = datetime(2027, 1, 1, tzinfo=UTC)
    said = Certificate("web", "alice", frozenset(["web"]), serial=7, not_after=until)
    scene = replace(scene, chain=("certificate",), certificate=said)
    found = plain(explain(ruleset, scene, Shell(), held, {}))
    assert found["certificate"] == {
        "authority": "web",
        "key_id": "alice",
        "principals": ["web"],
        "extensions": [],
        "serial": 7,
        "not_before": None,
        "not_after": "2027-01-01T00:00:00+00:00",
        "options": [],
        "narrowing": {
            "command": None,
            "sources": [],
            "expires": None,
            "opens": None,
            "listens": None,
            "pty": True,
            "agent": True,
            "x11": True,
            "ports": True,
            "environment": [],
            "authority": False,
            "principals": None,
            "where": "",
        },
        "signer": "",
    }
    assert found["login"]["valid_until"] == "2027-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("options", "good"),
    [
        ("", True),
        ('expiry-time="20261123120000Z"', False),  # it counts until then
        ('expiry-time="20261123115959Z"', False),
        ('expiry-time="20261123120001Z"', True),
        ('from="10.0.0.0/8"', True),
        ('from="11.0.0.0/8"', False),
        ("not_before: 2026-11-24", False),
        ("not_after: 2026-11-22", False),
        ("not_after: 2026-11-23", True),
    ],
)
def test_a_key_that_is_of_use_at_that_time_and_from_there(options: str, good: bool) -> None:
    said = f", {options}" if options.startswith("not") else f", options: '{options}'" if options else ""
    people = f"version: 1\nusers: {{alice: {{keys: [{{name: k, key: '{KEYS[0]}'{said}}}]}}}}\n"
    ruleset = load_text(people, "p.yaml", language=True).ruleset
    person = ruleset.people["alice"]
    (step,) = held_steps(person, {})
    scene = Scene(person, "alice", ip_address("10.1.2.3"), "127.0.0.1:2222", NOON, ("publickey",), (step,))
    assert counts(ruleset, scene, step) is good


@pytest.mark.parametrize(
    ("name", "groups", "accounts"),
    [
        ("alice", {"ops", "staff"}, ("alice", "git")),
        ("bob", set(), ("web",)),  # comes under another name than their own
        ("carol", set(), ("carol",)),  # runs as another account
        ("dave", {"staff"}, ("dave",)),
    ],
)
def test_whom_the_host_is_taken_to_know(name: str, groups: set[str], accounts: tuple[str, ...]) -> None:
    text = (
        "version: 1\nserver: {accounts: system}\ngroups: [ops, staff]\n"
        "sources: [{system: {min_uid: 1000}, password: system, groups: staff}]\n"
        "users:\n  alice: {groups: ops, accounts: [alice, git]}\n  bob: {accounts: web}\n  carol: {run_as: www}\n"
    )
    holder = holder_of(load_text(text, "p.yaml", language=True).ruleset, name)
    assert holder is not None
    assert holder.groups == frozenset(groups)
    assert holder.accounts == accounts


@pytest.mark.parametrize(
    ("account", "uid", "home"), [("alice", 1 << 20, "/home/alice"), ("root", 0, "/root"), ("git", 1 << 20, "/home/git")]
)
def test_what_the_host_is_taken_to_say_of_an_account(account: str, uid: int, home: str) -> None:
    text = "version: 1\nserver: {accounts: system}\nusers: {alice: {accounts: [alice, root, git]}}\n"
    ruleset = load_text(text, "p.yaml", language=True).ruleset
    scene = Scene(ruleset.people["alice"], account, None, "127.0.0.1:2222", NOON, (), ())
    assert facts_of(ruleset, scene).unix == UnixFacts(account, uid, UNKNOWN, home=home)
    held = replace(scene, system_groups=frozenset(["adm"]))
    assert facts_of(ruleset, held).unix == UnixFacts(account, uid, frozenset(), home=home)
    grants = "grants: [{who: 'system-group:adm', allow: {pty: true}}]\n"
    asking = load_text(text + grants, "p.yaml", language=True).ruleset
    assert facts_of(asking, held).unix == UnixFacts(account, uid, frozenset(["adm"]), home=home)


def test_an_account_is_one_that_the_file_lets_in() -> None:
    text = "version: 1\nserver: {accounts: system, min_uid: 2000000}\nusers: {alice: {accounts: [alice, root]}}\n"
    ruleset = load_text(text, "p.yaml", language=True).ruleset
    found = []
    for account in ("alice", "root"):
        scene = Scene(ruleset.people["alice"], account, None, "127.0.0.1:2222", NOON, (), ())
        unix = facts_of(ruleset, scene).unix
        assert isinstance(unix, UnixFacts)
        found.append(unix.uid)
    assert found == [2000000, 0]
