"""`user_defaults`: what an entry of `users` does not say itself."""

from datetime import UTC, datetime

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Pty
from pysshd.policy.ruleset import Ruleset
from tests.policy.support import KEYS, ask, key_step

USERS = f"""\
version: 1
groups: [staff, ops]
users:
  alice: {{keys: ["{KEYS[0]}"]}}
  bob: {{keys: ["{KEYS[2]}"], groups: ops, accounts: [bob], home: /bob, not_after: 2027-06-30}}
"""
SYSTEM = "server: {accounts: system}\nsources: [{system: {min_uid: 1000}, password: system}]\n"


def people(defaults: str, more: str = "") -> Ruleset:
    return load_text(f"{USERS}{more}user_defaults: {defaults}\n", "p.yaml").ruleset


def errors(defaults: str, more: str = "") -> str:
    with pytest.raises(PolicyError) as caught:
        people(defaults, more)
    return "\n".join(problem.message for problem in caught.value.problems if problem.severity == "error")


def test_they_fill_what_is_absent_and_nothing_else() -> None:
    found = people(
        '{groups: staff, accounts: ["{user}", git], home: "/srv/{user}", not_before: 2027-01-01, not_after: 2027-12-31}'
    ).people
    alice, bob = found["alice"], found["bob"]
    assert (alice.groups, alice.accounts, alice.home) == (frozenset(["staff"]), ("alice", "git"), "/srv/alice")
    assert (bob.groups, bob.accounts, bob.home) == (frozenset(["ops"]), ("bob",), "/bob")
    start = datetime(2027, 1, 1, tzinfo=UTC)
    assert (alice.window.start, alice.window.end) == (start, datetime(2028, 1, 1, tzinfo=UTC))
    assert (bob.window.start, bob.window.end) == (start, datetime(2027, 7, 1, tzinfo=UTC))


def test_they_decide() -> None:
    ruleset = people("{groups: staff, not_after: 2026-11-24}", "grants: [{who: group:staff, allow: {pty: true}}]\n")
    found = ask(ruleset, Pty("xterm"), methods=(key_step(),))
    assert (found.allowed, found.valid_until) == (True, datetime(2026, 11, 25, tzinfo=UTC))
    assert not ask(ruleset, Pty("xterm"), person="bob").allowed


def test_accounts_may_leave_out_the_own_name() -> None:
    assert people("{accounts: git}").people["alice"].accounts == ("git",)


def test_people_of_a_source_have_them_too() -> None:
    ruleset = people("{groups: staff, run_as: shared}", SYSTEM + "grants: [{who: group:staff, allow: {pty: true}}]\n")
    source = ruleset.source
    assert source is not None
    carol = source.person("carol", None)
    assert (carol.groups, carol.run_as, carol.accounts) == (frozenset(["staff"]), "shared", ("carol",))
    assert [grant.name for grant in ruleset.grants_of(carol)] == ["grant 1"]
    assert source.person("bob", ruleset.people["bob"]).groups == frozenset(["ops"])
    assert ruleset.writes("shared", carol)


def test_grants_that_name_whom_a_source_has_are_told_once() -> None:
    ruleset = people("{groups: staff}", SYSTEM + "grants: [{who: [carol, group:staff], allow: {pty: true}}]\n")
    assert ruleset.source is not None
    assert len(ruleset.grants_of(ruleset.source.person("carol", None))) == 1
    assert len(ruleset.grants_of(Person("carol"))) == 1


@pytest.mark.parametrize(
    ("defaults", "more", "message"),
    [
        (
            f'{{keys: ["{KEYS[1]}"]}}',
            "",
            "'keys' is not supported: what proves who somebody is belongs to one person: write it in users",
        ),
        (
            "{password: x}",
            "",
            "'password' is not supported: what proves who somebody is belongs to one person: write it in users",
        ),
        ("{groups: stuff}", "", "group 'stuff' is not declared in groups"),
        ("{home: '/srv/{account}'}", "", "found '/srv/{account}', expected no braces but {user}"),
        ("{home: srv}", "", "found 'srv', expected an absolute path"),
        (
            "{accounts: ['{usr}']}",
            "",
            (
                "found '{usr}', expected a name of up to 64 letters, digits and ._@- that "
                "begins with a letter, a digit or _"
            ),
        ),
        ("{run_as: x}", "", "run_as needs accounts: system: else every session runs as the daemon's own user"),
        (
            "{accounts: git}",
            SYSTEM,
            (
                "accounts in user_defaults beside sources of the host or of a program: its "
                "people log in under their own names"
            ),
        ),
        ("{not_before: 2028-01-01}", "", "not_before is not before not_after: the time between them is empty"),
        (
            "{group: staff}",
            "",
            "unknown key 'group', expected one of groups, accounts, home, run_as, not_before, not_after",
        ),
    ],
)
def test_refused(defaults: str, more: str, message: str) -> None:
    assert message in errors(defaults, more).splitlines()
