"""`accounts: system`: sessions are their account's own, as root alone can give them."""

import os
import pwd
import re
import resource
import signal
import termios
import time
from collections.abc import Iterator

import pytest

from tests.live.client import Keys
from tests.live.daemon import Daemon, is_running, until, until_foreground
from tests.live.host import Host, crypted, own_host, serving_host
from tests.live.looking import status, workers, zygote
from tests.live.terminal import at_prompt, at_terminal

pytestmark = pytest.mark.root

POLICY = """
limits: {startups: {start: 100, rate: 30%, full: 200}, sessions_per_connection: 40}
users:
  web: {keys: ["@@web@@"], accounts: [web, deploy], run_as: pysshd-t-deploy}
  admin: {keys: ["@@admin@@"], accounts: [admin, root]}
sources:
  - {system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}], password: system}
login: [{who: "*", methods: [publickey, password]}, {who: admin, account: root, methods: publickey}]
roles:
  shell: {shell: true, exec: any, pty: true, env: {accept: [LANG, "LC_*"], set: {SHLVL: "1"}}}
  sftp-program: {subsystems: {sftp: [/usr/lib/openssh/sftp-server]}}
  box: {exec: any, confined: true}
grants:
  - {who: "system-group:pysshd-tg", unless: {who: pysshd-t-carol}, roles: [shell, sftp-program]}
  - {who: web, roles: shell}
  - {who: admin, account: root, roles: shell}
  - {who: pysshd-t-carol, roles: box}
"""
ALICE, BOB = "pysshd-t-alice", "pysshd-t-bob"


@pytest.fixture(scope="module")
def host(keys: Keys) -> Iterator[Host]:
    """A host with a few people."""
    with own_host() as made:
        more = ["pysshd-tg", "pysshd-th"]
        made.add(ALICE, groups=more, password=crypted("correct horse"), keys=keys.public("alice") + "\n")
        made.add(BOB, groups=more[:1], password=crypted("battery staple"), keys=keys.public("bob") + "\n")
        made.add("pysshd-t-carol", keys=keys.public("carol") + "\n")
        made.add("pysshd-t-deploy")
        made.may_sudo(ALICE)
        yield made


@pytest.fixture(scope="module")
def login_server(host: Host, keys: Keys) -> Iterator[Daemon]:
    """A daemon with `accounts: system`."""
    with serving_host(host, POLICY, keys) as daemon:
        yield daemon


def run(daemon: Daemon, command: str, login: str = ALICE, key: str = "alice", **more: object) -> str:
    """What a command says; it must succeed."""
    done = daemon.ssh(command, login=login, key=key, **more)
    assert done.returncode == 0, (done, daemon.log[-3000:])
    return done.stdout.decode()


@pytest.mark.security("S113", "S114")
def test_a_session_is_the_account_with_its_groups_and_nothing_more(login_server: Daemon, host: Host) -> None:
    alice = host.users[ALICE]
    names = set(run(login_server, "id -Gn").split())
    assert names == {ALICE, "pysshd-tg", "pysshd-th"}
    assert run(login_server, "id -un; id -gn").split() == [ALICE, ALICE]
    assert set(run(login_server, "id -Gn", BOB, "bob").split()) == {BOB, "pysshd-tg"}
    status = dict(line.split(":\t", 1) for line in run(login_server, "cat /proc/self/status").splitlines())
    assert status["Uid"].split() == [str(alice.uid)] * 4
    assert status["Gid"].split() == [str(alice.uid)] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert int(status["CapBnd"], 16) != 0  # sudo is to work
    assert status["NoNewPrivs"] == "0"
    # Two signals are the C library's own, and no program's to ignore or not.
    assert int(status["SigIgn"], 16) & ~0x1_8000_0000 == 0
    assert int(status["SigBlk"], 16) == 0
    back = run(login_server, "perl -e '$> = 0; $< = 0; $) = 0; print qq($< $> ), (split / /, $))[0]'")
    assert back.split() == [str(alice.uid)] * 3
    read = run(login_server, "cat /etc/shadow >/dev/null 2>&1 && echo read || echo refused")
    assert read.strip() == "refused"


