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


INTERPRETERS = """\
sh ash bash rbash busybox csh dash fish ksh mksh tcsh zsh awk gawk mawk nawk expect gdb lua luajit node nodejs perl php
pwsh pypy python ruby tclsh"""
ASIDE = "ed emacs ex less man more most mutt nano nvim screen su tmux vi view vim"
BY_THE_WAY = "crontab docker find git make nerdctl podman rsync ssh tar zip"
STARTERS = {
    "chroot": "", "chrt": "TPD", "doas": "uC", "env": "uC", "flock": "wE", "ionice": "cn", "nice": "n", "nohup": "",
    "nsenter": "tSG", "runuser": "ugG", "setsid": "", "stdbuf": "ioe", "strace": "eEopPsSu", "sudo": "CDRTUghprtu",
    "systemd-run": "EHMpu", "taskset": "", "time": "fo", "timeout": "ks", "unshare": "RSGw", "watch": "n",
    "xargs": "EILPadns",
}  # fmt: skip
"""Programs that start others, and their options that have a value behind them."""


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("{} runs what * stands for", INTERPRETERS),
        ("whoever uses {} starts other programs from within it", ASIDE),
        ("{} starts other programs where its words say so", BY_THE_WAY),
        ("{} starts what * stands for", " ".join(STARTERS)),
    ],
)
def test_every_program_that_starts_what_it_is_told(said: str, names: str) -> None:
    for name in names.split():
        for program in (name, f"/usr/bin/{name}"):
            assert said.format(name) in told(f'"{program} *"'), program
        assert "as good as" not in told(f'"x{name} *"')


@pytest.mark.parametrize("version", ["3", "3.11", "-5.1.0", "10"])
def test_a_version_behind_the_name(version: str) -> None:
    for name in ("python", "gawk", "find", "nice"):
        assert f"{name}{version} " in told(f'"{name}{version} *"')


@pytest.mark.parametrize("name", ["python3.x", "python3-", "python3.11-config", "python--3", "python.3"])
def test_what_is_no_version(name: str) -> None:
    assert "as good as" not in told(f'"{name} *"')


@pytest.mark.parametrize("name", STARTERS)
def test_what_a_starter_is_given_before_the_program(name: str) -> None:
    own = "" if name not in ("chroot", "flock") else " own"
    starts = f"{name} starts what * stands for"
    for option in STARTERS[name]:
        assert starts in told(f'"{name} -{option} value{own} *"'), option
        assert "as good as" not in told(f'"{name} -{option} value{own} program *"'), option
        # What has its value in the same word has none behind it.
        assert "as good as" not in told(f'"{name} -{option}x{own} program *"'), option
    for option in ("-X", "-v", "--long", "5", "A=b"):
        assert starts in told(f'"{name} {option}{own} *"'), option
        assert "as good as" not in told(f'"{name} {option}{own} program *"'), option
    assert "as good as" not in told(f'"{name}{own} program *"')
    beside = f", {own.strip()}" if own else ""
    assert f"{name} starts what" in told(f"[{name}, {{enum: [5, 'A=b']}}{beside}, '*']")
    assert "as good as" not in told(f"[{name}, {{enum: [5, value]}}{beside}, program, '*']")


CODE = ["-c", "-ce", "-ec", "-lc", "-ic", "-e", "-E", "-m", "-r", "--command", "--eval", "-ne", "-pe"]


def test_options_behind_which_a_program_stands() -> None:
    narrow = '{regex: "q+"}'
    for option in CODE:
        assert "sh runs what {regex: 'q+'} stands for" in told(f"[sh, {option}, {narrow}]"), option
        assert "as good as" not in told(f"[sh, {option}, -x, {narrow}]")
    assert "as good as" not in told(f"[sh, {narrow}]")
    assert "as good as" not in told(f"[sh, -x, {narrow}]")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ('"sh ?"', True),
        ('"sh /tmp/?"', True),
        ('"sh /opt/?"', False),
        ('"?h x"', True),
        ('"/bin/?h x"', True),
        ('"/usr/bin/?h x"', True),
        ('"/opt/?h x"', False),
        ('"/usr/local/bin/?h x"', False),
        # Of one word that can be several, each counts.
        ("[timeout, 5, {enum: [ls, bash]}, '*']", True),
        ("[timeout, 5, {enum: [ls, date]}, '*']", False),
        ("[git, -a, '*']", True),
        ("[git, {enum: [a, b]}, '*']", False),
        ('"git x *"', False),
        ('"find x *"', True),
        ('"find -x x *"', True),
        ('"find -x /opt/*"', False),
        ('"git /opt/*"', False),
        ('"git"', False),
        ("[sh, '{user}', '*']", False),
        ("[sh, '{user}*']", False),
    ],
)
def test_what_a_word_can_be(item: str, said: bool) -> None:
    assert ("as good as" in told(item)) is said
