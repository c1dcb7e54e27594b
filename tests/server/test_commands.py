"""What a plan has run: only a shell's way reaches a shell, and only words reach a program."""

import pytest

from pysshd.policy.ways import Folder, Mount
from pysshd.server.commands import Run, run_of
from pysshd.server.plan import (
    NO_BOUNDS,
    Account,
    Forced,
    LoginShell,
    LoginWay,
    Plan,
    Program,
    PtyWay,
    SftpWay,
    ShellCommand,
    Way,
    Words,
)

ALICE = Account("alice", None, None, (), "/home/me", "/usr/bin/zsh", "alice")


def run(way: Way) -> Run | None:
    return run_of(Plan(ALICE, way, NO_BOUNDS, None, "d1"))


def test_a_login_shell_has_a_dash() -> None:
    made = run(LoginShell(False, (("A", "b"),)))
    assert made == Run(b"/usr/bin/zsh", (b"-zsh",), ((b"A", b"b"),), "/home/me", False)
    assert made.argv[0] == b"-zsh"


def test_a_shell_command_is_one_word_for_the_shell() -> None:
    made = run(ShellCommand(b"echo $HOME; ls", True))
    assert made == Run(b"/usr/bin/zsh", (b"zsh", b"-c", b"echo $HOME; ls"), (), "/home/me", True)


@pytest.mark.parametrize("way", [Words((b"ls", b"-l", b"$HOME"), False), Program((b"ls", b"-l", b"$HOME"), False)])
def test_words_reach_no_shell(way: Way) -> None:
    assert run(way) == Run(b"ls", (b"ls", b"-l", b"$HOME"), (), "/home/me", False)


def test_what_a_role_sets_for_the_program() -> None:
    assert run(Words((b"ls",), True, umask=0o077, folder="/srv/x")) == Run(b"ls", (b"ls",), (), "/srv/x", True, 0o077)
    assert run(Words((b"ls",), True, umask=0)) == Run(b"ls", (b"ls",), (), "/home/me", True, 0)


@pytest.mark.security("S86")
def test_a_forced_command_runs_the_policys_words_alone() -> None:
    made = run(Forced((b"/usr/bin/borg", b"serve"), b"rm -rf /", False))
    assert made is not None
    assert made.argv == (b"/usr/bin/borg", b"serve")
    assert made.env == ((b"SSH_ORIGINAL_COMMAND", b"rm -rf /"),)
    assert run(Forced((b"borg",), b"", False)) == Run(b"borg", (b"borg",), (), "/home/me", False)


@pytest.mark.parametrize(
    "way",
    [
        LoginWay(True),
        SftpWay((Mount("/", Folder("/srv")),)),
        PtyWay(),
        Words((), False),
        Words((b"",), False),
        Words((b"./ls",), False),
        Words((b"bin/ls",), False),
        Words((b"ls", b"a\0b"), False),
        ShellCommand(b"ls\0", False),
    ],
)
def test_what_cannot_be_run_is_nothing(way: Way) -> None:
    assert run(way) is None
