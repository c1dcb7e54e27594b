"""Clashes are refused; what the file excludes is none; and what is ranked or alike is none either."""

import pytest

from pysshd.policy.query import Exec, Shell
from pysshd.policy.ways import Words
from tests.policy.support import FINGERPRINTS, ask, load, messages

FORCED = "{forced: [a], confined: true}"
SHELL = "{shell: true, confined: true}"


def grants(*entries: str) -> str:
    return "networks: {office: 10.0.0.0/8}\ngrants:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def test_both_lines_and_a_request_are_told() -> None:
    text = messages(
        grants(f"name: a, who: alice, allow: {FORCED}", f"name: b, who: alice, from: office, allow: {SHELL}")
    )
    assert text == (
        "clash: shell: true (confined) here and forced: [a] (confined) at p.yaml:10 would both answer shell of "
        "alice from 10.0.0.0 (a at p.yaml:10, b at p.yaml:11)"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # of two people
        ("who: alice", "who: bob"),
        ("who: group:dba", "who: bob"),
        # of two accounts, listeners, times, sources, methods, keys
        ("who: alice, account: git", "who: alice, account: alice"),
        ("who: alice, unless: {account: git}", "who: alice, account: git"),
        ('listener: "127.0.0.1:2222"', 'listener: "[::1]:2222"'),
        ('listener: "127.0.0.1:2222"', 'unless: {listener: "127.0.0.1:2222"}'),
        ("not_after: 2026-12-31", "not_before: 2027-01-01"),
        ("from: office", "from: 11.0.0.0/8"),
        ("from: office", "unless: {from: 10.0.0.0/8}"),
        ("from: [10.0.0.0/9, 10.128.0.0/9]", "unless: {from: office}"),
        ("from: office", "unless: {from: 0.0.0.0/0}"),
        ("with: publickey", "with: password"),
        ("with: publickey", "unless: {with: publickey}"),
        ("who: key:laptop", "who: alice, unless: {who: key:laptop}"),
        ("who: key:laptop", f"who: 'key:{FINGERPRINTS[1]}'"),
        ("who: alice, unless: {from: office, account: git}", "who: alice, from: 10.1.0.0/16, account: git"),
    ],
)
def test_what_the_file_excludes_is_no_clash(first: str, second: str) -> None:
    load(grants(f"{first}, allow: {FORCED}", f"{second}, allow: {SHELL}"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("who: alice", "who: group:ops"),
        ("who: alice, account: git", "who: alice"),
        ("from: office", "unless: {from: 10.0.0.0/9}"),
        ("from: office", "from: 10.255.255.255"),
        ("from: office", "unless: {from: 10.0.0.0/8, account: git}"),
        ("not_after: 2027-01-01", "not_before: 2027-01-01"),
        ("with: publickey", "from: office"),
        ("with: publickey", "with: [password, publickey]"),
        ("who: key:laptop", "who: alice"),
        ("unless: {from: office}", "unless: {from: 11.0.0.0/8}"),
        ("unless: {from: office}", 'unless: {from: ["::/0", 0.0.0.0/0]}'),
        ("who: alice", 'who: "*", unless: {who: group:ops, from: office}'),
    ],
)
def test_what_it_does_not_exclude_is(first: str, second: str) -> None:
    assert "clash" in messages(grants(f"{first}, allow: {FORCED}", f"{second}, allow: {SHELL}"))
    assert "clash" in messages(grants(f"{second}, allow: {SHELL}", f"{first}, allow: {FORCED}"))


def test_two_keys_of_one_login_meet() -> None:
    login = 'login: [{who: "*", methods: publickey+publickey}]\n'
    pair = grants(f"who: key:laptop, allow: {FORCED}", f"who: 'key:{FINGERPRINTS[1]}', allow: {SHELL}")
    assert "by the key" in messages(login + pair)


