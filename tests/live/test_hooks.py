"""Every hook of a server of one's own is called by a real client, with the documented types, and its answer counts."""

import contextlib
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pysshd.server.interface import ServerInterface
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import ChannelOpen, GlobalRequest
from pysshd.ssh.wire.messages.requests import PtyReq, TcpipForward, WindowChange, X11Req
from pysshd.ssh.wire.messages.userauth import PasswordBody, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.channel import Session, opened
from tests.live.client import Keys
from tests.live.daemon import PLAIN, SYSTEM, Daemon, open_folder, service_user, serving, until
from tests.live.wire import Wire, wire

SERVERS = Path(__file__).parent / "servers" / "hook_servers.py"
NOBODY = 65534
"""As whom a plan of `hook_servers` runs where sessions are accounts of the host."""

LIMITS = "limits: {startups: {start: 100, rate: 30%, full: 200}, auth_attempts: 20}"


@contextlib.contextmanager
def hooked(keys: Keys, name: str, policy: str = LIMITS, **options: Any) -> Iterator[Daemon]:
    """A daemon whose policy names a class of `hook_servers`."""
    with open_folder() as folder:
        shutil.copy(SERVERS, folder)
        (folder / SERVERS.name).chmod(0o644)
        server = [f"interface: 'hook_servers:{name}'", *options.pop("server", ())]
        with serving(policy, keys, server=server, environment={"PYTHONPATH": str(folder)}, **options) as daemon:
            yield daemon


