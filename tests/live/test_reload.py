"""Reloads of a live daemon, with the real client: what stays, what ends, what is refused, and who is told what."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import Daemon, Event, is_running, open_folder, service_user, serving, until
from tests.live.host import own_host, serving_host
from tests.live.watch import ends

BASE = """
limits: {startups: {start: 100, rate: 30%, full: 200}, sessions_per_connection: 60}
users:
  alice: {keys: ["@@alice@@"]@USER@}
roles: {owner: @ROLE@}
grants: [{who: alice, roles: owner@GRANT@}]
"""
EVERYTHING = "{shell: true, exec: any, pty: true}"
STAYING = "echo here $$; read x; exit 5"
ENDED = re.compile(rb"ssh server: this session is no longer allowed and has been ended \(id ([0-9a-z]{10})\)\r\n")


def policy(role: str = EVERYTHING, user: str = "", grant: str = "") -> str:
    return BASE.replace("@ROLE@", role).replace("@USER@", user).replace("@GRANT@", grant)


def rewrite(daemon: Daemon, before: str, after: str) -> None:
    """Put another policy in the place of the one that is there, whole at once, as an editor does."""
    text = daemon.policy.read_text()
    keys = daemon.client.keys
    assert keys.filled(before) in text
    replace_with(daemon, text.replace(keys.filled(before), keys.filled(after)))


def replace_with(daemon: Daemon, text: str) -> None:
    draft = daemon.policy.with_name("draft")
    draft.write_text(text)
    draft.chmod(0o644)
    draft.rename(daemon.policy)


def ctl(daemon: Daemon, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-m", "pysshd", "ctl", "--state", str(daemon.state), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def running(daemon: Daemon, command: str = STAYING, **options: Any) -> "tuple[subprocess.Popen[bytes], int]":
    """A client whose program runs, and the process of that."""
    client = daemon.client.start(command, **options)
    assert client.stdout is not None
    said = client.stdout.readline()
    assert said.startswith(b"here "), said
    return client, int(said.split()[1])


def goes_on(client: "subprocess.Popen[bytes]") -> None:
    """It ends as it would have without any reload."""
    assert client.poll() is None
    assert client.stdin is not None
    client.stdin.write(b"x\n")
    client.stdin.close()
    assert client.wait(20) == 5


def ended(client: "subprocess.Popen[bytes]", pid: int) -> str:
    """It was ended and told so: the id."""
    assert client.wait(20) == 255
    assert client.stderr is not None
    found = ENDED.search(client.stderr.read())
    assert found is not None
    until(lambda: not is_running(pid))
    return found[1].decode()


def in_force(daemon: Daemon) -> str:
    """The rules that are in force."""
    return str(json.loads(ctl(daemon, "status", "--json").stdout)["rules"])


@pytest.fixture(scope="module")
def one_of_all(keys: Keys) -> Iterator[Daemon]:
    with serving(policy(), keys) as daemon:
        yield daemon


@pytest.fixture
def daemon(one_of_all: Daemon) -> Iterator[Daemon]:
    """A daemon of `policy()`, of which a test may change the file; others have it before and after."""
    daemon = one_of_all
    text = daemon.policy.read_text()
    daemon.forget()
    yield daemon
    daemon.client.close()
    until(lambda: ends(daemon, 0)[0] == ends(daemon, 0)[1], what="the end of each connection")
    if daemon.policy.is_dir():
        daemon.policy.rmdir()
    replace_with(daemon, text)
    assert ctl(daemon, "reload").returncode == 0


# --- accepted and refused


def test_a_good_file_is_in_force_when_the_command_returns(daemon: Daemon) -> None:
    assert daemon.ssh("exit 7").returncode == 7
    before = in_force(daemon)
    rewrite(daemon, f"owner: {EVERYTHING}", "owner: {exec: 'true'}")
    said = ctl(daemon, "reload")
    assert (said.returncode, said.stdout) == (0, "")
    rules = daemon.wait_event("reload.accepted")["rules"]
    assert said.stderr == f"{daemon.policy}: rules {rules} are in force\n"
    refused = daemon.ssh("exit 7")
    assert refused.returncode == 255
    event = daemon.wait_event("request.refused")
    assert event["rules"] == rules != before
    assert f"ssh server: refused (id {event['decision']})".encode() in refused.stderr


def test_a_file_whose_tests_fail_stays_out(daemon: Daemon) -> None:
    rewrite(
        daemon,
        "grants: [{who: alice, roles: owner}]",
        "grants: [{who: alice, roles: owner}]\n"
        "tests: [{as: alice, from: 192.0.2.1, login: publickey, deny: [shell, {exec: ls}]}]",
    )
    said = ctl(daemon, "reload")
    assert said.returncode == 1
    assert "test failed: case 1: alice may shell" in said.stderr
    assert daemon.wait_event("reload.refused")["count"] == 2
    assert daemon.ssh("exit 7").returncode == 7


@pytest.mark.security("S123")
def test_a_bad_file_stays_out_and_each_problem_is_told(daemon: Daemon) -> None:
    before = daemon.policy.read_text()
    replace_with(daemon, before.replace("who: alice", "who: malice") + "nonsense: 1\n")
    client, _ = running(daemon)
    said = ctl(daemon, "reload")
    assert said.returncode == 1
    assert said.stderr.count("\n") == 7
    assert "'malice'" in said.stderr
    assert "unknown key 'nonsense'" in said.stderr
    assert said.stderr.endswith("go on\n")
    checked = subprocess.run(
        [sys.executable, "-I", "-m", "pysshd", "check", str(daemon.policy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 2
    assert checked.stderr.splitlines()[:-1] == said.stderr.splitlines()[:-1]
    assert len(daemon.events("reload.problem")) == 2
    assert daemon.events("reload.refused")[0]["rules"] == in_force(daemon)
    assert daemon.ssh("exit 7").returncode == 7
    goes_on(client)
    status = json.loads(ctl(daemon, "status", "--json").stdout)
    assert status["reload_refused"] is not None
    replace_with(daemon, before)
    assert ctl(daemon, "reload").returncode == 0
    assert json.loads(ctl(daemon, "status", "--json").stdout)["reload_refused"] is None


@pytest.mark.security("S123")
@pytest.mark.parametrize("fault", ["gone", "writable", "folder", "a pipe"])
def test_a_file_that_can_not_be_trusted_stays_out(daemon: Daemon, fault: str) -> None:
    if fault == "writable":
        daemon.policy.chmod(0o666)
    else:
        daemon.policy.unlink()
        if fault == "folder":
            daemon.policy.mkdir()
        elif fault == "a pipe":
            os.mkfifo(daemon.policy)
    os.kill(daemon.pid, signal.SIGHUP)
    daemon.wait_event("reload.refused")
    assert daemon.ssh("exit 7").returncode == 7


def test_status_says_what_is_in_force(daemon: Daemon) -> None:
    client, _ = running(daemon)
    said = ctl(daemon, "status")
    assert said.returncode == 0
    lines = said.stdout.splitlines()
    assert lines[0].startswith(f"pysshd 0.1.0, process {daemon.pid}, since ")
    assert lines[1] == f"policy       {daemon.policy}"
    assert lines[2].startswith(f"rules        {in_force(daemon)}, since ")
    assert lines[3:] == ["connections  1, of which 1 are logged in"]
    rewrite(daemon, "server:", "server:\n  isolation: shared\n  banner: hello")
    assert ctl(daemon, "reload").stderr.splitlines()[0] == "server.isolation waits for restart"
    assert daemon.wait_event("reload.waits")["setting"] == "server.isolation"
    assert ctl(daemon, "status").stdout.splitlines()[-1] == "server.isolation waits for restart"
    assert daemon.ssh("exit 7", LogLevel="INFO").stderr.startswith(b"hello")
    goes_on(client)


def test_nobody_else_may_ask(daemon: Daemon) -> None:
    """Neither by the folder, nor without the secret, nor with too much or too little to say."""
    folder = daemon.state / "control"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "socket").stat().st_mode & 0o777 == 0o600
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_uid == service_user().pw_uid
    secret = (folder / "secret").read_text()
    for line, error in (
        (b"{}", "is not one line of JSON"),
        (b"[" * 4000, "is not one line of JSON"),
        (json.dumps({"secret": secret[:-1] + "g", "do": "reload"}).encode(), "the secret is not"),
        (json.dumps({"secret": secret, "do": "stop"}).encode(), "can not do that"),
        (json.dumps({"secret": secret, "do": ["status"]}).encode(), "can not do that"),
        (b"x" * 100_000, None),
    ):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(20)
            asking.connect(str(folder / "socket"))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                asking.sendall(line + b"\n")
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                answer = asking.recv(4096)
        assert (error or "") in (json.loads(answer)["error"] if answer else "")
    daemon.wait_event("control.refused")
    assert not daemon.events("reload.accepted")
    assert ctl(daemon, "status").returncode == 0


@pytest.mark.root
def test_the_kernels_word_counts_besides_the_secret(serve: Serve) -> None:
    """Somebody who has got hold of the secret and of a way to the socket is still somebody else."""
    with serve(policy()) as daemon:
        folder = daemon.state / "control"
        question = json.dumps({"secret": (folder / "secret").read_text(), "do": "status"})
        code = (
            "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(20)\n"
            f"f = os.open({str(folder)!r}, os.O_PATH); os.setgid(65534); os.setuid(60999)\n"
            "s.connect(f'/proc/self/fd/{f}/socket'); s.sendall(sys.argv[1].encode() + b'\\n'); print(s.recv(4096))\n"
        )
        (folder / "socket").chmod(0o666)
        folder.chmod(0o711)
        said = subprocess.run([sys.executable, "-I", "-c", code, question], capture_output=True, text=True, check=False)
        assert "version" not in said.stdout
        assert "uid 60999 may not ask" in daemon.wait_event("control.refused")["detail"]


def test_without_a_daemon_there_is_one_clear_line(tmp_path: Path) -> None:
    words = [sys.executable, "-I", "-m", "pysshd", "ctl", "--state", str(tmp_path), "status"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr.startswith(f"pysshd ctl: no daemon runs with the state folder {tmp_path}, or you may not ask it")
    assert said.stderr.count("\n") == 1


def test_a_socket_that_was_left_behind_is_replaced(serve: Serve) -> None:
    with serve(policy()) as daemon:
        assert ctl(daemon, "status").returncode == 0
        state = daemon.state
        assert (state / "control" / "socket").is_socket()
        daemon.stop()
        assert list((state / "control").iterdir()) == []


# --- what stays and what ends


@pytest.fixture(params=["connection", "shared"])
def isolation(request: pytest.FixtureRequest) -> str:
    return f"isolation: {request.param}"


def test_one_session_ends_and_its_neighbours_stay(serve: Serve, isolation: str) -> None:
    """Two commands on one connection: one is allowed no longer, and with it ends nothing else."""
    with serve(policy(), server=[isolation]) as daemon:
        socket = str(daemon.folder / "control")
        master = daemon.client.start(
            "-N", options=("-M", "-S", socket), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until(lambda: Path(socket).exists())
        through = ("-S", socket)
        kept, _ = running(daemon, options=through)
        gone, pid = running(daemon, f"{STAYING} # too", options=through)
        rewrite(daemon, f"owner: {EVERYTHING}", f"owner: {{exec: {{literal: '{STAYING}'}}}}")
        assert ctl(daemon, "reload").returncode == 0
        decision = ended(gone, pid)
        event = daemon.wait_event("session.revoked", decision=decision)
        assert event["person"] == "alice"
        assert event["rules"] == daemon.events("reload.accepted")[0]["rules"]
        goes_on(kept)
        assert master.poll() is None
        assert not daemon.events("connection.revoked")
        assert daemon.ssh(STAYING, options=through, stdin=b"x\n").returncode == 5


def test_a_program_on_a_terminal_ends_as_at_a_hang_up(daemon: Daemon) -> None:
    client, pid = running(daemon, "trap 'echo hung up >&2; exit 1' HUP; echo here $$; read x", options=("-tt",))
    rewrite(daemon, "pty: true", "env: {accept: LANG}")
    assert ctl(daemon, "reload").returncode == 0
    assert client.wait(20) == 1
    assert client.stdout is not None
    assert client.stderr is not None
    assert b"hung up" in client.stdout.read()
    assert ENDED.search(client.stderr.read())
    assert daemon.wait_event("session.revoked")["request"] == "pty xterm"
    until(lambda: not is_running(pid))


def test_a_program_that_ignores_its_end_is_killed(daemon: Daemon) -> None:
    client, pid = running(daemon, "trap '' HUP TERM; echo here $$; while :; do sleep 1; done")
    rewrite(daemon, f"owner: {EVERYTHING}", "owner: {shell: true}")
    assert ctl(daemon, "reload").returncode == 0
    ended(client, pid)
    assert daemon.wait_event("session.ended", pid=pid)["status"] == "signal SIGKILL"


def test_a_revoked_key_ends_its_connections_and_no_others(serve: Serve, isolation: str) -> None:
    people = policy().replace('"@@alice@@"', '"@@alice@@", "@@other@@"')
    with serve(people, server=[isolation]) as daemon:
        kept, _ = running(daemon)
        gone, pid = running(daemon, key="other")
        rewrite(daemon, ', "@@other@@"', "")
        os.kill(daemon.pid, signal.SIGHUP)
        assert gone.wait(20) == 255
        assert gone.stderr is not None
        event = daemon.wait_event("connection.revoked")
        assert f"access has ended (id {event['decision']})".encode() in gone.stderr.read()
        assert event["person"] == "alice"
        assert "nobody's key" in event["reason"]
        until(lambda: not is_running(pid))
        goes_on(kept)
        assert daemon.ssh("exit 7").returncode == 7
        assert daemon.ssh("exit 7", key="other").returncode == 255


def test_a_key_that_is_taken_out_of_its_file_is_revoked_by_a_reload(serve: Serve, keys: Keys) -> None:
    with open_folder() as place:
        file = place / "alice.keys"
        file.write_text(f"{keys.public('alice')}\n{keys.public('other')}\n")
        with serve(policy().replace('"@@alice@@"', f"{{file: {file}}}")) as daemon:
            kept, _ = running(daemon)
            gone, pid = running(daemon, key="other")
            file.write_text(f"{keys.public('alice')}\n")
            assert ctl(daemon, "reload").returncode == 0
            assert gone.wait(20) == 255
            until(lambda: not is_running(pid))
            goes_on(kept)


def test_a_file_of_keys_in_a_home_stays_out(serve: Serve, keys: Keys) -> None:
    """At the start and at a reload: whoever is confined there could say who comes in, and as whom."""
    with open_folder() as place:
        (place / "alice.keys").write_text(f"{keys.public('alice')}\n")
        text = policy().replace("users:", 'users:\n  bob: {keys: ["@@bob@@"]HOME}')
        with serve(text.replace("HOME", "")) as daemon:
            rewrite(daemon, '["@@alice@@"]', f"{{file: {place}/alice.keys}}")
            assert ctl(daemon, "reload").returncode == 0
            rewrite(daemon, '["@@bob@@"]', f'["@@bob@@"], home: {place}')
            said = ctl(daemon, "reload")
            assert said.returncode == 1
            assert f"home {place} of bob holds {place}/alice.keys, which is the daemon's" in said.stderr
            assert daemon.ssh("exit 7").returncode == 7
        text = text.replace("HOME", f", home: {place}").replace('["@@alice@@"]', f"{{file: {place}/alice.keys}}")
        with pytest.raises(AssertionError, match="of bob holds"), serve(text):
            pass


def test_somebody_who_is_not_in_the_file_any_more_is_out(daemon: Daemon) -> None:
    client, pid = running(daemon)
    text = daemon.policy.read_text().replace("alice", "bob").replace(daemon.client.keys.public("alice"), "")
    replace_with(daemon, text.replace('[""]', f'["{daemon.client.keys.public("bob")}"]'))
    assert ctl(daemon, "reload").returncode == 0
    assert client.wait(20) == 255
    event = daemon.wait_event("connection.revoked")
    assert (event["person"], event["account"]) == ("alice", "alice")
    until(lambda: not is_running(pid))


def test_limits_and_banner_apply_to_who_comes_next(daemon: Daemon) -> None:
    client, _ = running(daemon)
    rewrite(daemon, "server:", "server:\n  banner: hello\n  version_addendum: here")
    rewrite(daemon, "limits: {", "limits: {connections: 1, ")
    assert ctl(daemon, "reload").returncode == 0
    assert daemon.ssh("exit 7").returncode == 255
    assert "limits.connections" in daemon.wait_event("connection.refused")["reason"]
    goes_on(client)
    daemon.wait_event("connection.closed")
    until(lambda: daemon.ssh("exit 7").returncode == 7)

    def greeted() -> bool:
        with daemon.connect() as plain:
            return plain.recv(100).split(b"\r\n")[0].endswith(b" here")

    # There is room for one, and the client before is gone a moment later.
    until(greeted)


@pytest.mark.root
def test_an_account_that_is_locked_on_the_host_is_out_after_a_reload(keys: Keys) -> None:
    with own_host() as host:
        for name in ("pysshd-t-a", "pysshd-t-b"):
            host.add(name)
        people = "\n".join(f'  pysshd-t-{name}: {{keys: ["@@alice@@"]}}' for name in "ab")
        text = f"users:\n{people}\ngrants: [{{who: '*', roles: login-shell}}]\n"
        with serving_host(host, text, keys) as daemon:
            kept, _ = running(daemon, login="pysshd-t-a")
            gone, pid = running(daemon, login="pysshd-t-b")
            host.change("pysshd-t-b", password="!locked")
            assert ctl(daemon, "reload").returncode == 0
            assert gone.wait(20) == 255
            event = daemon.wait_event("connection.revoked")
            assert event["account"] == "pysshd-t-b"
            assert "locked" in event["reason"]
            until(lambda: not is_running(pid))
            goes_on(kept)


# --- time


TOO = f"{STAYING} # too"
CLOSING = f"""{{who: alice, not_after: "@END@", allow: {{pty: true, exec: {{literal: '{TOO}'}}}}}}"""
WINDOWS = policy(f"{{exec: {{literal: '{STAYING}'}}}}").replace("grants: [", f"grants: [{CLOSING}, ")
EXPIRING = policy(user=', not_after: "@END@"')


class Windows(NamedTuple):
    """What ends at one moment and what does not: the daemons, the moment, and each client with its program."""

    daemon: Daemon
    another: Daemon
    end: datetime
    kept: "tuple[subprocess.Popen[bytes], int]"
    terminal: "tuple[subprocess.Popen[bytes], int]"
    granted: "tuple[subprocess.Popen[bytes], int]"
    expiring: "tuple[subprocess.Popen[bytes], int]"

    def told(self, daemon: Daemon, name: str, **fields: Any) -> Event:
        """What was told of an end, which is not before the moment."""
        event = daemon.wait_event(name, within=40, **fields)
        assert datetime.fromisoformat(event["time"]) >= self.end
        return event


@pytest.fixture(scope="module")
def windows(keys: Keys) -> Iterator[Windows]:
    """Time that is waited for once: a user who expires, and grants that close while another goes on."""
    end = (datetime.now(UTC) + timedelta(seconds=12)).replace(microsecond=0)
    first, second = (text.replace("@END@", end.isoformat()) for text in (WINDOWS, EXPIRING))
    with serving(first, keys) as daemon, serving(second, keys) as another:
        clients = running(daemon), running(daemon, options=("-tt",)), running(daemon, TOO), running(another)
        yield Windows(daemon, another, end, *clients)


def test_a_terminal_ends_with_its_window(windows: Windows) -> None:
    """The program may go on, and its terminal may not."""
    gone, pid = windows.terminal
    gone.wait(20)
    windows.told(windows.daemon, "session.revoked", request="pty xterm")
    until(lambda: not is_running(pid))
    goes_on(windows.kept[0])


def test_a_user_who_expires_is_ended_without_a_reload(windows: Windows) -> None:
    client, pid = windows.expiring
    event = windows.told(windows.another, "connection.revoked")
    assert "not valid at this time" in event["reason"] or "expired" in event["reason"]
    assert client.wait(20) == 255
    until(lambda: not is_running(pid))
    assert not windows.another.events("reload.accepted")


def test_a_grant_whose_window_closes_ends_its_sessions_and_not_the_connection(windows: Windows) -> None:
    decision = ended(*windows.granted)
    windows.told(windows.daemon, "session.revoked", decision=decision)
    assert not windows.daemon.events("connection.revoked")


# --- under load


def under_load(daemon: Daemon, reloads: int, sessions: int) -> None:
    """So many reloads, half of them of a broken file, while sessions run and clients come and go."""
    clients = [running(daemon)[0] for _ in range(sessions)]
    good = daemon.policy.read_text()
    first = daemon.events("daemon.rules")[0]["rules"]
    for number in range(reloads // 2):
        replace_with(daemon, good + ("users: twice\n" if number % 3 else "grants: [{who: *}]\n"))
        said = json.loads(ctl(daemon, "reload", "--json").stdout)
        assert not said["ok"]
        assert said["problems"]
        replace_with(daemon, f"{good}# {number}\n")
        before, said = said["rules"], json.loads(ctl(daemon, "reload", "--json").stdout)
        assert said["ok"]
        assert said["rules"] != before
        if number % 10 == 0:
            assert daemon.ssh("exit 7").returncode == 7
    assert len({event["rules"] for event in daemon.events("reload.accepted")} | {first}) == reloads // 2 + 1
    assert len(daemon.events("reload.refused")) == reloads // 2
    assert not daemon.events("session.revoked")
    assert not daemon.events("connection.revoked")
    for client in clients:
        goes_on(client)


@pytest.mark.security("S129")
def test_reloads_under_load_lose_no_session(serve: Serve, isolation: str) -> None:
    with serve(policy(), server=[isolation]) as daemon:
        under_load(daemon, 20, 5)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.security("S129")
def test_a_thousand_reloads_while_fifty_sessions_run(serve: Serve) -> None:
    with serve(policy()) as daemon:
        under_load(daemon, 1000, 50)
