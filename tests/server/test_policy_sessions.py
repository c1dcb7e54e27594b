"""What may be done once logged in: every row of the table of requests in policy.md."""

from collections.abc import Callable

import pytest

from pysshd.server.channel import Channel
from pysshd.server.message import Message
from pysshd.server.plan import Forced, LoginShell, Program, PtyWay, SessionWay, ShellCommand, Words
from pysshd.server.requests import Exec, Global, Pty, Session, Shell, Subsystem
from tests.server.house import ALICE, BOB, CAROL, House, line_of, make_key

DAVE = make_key(4)
POLICY = f"""
version: 1
server: {{owner: alice}}
users:
  alice: {{keys: ["{line_of(ALICE)}"]}}
  bob: {{keys: ["{line_of(BOB)}"]}}
  carol: {{keys: ["{line_of(CAROL)}"]}}
  dave: {{keys: ["{line_of(DAVE)}"]}}
roles:
  tools:
    confined: true
    exec: ["uptime", "git-upload-pack *"]
    pty: true
    subsystems: {{health: [/bin/health, --all]}}
  backup: {{forced: [borg, serve, "--restrict-to-path", "/srv/{{user}}"], confined: true}}
  locale: {{env: {{accept: [LANG, "L*", "B*"]}}}}
grants:
  - {{name: owner, who: alice, roles: [login-shell, locale]}}
  - {{name: tools, who: bob, roles: tools}}
  - {{name: backup, who: carol, roles: [backup, locale]}}
"""


def house_of(user: str = "alice") -> House:
    keys = {"alice": ALICE, "bob": BOB, "carol": CAROL, "dave": DAVE}
    return House(POLICY).logged_in(user, keys[user])


def pty(house: House, channel: Channel, term: bytes = b"xterm") -> bool:
    return house.server.check_channel_pty_request(channel, term, 80, 24, 0, 0, b"")


@pytest.mark.parametrize(
    ("user", "kind", "code"),
    [
        ("alice", "session", 0),
        ("bob", "session", 0),
        ("carol", "session", 0),
        ("dave", "session", 1),
        ("alice", "x11", 1),
        ("alice", "auth-agent@openssh.com", 1),
        ("alice", "forwarded-tcpip", 1),
        ("alice", "tun@openssh.com", 1),
        ("alice", "direct-streamlocal@openssh.com", 1),
        ("alice", "", 1),
    ],
)
def test_opening_a_channel(user: str, kind: str, code: int) -> None:
    house = house_of(user)
    assert house.server.check_channel_request(kind, 0) == code
    assert house.last.request == Session(kind)
    assert house.last.allowed == (code == 0)
    plan = house.server.plan(Session(kind))
    assert (plan is not None and plan.way == SessionWay()) == (code == 0)


def test_a_shell_has_its_plan() -> None:
    house = house_of()
    channel = house.session()
    assert house.server.check_channel_shell_request(channel) is True
    plan = house.server.plan(Shell())
    assert plan is not None
    assert isinstance(plan.way, LoginShell)
    assert (plan.account.home, plan.account.person) == ("/home/service", "alice")
    assert plan.decision_id == house.last.decision_id
    assert house.last.decided_by.startswith("policy.yaml:")
    assert not channel.taken


def test_any_command_goes_by_the_shell() -> None:
    house = house_of()
    assert house.server.check_channel_exec_request(house.session(), b"echo $HOME | cat") is True
    plan = house.server.plan(Exec(b"echo $HOME | cat"))
    assert plan is not None
    assert isinstance(plan.way, ShellCommand)
    assert plan.way.command == b"echo $HOME | cat"


@pytest.mark.parametrize(
    ("command", "ok"),
    [
        (b"uptime", True),
        (b"git-upload-pack 'repo.git'", True),
        (b"uptime; id", False),
        (b"uptime\0", False),
        (b"git-upload-pack repo $(id)", False),
        (b"rm -rf /", False),
        (b"", False),
        (b"\xff", False),
    ],
)
def test_words_go_without_a_shell(command: bytes, ok: bool) -> None:
    house = house_of("bob")
    assert house.server.check_channel_exec_request(house.session(), command) is ok
    plan = house.server.plan(Exec(command))
    assert (plan is not None and isinstance(plan.way, Words)) == ok
    if plan is not None:
        assert house.people.accounts[-1] == ("bob", "bob", True)
        assert plan.account.home == "/state/homes/bob"


def test_a_shell_that_no_grant_gives() -> None:
    house = house_of("bob")
    assert house.server.check_channel_shell_request(house.session()) is False
    assert house.server.plan(Shell()) is None


@pytest.mark.security("S88")
@pytest.mark.parametrize("name", ["health ", "HEALTH", "../health", "", "sftp", "health\0", "/bin/health"])
def test_a_subsystem_is_matched_exactly(name: str) -> None:
    house = house_of("bob")
    assert house.server.check_channel_subsystem_request(house.session(), name) is False


