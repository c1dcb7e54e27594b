"""Guests, `none`, one-time passwords and PAM in the engine."""

import pytest

from pysshd.policy.decide import decide, first_methods
from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Facts, Login, Pty, Query, Step, UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways import LoginWay
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON, PASSWORD

PEOPLE = f"""\
version: 1
groups: [ops, visitors]
users:
  alice: {{groups: ops, keys: ["{KEYS[0]}"], accounts: [alice, git], totp: {{secret_file: totp/alice}}}}
  bob: {{keys: ["{KEYS[1]}"], password: "{HASH}"}}
  guest: {{groups: visitors, names: ["*"]}}
"""
LOGIN = "login: [{who: guest, methods: none}, {methods: [publickey, password, totp]}]\n"
PTY = "grants: [{{{}, allow: {{pty: true}}}}]\n"
NONE, TOTP, PAM = Step("none"), Step("totp"), Step("pam")
KEY = Step("publickey", FINGERPRINTS[0])


def load(more: str = LOGIN, people: str = PEOPLE) -> Ruleset:
    return load_text(people + more, "p.yaml", language=True).ruleset


def errors(more: str, people: str = PEOPLE) -> str:
    with pytest.raises(PolicyError) as caught:
        load_text(people + more, "p.yaml", language=True)
    return "\n".join(problem.message for problem in caught.value.problems if problem.severity == "error")


def facts(person: str | None, account: str | None = None, steps: tuple[Step, ...] = ()) -> Facts:
    return Facts(account or person or "x", person, None, "127.0.0.1:2222", "SSH-2.0-x", NOON, steps)


def enter(ruleset: Ruleset, person: str, *steps: Step, account: str | None = None) -> Decision:
    return decide(ruleset, Query(facts(person, account), Login(tuple(steps[:-1]), steps[-1])))


def pty(ruleset: Ruleset, person: str, *steps: Step, account: str | None = None) -> bool:
    return decide(ruleset, Query(facts(person, account, steps), Pty("xterm"))).allowed


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("anybody", ""),
        ("guest", ""),  # that is the entry's name, and no account of anybody
        ("alice", "guest may not log in as this account"),
        ("git", "guest may not log in as this account"),
        ("../x", "the account's name is of no form that is served"),
    ],
)
def test_guests_take_the_names_that_nobody_has(account: str, reason: str) -> None:
    found = enter(load(), "guest", NONE, account=account)
    assert (found.reason if not found.allowed else "") == reason


def test_patterns_of_names() -> None:
    ruleset = load(people=PEOPLE.replace('["*"]', '["anon-*", ftp]'))
    assert enter(ruleset, "guest", NONE, account="anon-1").allowed
    assert enter(ruleset, "guest", NONE, account="ftp").allowed
    assert not enter(ruleset, "guest", NONE, account="anybody").allowed


def test_two_kinds_of_guests() -> None:
    people = PEOPLE.replace('["*"]', '"anon-*"') + "  robot: {names: ['bot-?', 'crawler*']}\n"
    ruleset = load("login: [{who: [guest, robot], methods: none}]", people)
    assert enter(ruleset, "robot", NONE, account="bot-1").allowed
    assert not enter(ruleset, "robot", NONE, account="anon-1").allowed


def test_a_star_leaves_out_guests() -> None:
    for who, allowed in (("who: '*'", False), ("account: anybody", False), ("who: ['*', guest]", True),
                         ("who: group:visitors", True), ("who: guest", True)):  # fmt: skip
        assert pty(load(LOGIN + PTY.format(who)), "guest", NONE, account="anybody") is allowed
        assert pty(load(LOGIN + PTY.format(who)), "alice", KEY) is ("*" in who)


def test_a_deny_and_a_refusal_leave_out_nobody() -> None:
    ruleset = load(LOGIN + "grants: [{who: ['*', guest], allow: {pty: true}}, {account: anybody, deny: all}]")
    assert not pty(ruleset, "guest", NONE, account="anybody")
    assert pty(ruleset, "guest", NONE, account="other")
    refusing = load("login: [{who: '*', from: 10.0.0.0/8, refuse: true}, {who: guest, methods: none}]")
    assert enter(refusing, "guest", NONE, account="other").allowed
    assert not enter(
        load("login: [{who: bob, methods: publickey}, {refuse: true}]"), "guest", NONE, account="x"
    ).allowed


def test_inside_unless_it_is_the_reverse() -> None:
    allow = load(LOGIN + PTY.format("who: guest, unless: {who: '*'}"))
    assert not pty(allow, "guest", NONE, account="x")
    deny = load(LOGIN + "grants: [{who: guest, allow: {pty: true}}, {unless: {who: '*'}, deny: all}]")
    assert not pty(deny, "guest", NONE, account="x")


def test_without_a_login_section_guests_stay_out() -> None:
    assert enter(load(""), "guest", NONE, account="x").reason == "no login entry matches"
    assert enter(load(""), "alice", KEY).allowed


def test_the_trace_says_who_is_left_out() -> None:
    ruleset = load(LOGIN + PTY.format("from: 10.0.0.0/8"))
    [tried] = decide(ruleset, Query(facts("guest", "x", (NONE,)), Pty("xterm")), trace=True).trace
    assert tried.failed == "who: absent, so guests are not meant"


def test_what_is_offered_does_not_follow_from_the_name() -> None:
    ruleset = load()
    assert {first_methods(ruleset, facts(None, account)) for account in ("alice", "x", "guest")} == {
        ("none", "publickey", "password", "totp")
    }
    after = load("login: [{who: '*', methods: publickey}, {who: guest, methods: none}]")
    assert first_methods(after, facts(None, "x")) == ("publickey", "none")


