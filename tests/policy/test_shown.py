"""Permissions as they are shown: in traces, warnings and differences they stand as the file says them."""

import pytest

from pysshd.policy.diff_sftp import sftp_title
from pysshd.policy.query import Exec
from pysshd.policy.values import written_size
from tests.policy.sftp import load as load_language
from tests.policy.support import ask, load


@pytest.mark.parametrize(
    ("item", "command", "shown"),
    [
        ("{profile: borg, paths: [/srv/a, '/srv/{user}'], append_only: true, quota: 10MB}", "borg serve",
         "{profile: borg, paths: [/srv/a, /srv/{user}], append_only: true, quota: 10000000B}"),
        ("{profile: rsync, paths: /srv, relative_to: /srv/x, read_only: true}", "rsync --server --sender -r . y",
         "{profile: rsync, paths: [/srv], relative_to: /srv/x, read_only: true}"),
        ("{profile: scp, paths: /srv, write_only: true}", "scp -t /srv",
         "{profile: scp, paths: [/srv], write_only: true}"),
        ("{literal: 'a; b'}", "a; b", "{literal: 'a; b'}"),
        ("any", "a; b", "any"),
        ("[a, {enum: [b, c]}, {regex: '[x-z]+'}, {path_under: '/srv/{user}'}]", "a b xyz /srv/alice/f",
         "[a, {enum: [b, c]}, {regex: '[x-z]+'}, {path_under: /srv/{user}}]"),
    ],
)  # fmt: skip
def test_a_command(item: str, command: str, shown: str) -> None:
    ruleset = load(f"grants: [{{name: g, who: alice, allow: {{exec: [{item}], confined: true}}}}]\n")
    found = ask(ruleset, Exec(command.encode()))
    assert found.reason == f"g permits it by exec: {shown} (confined)"


@pytest.mark.parametrize(
    ("tree", "shown"),
    [
        ("mounts: {/: '{home}', /b: '{home}/b/{user}'}, start: '/b'", "mounts: {/: {home}, /b: {home}/b/{user}}"),
        ("mounts: {/: /srv/./x/}, paths: {/: list}", "mounts: {/: /srv/x}, paths: {/: [list, stat]}"),
    ],
)
def test_a_tree(tree: str, shown: str) -> None:
    ruleset = load_language(f"grants: [{{who: alice, allow: {{sftp: {{{tree}}}}}}}]\n")
    (right,) = ruleset.grants[0].rights.sftp
    assert sftp_title(right).startswith(f"sftp: {{{shown}")


@pytest.mark.parametrize(
    ("amount", "written"),
    [(0, "0B"), (1, "1B"), (1023, "1023B"), (1024, "1KiB"), (1025, "1025B"), (1000, "1kB"), (3 << 20, "3MiB"),
     (1 << 30, "1GiB"), (5_000_000, "5MB"), (1 << 40, "1TiB")],
)  # fmt: skip
def test_a_size(amount: int, written: str) -> None:
    assert written_size(amount) == written