def test_a_subsystem_is_the_policys_program() -> None:
    house = house_of("bob")
    assert house.server.check_channel_subsystem_request(house.session(), "health") is True
    plan = house.server.plan(Subsystem("health"))
    assert plan is not None
    assert isinstance(plan.way, Program)
    assert plan.way.argv == (b"/bin/health", b"--all")


@pytest.mark.security("S86")
@pytest.mark.parametrize(
    ("ask", "request_", "original"),
    [
        (lambda s, c: s.check_channel_shell_request(c), Shell(), b""),
        (lambda s, c: s.check_channel_exec_request(c, b"rm -rf /; id"), Exec(b"rm -rf /; id"), b"rm -rf /; id"),
        (lambda s, c: s.check_channel_subsystem_request(c, "sftp"), Subsystem("sftp"), b"sftp"),
    ],
)
def test_a_forced_command_answers_all_three(ask: Callable[..., bool], request_: object, original: bytes) -> None:
    house = house_of("carol")
    assert ask(house.server, house.session()) is True
    plan = house.server.plan(request_)  # type: ignore[arg-type]
    assert plan is not None
    assert isinstance(plan.way, Forced)
    assert plan.way.argv == (b"borg", b"serve", b"--restrict-to-path", b"/srv/carol")
    assert plan.way.original == original


@pytest.mark.security("S87")
def test_under_a_forced_command_no_signal_and_no_variable() -> None:
    house = house_of("carol")
    channel = house.session()
    assert house.server.check_channel_env_request(channel, b"LANG", b"C") is False
    assert "forced command" in house.last.reason
    assert house.server.check_channel_shell_request(channel) is True
    assert house.server.check_channel_signal_request(channel, "KILL") is False
    assert house.server.check_channel_break_request(channel, 500) is False


def test_a_terminal_once_and_before_the_program() -> None:
    house = house_of()
    channel, other = house.session(0), house.session(1)
    assert pty(house, channel) is True
    assert house.server.check_channel_window_change_request(channel, 100, 40, 0, 0) is True
    assert house.server.check_channel_window_change_request(other, 100, 40, 0, 0) is False
    assert pty(house, channel) is False
    assert house.server.check_channel_shell_request(channel) is True
    assert house.server.check_channel_shell_request(other) is True
    assert pty(house, other) is False


def test_a_terminal_has_its_plan_and_needs_a_grant() -> None:
    house = house_of()
    assert pty(house, house.session()) is True
    plan = house.server.plan(Pty("xterm"))
    assert plan is not None
    assert plan.way == PtyWay()
    forced = house_of("carol")
    channel = forced.session()
    assert pty(forced, channel) is False
    assert forced.server.check_channel_window_change_request(channel, 1, 1, 0, 0) is False


@pytest.mark.security("S84")
@pytest.mark.parametrize("term", [b"a b", b"x\x1b[", b"../x", b"x" * 65, b"x\n", b"\xff", b"x\0"])
def test_odd_terminal_types(term: bytes) -> None:
    house = house_of()
    assert pty(house, house.session(), term) is False


def test_an_empty_terminal_type_is_none() -> None:
    house = house_of()
    assert pty(house, house.session(), b"") is True


@pytest.mark.security("S85")
@pytest.mark.parametrize(
    ("name", "value", "ok"),
    [
        (b"LANG", b"de_DE.UTF-8", True),
        (b"LC_TIME", b"C", True),
        (b"FOO", b"x", False),
        (b"lang", b"C", False),
        (b"LD_PRELOAD", b"/tmp/x.so", False),
        (b"BASH_ENV", b"/tmp/x", False),
        (b"LANG", b"() { :; }; id", False),
        (b"LANG", b"a\0", False),
        (b"\xff", b"x", False),
    ],
)
def test_variables(name: bytes, value: bytes, ok: bool) -> None:
    house = house_of()
    channel = house.session()
    assert house.server.check_channel_env_request(channel, name, value) is ok
    assert house.last.allowed is ok
    assert house.server.check_channel_shell_request(channel) is True
    assert house.server.check_channel_env_request(channel, name, value) is False


@pytest.mark.security("S85")
def test_variables_of_one_channel_are_counted() -> None:
    house = house_of()
    channel = house.session()
    given = [house.server.check_channel_env_request(channel, b"LC_A%s" % (b"B" * i), b"") for i in range(100)]
    assert given.count(True) == 64
    assert house.server.check_channel_env_request(house.session(1), b"LANG", b"C") is True


def test_signals_and_breaks_go_to_what_runs() -> None:
    house = house_of()
    channel, bare = house.session(0), house.session(1)
    assert house.server.check_channel_signal_request(channel, "TERM") is False
    assert pty(house, channel) is True
    assert house.server.check_channel_break_request(channel, 500) is False
    assert house.server.check_channel_shell_request(channel) is True
    assert house.server.check_channel_signal_request(channel, "TERM") is True
    assert house.server.check_channel_break_request(channel, 500) is True
    assert house.server.check_channel_exec_request(bare, b"cat") is True
    assert house.server.check_channel_signal_request(bare, "HUP") is True
    assert house.server.check_channel_break_request(bare, 500) is False


