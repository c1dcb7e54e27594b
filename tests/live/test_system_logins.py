"""Who may log in where people are the host's: their key files, their passwords, and what the host says of them."""

import base64
import os
import time
from collections.abc import Iterator

import pytest

from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.client import Keys
from tests.live.daemon import Daemon
from tests.live.host import Host, crypted, own_host, serving_host
from tests.live.terminal import at_terminal
from tests.live.watch import least_times
from tests.live.wire import wire

pytestmark = pytest.mark.root

POLICY = """
limits: {startups: {start: 100, rate: 30%, full: 200}, auth_attempts: 20}
server_is_above: true
sources:
  - {system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}], password: system}
login: [{who: "*", methods: [publickey, password]}]
grants:
  - {who: "*", roles: login-shell}
  - {who: "system-group:pysshd-tx", deny: all}
""".replace("server_is_above: true\n", "")
ALICE = "pysshd-t-alice"
SECRET = "correct horse"
TODAY = int(time.time()) // 86400
REFUSED = {
    "locked": {"password": "!" + crypted(SECRET)},
    "expired": {"password": crypted(SECRET), "dates": f"20000:0:99999:7::{TODAY - 1}:"},
    "inactive": {"password": crypted(SECRET), "dates": f"{TODAY - 40}:0:30:7:5::"},
    "noshell": {"password": crypted(SECRET), "shell": "/nonexistent/shell"},
    "daemon": {"password": crypted(SECRET), "uid": 900},
}
"""Accounts with the right key and the right password whom nothing lets in."""

NO_PASSWORD = {
    "old": {"password": crypted(SECRET), "dates": f"{TODAY - 40}:0:30:7:::"},
    "change": {"password": crypted(SECRET), "dates": "0:0:99999:7:::"},
    "none": {"password": "*"},
    "empty": {"password": ""},
    "md5": {"password": crypted(SECRET, "$1$saltsalt")},
}
"""Accounts whom a key lets in, and no password."""


@pytest.fixture(scope="module")
def host(keys: Keys) -> Iterator[Host]:
    """A host with people of every kind."""
    with own_host() as made:
        line = keys.public("alice") + "\n"
        made.add(ALICE, password=crypted(SECRET), keys=line)
        for name, kind in {**REFUSED, **NO_PASSWORD}.items():
            made.add(f"pysshd-t-{name}", keys=line, **kind)  # type: ignore[arg-type]
        made.add("pysshd-t-sha", password=crypted(SECRET, "$6$saltsalt"), keys=line)
        made.add("pysshd-t-denied", groups=["pysshd-tx"], password=crypted(SECRET), keys=line)
        made.add("pysshd-t-nologin", shell="/usr/sbin/nologin", keys=line)
        made.add("pysshd-t-false", shell="/bin/false", keys=line)
        yield made


@pytest.fixture(scope="module")
def server(host: Host, keys: Keys) -> Iterator[Daemon]:
    """A daemon with the host's people."""
    with serving_host(host, POLICY, keys) as daemon:
        yield daemon


def by_key(daemon: Daemon, keys: Keys, name: str, key: str = "alice") -> bool:
    """Whether a key lets an account in."""
    with wire(daemon) as held:
        return held.sign_in(name.encode(), keys.private(key))[0] == Number.USERAUTH_SUCCESS


def by_password(daemon: Daemon, name: str, secret: bytes = SECRET.encode()) -> bool:
    """Whether a password does."""
    with wire(daemon) as held:
        return held.password(name.encode(), secret)[0] == Number.USERAUTH_SUCCESS


@pytest.mark.security("S68")
@pytest.mark.parametrize("name", REFUSED)
def test_an_account_of_no_use_lets_nobody_in(server: Daemon, keys: Keys, name: str) -> None:
    assert not by_key(server, keys, f"pysshd-t-{name}")
    assert not by_password(server, f"pysshd-t-{name}")


@pytest.mark.security("S68")
@pytest.mark.parametrize("name", NO_PASSWORD)
def test_where_no_password_is_right_a_key_may_be(server: Daemon, keys: Keys, name: str) -> None:
    assert by_key(server, keys, f"pysshd-t-{name}")
    for secret in (SECRET.encode(), b"", b"*", b"!", b"x"):
        assert not by_password(server, f"pysshd-t-{name}", secret)


@pytest.mark.security("S68")
def test_the_right_password_and_nothing_near_it(server: Daemon) -> None:
    for name in (ALICE, "pysshd-t-sha"):
        assert by_password(server, name)
        for wrong in (b"", b"correct", SECRET.encode() + b"\0", b"x" * 1024, b"x" * 200_000):
            assert not by_password(server, name, wrong)