@pytest.mark.security("S115", "S74")
def test_a_session_holds_its_streams_and_an_environment_that_was_built(login_server: Daemon, host: Host) -> None:
    assert run(login_server, "ls /proc/self/fd").split() == ["0", "1", "2", "3"]  # the last is the listing's own
    lines = run(login_server, "env", SendEnv="LANG").splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    home = str(host.users[ALICE].home)
    told = {name: environment[name] for name in ("USER", "LOGNAME", "HOME", "SHELL", "MAIL", "PWD")}
    assert told == {
        "USER": ALICE, "LOGNAME": ALICE, "HOME": home, "SHELL": "/bin/bash", "MAIL": f"/var/mail/{ALICE}", "PWD": home
    }  # fmt: skip
    assert re.fullmatch(rf"127\.0\.0\.1 \d+ 127\.0\.0\.1 {login_server.port}", environment["SSH_CONNECTION"])
    assert re.fullmatch(rf"127\.0\.0\.1 \d+ {login_server.port}", environment["SSH_CLIENT"])
    allowed = {*told, "PATH", "SSH_CONNECTION", "SSH_CLIENT", "LANG", "SHLVL", "_", "TZ", "OLDPWD"}
    assert set(environment) <= allowed
    assert run(login_server, "echo $0").strip() == "bash"
    assert run(login_server, "umask").strip() == "0022"


def test_limits_are_those_of_the_host(login_server: Daemon) -> None:
    """The daemon gives core files up for itself; a session has what the daemon was started with."""
    wanted = [*resource.getrlimit(resource.RLIMIT_CORE), *resource.getrlimit(resource.RLIMIT_NOFILE)]
    said = run(login_server, "ulimit -Sc; ulimit -Hc; ulimit -Sn; ulimit -Hn").split()
    # A shell counts core files in blocks of 512 or 1024 bytes.
    for place, (found, limit) in enumerate(zip(said, wanted, strict=True)):
        assert found == "unlimited" if limit == resource.RLIM_INFINITY else (int(found) > 0) == (limit > 0), place
    assert said[2:] == [str(limit) for limit in wanted[2:]] or resource.RLIM_INFINITY in wanted[2:]


def test_etc_environment_is_for_everyone_and_says_nothing_of_who_they_are(login_server: Daemon, host: Host) -> None:
    file = host.etc / "environment"
    file.write_text(
        '# a comment\nPATH="/opt/bin:/usr/bin:/bin"\nexport EDITOR=vi\nUSER=root\nSSH_CLIENT=none\nno line\n'
    )
    try:
        told = dict(line.split("=", 1) for line in run(login_server, "env").splitlines())
    finally:
        file.unlink()
    assert told["PATH"] == "/opt/bin:/usr/bin:/bin"
    assert told["EDITOR"] == "vi"
    assert told["USER"] == ALICE
    assert told["SSH_CLIENT"] != "none"


def test_the_terminal_is_the_account_s_own(login_server: Daemon) -> None:
    with at_prompt(login_server.client, login=ALICE) as person:
        tty = person.ask("tty").strip()
        assert person.ask("stat -c '%U %G %a' $(tty)").strip() == f"{ALICE} tty 620"
        assert person.ask("echo hello > $(tty)").strip() == "hello"
        assert person.ask("echo $SSH_TTY").strip() == tty
        assert person.ask("ps -o tty= -p $$").strip() == tty.removeprefix("/dev/")


