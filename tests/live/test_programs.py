"""What a policy makes of a request: forced commands, words, literals, subsystems, addresses, limits, signals."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.channel import session
from tests.live.client import HOST, Keys
from tests.live.conftest import Serve
from tests.live.daemon import PLAIN, Daemon, serving, until

SFTP_SERVER = "/usr/lib/openssh/sftp-server"

POLICY = f"""
limits: {{sessions_per_connection: 3}}
users: {{alice: {{keys: ["@@alice@@"], accounts: [forced, words, literal, subs, sig, quiet, near, far, shell]}}}}
roles:
  forced: {{forced: [sh, -c, 'printf "%s" "forced[$SSH_ORIGINAL_COMMAND]"; env | grep -c ^LANG=; cat'], pty: true}}
  words: {{exec: ["echo *", "printf %s *", pwd]}}
  literal: {{exec: [{{literal: "echo a; echo b"}}]}}
  subs: {{subsystems: {{sftp: [{SFTP_SERVER}], hello: [sh, -c, "echo hello; exec cat"]}}}}
  sig: {{exec: any, pty: true, signals: [USR1, INT, BREAK], env: {{set: {{SHLVL: "1"}}}}}}
  quiet: {{exec: any, signals: none, env: {{set: {{SHLVL: "1"}}}}}}
  plain: {{exec: any, env: {{set: {{SHLVL: "1"}}}}}}
  shell: {{shell: [sh, -c, "echo own shell; cat"]}}
networks: {{here: [127.0.0.0/8], there: [192.0.2.0/24]}}
grants:
  - {{who: alice, account: forced, roles: forced}}
  - {{who: alice, account: words, roles: words}}
  - {{who: alice, account: literal, roles: literal}}
  - {{who: alice, account: subs, roles: subs}}
  - {{who: alice, account: sig, roles: sig}}
  - {{who: alice, account: quiet, roles: quiet}}
  - {{who: alice, account: shell, roles: shell}}
  - {{who: alice, account: [near, far], roles: plain}}
  - {{name: not-from-here, who: alice, account: far, unless: {{from: there}}, deny: all}}
  - {{name: not-from-there, who: alice, account: near, unless: {{from: here}}, deny: all}}