def test_a_locked_account_is_refused_from_one_moment_to_the_next(server: Daemon, host: Host, keys: Keys) -> None:
    assert by_key(server, keys, ALICE)
    try:
        host.change(ALICE, password="!" + crypted(SECRET))
        since = len(server.events())
        assert not by_key(server, keys, ALICE)
        refused = server.wait_event("login.refused", account=ALICE, since=since)
        assert "is locked" in refused["reason"]
    finally:
        host.change(ALICE, password=crypted(SECRET))
    assert by_key(server, keys, ALICE)


def test_nologin_and_false_are_shells_like_others(server: Daemon) -> None:
    done = server.ssh("id", login="pysshd-t-nologin")
    assert done.returncode == 1
    assert b"not available" in done.stdout
    assert server.ssh("id", login="pysshd-t-false").returncode == 1


@pytest.mark.parametrize("folder", ["run", "etc"])
def test_nologin_keeps_all_but_root_out_and_says_why(server: Daemon, host: Host, folder: str) -> None:
    file = host.folder / folder / "nologin"
    file.write_text("We are moving house.\nBack at six.\n")
    since = len(server.events())
    try:
        done = server.ssh("id", login=ALICE)
        assert (done.returncode, done.stdout) == (254, b"")
        assert done.stderr.decode().endswith("We are moving house.\nBack at six.\n")
        with at_terminal(server.client, login=ALICE, options=("-tt",)) as person:
            person.see("We are moving house.\r+\nBack at six.\r+\n")
            assert person.end() == 254
        assert server.wait_event("session.turned_away", since=since, person=ALICE)["file"] == f"/{folder}/nologin"
    finally:
        file.unlink()
    assert server.ssh("exit 7", login=ALICE).returncode == 7


def test_messages_of_the_day_and_who_wants_none(server: Daemon, host: Host) -> None:
    (host.run / "motd.dynamic").write_text("dynamic message\n")
    (host.etc / "motd").write_text("static message\n" + "x" * 63 + "\n" * 3000)
    try:
        with at_terminal(server.client, login=ALICE, options=("-tt",)) as person:
            person.see("dynamic message\r+\nstatic message\r+\nx{63}\r")
            person.line("exit 5")
            assert person.end() == 5
        # A command is no interactive login, with a terminal or without.
        assert server.ssh("true", login=ALICE).stdout == b""
        assert server.ssh("true", login=ALICE, options=("-tt",)).stdout == b""
        quiet = host.write(host.users[ALICE], ".hushlogin", "")
        with at_terminal(server.client, login=ALICE, options=("-tt",)) as person:
            person.line("echo at''prompt; exit 6")
            person.see("atprompt")
            assert person.end() == 6
            assert b"message" not in person.shown
        quiet.unlink()
    finally:
        (host.run / "motd.dynamic").unlink()
        (host.etc / "motd").unlink()


def test_a_home_that_is_missing(host: Host, keys: Keys) -> None:
    """The session begins in /, and is told; keys are in the policy file."""
    host.add("pysshd-t-homeless", home="/nonexistent/home", password="*")
    policy = POLICY + 'users: {pysshd-t-homeless: {keys: ["@@homeless@@"]}}\n'
    with serving_host(host, policy, keys) as daemon:
        done = daemon.ssh("pwd; echo $HOME", login="pysshd-t-homeless", key="homeless")
        assert done.stdout.split() == [b"/", b"/nonexistent/home"]
        assert b"folder /nonexistent/home can not be entered" in done.stderr


@pytest.mark.security("S66")
@pytest.mark.parametrize("kind", ["fifo", "zero", "folder", "roots", "others", "group_file", "group_home", "link_out"])
def test_a_key_file_that_is_not_to_be_trusted_is_not_read(server: Daemon, host: Host, keys: Keys, kind: str) -> None:
    """Nor does one that would never end hold anybody up: the answer comes, and it is no."""
    user = host.add(f"pysshd-t-f{len(host.users)}", keys=keys.public("alice") + "\n")
    file, folder = user.home / ".ssh" / "authorized_keys", user.home / ".ssh"
    assert by_key(server, keys, user.name)
    right = file.read_text()
    if kind in ("group_file", "group_home"):
        (file if kind == "group_file" else user.home).chmod(0o770)
    elif kind == "others":
        os.chown(file, host.users[ALICE].uid, -1)
    else:
        file.unlink()
    if kind == "fifo":
        os.mkfifo(file)
        os.chown(file, user.uid, user.uid)
    elif kind == "zero":
        file.symlink_to("/dev/zero")
    elif kind == "folder":
        file.mkdir()
    elif kind == "roots":
        # What root alone may read is not read for somebody else.
        (host.folder / "secret_keys").write_text(right)
        (host.folder / "secret_keys").chmod(0o600)
        file.symlink_to(host.folder / "secret_keys")
    elif kind == "link_out":
        file.symlink_to(host.users[ALICE].home / ".ssh" / "authorized_keys")
    os.lchown(file, user.uid, user.uid) if file.is_symlink() else None
    since = len(server.events())
    start = time.monotonic()
    assert not by_key(server, keys, user.name)
    assert time.monotonic() - start < 5
    warned = server.wait_event("daemon.warning", since=since)
    assert str(folder) in warned["detail"] or str(user.home) in warned["detail"]


