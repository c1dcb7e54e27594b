"""A session's environment: what the daemon says, what a client may add, what never comes from a client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.decide import settled
from pysshd.policy.query import Env
from pysshd.server.environment import (
    VARIABLES_MAX,
    WHOLE_SIZE_MAX,
    Surroundings,
    no_room_for,
    refusal_of,
    session_environment,
)
from pysshd.server.plan import Account, Forced, LoginShell, Program, Words

ALICE = Account("alice", None, None, (), "/home/me", "/bin/zsh", "alice")
SHELL = LoginShell(False)
AROUND = Surroundings(("192.0.2.1", 5000), ("198.51.100.2", 22), "/dev/pts/3", "xterm-256color", "Europe/Paris")


def test_what_the_daemon_says() -> None:
    assert session_environment(ALICE, SHELL, AROUND, ()) == {
        b"USER": b"alice",
        b"LOGNAME": b"alice",
        b"HOME": b"/home/me",
        b"PATH": b"/usr/local/bin:/usr/bin:/bin",
        b"SHELL": b"/bin/zsh",
        b"TZ": b"Europe/Paris",
        b"TERM": b"xterm-256color",
        b"SSH_CLIENT": b"192.0.2.1 5000 22",
        b"SSH_CONNECTION": b"192.0.2.1 5000 198.51.100.2 22",
        b"SSH_TTY": b"/dev/pts/3",
    }


def test_without_terminal_address_or_zone_nothing_is_said_of_them() -> None:
    made = session_environment(ALICE, SHELL, Surroundings(), ())
    assert set(made) == {b"USER", b"LOGNAME", b"HOME", b"PATH", b"SHELL"}


@pytest.mark.parametrize("term", [None, ""])
def test_a_terminal_of_unknown_type_is_a_dumb_one(term: str | None) -> None:
    made = session_environment(ALICE, SHELL, Surroundings(tty="/dev/pts/3", term=term), ())
    assert made[b"TERM"] == b"dumb"


def test_a_unix_account_has_mail_and_root_its_path() -> None:
    root = Account("root", 0, 0, (0,), "/root", "/bin/sh", "alice")
    made = session_environment(root, SHELL, Surroundings(), ())
    assert made[b"MAIL"] == b"/var/mail/root"
    assert b"/usr/sbin" in made[b"PATH"]


def test_the_policy_wins_over_the_client() -> None:
    way = Words((b"ls",), False, (("LANG", "C"), ("PATH", "/opt/bin")))
    made = session_environment(ALICE, way, Surroundings(), [(b"LANG", b"de_DE.UTF-8"), (b"LC_TIME", b"C")])
    assert (made[b"LANG"], made[b"LC_TIME"], made[b"PATH"]) == (b"C", b"C", b"/opt/bin")


@pytest.mark.security("S86", "S87")
def test_a_forced_command_has_the_request_in_one_variable_and_nothing_else_of_the_client() -> None:
    way = Forced((b"borg", b"serve"), b"rm -rf /; $(x)", False)
    made = session_environment(ALICE, way, Surroundings(), [(b"LANG", b"C")])
    assert made[b"SSH_ORIGINAL_COMMAND"] == b"rm -rf /; $(x)"
    assert b"LANG" not in made
    silent = session_environment(ALICE, Forced((b"borg",), b"", False), Surroundings(), ())
    assert b"SSH_ORIGINAL_COMMAND" not in silent
    program = session_environment(ALICE, Program((b"git-shell",), False), Surroundings(), ())
    assert b"SSH_ORIGINAL_COMMAND" not in program


NEVER = """LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV IFS PATH PYTHONPATH PYTHONSTARTUP
PYTHONHOME SSH_ORIGINAL_COMMAND SSH_CONNECTION SSH_AUTH_SOCK BASH_FUNC_ls PERL5LIB PERL5OPT PERLLIB RUBYOPT RUBYLIB
NODE_OPTIONS NODE_PATH GLIBC_TUNABLES GCONV_PATH HOME SHELL USER LOGNAME MAIL TERM TERMINFO SHELLOPTS BASHOPTS PS4
PROMPT_COMMAND JAVA_TOOL_OPTIONS _JAVA_OPTIONS LOCPATH NLSPATH HOSTALIASES RESOLV_HOST_CONF ZDOTDIR MALLOC_CHECK_
LESSOPEN GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_TRACE GIT_PAGER KRB5CCNAME OPENSSL_CONF ld_preload Path
bash_env""".split()  # noqa: SIM905


@pytest.mark.security("S85")
@pytest.mark.parametrize("name", NEVER)
def test_some_names_never_come_from_a_client(name: str) -> None:
    assert refusal_of(name.encode(), b"x") == f"variable {name} is never accepted from a client"
    said = settled(Env(name, b"x"))
    assert said is not None
    assert said.reason == "the variable is never accepted from a client"
    made = session_environment(ALICE, SHELL, Surroundings(), [(name.encode(), b"evil")])
    assert b"evil" not in made.values()


@pytest.mark.security("S85")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"", b"x"),
        (b"A B", b"x"),
        (b"A=B", b"x"),
        (b"1A", b"x"),
        (b"--split-string", b"x"),
        (b"A\0", b"x"),
        (b"A\n", b"x"),
        (b"\xc3\xa4", b"x"),
        (b"A" * 129, b"x"),
        (b"BASH_FUNC_x%%", b"() { :; }"),
        (b"LANG", b"() { :; }; echo vulnerable"),
        (b"LANG", b" ()\t{ :; }"),
        (b"LANG", b"a\0b"),
        (b"LANG", b"x" * 4097),
        (b"LANG", b"../../tmp/evil"),
        (b"LC_ALL", b"%n"),
    ],
)
def test_odd_names_and_values_are_refused(name: bytes, value: bytes) -> None:
    assert refusal_of(name, value) is not None
    assert settled(Env(name.decode(), value)) is not None
    assert value not in session_environment(ALICE, SHELL, Surroundings(), [(name, value)]).values()


@pytest.mark.parametrize(
    "name", [b"LANG", b"LC_ALL", b"GIT_PROTOCOL", b"EDITION", b"COLORTERM", b"TZ", b"LDAP", b"GIT_AUTHOR_DATE"]
)
def test_ordinary_names_are_the_policys_to_accept(name: bytes) -> None:
    assert refusal_of(name, b"de_DE.UTF-8") is None
    assert settled(Env(name.decode(), b"de_DE.UTF-8")) is None


@pytest.mark.security("S85")
def test_number_and_size_are_capped() -> None:
    many = [(b"A%d" % i, b"x") for i in range(10_000)]
    assert len(session_environment(ALICE, SHELL, Surroundings(), many)) == VARIABLES_MAX + 5
    large = [(b"A%d" % i, b"x" * 4096) for i in range(60)]
    made = session_environment(ALICE, SHELL, Surroundings(), large)
    assert sum(len(n) + len(v) for n, v in made.items() if n.startswith(b"A")) <= WHOLE_SIZE_MAX
    full = {b"A%d" % i: b"" for i in range(VARIABLES_MAX)}
    assert no_room_for(b"B", b"", full) is not None
    assert no_room_for(b"A1", b"again", full) is None


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_whatever_a_client_sends_the_daemons_words_stand(name: bytes, value: bytes) -> None:
    plain = session_environment(ALICE, SHELL, AROUND, ())
    made = session_environment(ALICE, SHELL, AROUND, [(name, value)])
    assert {key: text for key, text in made.items() if key in plain and key != b"TZ"} == {
        key: text for key, text in plain.items() if key != b"TZ"
    }
    assert not any(b"\0" in key + text or b"=" in key for key, text in made.items())