@pytest.mark.security("S116")
def test_the_terminal_is_given_back(login_server: Daemon) -> None:
    """What the account left running on it holds a terminal that is root's again."""
    hold = "setsid sh -c 'trap \"\" HUP TERM; echo holder $$; exec sleep 300' & read; tty"
    with at_terminal(login_server.client, hold, options=("-tt",), login=ALICE) as person:
        holder = int(person.see(r"holder (\d+)\r")[1])
        person.line("")
        tty = person.see(r"/dev/pts/\d+")[0]
        until(lambda: not os.path.exists(tty) or (os.stat(tty).st_uid, os.stat(tty).st_mode & 0o777) == (0, 0o600))
        assert is_running(holder)
        person.end()
    os.kill(holder, signal.SIGKILL)
    until(lambda: not is_running(holder))


def test_the_shell_is_a_login_shell(login_server: Daemon, host: Host) -> None:
    host.write(host.users[ALICE], ".bash_profile", "echo profile-was-read\n")
    with at_terminal(login_server.client, login=ALICE, options=("-tt",)) as person:
        person.see("profile-was-read")
        person.line("echo name''=$0; shopt -q login_shell && echo is''login; pwd; exit 3")
        person.see("name=-bash")
        person.see("islogin")
        person.see(str(host.users[ALICE].home))
        assert person.end() == 3


def test_job_control(login_server: Daemon) -> None:
    with at_prompt(login_server.client, login=ALICE) as person:
        shell = int(person.ask("echo $$"))
        person.line("sleep 300")
        until_foreground(shell, "sleep", "300")
        person.type("\x1a")
        person.see("Stopped")
        person.see("ready> ")
        assert "sleep 300" in person.ask("jobs")
        person.line("fg")
        person.see("sleep 300")
        until_foreground(shell, "sleep", "300")
        person.type("\x03")
        person.see("ready> ")
        assert person.ask("jobs").strip() == ""


@pytest.mark.parametrize("command", ["sudo -n id -u", "sudo -n -u pysshd-t-bob id -un"])
def test_sudo(login_server: Daemon, command: str) -> None:
    with at_prompt(login_server.client, login=ALICE) as person:
        said = person.ask(command)
        assert said.split()[-1] == ("0" if command.endswith("-u") else BOB), said


def test_su_with_a_password(login_server: Daemon) -> None:
    with at_prompt(login_server.client, login=ALICE) as person:
        tty = person.ask("tty").strip()
        person.line(f"su {BOB} -c 'id -un; tty'")
        person.see("assword:")
        # What is typed before it is no longer shown is thrown away.
        until(lambda: not echoes(tty), what="a terminal that shows no password")
        person.line("battery staple")
        person.see(BOB)
        person.see(r"/dev/pts/\d+")


def echoes(tty: str) -> bool:
    """Whether a terminal shows what is typed on it."""
    descriptor = os.open(tty, os.O_RDWR | os.O_NOCTTY)
    try:
        return bool(termios.tcgetattr(descriptor)[3] & termios.ECHO)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("program", ["tmux", "screen"])
def test_a_terminal_within_the_terminal(login_server: Daemon, program: str) -> None:
    start = {"tmux": "tmux -f /dev/null -L t new-session", "screen": "screen -c /dev/null -S t"}[program]
    with at_prompt(login_server.client, login=ALICE) as person:
        if "none" in person.ask(f"command -v {program} || echo none"):
            pytest.skip(f"this host has no {program}")
        person.line(f"{start} sh -c 'echo in''side; id -un; tty; sleep 1'")
        person.see("inside")
        person.see(ALICE)
        person.see(r"/dev/pts/\d+")
        person.see(r"\[exited\]|terminating")


def test_run_as_is_another_account_and_the_person_stays(login_server: Daemon, host: Host) -> None:
    for login in ("web", "deploy"):
        assert run(login_server, "id -un; echo $USER $LOGNAME; pwd", login, "web").split() == [
            "pysshd-t-deploy", "pysshd-t-deploy", "pysshd-t-deploy", str(host.users["pysshd-t-deploy"].home)
        ]  # fmt: skip
    accepted = login_server.wait_event("login.accepted", account="deploy")
    assert accepted["person"] == "web"


