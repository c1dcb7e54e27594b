"""Denies that deny nothing, and groups of two kinds with one name."""

import pytest

from pysshd.policy.load import load_text
from tests.policy.support import PEOPLE

SFTP = "sftp: {mounts: {/: /srv}, paths: {/: list}}"


def warned(more: str, people: str = PEOPLE) -> list[str]:
    found = load_text(people + more, "p.yaml", language=True).warnings
    return [one.message for one in found if one.severity == "warning"]


def denied(allow: str, deny: str, conditions: str = "who: alice") -> bool:
    """Whether the deny is told to deny nothing."""
    grants = f"grants:\n  - {{who: alice, allow: {{{allow}}}}}\n  - {{name: d, {conditions}, deny: {deny}}}\n"
    return "d denies nothing" in str(warned("server: {owner: alice}\n" + grants))


@pytest.mark.parametrize(
    ("allow", "deny", "nothing"),
    [
        ("pty: true", "all", False),
        ("pty: true", "{pty: true}", False),
        ("pty: true", "{agent: true}", True),
        ("agent: true", "{agent: true}", False),
        ("agent: true", "{x11: true}", True),
        ("shell: true", "{agent: true}", True),
        ("shell: true", "{shell: true}", False),
        ("exec: any", "{shell: true}", True),
        ("shell: true", "{exec: any}", True),
        ("exec: 'ls *'", "{exec: ls -l}", True),
        ("exec: 'ls ?l'", "{exec: ls -l}", True),
        ("exec: 'ls x*'", "{exec: ls x}", False),
        ("exec: [[ls, '/srv/{user}']]", "{exec: [[ls, /srv/x]]}", False),
        ("exec: ls", "{forced: [x]}", False),
        ("forced: [x]", "{exec: ls}", False),
        ("subsystems: {a: x}", "{subsystems: a}", False),
        ("subsystems: {a: x}", "{subsystems: b}", True),
        ("env: {accept: 'LC_*'}", "{env: {accept: LC_ALL}}", False),
        ("env: {accept: 'LC_*'}", "{env: {accept: LANG}}", True),
        # Signals go to what runs
        ("shell: true", "{signals: KILL}", False),
        ("shell: true, signals: INT", "{signals: INT}", False),
        ("shell: true, signals: INT", "{signals: KILL}", True),
        ("forced: [x]", "{signals: KILL}", True),
        # A subsystem and scp are answered by sftp too
        (SFTP, "{subsystems: sftp}", False),
        (SFTP, "{subsystems: x}", True),
        (SFTP, "{exec: 'scp *'}", False),
        (SFTP, "{forced: [x]}", False),
        (SFTP, "{shell: true}", True),
        (SFTP, "{sftp: {paths: {/x: [list, upload]}}}", False),
        (SFTP, "{sftp: {paths: {/x: upload}}}", True),
        ("pty: true", "{sftp: {paths: {/x: upload}}}", True),
        # A shell passes by such rules, which is told by itself
        ("shell: true", "{sftp: {paths: {/x: upload}}}", False),
        ("exec: any", "{forward: {local: '*:22'}}", False),
        ("exec: ls", "{forward: {local: '*:22'}}", True),
        ("forward: {local: '*:22'}", "{forward: {local: 'x.y:22'}}", False),
        ("forward: {local: '*:22'}", "{forward: {local: 'x.y:23'}}", True),
        ("forward: {local: '*:22-30'}", "{forward: {local: 'x.y:30-40'}}", False),
        ("forward: {local: '*:30-40'}", "{forward: {local: 'x.y:20-29'}}", True),
        ("forward: {local: 'x.y:22'}", "{forward: {local: '*:22'}}", False),
        ("forward: {local: 'x.y:22'}", "{forward: {remote: '*:22'}}", True),
        ("forward: {local: 'x.y:22'}", "{forward: {local: '10.0.0.0/8:22'}}", False),
        ("forward: {local: '10.1.0.0/16:22'}", "{forward: {local: '10.0.0.0/8:22'}}", False),
        ("forward: {local: '10.1.0.0/16:22'}", "{forward: {local: '11.0.0.0/8:22'}}", True),
        ("forward: {local: '10.1.0.0/16:22'}", "{forward: {local: '[fd00::/8]:22'}}", True),
        ("forward: {local: '*.corp:22'}", "{forward: {local: ['db.corp:22', 10.0.0.1:9]}}", False),
        ("forward: {local: '*.corp:22'}", "{forward: {local: ['db.other:22', 10.0.0.1:9]}}", True),
        ("forward: {local: 'db.corp:22'}", "{forward: {local: ['*.corp:22', 10.0.0.1:9]}}", False),
        ("forward: {local: 'db.corp:22'}", "{forward: {local: ['*.other:22', 10.0.0.1:9]}}", True),
        ("forward: {local: 'd*.corp:22'}", "{forward: {local: ['*b.corp:22', 10.0.0.1:9]}}", False),
        ("forward: {remote: 'loopback:22'}", "{forward: {remote: 'loopback:22'}}", False),
        ("forward: {local_unix: /x}", "{forward: {local_unix: /y}}", False),
        ("forward: {local_unix: /x}", "{forward: {remote_unix: /x}}", True),
        ("global_requests: x", "{global_requests: x}", False),
        ("global_requests: x", "{global_requests: y}", True),
    ],
)
def test_what_a_deny_takes_away(allow: str, deny: str, nothing: bool) -> None:
    assert denied(allow, deny) is nothing


@pytest.mark.parametrize(
    ("conditions", "nothing"),
    [
        ('who: "*"', False),
        ("who: group:dba", False),
        ("who: bob", True),
        ("who: [bob, alice]", False),
        ("who: alice, from: 10.0.0.0/8", False),
        ("unless: {who: alice}", True),
        ("unless: {from: 10.0.0.0/8}", False),
    ],
)
def test_whom_it_means_and_when(conditions: str, nothing: bool) -> None:
    assert denied("pty: true", "{pty: true}", conditions) is nothing
    assert denied("pty: true", "all", conditions) is nothing


def test_an_allow_that_never_holds_together_with_it_is_none() -> None:
    grants = (
        "grants:\n  - {who: alice, from: 10.0.0.0/8, allow: {pty: true}}\n"
        "  - {name: d, who: alice, unless: {from: 10.0.0.0/8}, deny: {pty: true}}\n"
    )
    assert warned(grants) == ["d denies nothing: no grant allows any of it to anybody whom it means while it holds"]


def test_of_a_deny_that_matches_nobody_no_more_is_said() -> None:
    grants = "grants: [{name: d, who: bob, account: git, deny: all}, {who: bob, allow: {pty: true}}]"
    assert warned(grants) == ["d matches nobody"]


SYSTEM = PEOPLE + "server: {accounts: system}\n"


def test_a_group_of_the_file_and_one_of_the_host() -> None:
    grants = (
        "grants:\n  - {who: 'system-group:ops', allow: {pty: true}}\n"
        "  - {who: alice, unless: {who: 'system-group:ops'}, allow: {env: {accept: X}}}\n"
        "  - {who: 'system-group:wheel', allow: {env: {accept: Y}}}\n"
        "  - {who: 'group:dba', allow: {env: {accept: Z}}}\n"
    )
    assert warned(grants, SYSTEM) == [
        "system-group:ops is the group of the host, and another one than the ops of groups at p.yaml:2"
    ]
