"""Permissions as they are shown: in traces, warnings and differences they stand as the file says them."""

import pytest

from pysshd.policy.query import Exec
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
    assert found.reason == f"g permits it by exec: {shown} (confined) (p.yaml:8)"
