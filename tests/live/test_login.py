"""Who gets in, how, and what the log says of it."""

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pysshd.identity.hashing import make_hash
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.client import Keys
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import PLAIN, Daemon, serving
from tests.live.wire import closed_within, wire

CANARY = "canary-Vogel-7412"
"""The password of these tests, of which no log may know."""

KINDS = [
    ("ed25519", None, "ssh-ed25519"),
    ("ecdsa", 256, "ecdsa-sha2-nistp256"),
    ("ecdsa", 384, "ecdsa-sha2-nistp384"),
    ("ecdsa", 521, "ecdsa-sha2-nistp521"),
    ("rsa", 2048, "rsa-sha2-256"),
    ("rsa", 2048, "rsa-sha2-512"),
    ("rsa", 4096, "rsa-sha2-256"),
    ("rsa", 4096, "rsa-sha2-512"),
]

ROLE = """
roles: {owner: {shell: true, exec: any, pty: true, env: {set: {SHLVL: "1"}}}}
grants: [{who: alice, roles: owner}]
"""


def day(offset: int) -> str:
    return (datetime.now(UTC) + timedelta(days=offset)).strftime("%Y-%m-%d")


def names(kind: str, bits: int | None) -> str:
    return f"{kind}{bits or ''}"


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    listed = sorted({(kind, bits) for kind, bits, _ in KINDS}, key=str)
    for kind, bits in listed:
        keys.private(names(kind, bits), kind, bits)
    lines = [f'      - "@@{names(kind, bits)}@@"' for kind, bits in listed]
    lines += [
        f'      - {{key: "@@past@@", not_after: {day(-2)}}}',
        f'      - {{key: "@@future@@", not_before: {day(2)}}}',
    ]
    policy = f"""
limits: {{auth_attempts: 3}}
users:
  alice:
    keys:
      - "@@alice@@"
{chr(10).join(lines)}
  over: {{keys: ["@@over@@"], not_after: {day(-2)}}}
{ROLE}"""
    with serving(policy, keys, mode=PLAIN) as daemon:
        yield daemon


@pytest.mark.parametrize(("kind", "bits", "algorithm"), KINDS)
def test_every_kind_of_key(house: Daemon, kind: str, bits: int | None, algorithm: str) -> None:
    done = house.ssh("echo in", key=names(kind, bits), PubkeyAcceptedAlgorithms=algorithm)
    assert done.stdout == b"in\n", done.stderr
    assert house.events("login.accepted")[-1]["methods"] == "publickey"


def test_no_signature_by_sha_1(house: Daemon) -> None:
    before = len(house.events("login.accepted"))
    done = house.ssh("echo in", key="rsa2048", PubkeyAcceptedAlgorithms="ssh-rsa")
    assert (done.returncode, done.stdout) == (255, b"")
    assert len(house.events("login.accepted")) == before


def fingerprint(daemon: Daemon, key: str) -> str:
    """What the log calls a key."""
    from pysshd.ssh.crypto.keys import parse_public_key_line

    return parse_public_key_line(daemon.client.keys.public(key)).fingerprint


def test_a_wrong_key_then_the_right_one(house: Daemon) -> None:
    done = house.ssh("echo in", key="wrong", options=("-i", str(house.client.keys.private("alice"))))
    assert done.stdout == b"in\n", done.stderr
    refused = house.wait_event("login.key_refused", key=fingerprint(house, "wrong"))
    assert refused["account"] == "alice"
    assert refused["source"].startswith("127.0.0.1:")
    assert "lets nobody in" in refused["reason"]


def test_the_first_none_is_no_attempt(house: Daemon) -> None:
    """Three attempts: two wrong keys and the right one, after the `none` that every client sends."""
    second, third, right = (str(house.client.keys.private(name)) for name in ("wrong2", "wrong3", "alice"))
    done = house.ssh("echo in", key="wrong", options=("-i", second, "-i", right))
    assert done.stdout == b"in\n", done.stderr
    done = house.ssh("echo in", key="wrong", options=("-i", second, "-i", third, "-i", right))
    assert (done.returncode, done.stdout) == (255, b"")
    assert b"too many authentication attempts" in done.stderr


@pytest.mark.parametrize(
    ("login", "key"), [("nobody-here", "alice"), ("alice", "past"), ("alice", "future"), ("over", "over")]
)
def test_refused(house: Daemon, login: str, key: str) -> None:
    done = house.ssh("echo in", login=login, key=key)
    assert (done.returncode, done.stdout) == (255, b"")
    assert done.stderr == f"{login}@127.0.0.1: Permission denied (publickey).\r\n".encode()
    shown = "<unknown name of 11 characters>" if login == "nobody-here" else login
    refused = house.wait_event("login.key_refused", account=shown, key=fingerprint(house, key))
    assert refused["reason"]


def test_a_certificate_by_the_key_of_somebody_known_lets_nobody_in(house: Daemon) -> None:
    keys = house.client.keys
    words = [
        "ssh-keygen",
        "-q",
        "-s",
        str(keys.private("alice")),
        "-I",
        "eve",
        "-n",
        "alice,*",
        "-O",
        "force-command=id",
    ]
    subprocess.run([*words, str(keys.private("eve").with_suffix(".pub"))], check=True, stdin=subprocess.DEVNULL)
    before = len(house.events())
    done = house.ssh("echo in", key="eve", CertificateFile=str(keys.folder / "eve-cert.pub"))
    assert (done.returncode, done.stdout) == (255, b"")
    assert not [event for event in house.events()[before:] if event["event"] == "login.accepted"]


