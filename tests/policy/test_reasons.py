"""The words of refusals: the log shows them to an administrator, and nothing else says what happened."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pysshd.policy.decide import decide
from pysshd.policy.query import (
    UNKNOWN,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Listen,
    Login,
    Pty,
    Query,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
    UnixFacts,
)
from tests.policy import support_net, test_system
from tests.policy.support import PASSWORD, PEOPLE, ask, facts, key_step, load, login

EVERYTHING = "server: {owner: alice}\ngrants: [{who: alice, roles: login-shell}]\n"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Session("tun@openssh.com"), "no channel of this kind may be opened by a client"),
        (Exec(b"ls\0"), "the command has a NUL"),
        (Subsystem(""), "the subsystem's name is of no form that is served"),
        (Pty("x\n"), "TERM is not of the form that is served"),
        (Signal("EIEIO", Shell()), "the signal is none of RFC 4254"),
        (Signal("INT", Exec(b"\0")), "the command has a NUL"),
        (Sftp("fly", b"/"), "no right of SFTP has this name"),
        (Sftp("list", b"in"), "the path is of no form that is served: it does not begin with '/'"),
        (Env("LD_PRELOAD", b"x"), "the variable is never accepted from a client"),
        (Connect("db", 0), "the port is none from 1 to 65535"),
        (
            Connect("127.1", 22),
            "the host is not served: it is a number, and not written as an address of four parts is",
        ),
        (Listen("localhost", 65536), "the port is none from 0 to 65535"),
        (Listen("db.corp", 22), "no name is looked up to listen on but localhost"),
        (ConnectUnix("x"), "the socket's path is not served: it is not absolute"),
    ],
)
def test_the_language_refuses(request_: Request, reason: str) -> None:
    found = ask(load(EVERYTHING), request_)
    assert (found.allowed, found.decided_by, found.reason) == (False, "the language", reason)


def test_there_is_only_what_leads_to_mounts() -> None:
    text = "grants: [{who: alice, allow: {sftp: {mounts: {/a/b: /srv}, paths: {'/**': all, /: all}}}}]\n"
    ruleset = support_net.language(text)
    found = ask(ruleset, Sftp("mkdir", b"/a"))
    assert (found.decided_by, found.reason) == ("the tree", "there is only what leads to mounts")
    assert ask(ruleset, Sftp("list", b"/a")).allowed
    assert ask(ruleset, Sftp("mkdir", b"/a/b/c")).allowed
    elsewhere = ask(ruleset, Sftp("list", b"/c"))
    assert (elsewhere.decided_by, elsewhere.reason) == ("the tree", "no folder is mounted there")


def test_who_does_not_stand_on_the_account() -> None:
    ruleset = load()
    assert login(ruleset, key_step(), account="../x").reason == "the account's name is of no form that is served"
    assert login(ruleset, key_step(), account="../x").decided_by == "p.yaml:4"
    assert login(ruleset, key_step(), account="carol").reason == "alice may not log in as this account"
    nobody = login(ruleset, key_step(), person=None)
    assert (nobody.reason, nobody.decided_by) == ("nobody is identified", "users")
    first = login(ruleset, PASSWORD, account="git").reason
    assert first == "a password first of all is only that of the person who has the account's name"
    late = load(people=PEOPLE.replace("bob: {", "bob: {not_after: 2026-01-01, "))
    found = login(late, key_step("bob"), person="bob")
    assert (found.reason, found.decided_by) == ("bob or a key of theirs is not valid at this time", "p.yaml:6")
    assert found.valid_until is None
    assert login(late, key_step("bob"), person="bob", now=datetime(2025, 12, 31, 12, tzinfo=UTC)).allowed


@pytest.mark.parametrize(
    ("unix", "reason"),
    [
        (None, "account alice could not be looked up"),
        (test_system.unix("nobody-there"), "account alice could not be looked up"),
        (replace(test_system.unix("alice"), uid=UNKNOWN), "account alice could not be looked up"),
        (replace(test_system.unix("alice"), uid=UNKNOWN, fault="the host said nothing in time"),
         "the host said nothing in time"),
        (replace(test_system.unix("alice"), fault="account alice is locked"), "account alice is locked"),
    ],
)  # fmt: skip
def test_whom_the_host_does_not_let_in(unix: UnixFacts | None, reason: str) -> None:
    rules = test_system.ruleset("grants: [{who: alice, roles: login-shell}]\n")
    known = replace(facts(), unix=unix)
    assert decide(rules, Query(known, Login((), key_step()))).reason == reason


def test_an_account_below_the_least_uid_is_written_in_the_file_or_left_out() -> None:
    rules = test_system.ruleset("grants: [{who: '*', roles: login-shell}]\n")
    person = rules.source.person("carol", None) if rules.source is not None else None
    assert person is not None
    step = Step("publickey", "SHA256:x", person.keys[0].label)
    known = replace(facts("carol", methods=(step,)), holder=person, unix=UnixFacts("carol", 499))
    found = decide(rules, Query(known, Login((), step)))
    assert (
        found.reason == "account carol has uid 499, below min_uid 500, and the file does not write its name for carol"
    )
    able = replace(known, unix=UnixFacts("carol", 500))
    assert decide(rules, Query(able, Login((), step))).allowed