HOUSES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "plain": ("Says", PLAIN, ()),
    "async, shared workers": ("SaysLater", PLAIN, ("isolation: shared",)),
    "accounts of the host": ("Says", SYSTEM, ()),
}
"""The class of hooks, how its daemon is started, and more lines of the section `server`."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.root] if mode == SYSTEM else []) for name, (_, mode, _) in HOUSES.items()
    ],
)
def says(request: pytest.FixtureRequest, keys: Keys) -> Iterator[Daemon]:
    """A daemon that says yes: with plain hooks and with `async` ones, in each way to serve."""
    name, mode, server = HOUSES[request.param]
    with hooked(keys, name, mode=mode, server=server, expected=("hook.failed",)) as daemon:
        yield daemon


def asked(daemon: Daemon, hook: str, act: Callable[[], object]) -> list[list[str]]:
    """The arguments of each call of a hook that came of `act`: type and form."""
    before = len(daemon.events())
    act()
    until(lambda: any(event.get("hook") == hook for event in daemon.events()[before:]), what=hook)
    calls = [event["args"] for event in daemon.events()[before:] if event["event"] == "test.hook"]
    names = [event["hook"] for event in daemon.events()[before:] if event["event"] == "test.hook"]
    return next(args for args, name in zip(calls, names, strict=True) if name == hook)


def helper_of(folder: Path, text: bytes) -> dict[str, str]:
    """The environment of a client that types `text` at every prompt."""
    said, program = folder / "said", folder / "askpass"
    said.write_bytes(text)
    program.write_text(f'#!/bin/sh\ncat "{said}"\n')
    program.chmod(0o755)
    return {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": "none"}


def typed(daemon: Daemon, text: bytes, method: str, login: str = "alice") -> "subprocess.CompletedProcess[bytes]":
    """Log in with the real client and what somebody types, and run a command."""
    return daemon.ssh(
        "at once",
        login=login,
        key=None,
        PreferredAuthentications=method,
        NumberOfPasswordPrompts="1",
        BatchMode="no",
        environment=helper_of(daemon.client.folder, text),
    )


def signed_in(daemon: Daemon, user: bytes = b"alice") -> Wire:
    made = Wire(daemon)
    made.connect()
    made.request_service()
    assert made.sign_in(user, daemon.client.keys.private("alice"))[0] == MessageNumber.USERAUTH_SUCCESS
    return made


def on_channel(act: Callable[[Session], object]) -> Callable[[Daemon], None]:
    def run(daemon: Daemon) -> None:
        with contextlib.closing(signed_in(daemon)) as connection:
            session = opened(connection, 0)
            assert session is not None
            act(session)

    return run


def on_connection(*messages: bytes, answer: bytes | None = None) -> Callable[[Daemon], None]:
    def run(daemon: Daemon) -> None:
        with contextlib.closing(signed_in(daemon)) as connection:
            connection.say(*messages)
            came = connection.until(MessageNumber.REQUEST_SUCCESS, MessageNumber.REQUEST_FAILURE)
            assert answer is None or came == answer

    return run


def ssh(*words: str, **options: Any) -> Callable[[Daemon], object]:
    return lambda daemon: daemon.ssh(*words, **options)


def running(act: Callable[[Session], bool]) -> Callable[[Daemon], None]:
    def run(session: Session) -> None:
        assert session.pty()
        assert session.exec("echo")
        assert act(session)

    return on_channel(run)


def resized(session: Session) -> bool:
    """Tell a new size, of which a client hears nothing, and ask for something else behind it."""
    session.tell("window-change", WindowChange(80, 24, 0, 0).encode())
    return session.signal("USR1")


CHANNEL = ["Channel", r"Channel\(\d+, 'session', .*\)"]
X11 = X11Req(False, b"MIT-MAGIC-COOKIE-1", b"00ff" * 8, 7).encode()
FACTS = bytes([MessageNumber.REQUEST_SUCCESS]) + codec.text("text") + codec.uint32(7) + codec.boolean(True)
REFUSED = bytes([MessageNumber.REQUEST_FAILURE])
NAME = ["str", "'alice'"]
SIZES = [["int", "80"], ["int", "24"], ["int", "0"], ["int", "0"]]
INERT = None
"""Nobody is ever asked."""

ROWS: dict[str, tuple[Callable[[Daemon], object], list[list[str]]] | None] = {
    "get_banner": (ssh("at once"), []),
    "get_allowed_auths": (ssh("at once"), [NAME]),
    "check_auth_none": (ssh("at once"), [NAME]),
    "check_auth_password": (lambda daemon: typed(daemon, b"r\xc3\xafght\n", "password"), [NAME, ["str", "'rïght'"]]),
    "check_auth_publickey": (ssh("at once"), [NAME, ["PKey", r"PKey\(ssh-ed25519, 256 bits, SHA256:.*\)"]]),
    "check_auth_interactive": (
        lambda daemon: typed(daemon, b"x\n", "keyboard-interactive"), [NAME, ["bytes", "b''"]],
    ),
    "check_auth_interactive_response": (
        lambda daemon: typed(daemon, b"answer\n", "keyboard-interactive"), [["list", r"\['answer', 'answer'\]"]],
    ),
    "check_auth_gssapi_with_mic": INERT,
    "check_auth_gssapi_keyex": INERT,
    "enable_auth_gssapi": INERT,
    "check_global_request": (
        on_connection(GlobalRequest("facts@tests", True, b"\0\1").encode(), answer=FACTS),
        [["str", "'facts@tests'"], ["Message", "0001"]],
    ),
    "check_port_forward_request": (
        ssh("at once", options=("-R", "127.0.0.1:2001:localhost:1"), ExitOnForwardFailure="no"),
        [["str", "'127.0.0.1'"], ["int", "2001"]],
    ),
    "cancel_port_forward_request": (
        on_connection(
            GlobalRequest("cancel-tcpip-forward", True, TcpipForward("localhost", 2001).encode()).encode(),
            answer=REFUSED,
        ),
        [["str", "'localhost'"], ["int", "2001"]],
    ),
    "check_channel_request": (ssh("at once"), [["str", "'session'"], ["int", "0"]]),
    "check_channel_direct_tcpip_request": (
        ssh(options=("-W", "example.org:80")),
        [["int", "0"], ["tuple", r"\('127.0.0.1', 65535\)"], ["tuple", r"\('example.org', 80\)"]],
    ),
    "check_channel_pty_request": (
        on_channel(lambda session: session.ask("pty-req", PtyReq("xterm", 80, 24, 0, 0, b"\x35\0\0\0\1\0").encode())),
        [CHANNEL, ["bytes", "b'xterm'"], *SIZES, ["bytes", r"b'5\\x00\\x00\\x00\\x01\\x00'"]],
    ),
    "check_channel_window_change_request": (
        running(resized),
        [CHANNEL, *SIZES],
    ),
    "check_channel_env_request": (
        ssh("at once", SetEnv="GREETING=hello"), [CHANNEL, ["bytes", "b'GREETING'"], ["bytes", "b'hello'"]],
    ),
    "check_channel_shell_request": (ssh(), [CHANNEL]),
    "check_channel_exec_request": (ssh("at once"), [CHANNEL, ["bytes", "b'at once'"]]),
    "check_channel_subsystem_request": (ssh("mine", options=("-s",)), [CHANNEL, ["str", "'mine'"]]),
    "check_channel_signal_request": (running(lambda session: session.signal("USR1")), [CHANNEL, ["str", "'USR1'"]]),
    "check_channel_break_request": (running(lambda session: session.send_break()), [CHANNEL, ["int", "500"]]),
    "check_channel_x11_request": (
        on_channel(lambda session: session.ask("x11-req", X11)),
        [CHANNEL, ["bool", "False"], ["str", "'MIT-MAGIC-COOKIE-1'"], ["bytes", f"b'{'00ff' * 8}'"], ["int", "7"]],
    ),
    "check_channel_forward_agent_request": (
        on_channel(lambda session: session.ask("auth-agent-req@openssh.com")), [CHANNEL],
    ),
}  # fmt: skip
"""Each hook: what a client does to have it asked, and the types and forms of what it is asked with."""


def test_every_hook_has_a_row() -> None:
    named = ("check_", "cancel_", "get_", "enable_")
    assert set(ROWS) == {name for name in vars(ServerInterface) if name.startswith(named)}


@pytest.mark.parametrize("hook", [name for name, row in ROWS.items() if row is not None])
def test_a_hook_is_asked_by_a_client(says: Daemon, hook: str) -> None:
    row = ROWS[hook]
    assert row is not None
    act, expected = row
    args = asked(says, hook, lambda: act(says))
    assert [kind for kind, _ in args] == [kind for kind, _ in expected]
    for (_, shown), (_, form) in zip(args, expected, strict=True):
        assert re.fullmatch(form, shown), (shown, form)


def test_hooks_of_gssapi_are_never_asked(says: Daemon) -> None:
    assert not [e for e in says.events("test.hook") if "gssapi" in e["hook"]]


# --- logins


def test_a_password_in_no_encoding_comes_as_bytes(says: Daemon) -> None:
    act = asked(says, "check_auth_password", lambda: typed(says, b"right\xff\n", "password"))
    assert act[1] == ["bytes", repr(b"right\xff")]
    assert typed(says, b"right\xff\n", "password").returncode == 7
    assert typed(says, b"wrong\n", "password").returncode == 255


def test_twelve_rounds_of_questions(says: Daemon) -> None:
    before = len(says.events())
    assert typed(says, b"answer\n", "keyboard-interactive", login="bob").returncode == 7
    rounds = [e for e in says.events()[before:] if e.get("hook") == "check_auth_interactive_response"]
    assert [e["args"][0][1] for e in rounds] == ["['answer', 'answer']", "['answer']", "[]", *["['answer']"] * 10]
    assert says.wait_event("login.accepted", since=before)["methods"] == "keyboard-interactive"


def test_questions_that_are_too_long_are_a_refusal(says: Daemon) -> None:
    before = len(says.events())
    assert typed(says, b"x\n", "keyboard-interactive", login="endless").returncode == 255
    failed = says.wait_event("hook.failed", since=before)
    assert failed["detail"].endswith("with texts of 64000 bytes together, expected at most 32768; refused")
    assert says.ssh("at once").returncode == 7


def test_a_banner_and_none_for_whoever_is_called_anyone(says: Daemon) -> None:
    done = says.ssh("at once", login="anyone", key=None, LogLevel="INFO")
    assert done.returncode == 7
    assert b"Welcome to the tests\n" in done.stderr


def test_partial_success_asks_for_more(says: Daemon) -> None:
    done = says.ssh("at once", login="twice", LogLevel="VERBOSE")
    assert done.returncode == 255
    assert b'Authenticated using "publickey" with partial success' in done.stderr


# --- channels that a hook serves


def test_what_a_hook_says_before_its_answer(says: Daemon) -> None:
    done = says.ssh("at once")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out", b"err")


@pytest.mark.parametrize("command", ["dialogue", "echo"])
@pytest.mark.parametrize("data", [b"", b"a\n", bytes(range(256)) * 20_000], ids=len)
def test_both_directions(says: Daemon, command: str, data: bytes) -> None:
    done = says.ssh(command, stdin=data)
    assert (done.returncode, done.stdout) == (3, data)


def test_a_subsystem_is_served(says: Daemon) -> None:
    assert says.ssh("mine", options=("-s",), stdin=b"x" * 100_000).stdout == b"x" * 100_000


def test_much_in_the_hook_itself(says: Daemon) -> None:
    done = says.ssh("much")
    assert (done.returncode, done.stdout) == (0, bytes(3_000_000))


def test_an_end_that_is_said_first(says: Daemon) -> None:
    done = says.ssh("half", stdin=b"x" * 1_000_000)
    assert (done.returncode, done.stdout) == (1_000_000 % 251, b"that is all")


def test_no_status_is_no_status(says: Daemon) -> None:
    done = says.ssh("wordless", LogLevel="DEBUG1")
    assert (done.returncode, done.stdout) == (255, b"gone")
    assert b"exit-status" not in done.stderr


def test_whoever_serves_later(says: Daemon) -> None:
    done = says.ssh("late")
    assert (done.returncode, done.stdout, done.stderr) == (4, b"late", b"later")


def test_a_shell_on_a_terminal(says: Daemon) -> None:
    done = says.ssh(options=("-tt",), stdin=b"world\n")
    assert (done.returncode, done.stdout) == (0, b"who? hello world\r\n")


def test_a_plan_is_run_by_the_daemon(says: Daemon) -> None:
    done = says.ssh("planned")
    number = NOBODY if says.mode == SYSTEM else service_user().pw_uid
    assert (done.returncode, done.stdout) == (5, b"planned %d\n" % number)


def test_no_is_no(says: Daemon) -> None:
    done = says.ssh("no")
    assert (done.returncode, done.stderr) == (255, b"exec request failed on channel 0\r\n")


@pytest.mark.security("S130")
def test_a_hook_that_raises_is_a_refusal_and_an_escaped_line(says: Daemon) -> None:
    before = len(says.events())
    assert says.ssh("fails").returncode == 255
    detail = says.wait_event("hook.failed", since=before)["detail"]
    assert re.fullmatch(r"raised LookupError at /.*/hook_servers\.py:\d+: no such \\x1b\[31mcommand", detail)


def test_a_reader_that_stalls_stalls_its_hook_alone(says: Daemon) -> None:
    with contextlib.closing(signed_in(says)) as connection:
        session = opened(connection, 0)
        assert session is not None
        assert session.exec("flood")
        time.sleep(0.3)
        before = len(says.events())
        assert says.ssh("at once").returncode == 7
    says.wait_event("hook.thread", since=before)
    says.wait_event("session.finished", since=before)


def test_many_channels_of_one_connection(says: Daemon) -> None:
    with contextlib.closing(signed_in(says)) as connection:
        for number in range(8):
            session = opened(connection, number)
            assert session is not None
            assert session.exec("echo")
            session.data(b"%d" % number)
            session.eof()
            assert session.end() == 3
            assert session.output == b"%d" % number


# --- what is not served yet


@pytest.mark.parametrize(
    ("hook", "words", "said"),
    [
        ("check_channel_direct_tcpip_request", ("-W", "127.0.0.1:1"), b"administratively prohibited"),
        ("check_port_forward_request", ("-R", "2001:localhost:1"), b"remote port forwarding failed"),
    ],
)
def test_a_yes_to_what_is_not_served_is_refused_and_said(
    says: Daemon, hook: str, words: tuple[str, ...], said: bytes
) -> None:
    before = len(says.events())
    done = says.ssh(options=words, ExitOnForwardFailure="yes", LogLevel="INFO")
    assert done.returncode == 255
    assert said in done.stderr
    assert "does not serve yet" in says.wait_event("hook.failed", since=before, hook=hook)["detail"]


@pytest.mark.parametrize(
    ("hook", "kind", "data"),
    [
        ("check_channel_x11_request", "x11-req", X11),
        ("check_channel_forward_agent_request", "auth-agent-req@openssh.com", b""),
    ],
)
def test_a_yes_to_x11_and_agents_is_refused_and_said(says: Daemon, hook: str, kind: str, data: bytes) -> None:
    before = len(says.events())
    answers: list[bool] = []
    on_channel(lambda session: answers.append(session.ask(kind, data)))(says)
    assert answers == [False]
    assert "does not serve yet" in says.wait_event("hook.failed", since=before, hook=hook)["detail"]


def test_a_yes_to_another_kind_of_channel_is_refused_and_said(says: Daemon) -> None:
    before = len(says.events())
    with contextlib.closing(signed_in(says)) as connection:
        connection.say(ChannelOpen("chat@tests", 0, 1000, 1000).encode())
        assert connection.until(MessageNumber.CHANNEL_OPEN_FAILURE)[5:9] == codec.uint32(3)
    assert says.wait_event("hook.failed", since=before)["hook"] == "check_channel_request"


# --- anything but a documented answer


@pytest.fixture(scope="module")
def wrong(keys: Keys) -> Iterator[Daemon]:
    with hooked(keys, "Wrong", expected=("hook.failed",)) as daemon:
        yield daemon


AUTH = {"password": "check_auth_password", "keyboard-interactive": "check_auth_interactive"}


@pytest.mark.security("S130")
@pytest.mark.parametrize("method", AUTH)
@pytest.mark.parametrize("user", ["true", "false", "none", "seven", "text"])
def test_what_is_no_documented_answer_lets_nobody_in(wrong: Daemon, method: str, user: str) -> None:
    before = len(wrong.events())
    assert typed(wrong, b"x\n", method, login=user).returncode == 255
    kind = {"true": "bool True", "false": "bool False", "none": "NoneType", "seven": "int 7", "text": "str"}[user]
    detail = wrong.wait_event("hook.failed", since=before, hook=AUTH[method])["detail"]
    assert detail.startswith(f"hook {AUTH[method]} returned {kind}, expected AUTH_SUCCESSFUL")
    assert not [event for event in wrong.events()[before:] if event["event"] in ("login.accepted", "login.step")]


@pytest.mark.security("S130")
@pytest.mark.parametrize("user", ["true", "false", "none", "seven", "text"])
def test_nor_by_a_key_or_by_nothing(wrong: Daemon, user: str) -> None:
    before = len(wrong.events())
    assert wrong.ssh("none", login=user).returncode == 255
    hooks = {event["hook"] for event in wrong.events()[before:] if event["event"] == "hook.failed"}
    assert hooks == {"check_auth_none", "check_auth_publickey"}
    assert not [event for event in wrong.events()[before:] if event["event"] in ("login.accepted", "login.step")]


@pytest.mark.security("S130")
@pytest.mark.parametrize("command", ["none", "code", "seven", "text"])
def test_what_is_merely_true_runs_nothing(wrong: Daemon, command: str) -> None:
    before = len(wrong.events())
    assert wrong.ssh(command).returncode == 255
    assert wrong.wait_event("hook.failed", since=before)["hook"] == "check_channel_exec_request"


@pytest.mark.security("S130")
def test_an_open_failed_code_is_no_terminal_and_no_shell(wrong: Daemon) -> None:
    before = len(wrong.events())
    assert wrong.ssh(options=("-tt",)).returncode == 255
    for hook in ("check_channel_pty_request", "check_channel_shell_request"):
        wrong.wait_event("hook.failed", since=before, hook=hook)


@pytest.mark.security("S130")
@pytest.mark.parametrize("port", [2001, 2002])
def test_true_and_an_open_failed_code_are_no_ports(wrong: Daemon, port: int) -> None:
    before = len(wrong.events())
    done = wrong.ssh(options=("-N", "-R", f"{port}:localhost:1"), ExitOnForwardFailure="yes")
    assert done.returncode == 255
    assert "expected False or a port" in wrong.wait_event("hook.failed", since=before)["detail"]


@pytest.mark.security("S130")
def test_none_for_a_channel_is_a_refusal_and_the_connection_lives(wrong: Daemon) -> None:
    with contextlib.closing(signed_in(wrong)) as connection:
        first = opened(connection, 0)
        assert first is not None
        connection.say(ChannelOpen("session", 1, 1000, 1000).encode())
        assert connection.until(MessageNumber.CHANNEL_OPEN_FAILURE)[5:9] == codec.uint32(1)
        assert not first.exec("none")


# --- hooks that hang, and servers of other kinds


@pytest.mark.security("S130")
@pytest.mark.parametrize("isolation", ["connection", "shared"])
def test_more_hooks_that_sleep_a_minute_than_there_are_places_keep_nobody_waiting(keys: Keys, isolation: str) -> None:
    with hooked(keys, "Sleepy", server=(f"isolation: {isolation}",)) as daemon:
        asleep = [Wire(daemon) for _ in range(24)]
        for connection in asleep:
            connection.connect()
            connection.request_service()
            body = PasswordBody(False, b"x").encode()
            connection.say(UserauthRequest(b"sleepy", "ssh-connection", "password", body).encode())
        for _ in range(3):
            started = time.monotonic()
            with wire(daemon) as awake:
                assert awake.password(b"alice", b"x")[0] == MessageNumber.USERAUTH_SUCCESS
            assert time.monotonic() - started < 20  # and not for a minute
        assert not select.select([connection.socket for connection in asleep], [], [], 0)[0]
        for connection in asleep:
            connection.close()


def test_a_server_that_can_not_be_made_refuses_everybody(keys: Keys) -> None:
    with hooked(keys, "Broken", expected=("hook.failed",)) as daemon:
        assert daemon.ssh("at once").returncode == 255
        failed = daemon.wait_event("hook.failed", hook="__init__")
        assert failed["detail"].startswith("raised RuntimeError at /")
        assert "secret" not in daemon.log


BY_POLICY = """
users: {alice: {keys: ["@@alice@@"]}}
grants: [{who: alice, roles: login-shell}]
"""


def test_a_server_over_the_policy(keys: Keys) -> None:
    with hooked(keys, "ByPolicy", BY_POLICY) as daemon:
        assert daemon.ssh("at once").returncode == 7
        assert daemon.ssh("exit 9").returncode == 9
        assert daemon.ssh("exit 9", key="eve").returncode == 255
        assert not [event for event in daemon.events("daemon.warning") if "mean nothing" in event["detail"]]


def test_whoever_asks_no_policy_is_told_that_there_is_one(keys: Keys) -> None:
    with hooked(keys, "Says", BY_POLICY) as daemon:
        warnings = [event["detail"] for event in daemon.events("daemon.warning")]
        assert any("mean nothing to hook_servers:Says" in warning for warning in warnings)
        assert daemon.ssh("at once", key="eve").returncode == 7
