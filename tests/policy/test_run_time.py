"""What a document that is accepted can not hold is refused when it happens all the same."""

import pytest

from pysshd.policy.decide import decide
from pysshd.policy.query import Exec, Query, Request, Session, Shell, Step, Subsystem
from pysshd.policy.rights import ExecRight
from pysshd.policy.ruleset import Ruleset, rebuilt
from pysshd.policy.ways import SessionWay
from tests.policy.sftp import load
from tests.policy.support import facts, login


def both(first: str, second: str) -> Ruleset:
    """The grants of two documents together, each of which is accepted alone."""
    texts = (f"server: {{owner: alice}}\ngrants: [{{who: alice, allow: {{{each}}}}}]\n" for each in (first, second))
    one, two = map(load, texts)
    return rebuilt(one, grants=[*one.grants, *two.grants])


@pytest.mark.parametrize(
    ("first", "second", "request_"),
    [
        ("shell: true", "shell: [menu]", Shell()),
        ("shell: true", "forced: [serve]", Shell()),
        ("exec: any", "exec: any, confined: true", Exec(b"id; id")),
        ("subsystems: {sftp: [x]}", "subsystems: {sftp: [y]}", Subsystem("sftp")),
        ("shell: true, env: {set: {A: x}}", "env: {set: {A: y}}", Shell()),
        ("shell: true, umask: '022'", "umask: '077'", Shell()),
        ("exec: ls, working_folder: /srv", "working_folder: /tmp", Exec(b"ls")),
        ("sftp: {mounts: {/: /srv}, paths: {/: all}}", "subsystems: {sftp: [x]}", Subsystem("sftp")),
        ("sftp: {mounts: {/: /srv}, paths: {/: all}}", "sftp: {mounts: {/: /tmp}}", Subsystem("sftp")),
    ],
)
def test_of_two_ways_none_is_taken(first: str, second: str, request_: Request) -> None:
    ruleset = both(first, second)
    found = decide(ruleset, Query(facts(), request_))
    assert not found.allowed
    assert found.way is None
    assert found.reason == "two permissions would run it in two ways"
    # A channel may be opened: which of them it will be for is not known yet.
    assert decide(ruleset, Query(facts(), Session())).way == SessionWay()


def test_a_permission_has_no_way_for_what_it_does_not_permit() -> None:
    (right,) = (
        load("grants: [{who: alice, allow: {exec: {profile: scp, paths: /srv}, confined: true}}]\n")
        .grants[0]
        .rights.runs
    )
    assert isinstance(right, ExecRight)
    assert right.way(Exec(b"scp -f /srv/x"), ("scp", "-f", "/srv/x"), {}, ()) is not None
    assert right.way(Exec(b"scp -f /etc/x"), ("scp", "-f", "/etc/x"), {}, ()) is None
    assert right.way(Exec(b"scp; id"), None, {}, ()) is None


def test_a_key_without_a_fingerprint_is_nobodys() -> None:
    found = login(load("grants: [{who: 'key:laptop', allow: {pty: true}}]\n"), Step("publickey"))
    assert not found.allowed
    assert found.reason == "a key is not among the keys of alice"
