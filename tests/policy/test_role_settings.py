"""What roles set for the programs that run: umask and working folder, as env.set does for variables."""

import pytest

from pysshd.policy.query import Exec, Pty, Shell, Subsystem
from pysshd.policy.ways import Forced, LoginShell, Program, PtyWay, Start, Words
from tests.policy.support import PASSWORD, ask, load, messages

SETTINGS = "umask: 027, working_folder: '/srv/{user}'"


@pytest.mark.parametrize(
    ("permission", "request_", "way"),
    [
        ("shell: true", Shell(), LoginShell),
        ("exec: ls", Exec(b"ls"), Words),
        ("forced: [x]", Shell(), Forced),
        ("subsystems: {x: y}", Subsystem("x"), Program),
    ],
)
def test_they_hold_for_whatever_is_run(permission: str, request_: Exec, way: type) -> None:
    found = ask(load(f"grants: [{{who: '*', allow: {{{permission}, {SETTINGS}, confined: true}}}}]"), request_).way
    assert isinstance(found, way)
    assert isinstance(found, Start)
    assert (found.umask, found.folder) == (0o027, "/srv/alice")


def test_they_are_of_every_grant_that_matches_and_permit_nothing() -> None:
    ruleset = load(
        f"roles: {{strict: {{{SETTINGS}}}, run: {{shell: true, pty: true, confined: true}}}}\n"
        "grants: [{who: '*', roles: run}, {who: alice, roles: strict}, {who: bob, roles: strict, from: 192.0.2.1}]"
    )
    assert ask(ruleset, Shell()).way == LoginShell(True, umask=0o027, folder="/srv/alice")
    assert ask(ruleset, Shell(), person="bob").way == LoginShell(True)
    assert ask(ruleset, Pty("xterm")).way == PtyWay()
    assert not ask(load(f"grants: [{{who: alice, allow: {{{SETTINGS}}}}}]"), Shell()).allowed


def test_a_folder_whose_slot_has_no_value_is_left_out() -> None:
    text = (
        "login: [{methods: [publickey, password]}]\n"
        "grants: [{who: '*', allow: {shell: true, working_folder: '/srv/{key}', umask: 0, confined: true}}]"
    )
    assert "expected three octal digits" in messages(text)
    ruleset = load(text.replace("umask: 0", "umask: 000"))
    assert ask(ruleset, Shell()).way == LoginShell(True, umask=0, folder="/srv/laptop")
    assert ask(ruleset, Shell(), methods=(PASSWORD,)).way == LoginShell(True, umask=0)


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        ("umask: 027", "umask: 0027", ""),
        ("umask: 027", "umask: 077", "a session with umask"),
        ("working_folder: /srv/", "working_folder: /srv", ""),
        ("working_folder: /srv", "working_folder: '/srv/{user}'", "a session with working_folder"),
        ("umask: 027", "env: {set: {umask: x}}", ""),
    ],
)
def test_two_values_of_one_setting_clash(one: str, two: str, clash: str) -> None:
    grants = f"grants:\n  - {{who: alice, allow: {{{one}}}}}\n  - {{who: alice, allow: {{{two}}}}}\n"
    if clash:
        assert f"would both answer {clash} of alice" in messages(grants)
    else:
        load(grants)
