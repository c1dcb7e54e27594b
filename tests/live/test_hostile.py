"""Whole daemons against clients without manners: each gets nothing, and everybody else is served as before."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.daemon.refusals import BURST
from pysshd.daemon.workers import READY_WORKERS
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import ChannelData, ChannelOpen, ChannelRequest, GlobalRequest
from pysshd.ssh.wire.messages.requests import Env, Exec
from pysshd.ssh.wire.messages.transport import Debug, Disconnect, Ignore, Ping, ServiceRequest
from pysshd.ssh.wire.messages.userauth import PasswordBody, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import PLAIN, Daemon, is_running, serving, until
from tests.live.looking import descriptors, name_of, title, workers
from tests.live.watch import least_times, unharmed
from tests.live.wire import Wire, closed_within, wire

HASH = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
"""argon2id's form with a tag that no password has; see `POLICY`."""

POLICY = f"""
limits: {{login_grace: 20s, startups: {{start: 300, rate: 30%, full: 400}}, sessions_per_connection: 10,
  connections: 400}}
users:
  alice: {{keys: ["@@alice@@"], password: "{HASH}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}
  bob: {{keys: ["@@bob@@"]}}
  denied: {{keys: ["@@denied@@"], password: "{HASH}EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"}}
login:
  - {{who: denied, refuse: true}}
  - {{who: "*", methods: [publickey, password]}}
grants: [{{who: alice, roles: login-shell}}]
"""
PROTOCOL_ERROR, BY_APPLICATION, NO_MORE_METHODS = 2, 11, 14
AT_ONCE = 10.0
"""Seconds that are long for whoever is shown out at once, and half of the grace time."""

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    """One daemon for all of these clients."""
    with serving(POLICY, keys, mode=PLAIN) as daemon:
        yield daemon


