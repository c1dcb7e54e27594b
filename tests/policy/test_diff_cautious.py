"""Ways to run in two policies: what was confined and what follows it, and one-time passwords by their secrets."""

from tests.policy.support import PEOPLE
from tests.policy.test_diff import compared, gained, told

OWNER = "server: {owner: alice}\ngrants:\n"
CONFINED = "  - {who: alice, allow: {exec: ['ls *', id], confined: true}}\n"
FREE = "  - {who: alice, allow: {exec: {literal: %s}}}\n"


def test_a_command_that_was_confined_where_it_is_more_cautious_is_told() -> None:
    """Words go before equal bytes: once they are gone, the same command runs without the sandbox."""
    before = OWNER + CONFINED + FREE % "ls x"
    assert gained(before, OWNER + FREE % "ls x") == {
        ("alice", "exec: {literal: 'ls x'}, where some of it was confined")
    }
    kept = CONFINED.replace("['ls *', id]", "'ls *'")
    assert gained(before, OWNER + kept + FREE % "ls x") == set()


def test_other_commands_that_were_confined_say_nothing_of_it() -> None:
    before = OWNER + CONFINED + FREE % "'uptime; id'"
    assert gained(before, OWNER + FREE % "'uptime; id'") == set()
    assert told(compared(before, OWNER + FREE % "'uptime; id'").lost) == {
        ("alice", "exec: ls * (confined)"),
        ("alice", "exec: id (confined)"),
    }


TOTP = "login: [{methods: publickey+totp}]\ngrants: [{who: bob, allow: {shell: true, confined: true}}]\n"


def with_totp(secret: str) -> str:
    return PEOPLE.replace("bob: {", f"bob: {{totp: {{secret_file: {secret}}}, ")


def test_another_secret_of_one_time_passwords_is_another_login() -> None:
    changed = gained(TOTP, TOTP, with_totp("totp/bob"), with_totp("totp/new"))
    assert changed == {("bob", "login by publickey+totp with another totp"), ("bob", "totp is another one")}
    assert gained(TOTP, TOTP, with_totp("totp/bob"), with_totp("totp/bob")) == set()
    assert ("bob", "login by publickey+totp with another totp") in gained(TOTP, TOTP, PEOPLE, with_totp("totp/bob"))