def test_lines_of_an_accepted_login(house: Daemon) -> None:
    assert house.ssh("true").returncode == 0
    accepted = house.events("login.accepted")[-1]
    assert (accepted["person"], accepted["account"]) == ("alice", "alice")
    assert accepted["key"] == fingerprint(house, "alice")
    assert accepted["source"].startswith("127.0.0.1:")
    assert accepted["decided_by"] == "built-in login"
    allowed = house.wait_event("request.allowed", connection=accepted["connection"])
    line = next(n for n, text in enumerate(house.policy.read_text().splitlines(), 1) if text.startswith("grants"))
    assert allowed["decided_by"] == f"{house.policy}:{line}"
    assert allowed["request"] == "exec true"
    assert house.wait_event("session.ended", connection=accepted["connection"])["status"] == "status 0"
    assert house.wait_event("connection.closed", connection=accepted["connection"])


@pytest.fixture(scope="module")
def chained(keys: Keys) -> Iterator[Daemon]:
    """Who must show a key, and then a password."""
    policy = f"""
limits: {{auth_attempts: 4}}
users: {{alice: {{keys: ["@@alice@@"], password: "{make_hash(CANARY.encode(), SystemEntropy())}"}}}}
login: [{{who: alice, methods: publickey+password}}]
{ROLE}"""
    with serving(policy, keys, mode=PLAIN, arguments=["--log-level", "debug"]) as daemon:
        yield daemon
        assert CANARY not in daemon.log


def with_password(daemon: Daemon, folder: Path, secret: str, **more: str) -> "tuple[int, bytes, bytes]":
    """A login of a client whose person types this."""
    program = folder / "askpass"
    program.write_text(f"#!/bin/sh\necho '{secret}'\n")
    program.chmod(0o700)
    done = daemon.ssh(
        "echo in",
        environment={"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"},
        BatchMode="no",
        NumberOfPasswordPrompts="1",
        **more,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_key_and_then_a_password(chained: Daemon, tmp_path: Path) -> None:
    status, output, errors = with_password(chained, tmp_path, CANARY)
    assert (status, output) == (0, b"in\n"), errors
    accepted = chained.events("login.accepted")[-1]
    assert accepted["methods"] == "publickey+password"
    line = next(n for n, text in enumerate(chained.policy.read_text().splitlines(), 1) if text.startswith("login"))
    assert accepted["decided_by"] == f"{chained.policy}:{line}"
    step = chained.wait_event("login.step", connection=accepted["connection"])
    assert step["method"] == "publickey"


def test_a_key_and_then_a_wrong_password(chained: Daemon, tmp_path: Path) -> None:
    status, output, _ = with_password(chained, tmp_path, f"not-{CANARY}")
    assert (status, output) == (255, b"")
    refused = chained.events("login.refused")[-1]
    assert (refused["method"], refused["reason"]) == ("password", "password does not match")


def test_a_password_alone_or_a_key_alone(chained: Daemon, tmp_path: Path) -> None:
    before = len(chained.events("login.accepted"))
    assert with_password(chained, tmp_path, CANARY, PreferredAuthentications="password")[0] == 255
    assert with_password(chained, tmp_path, CANARY, PreferredAuthentications="publickey")[0] == 255
    assert len(chained.events("login.accepted")) == before


@pytest.mark.security("S03")
@pytest.mark.parametrize("progress", ["nothing", "one byte a moment", "keys exchanged", "attempts"])
def test_grace_time(serve: Serve, progress: str) -> None:
    """It is over though there is progress until the end."""
    early = progress in ("nothing", "one byte a moment")
    with serve(f"limits: {{login_grace: {1 if early else 2}s}}\n" + OWNER.split("\n", 2)[2]) as daemon:
        started = time.monotonic()
        with contextlib.suppress(OSError, EOFError):
            if early:
                with daemon.connect() as connection:
                    for _ in range(200 if progress != "nothing" else 0):
                        connection.sendall(b"S")
                        time.sleep(0.1)
                    closed_within(connection, 20)
            else:
                with wire(daemon) as held:
                    for _ in range(5 if progress == "attempts" else 0):
                        assert held.probe(b"alice", b"x")[0] == MessageNumber.USERAUTH_FAILURE
                        time.sleep(0.4)
                    held.end()
        assert time.monotonic() - started > (0.9 if early else 1.9)
        assert daemon.wait_event("connection.closed")["reason"] == "nobody logged in within the grace time"


@pytest.mark.security("S03")
def test_grace_time_ends_with_the_login(serve: Serve) -> None:
    with serve("limits: {login_grace: 3s}\n" + OWNER.split("\n", 2)[2]) as daemon:
        assert daemon.ssh("sleep 3; echo still").stdout == b"still\n"


def test_the_log_is_json_that_no_name_can_break(house: Daemon) -> None:
    name = 'evil"\n{"event": "login.accepted"}\x1b[2J\x7f\u202e'
    with wire(house) as held:
        held.probe(name.encode(), b"\xff")
    text = house.log
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    for line in text.splitlines():
        if line.startswith("{"):
            assert {"time", "level", "event"} <= json.loads(line).keys()
    assert house.wait_event("login.key_refused")["account"] != ""


@pytest.mark.security("S120")
def test_a_password_typed_as_the_user_name_is_not_in_the_log(daemon: Daemon) -> None:
    before = len(daemon.events())
    assert daemon.ssh("true", login=CANARY).returncode == 255
    daemon.wait_event("connection.closed", since=before)
    assert CANARY not in daemon.log
    refused = [event for event in daemon.events()[before:] if event["event"].startswith("login.")]
    assert refused
    assert all(event["account"] == f"<unknown name of {len(CANARY)} characters>" for event in refused)
