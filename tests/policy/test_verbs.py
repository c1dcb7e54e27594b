"""Verbs: what people write becomes a request, and a request is shown as what people would write."""

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.ports import LAST_PORT
from pysshd.policy.query import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Global,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
)
from pysshd.policy.verbs import VERBS, VerbError, read_request, request_of, say_request
from tests.policy.documents import REQUESTS


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("shell", Shell()),
        ("exec ls -l", Exec(b"ls -l")),
        ("exec  two blanks ", Exec(b" two blanks ")),
        ("exec ", Exec(b"")),
        ("exec caf\N{LATIN SMALL LETTER E WITH ACUTE}", Exec(b"caf\xc3\xa9")),
        ("exec \udcff", Exec(b"\xff")),
        ("subsystem sftp", Subsystem("sftp")),
        ("pty xterm-256color", Pty("xterm-256color")),
        ("pty ", Pty("")),
        ("env LANG=C", Env("LANG", b"C")),
        ("env A=b=c", Env("A", b"b=c")),
        ("env A=", Env("A", b"")),
        ("signal INT", Signal("INT", Shell())),
        ("signal TERM exec sleep 5", Signal("TERM", Exec(b"sleep 5"))),
        ("break", Break(Shell())),
        ("break subsystem sftp", Break(Subsystem("sftp"))),
        ("sftp list /", Sftp("list", b"/")),
        ("sftp upload /in/a b", Sftp("upload", b"/in/a b")),
        ("sftp stat /\udcff", Sftp("stat", b"/\xff")),
        ("channel session", Session()),
        ("channel x11", Session("x11")),
        ("agent", Agent()),
        ("x11", X11(False, 0)),
        ("x11 single", X11(True, 0)),
        ("x11 single 2", X11(True, 2)),
        ("x11 1", X11(False, 1)),
        ("forward db1.corp:5432", Connect("db1.corp", 5432)),
        ("forward db1.corp:5432 10.2.0.5", Connect("db1.corp", 5432, ip_address("10.2.0.5"))),
        ("forward [2001:db8::1]:443", Connect("2001:db8::1", 443)),
        ("forward x:443 2001:db8::1", Connect("x", 443, ip_address("2001:db8::1"))),
        ("forward-unix /run/a b.sock", ConnectUnix("/run/a b.sock")),
        ("listen localhost:0", Listen("localhost", 0)),
        ("listen :9000", Listen("", 9000)),
        ("listen [::1]:9000", Listen("::1", 9000)),
        ("listen-unix /run/a.sock", ListenUnix("/run/a.sock")),
        ("global keepalive@openssh.com", Global("keepalive@openssh.com")),
    ],
)
def test_a_text_and_its_request(text: str, request_: Request) -> None:
    assert read_request(text) == request_
    assert say_request(request_) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown verb ''"),
        ("shel", "unknown verb 'shel', expected shell, exec,"),
        ("shell -l", "found '-l' behind shell, expected nothing"),
        ("shell ", "found '' behind shell, expected nothing"),
        ("exec", "found nothing behind exec, expected exec COMMAND"),
        ("env LANG", "found 'LANG' behind env, expected env NAME=VALUE"),
        ("sftp", "found nothing behind sftp, expected sftp RIGHT /PATH"),
        ("sftp all /", "unknown right 'all', expected list, stat, download,"),
        ("sftp list", "found path '', expected an absolute one: sftp RIGHT /PATH"),
        ("sftp list in/a", "found path 'in/a', expected an absolute one"),
        ("signal INT pty xterm", "found 'pty xterm', which runs nothing"),
        ("agent x", "found 'x' behind agent, expected nothing"),
        ("x11 ", "found '' behind x11, expected x11 [single] [SCREEN]"),
        ("x11 1 single", "found '1 single' behind x11"),
        ("forward", "found nothing behind forward, expected forward HOST:PORT [ADDRESS]"),
        ("forward db1.corp", "found 'db1.corp', expected forward HOST:PORT"),
        ("forward ::1:22", "found '::1:22', expected forward HOST:PORT [ADDRESS], with an IPv6 address between"),
        ("forward x:22 y", "found 'y' behind 'x:22', expected an address to which"),
        ("forward x:-1", "found 'x:-1', expected"),
        ("listen 9000", "found '9000', expected listen ADDRESS:PORT"),
        ("listen x:123456", "found 'x:123456', expected listen ADDRESS:PORT"),
        ("forward x:0", "found port 0, expected one from 1 to 65535"),
        ("forward x:99999", "found port 99999, expected one from 1 to 65535"),
        ("listen :65536", "found port 65536, expected one from 0 to 65535"),
        ("signal INT nonsense", "unknown verb 'nonsense'"),
    ],
)
def test_what_is_no_request(text: str, message: str) -> None:
    with pytest.raises(VerbError) as caught:
        read_request(text)
    assert str(caught.value).startswith(message)


def test_a_slip_of_the_pen_is_understood() -> None:
    with pytest.raises(VerbError) as caught:
        request_of("subsytem", "sftp")
    assert caught.value.hint == "did you mean 'subsystem'?"


@given(REQUESTS)
def test_every_request_is_read_back_from_what_is_shown(request_: Request) -> None:
    if isinstance(request_, Login):
        assert say_request(request_) == "log in"
    elif isinstance(request_, Connect | Listen) and not isinstance(request_, Connect) <= request_.port <= LAST_PORT:
        with pytest.raises(VerbError, match="found port"):
            read_request(say_request(request_))
    else:
        assert read_request(say_request(request_)) == request_


@given(st.text())
def test_no_text_does_anything_else(text: str) -> None:
    try:
        found = read_request(text)
    except VerbError:
        return
    assert read_request(say_request(found)) == found


def test_every_kind_of_request_but_a_login_has_one_verb() -> None:
    kinds = [row.kind for row in VERBS.values()]
    assert set(kinds) == set(Request.__args__) - {Login}
    assert len(kinds) == len(set(kinds))
    assert all(row.form.partition(" ")[0] == name for name, row in VERBS.items())


def test_a_login_is_told_in_words() -> None:
    assert say_request(Login((), Step("password"))) == "log in"


HELP = """\
shell | start the shell
exec COMMAND | run a command, as the client sends it
subsystem NAME | start a subsystem
pty TERM | have a terminal of this type
env NAME=VALUE | send a variable
signal NAME [VERB …] | send a signal to what the shell, or another request, runs
break [VERB …] | send a break to what the shell, or another request, runs
sftp RIGHT /PATH | do one operation of SFTP or scp
agent | forward the client's agent
x11 [single] [SCREEN] | forward X11, once or more, of a screen
forward HOST:PORT [ADDRESS] | connect to a TCP port, by a name that has this address
forward-unix PATH | connect to a Unix socket
listen ADDRESS:PORT | listen on a TCP port; on every address where none is said
listen-unix PATH | listen on a Unix socket
channel KIND | open a channel of this kind: session
global NAME | make a global request
"""


def test_how_every_request_is_written_and_what_it_is() -> None:
    assert [f"{row.form} | {row.meaning}" for row in VERBS.values()] == HELP.splitlines()


@pytest.mark.parametrize("line", HELP.splitlines())
def test_a_verb_without_what_it_needs_or_with_more_says_how_it_is_written(line: str) -> None:
    form = line.partition(" | ")[0]
    verb, _, needed = form.partition(" ")
    if needed and not needed.startswith("["):
        with pytest.raises(VerbError, match=f"expected {re.escape(form)}$"):
            read_request(verb)
    elif not needed:
        with pytest.raises(VerbError, match=f"behind {form}, expected nothing$"):
            read_request(f"{verb} more")
