"""Commands as lists with slots: which requests they permit, deny and run, and what is odd about them."""

import pytest

from pysshd.policy.query import Exec, Signal
from pysshd.policy.ways import ShellCommand, Words
from tests.policy.support import ask, load, messages

LISTS = """
roles:
  operator:
    exec:
      - [systemctl, {enum: [status, restart]}, {regex: "[a-z-]+\\\\.service"}]
      - [tail, -n, {regex: "[0-9]{1,4}"}, {path_under: /var/log}]
      - [ls, "*.txt", "a b"]
      - [cat, {path_under: "/srv/{user}"}]
    confined: true
grants: [{who: "*", roles: operator}]
"""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (b"systemctl status ssh.service", (b"systemctl", b"status", b"ssh.service")),
        (b"systemctl 'restart' \"ssh.service\"", (b"systemctl", b"restart", b"ssh.service")),
        (b"systemctl stop ssh.service", None),
        (b"systemctl status ssh", None),
        (b"systemctl status -x.service", None),
        (b"systemctl status", None),
        (b"systemctl status ssh.service; id", None),
        (b"tail -n 10 /var/log/syslog", (b"tail", b"-n", b"10", b"/var/log/syslog")),
        (b"tail -n 10 /var/log/../../etc/shadow", None),
        (b"tail -n 10 syslog", None),
        (b"tail -n 10000 /var/log/syslog", None),
        (b"tail -f 10 /var/log/syslog", None),
        (b"ls x.txt 'a b'", (b"ls", b"x.txt", b"a b")),
        (b"ls -x.txt 'a b'", None),
        (b"ls x.txt a b", None),
        (b"cat /srv/alice/x", (b"cat", b"/srv/alice/x")),
        (b"cat /srv/bob/x", None),
        (b"cat /srv/{user}/x", None),
    ],
)
def test_which_commands_a_list_permits(command: bytes, words: tuple[bytes, ...] | None) -> None:
    found = ask(load(LISTS), Exec(command))
    assert found.way == (Words(words, True) if words is not None else None)
    assert ask(load(LISTS), Signal("INT", Exec(command))).allowed is (words is not None)


def test_a_list_behind_exec_is_a_list_of_items() -> None:
    """`[uptime, "df *"]` is two commands; the words of one command are a list inside of it."""
    ruleset = load('grants: [{who: alice, allow: {exec: [uptime, "df *", [id, alice]], confined: true}}]')
    allowed = [command for command in (b"uptime", b"df x", b"id alice", b"uptime df", b"id") if
               ask(ruleset, Exec(command)).allowed]  # fmt: skip
    assert allowed == [b"uptime", b"df x", b"id alice"]


def test_lists_rank_as_words() -> None:
    both = "grants: [{who: alice, allow: {exec: [any, {literal: ls a}, [ls, {enum: a}]], confined: true}}]"
    assert ask(load(both), Exec(b"ls a")).way == Words((b"ls", b"a"), True)
    assert ask(load(both), Exec(b"ls b")).way == ShellCommand(b"ls b", True)


@pytest.mark.parametrize(
    "command",
    [
        b"cat /etc/shadow",
        b"cat /etc/../etc/shadow",
        b"cat shadow",
        b"cat ../etc/shadow",
        b"cat -n",
        b"cat /srv/../etc/x",
    ],
)
def test_a_deny_of_a_folder_touches_whatever_could_lead_there(command: bytes) -> None:
    ruleset = load(
        'grants: [{who: alice, allow: {exec: ["cat *", [cat, -n], "cat */*"], confined: true}},\n'
        "  {who: alice, deny: {exec: [[cat, {path_under: /etc}]]}}]"
    )
    assert not ask(ruleset, Exec(command)).allowed
    assert ask(ruleset, Exec(b"cat /var/log/x")).allowed


def test_a_deny_of_an_expression_touches_what_no_slot_would_take() -> None:
    ruleset = load(
        'grants: [{who: alice, allow: {exec: [[id, "-x"], [id, {regex: "[-x]+"}]], confined: true}},\n'
        '  {who: alice, deny: {exec: [[id, {regex: "-x"}]]}}]'.replace('"-x"}', '"-?x"}')
    )
    assert not ask(ruleset, Exec(b"id -x")).allowed
    assert not ask(ruleset, Exec(b"id x")).allowed
    assert ask(ruleset, Exec(b"id xx")).allowed


def test_lists_clash_as_words_do() -> None:
    text = messages(
        "grants:\n"
        "  - {who: alice, allow: {exec: [[cat, {path_under: /srv}]], confined: true}}\n"
        '  - {who: alice, allow: {exec: [[cat, {regex: "/srv/.*"}]]}}\n'
    )
    assert "would both answer exec 'cat /srv/x' of alice" in text
    apart = load(
        "server: {owner: alice}\n"
        "grants:\n"
        "  - {who: alice, allow: {exec: [[cat, {path_under: /srv}]], confined: true}}\n"
        '  - {who: alice, allow: {exec: [[cat, {regex: "/etc/.*"}]]}}\n'
    )
    assert ask(apart, Exec(b"cat /etc/x")).way == Words((b"cat", b"/etc/x"), False)


def test_a_clash_with_a_forced_command_shows_a_command() -> None:
    text = messages(
        "grants:\n"
        "  - {who: alice, allow: {forced: [serve], confined: true}}\n"
        "  - {who: alice, allow: {exec: [[cat, {path_under: /srv}]], confined: true}}\n"
    )
    assert "would both answer exec 'cat /srv/x'" in text
