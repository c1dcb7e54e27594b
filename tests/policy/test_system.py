"""`accounts: system` in the engine: the host's word is a fact of the query, and may be unknown."""

from typing import Any

import pytest

from pysshd.policy.decide import decide, first_methods
from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.query import UNKNOWN, Exec, Facts, Login, Query, Request, Shell, Step, UnixFacts, Unknown
from pysshd.policy.ruleset import Ruleset
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON

PEOPLE = f"""\
version: 1
server: {{accounts: system, min_uid: 500}}
groups: [ops]
users:
  alice: {{groups: ops, keys: ["{KEYS[0]}"], accounts: [alice, root, git], password: "{HASH}"}}
  bob: {{keys: ["{KEYS[1]}"], run_as: deploy}}
  root: {{keys: ["{KEYS[2]}"]}}
sources:
  - {{system: {{min_uid: 1000}}, keys: [{{authorized_keys: ~/.ssh/authorized_keys}}], password: system}}
"""
UIDS = {"alice": 1000, "bob": 1001, "deploy": 1002, "root": 0, "git": 600, "carol": 1003, "daemon": 2, "toor": 0}


def ruleset(more: str) -> Ruleset:
    return load_text(PEOPLE + more, "p.yaml").ruleset


def unix(name: str, groups: Any = (), fault: str = "", unknown: tuple[str, ...] = ()) -> UnixFacts:
    held = groups if isinstance(groups, Unknown) else frozenset(groups)
    return UnixFacts(name, UIDS.get(name, UNKNOWN), held, frozenset(unknown), fault)


def ask(rules: Ruleset, request: Request, person: str = "alice", account: str | None = None, **host: Any) -> Decision:
    """Ask for somebody who is logged in by a key, as the host knows them."""
    account = account or person
    listed = rules.people.get(person)
    holder: Person | None = None
    if listed is None or host.pop("of_host", False):
        assert rules.source is not None
        holder = rules.source.person(person, listed)
    who = holder or listed
    assert who is not None
    number = {"alice": 0, "bob": 1, "root": 2}.get(person, 3)
    key = who.keys[0]
    step = Step("publickey", FINGERPRINTS[number], key.label)
    facts = Facts(account, person, None, "127.0.0.1:2222", "SSH-2.0-test", NOON, (step,), holder,
                  unix(who.unix_name(account), **host))  # fmt: skip
    if isinstance(request, Login):
        request = Login((), step)
    return decide(rules, Query(facts, request), trace=True)


LOGIN = Login((), Step("publickey"))
SHELLS = 'grants: [{who: "*", roles: login-shell}]\n'


def test_nobody_is_the_owner_and_everyone_has_their_shell() -> None:
    rules = ruleset(SHELLS)
    for person in ("alice", "bob", "carol"):
        assert ask(rules, LOGIN, person).allowed
        assert ask(rules, Shell(), person).allowed
        assert ask(rules, Exec(b"id"), person).allowed


@pytest.mark.parametrize(
    ("login", "grants", "allowed"),
    [
        ("", '{who: "*", roles: login-shell}', (False, False)),
        ("", "{roles: login-shell}", (False, False)),
        ("", "{who: alice, roles: login-shell}", (False, True)),
        ('[{who: "*", account: root, methods: publickey}]', "{who: alice, roles: login-shell}", (True, True)),
        ("[{methods: publickey}]", "{who: alice, roles: login-shell}", (False, True)),
        ("[{account: root, methods: publickey}]", "{account: root, roles: login-shell}", (True, True)),
        ("[{who: alice, methods: publickey}]", "{who: group:ops, roles: login-shell}", (True, True)),
        ('[{who: [alice, "*"], methods: publickey}]', '{who: [alice, "*"], roles: login-shell}', (True, True)),
    ],
)
def test_uid_0_is_not_anyone(login: str, grants: str, allowed: tuple[bool, bool]) -> None:
    rules = ruleset(f"grants: [{grants}]\n" + (f"login: {login}\n" if login else ""))
    assert (ask(rules, LOGIN, "alice", "root").allowed, ask(rules, Shell(), "alice", "root").allowed) == allowed


def test_root_as_a_person_is_named_by_its_name() -> None:
    rules = ruleset("login: [{who: root, methods: publickey}]\ngrants: [{who: root, roles: login-shell}]\n")
    assert ask(rules, LOGIN, "root").allowed
    assert ask(rules, Shell(), "root").allowed
    assert not ask(ruleset(SHELLS), LOGIN, "root").allowed


def test_in_a_deny_and_a_refusal_anyone_is_everyone() -> None:
    grants = "grants: [{who: alice, account: root, roles: login-shell}, {who: '*', deny: all}]\n"
    assert not ask(ruleset(grants), Shell(), "alice", "root").allowed
    login = "login: [{who: '*', from: 10.0.0.1, refuse: true}, {who: alice, methods: publickey}]\n"
    assert ask(ruleset(login + SHELLS), LOGIN, "alice", "root").allowed


def test_inside_unless_it_is_the_reverse() -> None:
    shell = "{who: alice, roles: login-shell}"
    spared = ruleset(f"grants: [{shell}, {{who: alice, unless: {{who: '*'}}, deny: all}}]\n")
    assert ask(spared, Shell()).allowed
    assert not ask(spared, Shell(), "alice", "root").allowed
    given = ruleset("grants: [{who: alice, unless: {who: '*'}, roles: login-shell}]\n")
    assert not ask(given, Shell(), "alice", "root").allowed