@pytest.mark.security("S65")
def test_lines_that_are_none_let_nobody_in_and_the_others_do(server: Daemon, host: Host, keys: Keys) -> None:
    lines = [
        "# a comment",
        f'verify-required,command="id" {keys.public("bob")}',
        f"no-such-option {keys.public('carol')}",
        "x" * 70_000 + " " + keys.public("dave"),
        keys.public("erin").replace(" ", "\N{NO-BREAK SPACE}"),
        f'command="unclosed {keys.public("frank")}',
        keys.public("grace").replace("ssh-ed25519", "ssh-rsa", 1),
        f"\t {keys.public('alice')} and a comment of more words",
        keys.public("heidi"),
    ]
    user = host.add(f"pysshd-t-o{len(host.users)}", keys="\n".join(lines) + "\n")
    since = len(server.events())
    assert by_key(server, keys, user.name)
    assert by_key(server, keys, user.name, "heidi")
    for name in ("bob", "carol", "dave", "erin", "frank", "grace"):
        assert not by_key(server, keys, user.name, name), name
    told = server.wait_event("daemon.warning", since=since)["detail"]
    assert "line 2 is passed over" in told
    assert keys.public("bob").split()[1] not in server.log


@pytest.mark.security("S63", "S86")
def test_options_of_the_lines_of_an_account_narrow_its_logins(server: Daemon, host: Host, keys: Keys) -> None:
    lines = [
        f'restrict,command="echo forced: $SSH_ORIGINAL_COMMAND" {keys.public("bob")}',
        f"restrict {keys.public('carol')}",
        f'from="192.0.2.0/24" {keys.public("dave")}',
        f'expiry-time="20200101" {keys.public("erin")}',
        f"no-such-option {keys.public('frank')}",
        f"cert-authority {keys.public('grace')}",
        keys.public("alice"),
        keys.public("frank"),
    ]
    user = host.add(f"pysshd-t-p{len(host.users)}", keys="\n".join(lines) + "\n")
    file = f"{user.home}/.ssh/authorized_keys"
    assert server.ssh("id -u", login=user.name, key="bob").stdout == b"forced: id -u\n"
    assert server.ssh("id -u", login=user.name, key="alice").stdout.decode() == f"{user.uid}\n"
    assert server.ssh("tty", login=user.name, key="alice", options=("-tt",)).stdout.startswith(b"/dev/pts/")
    since = len(server.events())
    assert b"PTY allocation request failed" in server.ssh("tty", login=user.name, key="carol", options=("-tt",)).stderr
    event = server.wait_event("request.refused", since=since)
    assert event["decided_by"] == f"{file}:2"
    assert event["reason"].endswith(" allows no pty")
    for name in ("dave", "erin", "frank", "grace"):
        assert server.ssh("true", login=user.name, key=name).returncode == 255, name
    told = [event["detail"] for event in server.events("daemon.warning")]
    assert any(f"{file} of {user.name}: line 5 is passed over: option 'no-such-option'" in one for one in told)


@pytest.mark.security("S70", "S71", "S55")
def test_who_exists_is_told_neither_by_words_nor_by_time(server: Daemon, keys: Keys) -> None:
    """Unknown, known, locked and denied: the same answers, and times that tell no more than one step of the padding."""
    names = [ALICE, "pysshd-t-nobody", "pysshd-t-locked", "pysshd-t-denied", "pysshd-t-none", "root", "x" * 80]
    stranger = keys.private("stranger")
    blob = base64.b64decode(keys.public("stranger").split()[1])
    spoken: set[bytes] = set()

    def keys_of(name: str, _: int) -> float:
        with wire(server) as held:
            start = time.monotonic()
            spoken.add(held.probe(name.encode(), blob) + held.sign_in(name.encode(), stranger))
            return time.monotonic() - start

    def password_of(name: str, turn: int) -> float:
        with wire(server) as held:
            start = time.monotonic()
            spoken.add(held.password(name.encode(), b"w" * (10 if turn % 2 else 900)))
            return time.monotonic() - start

    for one in (keys_of, password_of):
        least = least_times(names, one, 2.1)
        print(f"{one.__name__}: {least} s")
        assert max(least.values()) <= 2.1 * min(least.values())
        assert len(spoken) == 1
        spoken.clear()


@pytest.mark.security("S67", "S57")
@pytest.mark.parametrize(
    "name", ["../root", "root/..", "-l", "a b", "", "\N{CYRILLIC SMALL LETTER A}lice", "%u", "~root"]
)
def test_a_name_that_is_none_opens_nothing(server: Daemon, keys: Keys, name: str) -> None:
    assert not by_key(server, keys, name)
    assert not by_password(server, name)
