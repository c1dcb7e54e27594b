"""What a ruleset tells of itself to those who serve it."""

from dataclasses import fields, replace

import pytest

from pysshd.policy.authorities import Authority
from pysshd.policy.keyfiles import KeyFile
from pysshd.policy.load import load_text
from pysshd.policy.nodes import Scalar
from pysshd.policy.problems import Mark
from pysshd.ssh.crypto.keys import parse_public_key_line
from tests.policy.support import HASH, KEYS, PEOPLE, load

CONFINED = "{who: bob, allow: {exec: ls, confined: true}}"


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([], None),
        (["{who: alice, allow: {pty: true}}", CONFINED], "p.yaml:11"),
        (["{who: alice, allow: {exec: [date], shell: true}}", CONFINED, CONFINED], "p.yaml:11"),
        (["{who: bob, deny: {exec: ls}}"], None),
        (["{who: alice, allow: {exec: date}}"], None),
    ],
)
def test_the_first_permission_whose_programs_are_confined(entries: list[str], where: str | None) -> None:
    """A daemon that can confine nothing says at its start which line asks for it."""
    text = "server: {owner: alice}\n"
    text += "grants:\n" + "".join(f"  - {entry}\n" for entry in entries) if entries else ""
    assert load(text).first_confined == where


EVERYTHING = f"""\
server: {{accounts: system, timezone: UTC, banner: x, listen: "*:22", host_keys: [/etc/key]}}
networks: {{n: 10.0.0.0/8}}
authorities: {{ca: {{keys: ["{KEYS[3]}"]}}}}
sources: [{{command: [/x, "{{user}}"], run_as: x}}]
login: [{{who: alice, from: n, methods: publickey}}, {{methods: publickey}}]
roles:
  r:
    shell: [sh]
    exec: [ls, {{literal: a;b}}, {{profile: scp, paths: /srv}}]
    subsystems: {{mail: [m]}}
    env: {{accept: LANG, set: {{A: b}}}}
    umask: "027"
    working_folder: /srv
    agent: true
    global_requests: x
    forward: {{local: 'a.b:1', remote: 'loopback:1', local_unix: /x, remote_unix: /y}}
    sftp: {{mounts: {{/: /srv}}, paths: {{/: [list]}}, start: /x}}
  f: {{forced: [f]}}
grants:
  - {{who: alice, roles: r}}
  - {{who: carol, roles: f}}
"""


def test_a_place_further_down_is_no_other_policy() -> None:
    """What a comparison, a clash or a cache takes for the same does not say where it stands."""
    one, other = (load_text(PEOPLE + "\n" * count + EVERYTHING, language=True).ruleset for count in (0, 5))
    assert [grant.where for grant in one.grants] != [grant.where for grant in other.grants]
    assert [grant.rights for grant in one.grants] == [grant.rights for grant in other.grants]
    assert [grant.conditions for grant in one.grants] == [grant.conditions for grant in other.grants]
    assert one.settings == other.settings
    assert one.commands == other.commands != ()
    assert Authority("ca", where="a:1") == Authority("ca", where="b:2")
    assert KeyFile(("x",), keys=(parse_public_key_line(KEYS[0]),)) == KeyFile(("x",))
    for rights in (one.grants[0].rights, one.grants[1].rights):
        every = (getattr(rights, field.name) for field in fields(rights))
        items = [item for kind in every if isinstance(kind, tuple) for item in kind if hasattr(item, "where")]
        assert items
        assert all(replace(item, where="z:9") == item for item in items)
        assert all(hash(replace(item, where="z:9")) == hash(item) for item in items)


def test_what_is_shown_of_a_ruleset_are_no_indexes_and_no_secrets() -> None:
    shown = repr(load("grants: [{who: alice, allow: {exec: ls, confined: true}}]"))
    for hidden in ("_by_account", "_by_key", "_candidates", "timed=", "left=", "settled=", "kinds=", HASH):
        assert hidden not in shown
    assert "hunter2" not in repr(Scalar("hunter2", Mark("x", 1, 1)))