"""


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    with serving(POLICY, keys, mode=PLAIN) as daemon:
        yield daemon


# --- forced commands


@pytest.mark.security("S86")
@pytest.mark.parametrize(
    ("words", "original"),
    [
        ((), ""),
        (("rm -rf /; echo $HOME 'x' \"y\" \\",), "rm -rf /; echo $HOME 'x' \"y\" \\"),
        (("-s", "sftp"), "sftp"),
        (("scp -t /tmp",), "scp -t /tmp"),
        (("  two  spaces \t tab\nline",), "  two  spaces \t tab\nline"),
    ],
)
def test_a_forced_command_answers_everything(house: Daemon, words: tuple[str, ...], original: str) -> None:
    options = ("-s",) if "-s" in words else ("-T",)
    done = house.ssh(*(word for word in words if word != "-s"), login="forced", options=options, stdin=b"input")
    assert done.stdout.decode() == f"forced[{original}]0\ninput"
    assert done.returncode == 0


@pytest.mark.security("S86", "S87")
def test_a_forced_command_takes_nothing_else_of_the_client(house: Daemon) -> None:
    with session(house, "forced") as channel:
        assert not channel.env("LANG", "C")
        assert channel.exec("anything")
        channel.see(b"forced[anything]0")
        assert not any(channel.signal(name) for name in ("KILL", "TERM", "INT", "USR1", "HUP"))
        assert not channel.send_break()
        channel.eof()
        assert channel.end() == 0


# --- words and literals


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo 'one word'", "one word\n"),
        ("echo plain", "plain\n"),
        ('printf %s "a b"', "a b"),
        ("echo $HOME", None),
        ("echo a; echo b", None),
        ("echo a b", None),
        ("echo -n", None),
        ("echo `id`", None),
        ("/bin/echo a", None),
        ("echo a\nid", None),
        ("", None),
    ],
)
def test_words_are_run_without_a_shell(house: Daemon, command: str, said: str | None) -> None:
    with session(house, "words") as channel:
        assert channel.exec(command) is (said is not None)
        if said is not None:
            assert channel.end() == 0
            assert channel.output == said.encode()


@pytest.mark.parametrize(
    ("command", "said"), [("echo a; echo b", "a\nb\n"), ("echo a;  echo b", None), ("echo a", None), ("id", None)]
)
def test_a_literal_is_equal_bytes(house: Daemon, command: str, said: str | None) -> None:
    done = house.ssh(command, login="literal")
    assert (done.returncode == 0, done.stdout.decode()) == (said is not None, said or "")


def test_a_shell_of_the_policy(house: Daemon) -> None:
    done = house.ssh(login="shell", options=("-T",), stdin=b"in")
    assert (done.returncode, done.stdout) == (0, b"own shell\nin")
    assert house.ssh("id", login="shell").returncode == 255


# --- subsystems


@pytest.mark.security("S88")
@pytest.mark.parametrize(
    "name", ["sftp ", " sftp", "SFTP", "Sftp", "../sh", "", "sftp\0", "sftp-server", "/bin/sh", "hell"]
)
def test_a_subsystem_has_exactly_its_name(house: Daemon, name: str) -> None:
    with session(house, "subs") as channel:
        assert not channel.subsystem(name)
        assert channel.subsystem("hello")
        channel.see(b"hello\n")


def test_a_subsystem_is_no_shell(house: Daemon) -> None:
    with session(house, "subs") as channel:
        assert not channel.exec("id")
        assert not channel.shell()
        assert channel.subsystem("hello")
        channel.see(b"hello\n")
        channel.data(b"both ways")
        channel.see(b"both ways")
        assert not channel.signal("TERM")
        channel.eof()
        assert channel.end() == 0


@pytest.mark.skipif(not os.path.exists(SFTP_SERVER), reason="needs openssh-sftp-server")
def test_the_real_sftp_over_a_program(house: Daemon, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "up").write_bytes(data)
    folder = house.ssh("mktemp -d", login="near").stdout.decode().strip()
    batch = f"put {tmp_path}/up {folder}/there\nget {folder}/there {tmp_path}/down\nls -l {folder}\nrm {folder}/there\n"
    words = [word.replace("ssh", "sftp", 1) if word == "ssh" else word for word in house.client.words(login="subs")]
    words[words.index("-p")] = "-P"
    done = subprocess.run([words[0], "-b", "-", *words[1:]], input=batch.encode(), capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "down").read_bytes() == data
    assert b"3000000" in done.stdout
    assert house.ssh(f"rmdir {folder}", login="near").returncode == 0


# --- addresses and limits


def test_deny_unless_from(house: Daemon) -> None:
    assert house.ssh("echo in", login="near").stdout == b"in\n"
    refused = house.ssh("echo in", login="far")
    assert (refused.returncode, refused.stdout) == (255, b"")
    event = house.wait_event("request.refused", account="far")
    assert event["reason"].startswith("not-from-here denies it")
    line = next(n for n, text in enumerate(house.policy.read_text().splitlines(), 1) if "not-from-here" in text)
    assert event["decided_by"].startswith(f"{house.policy}:{line}")


def test_sessions_per_connection(house: Daemon) -> None:
    with session(house, "near") as first:
        assert first.exec("cat")
        others = [first.another(1), first.another(2)]
        assert all(other is not None for other in others)
        assert first.another(3) is None
        for other in others:
            assert other is not None
            assert other.exec("exit 0")
            assert other.end() == 0
        assert first.another(4) is not None


# --- one program on a channel, and what may be said to it


@pytest.mark.security("S83")
def test_one_program_on_a_channel(house: Daemon) -> None:
    with session(house, "sig") as channel:
        assert channel.exec("echo first; cat")
        channel.see(b"first\n")
        assert not channel.exec("echo second")
        assert not channel.shell()
        assert not channel.subsystem("sftp")
        assert not channel.pty()
        assert not channel.env("LANG", "C")
        channel.data(b"still here")
        channel.eof()
        assert channel.end() == 0
        assert channel.output == b"first\nstill here"


def test_signals_that_are_allowed_and_others(house: Daemon) -> None:
    with session(house, "sig") as channel:
        # Without a trap bash heeds no SIGINT that comes when the program that it waits for has just ended.
        traps = "trap 'echo usr1' USR1; trap 'trap - INT; kill -INT $$' INT"
        assert channel.exec(f"{traps}; echo ready; while :; do sleep 0.05; done")
        channel.see(b"ready\n")
        assert not channel.signal("TERM")
        assert not channel.signal("SIGUSR1")
        assert channel.signal("USR1")
        channel.see(b"usr1\n")
        assert channel.signal("INT")
        assert channel.end() == ("INT", False)


def test_no_signals(house: Daemon) -> None:
    with session(house, "quiet") as channel:
        assert channel.exec("echo ready; cat")
        channel.see(b"ready\n")
        assert not any(channel.signal(name) for name in ("TERM", "KILL", "INT", "HUP"))
        channel.eof()
        assert channel.end() == 0


def test_a_break_interrupts(house: Daemon) -> None:
    with session(house, "sig") as channel:
        assert channel.pty()
        assert channel.exec("echo ready; exec sleep 100")
        channel.see(b"ready")
        assert channel.send_break()
        assert channel.end() == ("INT", False)


@pytest.mark.security("S98")
def test_a_resize_has_no_answer_and_an_eow_no_effect(house: Daemon) -> None:
    with session(house, "sig") as channel:
        assert channel.pty()
        assert channel.exec("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
        channel.see(b"ready")
        channel.tell("window-change", b"".join(n.to_bytes(4, "big") for n in (132, 43, 0, 0)))
        channel.see(b"43 132")
        assert not channel.ask("eow@openssh.com")
        channel.tell("eow@openssh.com")
        assert channel.signal("USR1")
        assert channel.end() == ("USR1", False)


@pytest.mark.security("S98")
def test_requests_that_race_with_the_end(house: Daemon) -> None:
    for _ in range(20):
        with session(house, "sig") as channel:
            assert channel.pty()
            assert channel.exec("exit 3")
            for _ in range(5):
                channel.tell("window-change", b"".join(n.to_bytes(4, "big") for n in (132, 43, 0, 0)))
                channel.tell("signal", b"\0\0\0\x04USR1")
                channel.data(b"x")
            channel.eof()
            assert channel.end() in (3, ("USR1", False))
            assert [payload[0] for payload in channel.ending] == [
                MessageNumber.CHANNEL_EOF,
                MessageNumber.CHANNEL_CLOSE,
            ]


@pytest.mark.security("S98")
def test_a_terminal_s_eof_comes_with_the_status(house: Daemon) -> None:
    """PuTTY answers an EOF on a terminal with its own and CLOSE: the status would find no channel."""
    for _ in range(10):
        with session(house, "sig") as channel:
            assert channel.pty()
            assert channel.exec("echo; exit 3")
            assert channel.end() == 3
            assert [payload[0] for payload in channel.ending] == [
                MessageNumber.CHANNEL_EOF,
                MessageNumber.CHANNEL_CLOSE,
            ]


def test_startups_and_connections(serve: Serve) -> None:
    policy = """
limits: {startups: {start: 2, rate: 100%, full: 2, per_source: 9}, connections: 3}
users: {alice: {keys: ["@@alice@@"]}}
grants: [{who: alice, roles: login-shell}]
"""
    with serve(policy) as daemon:
        held = [daemon.connect() for _ in range(2)]
        for connection in held:
            assert connection.recv(4) == b"SSH-"
        assert daemon.ssh("true").returncode == 255
        assert "limits.startups" in daemon.wait_event("connection.refused")["reason"]
        for connection in held:
            connection.close()
        until(lambda: len(daemon.events("connection.closed")) == 2, what="the two connections")
        clients = [daemon.client.start("echo in; cat") for _ in range(1)]
        for _ in range(2):
            for client in clients[-1:]:
                assert client.stdout is not None
                assert client.stdout.readline() == b"in\n"
            clients.append(daemon.client.start("echo in; cat"))
        assert clients[-1].stdout is not None
        assert clients[-1].stdout.readline() == b"in\n"
        since = len(daemon.events())
        assert daemon.ssh("true").returncode == 255
        refused = daemon.wait_event("connection.refused", since=since)
        assert "limits.connections" in refused["reason"]
        assert refused["source"].startswith(f"{HOST}:")