@pytest.fixture(autouse=True)
def _others_are_served(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each of them leaves the one daemon as it was, and everybody else is served."""
    if "house" not in request.fixturenames:
        yield
        return
    with unharmed(request.getfixturevalue("house")):
        yield


# --- before there are keys


@pytest.mark.security("S01")
@pytest.mark.parametrize(
    "line",
    [
        *(
            b"GET / HTTP/1.1\r\n\r\n",
            b"A" * 256,
            b"SSH-2.0-a\0b\r\n",
            b"SSH-2.0-" + b"a" * 300 + b"\r\n",
            b"x\n" * 1000,
        ),
        b"PROXY TCP4 203.0.113.9 192.0.2.1 4022 22\r\nSSH-2.0-x\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + b"SSH-2.0-x\r\n",
    ],
    ids=["http", "endless", "nul", "long", "lines", "proxy header", "proxy header of version 2"],
)
def test_whoever_does_not_speak_ssh_is_shown_out(house: Daemon, line: bytes) -> None:
    with house.connect() as connection:
        connection.sendall(line)
        closed_within(connection, AT_ONCE)


@pytest.mark.security("S02")
@pytest.mark.parametrize("version", [b"SSH-1.5-x\r\n", b"SSH-1.99x-y\r\n", b"SSH-3.0-x\r\n"])
def test_other_versions_are_refused(house: Daemon, version: bytes) -> None:
    with house.connect() as connection:
        connection.sendall(version)
        closed_within(connection, AT_ONCE)


@pytest.mark.security("S03", "S73")
@pytest.mark.parametrize("stage", ["identification", "kexinit", "service", "silence"])
def test_the_grace_time_is_not_reset_by_bytes(serve: Serve, stage: str) -> None:
    grace = 2 if stage == "service" else 1  # until then keys are exchanged
    policy = POLICY.replace("login_grace: 20s", f"login_grace: {grace}s")
    with serve(policy) as daemon:
        start = time.monotonic()
        with wire(daemon, exchange=stage == "service") as slow:
            trickle(slow, stage)
        assert time.monotonic() - start > grace - 0.2
        assert daemon.wait_event("connection.closed")["reason"] == "nobody logged in within the grace time"


def trickle(slow: Wire, stage: str) -> None:
    """Say something again and again, until nobody listens any more."""
    slow.client.begin() if stage == "kexinit" else None
    data = {"identification": b"SSH-2.0-" + b"a" * 90, "kexinit": slow.client.output()}.get(stage, b"")
    slow.socket.settimeout(0.2)
    for at in range(50):
        try:
            if stage == "service":
                slow.say(Ignore(b"x").encode())
            slow.socket.sendall(data[at : at + 1])
            if not slow.socket.recv(65536):
                return
        except TimeoutError:
            pass
        except OSError:
            return


@pytest.mark.security("S04")
@pytest.mark.parametrize("length", [0, 1, 4, 262145, 1 << 31, (1 << 32) - 1])
def test_an_impossible_length_is_refused_at_once(house: Daemon, length: int) -> None:
    with house.connect() as connection:
        connection.sendall(b"SSH-2.0-x\r\n" + length.to_bytes(4, "big") + b"\x04" * 16)
        closed_within(connection, AT_ONCE)


@pytest.mark.security("S12")
@pytest.mark.parametrize("message", [Ignore(b"x" * 30000).encode(), Debug(True, b"\x1b[31m" * 5000).encode()])
def test_a_flood_of_nothing_ends_the_connection(house: Daemon, message: bytes) -> None:
    since = len(house.events())
    with wire(house) as flood:
        sent, end = 0, time.monotonic() + 30
        try:
            while time.monotonic() < end:
                flood.client.send(message)
                flood.flush()
                sent += len(message)
        except OSError:
            pass
        assert time.monotonic() < end, f"{sent / 1e6:.1f} MB of nothing were taken"
    detail = house.wait_event("connection.failed", since=since)["detail"]
    print(f"{sent / 1e6:.1f} MB of nothing were sent: {detail}")


@pytest.mark.security("S14")
def test_no_ping_is_answered_before_a_login(house: Daemon) -> None:
    with wire(house) as flood:
        for _ in range(2000):
            flood.say(*[Ping(b"x" * 60).encode()] * 20)
        came, reason = flood.end()
        assert Number.PONG not in came
        assert reason in (PROTOCOL_ERROR, None)


@pytest.mark.security("S15")
def test_nothing_is_queued_while_a_key_exchange_is_open(house: Daemon, keys: Keys) -> None:
    with wire(house) as held:
        assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        held.say(ChannelOpen("session", 0, 1 << 30, 32768).encode())
        held.until(Number.CHANNEL_OPEN_CONFIRMATION)
        held.client.auto = False
        held.client.send_kexinit()
        for _ in range(400):
            held.say(ChannelData(0, b"x" * 32000).encode())
        assert held.end()[1] in (PROTOCOL_ERROR, None)


# --- who does not log in


@pytest.mark.security("S13", "S16", "S47", "S48")
@pytest.mark.parametrize("stage", ["plain", "keys", "service"])
def test_nothing_runs_before_a_login(house: Daemon, stage: str, tmp_path: Path) -> None:
    marker = Path("/tmp") / f"pysshd-marker-{os.getpid()}-{stage}"
    command = f"touch {marker}".encode()
    asked = [
        ChannelOpen("session", 0, 1 << 20, 32768).encode(),
        ChannelRequest(0, "exec", True, Exec(command).encode()).encode(),
        GlobalRequest("tcpip-forward", True, codec.text("") + codec.uint32(0)).encode(),
    ]
    for number, messages in enumerate([asked, asked[2:], asked[1:2], [bytes([52])], [bytes([51, 0, 0, 0, 0, 0])]]):
        with wire(house, exchange=stage != "plain", service=stage == "service") as early:
            if stage == "plain":
                early.client.send_identification()
            early.say(*messages)
            came, reason = early.end()
            assert reason == PROTOCOL_ERROR, number
            assert not {Number.CHANNEL_OPEN_CONFIRMATION, Number.REQUEST_SUCCESS} & set(came)
    assert not marker.exists()


@pytest.mark.security("S48")
@pytest.mark.parametrize("service", ["ssh-connection", "ssh-\x1b[31m", "none"])
def test_no_other_service_is_had_first(house: Daemon, service: str) -> None:
    with wire(house, service=False) as early:
        early.say(ServiceRequest(service).encode())
        assert early.end()[1] == 7


@pytest.mark.security("S49")
def test_who_is_in_stays_who_they_are(house: Daemon, keys: Keys) -> None:
    with wire(house) as held:
        assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        body = held.signed(b"bob", keys.private("bob"))
        held.say(UserauthRequest(b"bob", "ssh-connection", "publickey", body).encode())
        held.say(GlobalRequest("keepalive@openssh.com", True).encode())
        assert held.until(*range(50, 101))[0] in (Number.REQUEST_FAILURE, Number.REQUEST_SUCCESS)
        held.say(ChannelOpen("session", 0, 1 << 20, 32768).encode())
        assert held.until(Number.CHANNEL_OPEN_CONFIRMATION, Number.CHANNEL_OPEN_FAILURE)[0] == 91
    assert house.events("login.accepted")[-1]["person"] == "alice"


@pytest.mark.security("S50")
def test_a_login_does_not_change_its_name(house: Daemon) -> None:
    with wire(house) as held:
        assert held.password(b"alice", b"wrong")[0] == Number.USERAUTH_FAILURE
        held.say(UserauthRequest(b"bob", "ssh-connection", "password", PasswordBody(False, b"x").encode()).encode())
        assert held.end()[1] == PROTOCOL_ERROR


@pytest.mark.security("S52")
def test_a_hunt_for_keys_ends_soon(house: Daemon) -> None:
    with wire(house) as hunt:
        asked = 0
        try:
            while asked < 250:
                asked += 1
                hunt.probe(b"alice", codec.text("ssh-ed25519") + codec.string(os.urandom(32)))
        except EOFError:
            pass
        assert asked <= 7
        reasons = [p[4] for p in hunt.client.received if p[0] == Number.DISCONNECT]
        assert reasons == [NO_MORE_METHODS]


ODD_NAMES = [
    *(b"../x", b"a/b", b"-l", b"a\0b", b"", b"a" * 10000, b"\xff\xfe", b"alice\n", b"\x1b[2J"),
    *("\u0430lice".encode(), "al\u202eice".encode()),
]


@pytest.mark.security("S67")
@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_an_odd_name_gets_nobody_in(house: Daemon, keys: Keys, name: bytes) -> None:
    with wire(house) as odd:
        try:
            answer = odd.sign_in(name, keys.private("alice"))
        except EOFError:
            return
        assert answer[0] == Number.USERAUTH_FAILURE


@pytest.mark.security("S68")
@pytest.mark.parametrize("secret", [b"", b"!", b"a\0b", b"x" * 2000, b"x" * 200_000], ids=len)
def test_what_can_be_no_password_is_none(house: Daemon, secret: bytes) -> None:
    with wire(house) as odd:
        try:
            assert odd.password(b"alice", secret)[0] == Number.USERAUTH_FAILURE
        except EOFError:
            assert len(secret) > 32768


@pytest.mark.security("S68", "S69", "S72")
@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("none", b""),
        ("", b""),
        ("none\0", b""),
        ("x" * 20000, b""),
        ("password", codec.boolean(True) + codec.string(b"old") + codec.string(b"new")),
        ("hostbased", codec.text("ssh-ed25519") + codec.string(b"x") * 4),
        ("gssapi-with-mic", codec.uint32(0xFFFFFFFF)),
        ("keyboard-interactive", codec.text("") + codec.text("")),
    ],
    ids=["none", "empty", "nul", "long", "change", "hostbased", "gssapi", "interactive"],
)
def test_odd_methods_fail(house: Daemon, method: str, body: bytes) -> None:
    with wire(house) as odd:
        try:
            answer = odd.request(b"alice", method, body)
        except EOFError:
            return
        assert answer[0] == Number.USERAUTH_FAILURE


def played(daemon: Daemon, name: bytes, blob: bytes) -> list[bytes]:
    """What somebody of this name is shown, byte by byte, from the service to the end; ids are drawn by lot."""
    with wire(daemon) as held:
        seen = len(held.client.received)
        held.request(name, "none", b"")
        held.probe(name, blob)
        held.password(name, b"wrong")
        held.request(name, "keyboard-interactive", codec.text("") + codec.text(""))
        try:
            for _ in range(8):
                held.password(name, b"wrong")
        except EOFError:
            pass
        return [
            re.sub(rb"\(id [0-9a-hjkmnp-tv-z]{10}\)", b"(id ID)", payload) for payload in held.client.received[seen:]
        ]


@pytest.mark.security("S55", "S71")
def test_unknown_known_and_denied_people_are_shown_the_same(house: Daemon) -> None:
    blob = codec.text("ssh-ed25519") + codec.string(os.urandom(32))
    plays = {name: played(house, name, blob) for name in (b"alice", b"bob", b"denied", b"nobody", b"x" * 65)}
    assert len(plays[b"alice"]) >= 6
    for name, play in plays.items():
        assert play == plays[b"alice"], name


@pytest.mark.security("S70")
def test_unknown_known_and_denied_people_take_about_as_long(house: Daemon) -> None:
    def three(name: str, _: int) -> float:
        with wire(house) as held:
            start = time.monotonic()
            for _ in range(3):
                held.password(name.encode(), b"wrong")
            return time.monotonic() - start

    least = least_times(("alice", "denied", "nobody"), three, 2.9)
    print(f"three wrong passwords take {least} s")
    assert max(least.values()) < 3 * min(least.values())


# --- what is left behind


@pytest.mark.security("S75")
def test_channels_that_come_and_go_leave_nothing(house: Daemon, keys: Keys) -> None:
    with wire(house) as held:
        assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        worker = int(house.events("connection.opened")[-1]["worker"])
        before = 0
        for turn in range(600):
            if turn == 100:
                before = rss(worker)
            held.say(ChannelOpen("session" if turn % 2 else "x11", turn, 1 << 20, 32768).encode())
            answer = held.until(Number.CHANNEL_OPEN_CONFIRMATION, Number.CHANNEL_OPEN_FAILURE)
            if answer[0] == Number.CHANNEL_OPEN_CONFIRMATION:
                held.say(bytes([Number.CHANNEL_CLOSE]) + answer[5:9])
                held.until(Number.CHANNEL_CLOSE)
        assert rss(worker) - before < 512
        opened = 0
        for turn in range(12):
            held.say(ChannelOpen("session", turn, 1 << 20, 32768).encode())
            answer = held.until(Number.CHANNEL_OPEN_CONFIRMATION, Number.CHANNEL_OPEN_FAILURE)
            opened += answer[0] == Number.CHANNEL_OPEN_CONFIRMATION
            if answer[0] == Number.CHANNEL_OPEN_FAILURE:
                assert int.from_bytes(answer[5:9], "big") == 4
        assert opened == 10


def rss(pid: int) -> int:
    """Kilobytes of a process in memory."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0])


@pytest.mark.security("S116")
def test_killed_clients_leave_nothing(house: Daemon) -> None:
    count = 24
    house.ssh("true")
    until(lambda: len(workers(house)) == READY_WORKERS and not sessions_of(house))
    held = count_descriptors(house)
    for turn in range(count // 8):
        clients = [
            house.client.start(f"echo; exec sleep 30{turn}", options=("-tt",) if number % 2 else ())
            for number in range(8)
        ]
        for client in clients:
            assert client.stdout is not None
            client.stdout.readline()
        sessions = [event["pid"] for event in house.events("session.started")][-8:]
        for client in clients:
            client.kill()
        until(lambda sessions=sessions: not any(map(is_running, sessions)))  # type: ignore[misc]
    until(lambda: len(workers(house)) == READY_WORKERS and not sessions_of(house), what=house.processes)
    assert house.zombies() == []
    # Terminals of other daemons come and go beside these.
    until(lambda: not terminals(house), what="pseudo-terminals come back")
    until(lambda: count_descriptors(house) <= held, what=lambda: (held, count_descriptors(house)))


def sessions_of(daemon: Daemon) -> list[str]:
    """The titles of what runs below the monitor and is none of its own processes."""
    return [title(pid) for pid in daemon.processes() if not name_of(pid).startswith("pysshd: ")]


def count_descriptors(daemon: Daemon) -> int:
    """How many descriptors the monitor holds; 0 where only root could tell."""
    try:
        return len(descriptors(daemon.pid))
    except PermissionError:
        return 0


def terminals(daemon: Daemon) -> list[int]:
    """Which processes of a daemon hold a master of a pseudo-terminal, as far as we may look."""
    found = []
    for pid in (daemon.pid, *daemon.processes()):
        try:
            found += [pid for link in descriptors(pid).values() if link.endswith("/ptmx")]
        except OSError:
            pass
    return found


@pytest.mark.security("S119", "S120")
def test_no_log_line_is_forged_and_none_has_a_secret(serve: Serve, keys: Keys) -> None:
    evil = "\x1b[2J\r\n2026-01-01 info    forged\u202e\u2028\x00\x9b31m".encode()
    with serve(POLICY) as daemon:
        for identification in (b"SSH-2.0-x\x1b[31m", "SSH-2.0-x\u202e\u2028\x9b".encode(), b"SSH-2.0-\xff\xfe"):
            try:
                with wire(daemon, identification=identification) as odd:
                    odd.password(evil, b"canary-one")
            except EOFError:
                pass
        with wire(daemon) as odd:
            odd.password(evil, b"canary-one")
        with wire(daemon) as odd:
            odd.password(b"alice", b"canary-two")
            odd.password(b"alice", "canary-tw\u00f6".encode("latin-1"))
            odd.say(Debug(True, evil).encode(), Disconnect(11, evil, evil).encode())
            odd.end()
        with wire(daemon) as odd:
            odd.say(UserauthRequest(b"canary-three", "ssh-connection", "none").encode())
            odd.until(Number.USERAUTH_FAILURE)
        with wire(daemon) as held:
            assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
            held.say(ChannelOpen("session", 0, 1 << 20, 32768).encode())
            held.until(Number.CHANNEL_OPEN_CONFIRMATION)
            held.say(ChannelRequest(0, "env", True, Env(b"LANG", evil + b"canary-four").encode()).encode())
            held.say(ChannelRequest(0, "env", True, Env(b"A" + evil, b"canary-five").encode()).encode())
            held.say(ChannelRequest(0, "exec", True, Exec(b"true " + evil).encode()).encode())
            held.until(Number.CHANNEL_SUCCESS, Number.CHANNEL_FAILURE)
            held.say(GlobalRequest("x\x1b[31m", True, evil).encode())
        daemon.expected |= {"session.failed"}
        assert daemon.ssh("exit 7").returncode == 7
        log = (daemon.folder / "log").read_bytes().decode("utf-8")
        assert not (found := CONTROL.search(log)), ascii(log[max(0, found.start() - 200) : found.end() + 50])
        for line in log.splitlines():
            assert isinstance(json.loads(line), dict)
        for secret in ("canary-one", "canary-two", "canary-tw", "canary-four", "canary-five", HASH):
            assert secret not in log
        for pid in (daemon.pid, *daemon.processes()):
            try:
                assert b"canary" not in Path(f"/proc/{pid}/cmdline").read_bytes()
            except FileNotFoundError:
                pass


@pytest.mark.security("S33")
def test_half_open_connections_keep_nobody_out(serve: Serve) -> None:
    """By default one source holds nobody else up, however many connections it opens."""
    count = 200
    with serve(POLICY.replace("startups: {start: 300, rate: 30%, full: 400}, ", "")) as daemon:
        half_open(daemon, count)


def half_open(house: Daemon, count: int) -> None:
    held = [house.connect() for _ in range(count)]
    try:
        start = time.monotonic()
        assert house.ssh("exit 7", options=("-b", "127.0.0.2")).returncode == 7
        print(f"a login beside {count} half-open connections took {time.monotonic() - start:.2f} s")
    finally:
        for connection in held:
            connection.close()
    until(lambda: len(workers(house)) <= 5, what="workers of half-open connections")


def test_a_refused_crowd_costs_the_daemon_little(serve: Serve) -> None:
    policy = POLICY.replace(
        "start: 300, rate: 30%, full: 400", "start: 3, rate: 100%, full: 5, per_source: 9, per_source_rate: 90"
    )
    with serve(policy) as daemon:
        held = [daemon.connect() for _ in range(3)]
        daemon.wait_event("connection.opened")
        until(lambda: len(daemon.events("connection.opened")) == 3)
        for _ in range(50):
            with daemon.connect() as connection:
                closed_within(connection, AT_ONCE)
        for connection in held:
            connection.close()
        until(lambda: len(daemon.events("connection.closed")) == 3)
        assert daemon.ssh("exit 7").returncode == 7
        refused = daemon.events("connection.refused")
        # A storm is sampled: what has no line of its own is counted in the next one, and none may be left to count.
        assert BURST <= len(refused) <= 50
        assert len(refused) + sum(event.get("unwritten_before", 0) for event in refused) <= 50


def test_passwords_of_clients_that_left_are_checked_no_more(serve: Serve) -> None:
    slow = POLICY.replace("m=8192,t=1", "m=65536,t=4")
    with serve(slow) as daemon:
        alone = time_of_a_password(daemon)
        for _ in range(20):
            held = Wire(daemon)
            held.connect()
            held.request_service()
            body = PasswordBody(False, b"wrong").encode()
            held.say(UserauthRequest(b"alice", "ssh-connection", "password", body).encode())
            held.close()
        until(lambda: len(daemon.events("connection.closed")) == 21)
        behind = time_of_a_password(daemon)
        # Others use this machine too, and not as much before as after.
        alone = max(alone, time_of_a_password(daemon))
        print(f"a password takes {alone:.2f} s, and {behind:.2f} s behind those of 20 clients that left")
        assert behind < 3 * alone + 0.5


def time_of_a_password(daemon: Daemon) -> float:
    """Seconds until a wrong password is refused."""
    with wire(daemon) as honest:
        start = time.monotonic()
        honest.password(b"alice", b"wrong")
        return time.monotonic() - start