def test_uid_0_has_to_be_named(login_server: Daemon) -> None:
    """`*` is not root; a line that names the account is."""
    assert run(login_server, "id -u; echo $PATH", "root", "admin").split() == [
        "0", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ]  # fmt: skip
    accepted = login_server.wait_event("login.accepted", account="root")
    assert accepted["decided_by"].endswith(str(login_server.policy.read_text().split("\n").index(
        next(line for line in login_server.policy.read_text().split("\n") if line.startswith("login:"))) + 1
    ))  # fmt: skip


def test_a_password_of_the_host(login_server: Daemon) -> None:
    from tests.live.wire import wire

    with wire(login_server) as held:
        assert held.password(ALICE.encode(), b"battery staple")[0] == 51
        assert held.password(ALICE.encode(), b"correct horse")[0] == 52


def test_a_subsystem_is_the_account_s(login_server: Daemon, host: Host) -> None:
    if not os.path.exists("/usr/lib/openssh/sftp-server"):
        pytest.skip("this host has no sftp-server")
    client = login_server.client.start("-s", "sftp", login=ALICE)
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(bytes([0, 0, 0, 5, 1, 0, 0, 0, 3]))
    client.stdin.flush()
    assert client.stdout.read(9)[4:9] == bytes([2, 0, 0, 0, 3])


def test_a_confined_program_has_the_account_and_its_home(login_server: Daemon, host: Host) -> None:
    from pysshd.processes.sandbox.namespaces import supported

    if (reason := supported()) is not None:
        pytest.skip(f"this host confines no program: {reason}")
    carol = host.users["pysshd-t-carol"]
    said = run(login_server, "id -un; pwd; touch made; ls /root 2>&1 | head -1; grep -c . /proc/1/cmdline; env",
               carol.name, "carol").split("\n")  # fmt: skip
    assert said[0] == carol.name
    assert said[1] == str(carol.home)
    assert (carol.home / "made").stat().st_uid == carol.uid


@pytest.mark.security("S116")
def test_a_session_ends_with_its_client_and_with_the_daemon(host: Host, keys: Keys) -> None:
    with serving_host(host, POLICY, keys) as daemon:
        client = daemon.client.start("echo $$; exec sleep 300", login=ALICE)
        assert client.stdout is not None
        first = int(client.stdout.readline())
        client.kill()
        until(lambda: not is_running(first))
        client = daemon.client.start("echo $$; exec sleep 300", login=ALICE)
        assert client.stdout is not None
        second = int(client.stdout.readline())
        os.kill(zygote(daemon), signal.SIGKILL)
        time.sleep(0.3)
        assert is_running(second)
        os.kill(daemon.pid, signal.SIGKILL)
        until(lambda: not is_running(second))
        daemon.wait_end()


@pytest.mark.security("S114")
def test_the_daemon_stays_root_and_what_faces_the_network_is_not(login_server: Daemon) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    for pid in (login_server.pid, zygote(login_server)):
        assert status(pid)["Uid"].split() == ["0"] * 4
    for pid in workers(login_server):
        told = status(pid)
        assert told["Uid"].split() == [str(nobody)] * 4
        assert (told["NoNewPrivs"], told["Seccomp"], int(told["CapBnd"], 16)) == ("1", "2", 0)


@pytest.mark.security("S113", "S74")
def test_shared_workers_serve_each_as_themselves(host: Host, keys: Keys) -> None:
    shared = ["isolation: shared", "acknowledge: [shared-workers-with-system-accounts]"]
    with serving_host(host, POLICY, keys, server=shared) as daemon:
        clients = {
            name: daemon.client.start("id -un; cat", login=name, key=name.removeprefix("pysshd-t-"))
            for name in (ALICE, BOB)
        }
        for name, client in clients.items():
            assert client.stdout is not None
            assert client.stdout.readline().decode().strip() == name
