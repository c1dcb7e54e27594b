"""Patterns that are as good as `any`."""

import pytest

from tests.policy.support import warnings


def told(item: str) -> str:
    return warnings(f"grants: [{{who: alice, allow: {{exec: [{item}], confined: true}}}}]")


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ('"/bin/sh -c *"', "sh runs what * stands for"),
        ("sh", "sh runs what comes in by its standard input"),
        ('"bash -l"', "standard input"),
        ('"python3 *"', "python3 runs what * stands for"),
        ('"python3 -m *"', "python3 runs"),
        ('"perl -e x?"', "perl runs what x? stands for"),
        ('[sh, {regex: "[a-z]+"}]', "sh runs"),
        ("[bash, {path_under: /}]", "bash runs"),
        ('[bash, -c, {regex: "/opt/.*"}]', "bash runs"),
        ('"env *"', "env starts what * stands for"),
        ('"env A=1 bash -c *"', "bash runs"),
        ('"sudo -n timeout 5 sh -c *"', "sh runs"),
        ("[timeout, {enum: [5]}, {enum: [ls, sh]}]", "standard input"),
        ('"* status"', "its first word takes sh"),
        ('"/bin/* x"', "its first word takes sh"),
    ],
)
def test_an_interpreter_in_a_pattern(item: str, why: str) -> None:
    text = told(item)
    assert "is as good as exec: any" in text
    assert why in text


@pytest.mark.parametrize(
    "item",
    [
        "any",
        '"systemctl *"',
        '"sh /opt/x.sh *"',
        "\"sh -c 'echo x' *\"",
        '"bash /opt/*"',
        "[bash, {path_under: /opt/scripts}]",
        "[bash, {enum: [a.sh, b.sh]}]",
        '[bash, {regex: "/opt/[a-z]+"}]',
        '"nice systemctl status *"',
        "env",
        '"sudo /opt/*"',
        "{literal: sh -c x}",
        "{profile: git, paths: /}",
        '"/opt/* x"',
    ],
)
def test_patterns_that_are_what_they_seem(item: str) -> None:
    assert "as good as" not in told(item)


def test_a_role_of_two_grants_is_told_of_once_and_a_deny_never() -> None:
    text = warnings(
        'roles: {r: {exec: "sh -c *", confined: true}}\n'
        "grants: [{who: alice, roles: r}, {who: bob, roles: r}, {who: alice, deny: {exec: bash}}]"
    )
    assert text.count("as good as") == 1


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
