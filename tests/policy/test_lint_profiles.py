"""Profiles that bound less than they seem to."""

import pytest

from tests.policy.support import KEYS, warnings

GIT = "{who: alice, allow: {exec: {profile: git, paths: /srv/git}, confined: true}}"


@pytest.mark.parametrize(
    ("writer", "warned"),
    [
        ("who: alice, allow: {exec: {profile: rsync, paths: '/srv/{account}'}", True),
        ("who: alice, allow: {exec: {profile: rsync, paths: '/srv/{user}'}", False),
        ("who: alice, allow: {exec: {profile: scp, paths: /srv/git/x}", True),
        ("who: alice, allow: {exec: {profile: scp, paths: /, write_only: true}", True),
        ("who: alice, allow: {exec: {profile: scp, paths: /srv/git, read_only: true}", False),
        ("who: alice, allow: {exec: {profile: rsync, paths: /srv/other}", False),
        ("who: alice, allow: {exec: {profile: borg, paths: /srv/git}", False),
        ("who: bob, allow: {exec: {profile: rsync, paths: /srv/git}", False),
    ],
)
def test_whoever_may_write_into_a_repository_may_run_anything(writer: str, warned: bool) -> None:
    text = warnings(f"grants:\n  - {GIT}\n  - {{{writer}, confined: true}}}}\n")
    assert ("git runs what they say" in text) is warned


def test_it_is_told_where_both_hold_at_once() -> None:
    text = warnings(
        "grants:\n"
        "  - {who: alice, from: 10.0.0.0/8, allow: {exec: {profile: git, paths: /srv}, confined: true}}\n"
        "  - {who: alice, unless: {from: 10.0.0.0/8}, allow: {exec: {profile: scp, paths: /srv}, confined: true}}\n"
    )
    assert "git runs what they say" not in text


HOME = "many programs run what files of the home say"


@pytest.mark.parametrize("other", ["systemctl status x", "{literal: 'a; b'}", "{profile: git, paths: /srv/git}",
                                   "{profile: borg, paths: /srv/borg}"])  # fmt: skip
@pytest.mark.parametrize(
    "writer",
    [
        "scp, paths: /",
        "rsync, paths: /home, write_only: true",
        "rsync, paths: '/home/{user}'",
        "scp, paths: '/home/{account}'",
        "scp, paths: /home/git",
        "scp, paths: [/srv/x, '/home/{user}/.config']",
        "scp, paths: '/home/alice/{key}'",
    ],
)
def test_whoever_may_write_into_a_home_says_what_other_programs_do(writer: str, other: str) -> None:
    text = warnings(f"grants: [{{who: alice, allow: {{exec: [{{profile: {writer}}}, {other}], confined: true}}}}]")
    assert text.count(HOME) == 1
    assert "alice may write by exec: {profile: " in text


@pytest.mark.parametrize(
    "items",
    [
        "{profile: scp, paths: /}, any",
        "{profile: scp, paths: /}, {profile: rsync, paths: /, read_only: true}",
        "{profile: scp, paths: /}",
        "{profile: scp, paths: /, read_only: true}, systemctl status x",
        "{profile: scp, paths: [/srv, '/home/{user}/backup', /home/bob]}, systemctl status x",
        "{profile: borg, paths: /}, systemctl status x",
    ],
)
def test_a_home_that_nobody_reads_or_writes(items: str) -> None:
    assert HOME not in warnings(f"grants: [{{who: alice, allow: {{exec: [{items}], confined: true}}}}]")


def test_a_home_of_the_file_and_moments_apart() -> None:
    people = f"version: 1\nusers: {{alice: {{home: /data/alice, keys: ['{KEYS[0]}']}}}}\n"
    both = "[{profile: scp, paths: '/data/{user}'}, systemctl status x]"
    assert HOME in warnings(f"grants: [{{who: alice, allow: {{exec: {both}, confined: true}}}}]", people)
    assert HOME not in warnings(
        "grants:\n"
        "  - {who: alice, from: 10.0.0.0/8, allow: {exec: id, confined: true}}\n"
        "  - {who: alice, unless: {from: 10.0.0.0/8}, allow: {exec: {profile: scp, paths: /}, confined: true}}\n"
    )


FILTERS = "its filters can be lines of any file"
SERVICE, SYSTEM = "server: {owner: alice}\n", "server: {accounts: system, worker_user: pysshd-net}\n"


@pytest.mark.parametrize(
    ("server", "grant", "warned"),
    [
        (SERVICE, "allow: {exec: {profile: rsync, paths: /srv}}", True),
        (SERVICE, "account: git, allow: {exec: {profile: rsync, paths: /srv}}", True),
        (SERVICE, "allow: {exec: {profile: rsync, paths: /, write_only: true}}", True),
        (SERVICE, "allow: {exec: {profile: rsync, paths: /}}", False),
        (SERVICE, "allow: {exec: {profile: rsync, paths: /srv}, confined: true}", False),
        (SERVICE, "allow: {exec: {profile: scp, paths: /srv}}", False),
        (SERVICE, "deny: {exec: {profile: rsync, paths: /srv}}", False),
        (SYSTEM, "allow: {exec: {profile: rsync, paths: /srv}}", True),
        (SYSTEM, "account: [alice, git], allow: {exec: {profile: rsync, paths: /srv}}", True),
        (SYSTEM, "account: git, allow: {exec: {profile: rsync, paths: /srv}}", False),
    ],
)
def test_an_rsync_that_reads_whatever_the_account_may(server: str, grant: str, warned: bool) -> None:
    text = warnings(f"{server}grants: [{{who: alice, {grant}}}, {{who: alice, allow: {{exec: id}}}}]")
    assert (FILTERS in text) is warned


def test_an_account_that_every_session_has() -> None:
    people = f"version: 1\nusers: {{alice: {{run_as: backup, keys: ['{KEYS[0]}']}}}}\n"
    grant = "grants: [{who: alice, allow: {exec: {profile: rsync, paths: /srv}}}]"
    assert FILTERS not in warnings(f"{SYSTEM}{grant}", people)
    assert FILTERS in warnings(f"{SYSTEM}{grant}", people.replace("run_as: backup", "run_as: alice"))
