"""What is held by whom, in which order it is used, and the cases in which that is tried."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from pysshd.policy.conditions import Case
from pysshd.policy.diff_people import case_of_old
from pysshd.policy.diff_permissions import Session
from pysshd.policy.diff_sessions import Factor, Side, admits, environments, factors, orders, standing
from pysshd.policy.people import PersonKey, Window
from pysshd.policy.query import UNKNOWN, Step, UnixFacts, Unknown
from pysshd.policy.steps import Certificate
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON, PEOPLE
from tests.policy.test_diff import SYSTEM, side
from tests.policy.test_diff_certificates import STAFF

EVERY = f"""\
version: 1
users:
  amy:
    keys: ['{KEYS[0]}', {{name: two, key: '{KEYS[1]}', not_after: 2027-01-01}}, {{file: more.pub}}]
    password: '{HASH}'
    totp: {{secret_file: t}}
login: [{{methods: [publickey+password, password+totp]}}]
"""


def test_what_somebody_holds() -> None:
    """Of a file that was not read any key, and each that a condition names."""
    policy = side(EVERY, "p.yaml")
    found = factors(policy, policy.ruleset.people["amy"], ["SHA256:b", "SHA256:a"])
    assert [(one.method, one.identity, one.fingerprint, str(one)) for one in found] == [
        ("publickey", ("key", FINGERPRINTS[0]), FINGERPRINTS[0], f"the key {FINGERPRINTS[0]}"),
        ("publickey", ("key", FINGERPRINTS[1]), FINGERPRINTS[1], f"the key {FINGERPRINTS[1]} (two)"),
        ("publickey", ("file", "more.pub", "file", "more.pub"), None, "the key of more.pub"),
        ("publickey", ("key", "SHA256:a", "file", "more.pub"), "SHA256:a", "the key SHA256:a"),
        ("publickey", ("key", "SHA256:b", "file", "more.pub"), "SHA256:b", "the key SHA256:b"),
        ("password", ("password", HASH), None, "another password"),
        ("totp", ("totp", "t"), None, "another totp"),
    ]
    assert [one.step.key for one in found] == [
        *FINGERPRINTS[:2], "SHA256:of-a-key-that-was-not-read", "SHA256:a", "SHA256:b", None, None,
    ]  # fmt: skip
    assert factors(policy, None, ["SHA256:b"]) == ()


def test_every_way_through_the_chains() -> None:
    policy = side(EVERY, "p.yaml")
    held = factors(policy, policy.ruleset.people["amy"], ())
    one, two, more, password, totp = held
    assert list(orders(policy, held)) == [(one, password), (two, password), (more, password), (password, totp)]
    certificate = Factor("certificate", ("c",), certificate=Certificate("ca", "amy", frozenset(["amy"])))
    twice = replace(policy.ruleset.login[0], chains=(("publickey", "certificate"),))
    both = Side(replace(policy.ruleset, login=(twice,)))
    assert (one, certificate) in list(orders(both, (one, certificate)))
    assert list(orders(both, (certificate,))) == []


STEP = "SHA256:of-a-key-that-is-certified"


@pytest.mark.parametrize(("fingerprint", "key"), [(None, STEP), ("SHA256:x", "SHA256:x")])
def test_the_step_of_a_certificate(fingerprint: str | None, key: str) -> None:
    said = Certificate("ca", "amy", frozenset(["amy"]))
    assert Factor("certificate", ("c",), fingerprint, certificate=said).step == Step("publickey", key, None, said)


Told = tuple[str, str, str, str, str]


def cases(new: str, old: str, before: str = PEOPLE, after: str = PEOPLE) -> list[Told]:
    """Of bob: the account and its uid, the source, the day, and the listener by both names; the groups where known."""
    here, there = side(after + new, "new.yaml"), side(before + old, "old.yaml")
    entries = [entry.conditions for one in (here, there) for entry in one.ruleset.login]
    entries += [grant.conditions for one in (here, there) for grant in one.ruleset.grants]
    person, was = here.ruleset.people["bob"], there.ruleset.people.get("bob")
    keys = (*factors(here, person, ()), *factors(there, was, ()))
    return [
        (case.account, f"{case.source}", f"{case.now:%m-%d}", f"{case.listener} {listener}", unix_of(case))
        for case, listener in environments(here, there, person, was, entries, keys)
    ]


def unix_of(case: Case) -> str:
    assert case.unix is not None
    groups = case.unix.groups
    told = "?" if isinstance(groups, Unknown) else ",".join(sorted(groups))
    return f"{'root' if case.unix.uid == 0 else ''}{told}"


HERE = "127.0.0.1:2222 127.0.0.1:2222"
GROUP = "grants: [{who: '%s', allow: {pty: true}}]\n"
LATE = "bob: {not_after: 2027-01-01, "


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ("", "", [("None", HERE)]),
        (GROUP.replace("who: '%s'", "from: 10.0.0.0/8"), "",
         [(source, HERE) for source in ("10.0.0.0", "11.0.0.0", "0.0.0.0", "::", "None", str(UNKNOWN))]),
        # Listeners where one is asked for, each by what the old policy calls it.
        ("server: {listen: ['*:22', '*:23']}\n", "", [("None", "*:22 *:22")]),
        (GROUP.replace("who: '%s'", "listener: '*:22'") + "server: {listen: ['*:22', '*:23']}\n",
         "server: {listen: ['127.0.0.1:22', '0.0.0.0:22', '[::1]:24']}\n",
         [("None", f"*:{one}") for one in ("22 127.0.0.1:22", "22 0.0.0.0:22", "23 *:23")]),
    ],
)  # fmt: skip
def test_the_sources_and_listeners_that_are_tried(new: str, old: str, expected: list[tuple[str, str]]) -> None:
    assert sorted((source, listener) for _, source, _, listener, _ in cases(new, old)) == sorted(expected)


@pytest.mark.parametrize(
    ("before", "after", "accounts", "days"),
    [
        ("bob: {", "bob: {", ["bob"], ["01-01"]),
        ("bob: {", "bob: {accounts: [bob, git, x], ", ["bob", "git", "x"], ["01-01"]),
        ("bob: {accounts: [bob, git, x], ", "bob: {accounts: [bob, git, x], ", ["bob", "git"], ["01-01"]),
        ("bob: {accounts: [bob, git], ", "bob: {accounts: [bob, git, x], ", ["bob", "x", "git"], ["01-01"]),
        ("bob: {", LATE, ["bob"], ["01-01", "01-02"]),
        (LATE, "bob: {", ["bob"], ["01-01", "01-02"]),
        ("dan: {", LATE, ["bob"], ["01-01", "01-02"]),
    ],
)
def test_the_accounts_and_times_that_are_tried(before: str, after: str, accounts: list[str], days: list[str]) -> None:
    """Of the accounts that both policies give, those that nothing tells apart count as one."""
    found = cases("", "", *(PEOPLE.replace("bob: {", one) for one in (before, after)))
    assert sorted({account for account, *_ in found}) == sorted(accounts)
    assert sorted({day for _, _, day, *_ in found}) == days


@pytest.mark.parametrize(
    ("new", "old", "people", "expected"),
    [
        (GROUP % "bob", GROUP % "group:ops", PEOPLE, [""]),
        (GROUP % "*", "", PEOPLE, [""]),
        (GROUP % "*", "", SYSTEM, ["", "root"]),
        (GROUP % "system-group:g", GROUP % "system-group:h", SYSTEM,
         ["", "g", "h", "g,h", "?"]),
        # Whoever is uid 0 is another case where an entry means everybody else.
        (GROUP % "system-group:g", GROUP % "*", SYSTEM, ["", "g", "?", "root", "rootg", "root?"]),
    ],
)  # fmt: skip
def test_the_accounts_of_the_host_that_are_tried(new: str, old: str, people: str, expected: list[str]) -> None:
    login = "login: [{who: [bob], methods: publickey}]\n"
    assert sorted(told for *_, told in cases(login + new, login + old, people, people)) == sorted(expected)


CASE = Case(None, "git", ip_address("10.0.0.1"), "127.0.0.1:2222", NOON)


def test_the_case_as_the_old_policy_has_it() -> None:
    policy = side(SYSTEM.replace("bob: {", "bob: {accounts: [bob, git], run_as: backup, "), "p.yaml")
    bob = policy.ruleset.people["bob"]
    unix = UnixFacts("bob", 1000, frozenset(["g"]))
    known = replace(CASE, account="bob", unix=unix)
    assert case_of_old(known, "x", bob) == replace(known, listener="x", unix=replace(unix, name="backup"))
    assert case_of_old(known, "x", None) == replace(known, listener="x")
    assert case_of_old(replace(known, unix=None), "x", bob) == replace(known, listener="x", unix=None)


KEY = PersonKey("k", fingerprint="SHA256:k")
NAMED = PersonKey("laptop", fingerprint="SHA256:k", name="laptop")


def test_the_words_that_fill_the_slots_of_key_and_principal() -> None:
    staff = side(PEOPLE + STAFF, "p.yaml").ruleset.authorities["staff"]
    password = Factor("password", ("p",))
    certificate = Factor("certificate", ("c",), "SHA256:c", certificate=Certificate("staff", "amy", frozenset(["web"])),
                         authority=staff)  # fmt: skip
    both = replace(certificate, certificate=Certificate("staff", "amy", frozenset(["web", "deploy"])))
    case = replace(CASE, account="deploy")  # which `web` opens, and the principal of its name
    for steps, words in (
        ((), ("", "")),
        ((password,), ("", "")),
        ((Factor("publickey", ("k",), "SHA256:k", KEY),), ("SHA256:k", "")),
        ((password, Factor("publickey", ("k",), "SHA256:k", NAMED)), ("laptop", "")),
        ((Factor("publickey", ("k",), None, PersonKey("k", file="k")),), ("", "")),
        ((password, certificate), ("SHA256:c", "web")),
        ((replace(certificate, fingerprint=None),), ("", "web")),
        ((replace(certificate, authority=None),), ("SHA256:c", "")),
        ((both,), ("SHA256:c", "")),
    ):
        assert Session(case, steps).words == words


def test_who_could_stand_on_an_account() -> None:
    policy = side(PEOPLE, "p.yaml")
    alice = policy.ruleset.people["alice"]
    key, password = Factor("publickey", ("k",), "SHA256:k", KEY), Factor("password", ("p",))
    late = replace(key, key=replace(KEY, window=Window(None, NOON)))
    for person, account, steps, stands in (
        (alice, "alice", (key,), True),
        (alice, "git", (key, password), True),
        (alice, "git", (password, key), False),
        (alice, "alice", (password,), True),
        (alice, "git", (password,), False),
        (alice, "bob", (key,), False),
        (alice, "alice", (), False),
        (alice, "alice", (late,), False),
        (alice, "alice", (key, late), False),
        (replace(alice, window=Window(None, NOON)), "alice", (key,), False),
        (replace(alice, certified=True), "alice", (key,), False),
        (None, "alice", (key,), False),
    ):
        assert standing(policy, person, replace(CASE, account=account), steps) is stands


def test_a_login_that_is_over_does_not_go_on_by_another_entry() -> None:
    """The entry that decides after the first step knows no such chain, whichever decides after the second."""
    login = "login: [{unless: {who: key:laptop}, methods: publickey}, {methods: password+publickey}]\n"
    policy = side(PEOPLE + login, "p.yaml")
    alice = policy.ruleset.people["alice"]
    key, password = Factor("publickey", ("k",), "SHA256:k", NAMED), Factor("password", ("p",))
    case = replace(CASE, account="alice")
    assert admits(policy, alice, case, (password, key)) is None
    other = side(PEOPLE + login.replace("methods: publickey}", "methods: [publickey, password+publickey]}"), "p.yaml")
    assert admits(other, alice, case, (password, key)) is other.ruleset.login[1]
    assert admits(other, alice, case, (password,)) is None
    assert admits(other, alice, case, (replace(key, key=KEY),)) is other.ruleset.login[0]
    assert admits(other, alice, case, (replace(key, key=KEY), password)) is None


@pytest.mark.parametrize(
    ("server", "unix", "stands"),
    [
        ("{accounts: system, min_uid: 1000}", UnixFacts("db", 1000, frozenset()), True),
        ("{accounts: system, min_uid: 1000}", UnixFacts("db", 999, frozenset()), False),
        ("{accounts: system, min_uid: 999}", UnixFacts("db", 999, frozenset()), True),
        # What the file writes by its name, and what is not known, is not held to it.
        ("{accounts: system, min_uid: 1000}", UnixFacts("git", 999, frozenset()), True),
        ("{accounts: system, min_uid: 1000}", UnixFacts("db", UNKNOWN, frozenset()), True),
        ("{accounts: system, min_uid: 1000}", None, True),
        ("{owner: bob}", UnixFacts("db", 999, frozenset()), True),
    ],
)
def test_an_account_of_the_host_below_the_least_uid(server: str, unix: UnixFacts | None, stands: bool) -> None:
    policy = side(PEOPLE.replace("users:", f"server: {server}\nusers:"), "p.yaml")
    case = replace(CASE, account="alice", unix=unix)
    key = Factor("publickey", ("k",), "SHA256:k", KEY)
    assert standing(policy, policy.ruleset.people["alice"], case, (key,)) is stands