def test_methods_meet_only_where_a_chain_has_both() -> None:
    pair = grants(f"who: alice, with: publickey, allow: {FORCED}", f"who: alice, with: password, allow: {SHELL}")
    load('login: [{who: "*", methods: [publickey, password]}]\n' + pair)
    assert "with publickey+password" in messages('login: [{who: "*", methods: publickey+password}]\n' + pair)


@pytest.mark.parametrize(
    ("first", "second", "request_"),
    [
        ("forced: [a]", "forced: [b]", "shell"),
        ("forced: [a, '{user}']", "forced: [a, '{account}']", "shell"),
        ("forced: [a]", "exec: [any]", "exec of anything"),
        ("forced: [a]", 'exec: "ls *"', "exec 'ls x'"),
        ("forced: [a]", "subsystems: {sftp: b}", "subsystem sftp"),
        ("shell: true", "shell: [menu]", "shell"),
        ("shell: [a]", "shell: [b]", "shell"),
        ("subsystems: {sftp: a}", "subsystems: {sftp: b}", "subsystem sftp"),
        ("shell: true, env: {set: {A: x}}", "shell: true, env: {set: {A: y}}", "a session with A"),
    ],
)
def test_pairs_that_clash(first: str, second: str, request_: str) -> None:
    text = messages(grants(*(f"who: alice, allow: {{{one}, confined: true}}" for one in (first, second))))
    assert f"would both answer {request_} of alice" in text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("forced: [a]", "forced: [a]"),
        ("forced: [a]", "forced: [a], pty: true"),
        ("shell: true", "shell: true, exec: any"),
        ("shell: [a]", "shell: [a], subsystems: {sftp: x}"),
        ("exec: any", "exec: [ls, {literal: ls}]"),
        ('exec: "ls *"', 'exec: "* -l"'),
        ("subsystems: {a: x}", "subsystems: {b: y}"),
        ("shell: true, env: {set: {A: x}}", "shell: true, env: {set: {A: x, B: y}}"),
        ("shell: true, signals: none", "shell: true, signals: [INT]"),
    ],
)
def test_pairs_that_do_not(first: str, second: str) -> None:
    load(grants(*(f"who: alice, allow: {{{one}, confined: true}}" for one in (first, second))))


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("exec: any", "exec: any", True),
        ("shell: true", "shell: true", True),
        ("forced: [a]", "forced: [a]", True),
        ("exec: {literal: a}", "exec: {literal: a}", True),
        ("exec: {literal: a}", "exec: {literal: b}", False),
        ('exec: "systemctl status *"', 'exec: "systemctl * nginx"', True),
        ('exec: "systemctl status *"', 'exec: "systemctl restart *"', False),
        ('exec: "a *"', 'exec: "a -*"', False),
        ('exec: "a *"', "exec: a ''", False),
        ("exec: ls", "exec: any", False),
        ("exec: ls", "exec: {literal: ls}", False),
    ],
)
def test_confined_and_unconfined_are_two_ways(first: str, second: str, clash: bool) -> None:
    document = "server: {owner: alice}\n" + grants(
        f"who: alice, allow: {{{first}, confined: true}}", f"who: alice, allow: {{{second}}}"
    )
    if clash:
        assert "clash" in messages(document)
    else:
        load(document)


def test_words_are_taken_before_anything() -> None:
    ruleset = load(
        "server: {owner: alice}\n"
        + grants("who: alice, allow: {exec: any}", 'who: alice, allow: {exec: "ls *", confined: true}')
    )
    assert ask(ruleset, Exec(b"ls x")).way == Words((b"ls", b"x"), True)
    assert not ask(ruleset, Shell()).allowed


def test_a_denied_way_still_clashes() -> None:
    assert "clash" in messages(
        grants(f"who: alice, allow: {FORCED}", f"who: alice, allow: {SHELL}", "who: alice, deny: {shell: true}")
    )


def test_each_pair_of_lines_is_told_once() -> None:
    text = messages(grants(f'who: "*", allow: {FORCED}', f'who: "*", allow: {SHELL}'))
    assert text.count("clash") == 1