def test_none_for_a_person_is_for_their_own_name() -> None:
    ruleset = load("login: [{who: [alice, bob], methods: none}]")
    assert enter(ruleset, "alice", NONE).way == LoginWay(True)
    assert "first of all is only that of the person" in enter(ruleset, "alice", NONE, account="git").reason


def test_one_time_passwords() -> None:
    ruleset = load("login: [{methods: [publickey+totp, totp+password, password+totp]}]")
    assert enter(ruleset, "alice", KEY).way == LoginWay(False, ("totp",))
    assert enter(ruleset, "alice", KEY, TOTP).way == LoginWay(True)
    assert enter(ruleset, "alice", KEY, TOTP, account="git").allowed
    assert enter(ruleset, "bob", PASSWORD, TOTP).reason == "bob has no totp"
    assert enter(ruleset, "alice", TOTP, account="git").reason.startswith("a totp first of all is only that of")
    assert enter(ruleset, "alice", TOTP, TOTP).reason == "a totp counts once"
    assert ruleset.people["alice"].totp is not None
    with_totp = load("login: [{methods: publickey+totp}]\n" + PTY.format("who: alice, with: totp"))
    assert pty(with_totp, "alice", KEY, TOTP)
    assert not pty(with_totp, "alice", KEY)


def test_pam_asks_about_an_account_of_the_host() -> None:
    people = PEOPLE.replace("version: 1\n", "version: 1\nserver: {accounts: system}\n").replace(
        'names: ["*"]', 'names: ["*"], run_as: nobody'
    )
    ruleset = load("login: [{methods: [publickey+pam, pam]}]", people)
    unix = UnixFacts("bob", 1001)
    steps = (PAM,)
    query = Query(Facts("bob", "bob", None, "x", "y", NOON, unix=unix), Login(steps[:-1], steps[-1]))
    assert decide(ruleset, query).allowed
    assert "method pam needs accounts: system" in errors("login: [{methods: pam}]")


@pytest.mark.parametrize(
    ("more", "people", "message"),
    [
        (
            "login: [{methods: none}]",
            PEOPLE,
            "none admits nobody here: whom nothing has to prove must be named in who",
        ),
        (
            "login: [{who: ['*', guest], methods: [none, publickey]}]",
            PEOPLE,
            "none admits nobody here: whom nothing has to prove must be named in who",
        ),
        (
            "login: [{who: guest, methods: none+publickey}]",
            PEOPLE,
            "none stands beside other steps: it asks for nothing",
        ),
        ("login: [{methods: totp+totp}]", PEOPLE, "totp stands twice in one chain: no secret counts twice"),
        ("login: [{methods: certificate}]", PEOPLE, "method certificate without authorities: nobody could have one"),
        (
            "",
            PEOPLE.replace("names:", "accounts: [x], names:"),
            "accounts beside names: guests come under the names that nobody has",
        ),
        ("", PEOPLE + "  other: {names: ['a*']}\n", "names of other and of guest at p.yaml:6 both take 'a'"),
        (
            "",
            PEOPLE.replace("version: 1", "version: 1\nserver: {owner: guest}"),
            "owner guest stands for guests, and the owner is the daemon's own user",
        ),
        (
            "",
            PEOPLE.replace("version: 1", "version: 1\nserver: {accounts: system}"),
            "guests need run_as with accounts: system: the host has no account of a name that nobody has",
        ),
        (
            "sources: [{system: {min_uid: 1000}, password: system}]",
            PEOPLE.replace("version: 1", "version: 1\nserver: {accounts: system}"),
            (
                "names beside sources of the host or of a program: which names its people have is not known "
                "before somebody asks"
            ),
        ),
        (
            "grants: [{who: guest, roles: login-shell}]",
            PEOPLE,
            (
                "guest may run a program that is not confined, "
                "shell: true (built-in role login-shell), and "
                "with accounts: service that is to be the "
                "daemon's own user; only one person may be that"
            ),
        ),
        (
            "login: [{who: guest, from: 10.0.0.0/8, methods: password}, {who: guest, methods: none}]",
            PEOPLE,
            "guest is held to password by p.yaml:7, but this entry admits guest from 11.0.0.0 with less: none",
        ),
        (
            "login: [{who: '*', methods: publickey}, {who: '*', account: x, methods: none}]",
            PEOPLE,
            "login entry is never reached: there is nobody whom it matches",
        ),
    ],
)
def test_refused(more: str, people: str, message: str) -> None:
    assert message in errors(more, people).splitlines()


def test_an_entry_for_guests_is_reached_after_one_for_everybody() -> None:
    load("login: [{who: '*', methods: publickey}, {who: guest, methods: none}]")
    load("login: [{who: '*', methods: publickey}, {who: guest, account: ftp, methods: none}]")


def test_guests_and_people_clash_only_where_they_meet() -> None:
    load(
        LOGIN + "grants: [{who: guest, allow: {forced: [a], confined: true}}, "
        "{who: '*', allow: {forced: [b], confined: true}}]"
    )
    assert "clash" in errors(
        LOGIN + "grants: [{who: guest, allow: {forced: [a], confined: true}}, "
        "{who: group:visitors, account: anybody, allow: {forced: [b], confined: true}}]"
    )


def test_it_is_not_served() -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(PEOPLE + LOGIN)
    assert [problem.message.split(" is ")[0] for problem in caught.value.problems] == [
        "key 'totp'", "key 'names'", "method 'none'", "method 'totp'"
    ]  # fmt: skip
    assert {problem.severity for problem in caught.value.problems} == {"unserved"}
