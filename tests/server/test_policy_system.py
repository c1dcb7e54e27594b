"""The policy server over people of the host: looked up once, and never more than they are."""

import asyncio
from dataclasses import replace

import pytest

from pysshd.policy.people import Person
from pysshd.policy.query import UNKNOWN, UnixFacts
from pysshd.server.environment import Surroundings, session_environment
from pysshd.server.known import HostAccount, Known
from pysshd.server.plan import Account, LoginShell
from pysshd.ssh.events.userauth import Outcome
from tests.server.house import ALICE, BOB, House, line_of

POLICY = f"""
version: 1
server: {{accounts: system}}
users:
  alice: {{keys: ["{line_of(ALICE)}"]}}
sources: [{{system: {{min_uid: 1000}}, keys: [{{authorized_keys: ~/.ssh/authorized_keys}}], password: system}}]
login: [{{who: "*", methods: [publickey, password]}}]
grants: [{{who: "system-group:wheel", roles: login-shell}}]
"""


def account(name: str, uid: int = 1000, groups: tuple[str, ...] = ("wheel",), fault: str = "") -> HostAccount:
    facts = UnixFacts(name, uid, frozenset(groups), fault=fault)
    return HostAccount(facts, uid, uid, (uid,), f"/home/{name}", "/bin/bash", True)


def house(*accounts: HostAccount, people: tuple[str, ...] = (), fault: str = "") -> House:
    """A house where the host knows these accounts, and has these people."""
    made = House(POLICY)
    source = made.ruleset.source
    assert source is not None
    held = {name: source.person(name, made.ruleset.people.get(name)) for name in people}
    made.people.known = Known(held, {one.facts.name: one for one in accounts}, fault=fault)
    return made


def test_a_person_of_the_file_whom_the_host_knows() -> None:
    here = house(account("alice"))
    assert here.key("alice", ALICE) is Outcome.SUCCESS
    channel = here.session()
    assert here.server.check_channel_shell_request(channel)
    assert house(account("alice", groups=())).key("alice", ALICE) is Outcome.SUCCESS


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ((account("alice", fault="account alice is locked"),), "is locked"),
        ((), "the host has no account alice"),
        ((account("bob"),), "the host has no account alice"),
        ((account("alice", uid=0),), "no login entry matches"),
    ],
)
def test_whom_the_host_does_not_let_in(known: tuple[HostAccount, ...], why: str) -> None:
    here = house(*known)
    assert here.key("alice", ALICE) is Outcome.FAILURE
    assert why in here.last.reason
    assert here.password("alice") is Outcome.FAILURE


def test_a_look_up_that_failed_lets_nobody_in_and_says_why() -> None:
    here = house(fault="the account could not be looked up")
    assert here.key("alice", ALICE) is Outcome.FAILURE
    assert here.last.reason == "the account could not be looked up"
    assert here.key("alice", BOB) is Outcome.FAILURE
    assert "could not be looked up" in here.last.reason


@pytest.mark.security("S74")
def test_what_was_looked_up_stays_for_the_connection_and_is_asked_once() -> None:
    here = house(account("alice"), people=("alice",))
    assert here.probe("alice", BOB) is Outcome.FAILURE
    here.people.known = Known()
    assert here.key("alice", ALICE) is Outcome.SUCCESS
    assert here.people.asked == ["alice"]


@pytest.mark.security("S67")
def test_a_name_that_is_none_is_never_asked_about_but_costs_the_same() -> None:
    for name in ("../etc", "x" * 65, "a b", "-l"):
        here = house()
        assert asyncio.run(here.server.check_auth_password(name, "x")) == 2
        assert here.people.asked == [""]


def test_a_name_of_the_host_is_shown_in_the_log_and_nobody_s_is_not() -> None:
    here = house(account("carol", fault="account carol is locked"), fault="account carol is locked")
    assert here.key("carol", BOB) is Outcome.FAILURE
    assert (here.last.account, here.last.reason.partition(": ")[2]) == ("carol", "account carol is locked")
    here = house()
    assert here.key("hunter2", BOB) is Outcome.FAILURE
    assert "hunter2" not in f"{here.last.account} {here.last.reason}"


def test_a_password_of_a_person_of_the_host() -> None:
    here = house(account("carol", 1005), people=("carol",))
    here.people.ruleset = replace(here.people.ruleset, people={"carol": Person("carol")})
    assert here.password("carol") is Outcome.SUCCESS
    assert here.last.person == "carol"


def test_an_unknown_fact_of_the_account_refuses_the_login() -> None:
    facts = UnixFacts("alice", UNKNOWN, UNKNOWN)
    here = house(HostAccount(facts, 1000, 1000, (), "/home/alice", "/bin/sh"))
    assert here.key("alice", ALICE) is Outcome.FAILURE


@pytest.mark.security("S115")
def test_what_the_host_sets_says_nothing_of_who_somebody_is() -> None:
    of_host = (
        (b"PATH", b"/opt/bin"),
        (b"USER", b"root"),
        (b"SSH_CLIENT", b"x"),
        (b"LANG", b"C"),
        (b"SSH_AUTH_SOCK", b"x"),
    )
    one = Account("alice", 1000, 1000, (), "/home/alice", "/bin/sh", "alice", of_host)
    found = session_environment(one, LoginShell(False), Surroundings(), [(b"LC_ALL", b"C.UTF-8")])
    assert found == {
        b"PATH": b"/opt/bin",
        b"USER": b"alice",
        b"LOGNAME": b"alice",
        b"HOME": b"/home/alice",
        b"SHELL": b"/bin/sh",
        b"MAIL": b"/var/mail/alice",
        b"LANG": b"C",
        b"LC_ALL": b"C.UTF-8",
    }