def test_no_signal_for_a_subsystem() -> None:
    house = house_of("bob")
    channel = house.session()
    assert house.server.check_channel_subsystem_request(channel, "health") is True
    assert house.server.check_channel_signal_request(channel, "TERM") is False


@pytest.mark.security("S83")
def test_one_program_for_each_channel() -> None:
    house = house_of()
    channel = house.session()
    assert house.server.check_channel_exec_request(channel, b"true") is True
    assert house.server.check_channel_exec_request(channel, b"true") is False
    assert house.server.check_channel_shell_request(channel) is False
    assert house.server.check_channel_subsystem_request(channel, "sftp") is False
    assert house.server.check_channel_shell_request(house.session(0)) is True  # the number was used again


def test_a_channel_that_was_never_opened_has_nothing() -> None:
    house = house_of()
    channel = Channel(5)
    assert pty(house, channel) is False
    assert house.server.check_channel_env_request(channel, b"LANG", b"C") is False
    assert house.server.check_channel_shell_request(channel) is False
    assert house.server.check_channel_signal_request(channel, "TERM") is False
    assert house.server.check_channel_break_request(channel, 1) is False
    assert house.server.check_channel_window_change_request(channel, 1, 1, 1, 1) is False


@pytest.mark.parametrize(
    ("kind", "ok"),
    [
        ("keepalive@openssh.com", True),
        ("no-more-sessions@openssh.com", True),
        ("hostkeys-prove-00@openssh.com", False),
        ("streamlocal-forward@openssh.com", False),
        ("keepalive@openssh.com ", False),
        ("", False),
        ("other@example.com", False),
    ],
)
def test_global_requests(kind: str, ok: bool) -> None:
    house = house_of()
    assert house.server.check_global_request(kind, Message(b"x")) is ok
    assert house.last.request == Global(kind)


def test_what_is_not_served_is_refused() -> None:
    house = house_of()
    channel = house.session()
    server = house.server
    assert server.check_port_forward_request("127.0.0.1", 8080) is False
    assert house.last.allowed is False
    assert server.check_channel_direct_tcpip_request(1, ("127.0.0.1", 1), ("127.0.0.1", 22)) == 1
    assert house.last.allowed is False
    assert server.check_channel_x11_request(channel, False, "MIT-MAGIC-COOKIE-1", b"00", 0) is False
    assert server.check_channel_forward_agent_request(channel) is False
    assert server.cancel_port_forward_request("127.0.0.1", 8080) is None


def test_nothing_before_the_login_is_complete() -> None:
    house = House(POLICY)
    assert house.server.check_channel_request("session", 0) == 1
    assert house.server.check_global_request("keepalive@openssh.com", Message()) is False
    assert house.server.plan(Shell()) is None
    assert {record.reason for record in house.notes.records} == {"login is not complete"}


@pytest.mark.security("S74")
def test_account_and_person_come_from_the_login() -> None:
    house = house_of("bob")
    house.server.get_allowed_auths("alice")
    house.server.check_channel_exec_request(house.session(), b"uptime")
    plan = house.server.plan(Exec(b"uptime"))
    assert plan is not None
    assert (plan.account.name, plan.account.person) == ("bob", "bob")


def test_a_plan_is_handed_out_once_and_then_decided_anew() -> None:
    house = house_of()
    house.server.check_channel_shell_request(house.session())
    before = len(house.notes.records)
    first = house.server.plan(Shell())
    assert len(house.notes.records) == before
    second = house.server.plan(Shell())
    assert len(house.notes.records) == before + 1
    assert first is not None
    assert second is not None
    assert first.way == second.way
    assert first.decision_id != second.decision_id
    assert house.server.plan(Exec(b"ls")) is not None


def test_a_plan_is_of_its_own_request() -> None:
    house = house_of("bob")
    assert house.server.check_channel_exec_request(house.session(), b"uptime") is True
    assert house.server.plan(Exec(b"id")) is None


def test_a_program_whose_account_cannot_be_had_is_refused() -> None:
    house = house_of("bob")
    channel = house.session()
    house.people.unusable = True
    assert house.server.check_channel_exec_request(channel, b"uptime") is False
    assert "nothing for bob" in house.last.reason
    assert house.last.allowed is False


def test_the_whole_class_decides_inline() -> None:
    assert house_of().server.inline is True


def test_a_number_that_is_used_again_begins_afresh() -> None:
    house = house_of()
    first = house.session(3)
    assert pty(house, first) is True
    again = house.session(3)
    assert house.server.check_channel_window_change_request(again, 1, 1, 0, 0) is False
    assert pty(house, again) is True


def test_channels_that_are_gone_hold_no_memory() -> None:
    house = house_of()
    for number in range(5000):
        assert pty(house, house.session(number)) is True
    assert house.server._states is not None
    assert len(house.server._states) <= 1
    assert len(house.server._opened) == 4096