@pytest.mark.parametrize("kind", ["unknown", "no_group", "fault"])
def test_what_the_host_did_not_say_is_no_yes_and_no_way_around_a_deny(kind: str) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "unknown": {"groups": UNKNOWN},
        "no_group": {"unknown": ("wheel", "guests")},
        "fault": {"fault": "account alice is locked"},
    }
    host = kinds[kind]
    allow = ruleset('grants: [{who: "system-group:wheel", roles: login-shell}]\n')
    assert ask(allow, Shell(), groups=("wheel",)).allowed
    assert not ask(allow, Shell(), groups=("staff",)).allowed
    assert not ask(allow, Shell(), **host).allowed
    deny = ruleset('grants: [{who: alice, roles: login-shell}, {who: "system-group:guests", deny: all}]\n')
    assert ask(deny, Shell()).allowed
    assert not ask(deny, Shell(), groups=("guests",)).allowed
    assert not ask(deny, Shell(), **host).allowed
    login = 'login: [{who: "system-group:guests", methods: publickey+password}, {who: alice, methods: publickey}]\n'
    hangs = ruleset(login.replace("methods: publickey+password", "refuse: true"))
    assert ask(hangs, LOGIN).allowed
    assert not ask(hangs, LOGIN, **host).allowed


@pytest.mark.security("S68", "S74")
def test_an_account_that_is_of_no_use_or_another_s_is_refused_whatever_is_granted() -> None:
    rules = ruleset(SHELLS)
    locked = ask(rules, LOGIN, fault="account alice is locked")
    assert (locked.allowed, locked.reason) == (False, "account alice is locked")
    assert not ask(rules, Shell(), fault="account alice is locked").allowed
    step = Step("publickey", FINGERPRINTS[0], rules.people["alice"].keys[0].label)
    for facts in (None, unix("bob"), unix("nobody-there")):
        said = Facts("alice", "alice", None, "127.0.0.1:2222", "SSH-2.0-test", NOON, (step,), None, facts)
        assert not decide(rules, Query(said, Shell())).allowed


def test_a_low_uid_only_where_the_file_writes_the_name() -> None:
    """A person of the host whose own account has a low uid is none of the source; a name of the file may have any."""
    rules = ruleset("grants: [{who: ['*', daemon], roles: login-shell}]\n")
    assert ask(rules, LOGIN, "alice", "git").allowed is True  # 600, above min_uid
    daemon = ask(rules, LOGIN, "daemon")
    assert not daemon.allowed
    assert "below min_uid 500" in daemon.reason
    assert ask(ruleset("grants: [{who: root, roles: login-shell}]\n"), Shell(), "root").allowed


def test_a_person_of_the_host_has_the_grants_of_their_name_and_of_everyone() -> None:
    rules = ruleset("grants: [{who: carol, allow: {shell: true}}, {who: '*', allow: {exec: id}}]\n")
    assert ask(rules, Shell(), "carol").allowed
    assert ask(rules, Exec(b"id"), "carol").allowed
    assert not ask(rules, Exec(b"ls"), "carol").allowed
    assert not ask(rules, Shell(), "dave", "bob").allowed


def test_what_is_offered_first_follows_from_no_name() -> None:
    login = "login: [{who: '*', methods: publickey}, {account: root, methods: password}]\n"
    rules = ruleset(login)
    facts = Facts("root", None, None, "127.0.0.1:2222", "SSH-2.0-test", NOON)
    assert first_methods(rules, facts) == ("publickey", "password")


def test_a_name_that_the_host_may_have_is_taken_and_one_near_to_another_is_asked_about() -> None:
    loaded = load_text(PEOPLE + "grants: [{who: [carol, alise], roles: login-shell}]\n", "p.yaml")
    assert [problem.message for problem in loaded.warnings] == ["alise in who is no person of users"]


def test_a_person_without_keys_is_no_warning_where_the_host_may_have_some() -> None:
    text = (
        PEOPLE.replace("sources:", "  erin: {groups: ops}\nsources:")
        + "grants: [{who: group:ops, roles: login-shell}]\n"
    )
    assert load_text(text, "p.yaml").warnings == ()


def test_what_everyone_has_is_not_what_root_has() -> None:
    grants = "{who: alice, account: root, roles: login-shell}, {who: '*', roles: login-shell}"
    assert load_text(PEOPLE + f"grants: [{grants}]\n", "p.yaml").warnings == ()
    again = load_text(PEOPLE + SHELLS.replace("[", "[{name: other, who: '*', roles: login-shell}, "), "p.yaml")
    assert "gives nothing that other" in again.warnings[0].message


def test_an_account_that_is_named_alone_may_be_a_person_of_the_host() -> None:
    """Of whom `account` speaks is as little known as of whom `who` speaks: the entry is reached."""
    rules = ruleset(
        "login:\n"
        "  - {account: carol, who: system-group:ops, methods: publickey+password}\n"
        '  - {who: "*", unless: {who: carol}, methods: publickey}\n' + SHELLS
    )
    assert not ask(rules, LOGIN, "carol", groups=("staff",)).allowed
    decision = ask(rules, LOGIN, "carol", groups=("ops",))
    assert decision.allowed
    assert decision.reason == "login entry 1 goes on with password"
