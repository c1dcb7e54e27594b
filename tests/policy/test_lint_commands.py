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
        ('"python3.11 *"', "python3.11 runs what * stands for"),
        ('"/usr/bin/lua5.4 *"', "lua5.4 runs"),
        ('"sudo -u x *"', "sudo starts what * stands for"),
        ('"sudo -n -u git -g git sh"', "standard input"),
        ('"timeout -s KILL 5 *"', "timeout starts"),
        ('"chroot /srv *"', "chroot starts what * stands for"),
        ('"chroot /srv sh"', "standard input"),
        ('"systemd-run --user *"', "systemd-run starts"),
        ('"su *"', "whoever uses su"),
        ("su -c *", "su runs what * stands for"),
        ('"sudo vim *"', "whoever uses vim starts other programs"),
        ("vi", "whoever uses vi"),
        ('"less /var/log/x"', "whoever uses less"),
        ("'less /var/log/{user}.log'", "whoever uses less"),
        ('"find / *"', "find starts other programs where its words say so"),
        ('"ssh -q *"', "ssh starts"),
        ('"docker *"', "docker starts"),
        ('"make *"', "make starts"),
        ('"tar *"', "tar starts"),
        ('"git *"', "git starts"),
        ('"rsync *"', "rsync starts"),
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
        '"sudo -u git /opt/x *"',
        "su -c /opt/x git",
        '"find /srv -name x"',
        '"git pull origin *"',
        '"make -C /srv all"',
        '"rsync --server . /srv/*"',
        '"git-upload-pack *"',
        '"mysqldump5 *"',
        "{literal: sh -c x}",
        "{profile: git, paths: /}",
        '"/opt/* x"',
    ],
)
def test_patterns_that_are_what_they_seem(item: str) -> None:
    assert "as good as" not in told(item)


def test_each_offender_of_a_role_is_told_of() -> None:
    text = told('"sh *", "env *", ls, "env *"')
    assert [line.partition(" (")[0] for line in text.splitlines()] == ["exec: sh *", "exec: env *"]


def test_a_role_of_two_grants_is_told_of_once_and_a_deny_never() -> None:
    text = warnings(
        'roles: {r: {exec: "sh -c *", confined: true}}\n'
        "grants: [{who: alice, roles: r}, {who: bob, roles: r}, {who: alice, deny: {exec: bash}}]"
    )
    assert text.count("as good as") == 1
