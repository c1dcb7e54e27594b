"""What is told of ways to run, and permissions that say nothing of what they do not run."""

from pysshd.policy.query import Shell
from pysshd.policy.rights import ExecRight
from pysshd.policy.ways import Forced, LoginShell, original_of
from tests.policy.sftp import load


def test_what_was_asked_for_is_told_where_something_else_is_run() -> None:
    assert original_of(Forced((b"menu",), b"ls -l", True)) == b"ls -l"
    assert original_of(Forced((b"menu",), b"", True)) == b""
    assert original_of(LoginShell(True)) is None


def test_a_deny_of_commands_touches_no_shell() -> None:
    ruleset = load("grants: [{name: no, who: alice, deny: {exec: any}}]\n")
    (right,) = ruleset.grants[0].rights.runs
    assert isinstance(right, ExecRight)
    assert not right.touches(Shell(), None)
