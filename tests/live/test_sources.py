"""People of a folder of keys and people whom a program knows, in a whole daemon with the real client."""

import os
import pwd
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.processes.sandbox.namespaces import supported
from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import IS_ROOT, Daemon, is_running, open_folder, service_user, serving, until
from tests.live.host import own_host, serving_host
from tests.live.test_reload import ctl, goes_on, replace_with, running
from tests.live.watch import ends

if IS_ROOT:
    user = service_user()
    REASON = supported(user.pw_uid, user.pw_gid)
else:
    REASON = supported()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"this host confines no program: {REASON}")

REST = """
limits: {startups: {start: 100, rate: 30%, full: 200}, sessions_per_connection: 60}
groups: [staff]
roles: {box: {shell: true, exec: any, pty: true, confined: true}}
grants: [{who: group:staff, roles: box}]
"""
FOLDER = "sources: [{directory: '@FOLDER@/keys/*.pub', groups: staff}]" + REST
PROGRAM = "sources: [{command: [@FOLDER@/keys-of, '{user}', '{account}'], timeout: 2s, groups: staff}]" + REST

WHO = """#!/bin/sh
# What each of them is for, their names say.
echo "$@" >> @FOLDER@/asked
case "$1" in
  alice) cat @FOLDER@/alice.pub ;;
  slow) cat @FOLDER@/alice.pub; exec sleep 600 ;;
  family)
    echo $$ >> @FOLDER@/family
    (trap '' TERM HUP; echo $(exec sh -c 'echo $PPID') >> @FOLDER@/family; while :; do sleep 600; done) &
    setsid sh -c 'echo $$ >> @FOLDER@/family; (echo x; sleep 600) & while :; do sleep 600; done' &
    sleep 600 ;;
  leaver)
    setsid sh -c 'echo $$ >> @FOLDER@/family; while :; do sleep 600; done' &
    until [ -s @FOLDER@/family ]; do :; done
    cat @FOLDER@/alice.pub ;;
  failing) cat @FOLDER@/alice.pub; echo "no route to the directory for failing" >&2; exit 3 ;;
  killed) cat @FOLDER@/alice.pub; kill -SEGV $$ ;;
  garbage) echo "Warning: the cache is old"; cat @FOLDER@/alice.pub ;;
  nul) printf 'x\\000\\n'; cat @FOLDER@/alice.pub ;;
  huge) cat @FOLDER@/alice.pub; while :; do echo "# 0123456789012345678901234567890123456789"; done ;;
  options) printf 'command="echo forced" '; cat @FOLDER@/alice.pub ;;
  unkept) printf 'verify-required '; cat @FOLDER@/alice.pub ;;
  seeing)
    exec 4>&1 >@FOLDER@/seen
    id -u; id -G; pwd; umask; env; ulimit -c; grep NoNewPrivs /proc/self/status
    ls -l /proc/self/fd 4>&-
    exec 1>&4 4>&-
    cat @FOLDER@/alice.pub ;;
esac
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for what is not in the policy."""
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """The folder of the program that `asking` asks."""
    with open_folder() as made:
        yield made


def drop(folder: Path, keys: Keys, name: str, key: str | None = None) -> Path:
    """Put the key of somebody into the folder of keys."""
    (folder / "keys").mkdir(mode=0o755, exist_ok=True)
    file = folder / "keys" / f"{name}.pub"
    file.write_text(keys.public(key or name) + "\n")
    file.chmod(0o644)
    return file


def program(folder: Path, keys: Keys, text: str = WHO) -> Path:
    """Put the program there, the key that it knows, and what it writes on."""
    for name in ("asked", "family", "seen"):
        (folder / name).touch()
        (folder / name).chmod(0o666)
    (folder / "alice.pub").write_text(keys.public("alice") + "\n")
    (folder / "alice.pub").chmod(0o644)
    file = folder / "keys-of"
    file.write_text(text.replace("@FOLDER@", str(folder)))
    file.chmod(0o755)
    return file


def filled(policy: str, folder: Path) -> str:
    return policy.replace("@FOLDER@", str(folder))


# A folder


def test_people_of_a_folder_come_and_go_with_their_files(serve: Serve, keys: Keys, folder: Path) -> None:
    drop(folder, keys, "alice")
    with serve(filled(FOLDER, folder)) as daemon:
        assert daemon.ssh("exit 7").returncode == 7
        assert daemon.ssh("true", login="bob", key="bob").returncode == 255
        drop(folder, keys, "bob")
        assert daemon.ssh("true", login="bob", key="bob").returncode == 255
        client, _ = running(daemon)
        assert ctl(daemon, "reload").returncode == 0
        other, _ = running(daemon, login="bob", key="bob")
        (folder / "keys" / "alice.pub").unlink()
        since = len(daemon.events())
        assert client.poll() is None
        assert ctl(daemon, "reload").returncode == 0
        assert client.wait(20) == 255
        gone = daemon.wait_event("connection.revoked", since=since)
        assert "lets nobody in under this account name any more" in gone["reason"]
        goes_on(other)
        assert daemon.ssh("true").returncode == 255
        assert daemon.ssh("exit 5", login="bob", key="bob").returncode == 5


@pytest.mark.security("S123")
def test_a_folder_with_something_odd_keeps_the_last_good_version(serve: Serve, keys: Keys, folder: Path) -> None:
    drop(folder, keys, "alice")
    with serve(filled(FOLDER, folder)) as daemon:
        odd = drop(folder, keys, "al ice", "alice")
        for name in ("alice.pub~", ".alice.pub", "README"):
            (folder / "keys" / name).write_text("not a key\n")
        said = ctl(daemon, "reload")
        assert said.returncode == 1
        assert "al ice.pub: 'al ice' in its name is no name of a person" in said.stdout + said.stderr
        odd.unlink()
        (folder / "keys" / "carol.pub").symlink_to(folder / "keys" / "alice.pub")
        said = ctl(daemon, "reload")
        assert "carol.pub: it is a link, expected a file" in said.stdout + said.stderr
        (folder / "keys" / "carol.pub").unlink()
        (folder / "keys").chmod(0o777)
        said = ctl(daemon, "reload")
        assert f"folder {folder}/keys has mode 0777 and others may write to it" in said.stdout + said.stderr
        (folder / "keys").chmod(0o755)
        assert ctl(daemon, "reload").returncode == 0
        assert daemon.ssh("exit 7").returncode == 7


# A program


@pytest.fixture(scope="module")
def one_that_asks(keys: Keys, place: Path) -> Iterator[Daemon]:
    program(place, keys)
    with serving(filled(PROGRAM, place), keys) as daemon:
        yield daemon


@pytest.fixture
def asking(one_that_asks: Daemon, place: Path, keys: Keys) -> Iterator[Daemon]:
    """A daemon that asks the program of this module; tests may put another program, or another policy, in its place."""
    daemon = one_that_asks
    policy = daemon.policy.read_text()
    daemon.forget()
    yield daemon
    daemon.client.close()
    until(lambda: ends(daemon, 0)[0] == ends(daemon, 0)[1], what="the end of each connection")
    until(lambda: not helpers(daemon))
    if daemon.policy.read_text() != policy:
        replace_with(daemon, policy)
        assert ctl(daemon, "reload").returncode == 0
    for file in place.iterdir():
        file.unlink()
    program(place, keys)


@pytest.mark.security("S67")
def test_whom_a_program_has_a_key_for_gets_in(asking: Daemon, place: Path) -> None:
    assert asking.ssh("exit 7").returncode == 7
    accepted = asking.wait_event("login.accepted")
    assert accepted["person"] == "alice"
    assert (place / "asked").read_text() == "alice alice\n"
    # Another key, a name of which the program says nothing, and one that is no name.
    since = len(asking.events())
    assert asking.ssh("true", key="bob").returncode == 255
    assert asking.ssh("true", login="bob").returncode == 255
    assert asking.ssh("true", login="-rf").returncode == 255
    assert asking.ssh("true", login="a;id").returncode == 255
    assert (place / "asked").read_text() == "alice alice\nalice alice\nbob bob\n"
    assert not asking.events("daemon.warning")[since:]


def warned(daemon: Daemon, begins: str) -> str:
    """The first warning that begins so; a start may have others."""

    def found() -> list[str]:
        said = (event["detail"] for event in daemon.events("daemon.warning"))
        return [text for text in said if text.startswith(begins)]

    until(lambda: bool(found()))
    return found()[0]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("slow", "it took more than 2 s"),
        ("failing", "it exited with status 3: no route to the directory for …"),
        ("killed", "it was ended by SIGSEGV"),
        ("garbage", "line 1 of what it printed is no key"),
        ("nul", "line 1 of what it printed is no key"),
        ("huge", "it printed more than 1048576 bytes"),
    ],
)
@pytest.mark.security("S118")
def test_what_a_program_does_not_say_lets_nobody_in(asking: Daemon, place: Path, name: str, why: str) -> None:
    assert asking.ssh("true", login=name).returncode == 255
    warning = warned(asking, f"program {place}/keys-of (")
    assert warning.endswith(why)
    reason = asking.wait_event("login.key_refused")["reason"]
    assert f"the keys that {place}/keys-of has are not known, for {why}" in reason
    assert name not in warning + reason
    # Whoever waits for nothing is not held up, and nothing of it is left.
    assert asking.ssh("exit 7").returncode == 7
    until(lambda: not helpers(asking))


def helpers(daemon: Daemon) -> list[int]:
    """Programs that are asked, and those who ask them."""
    return [pid for pid in daemon.processes() if b"keys-of" in command_of(pid) or b"sleep" in command_of(pid)]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.security("S65")
def test_options_in_front_of_a_key_narrow(asking: Daemon) -> None:
    done = asking.ssh("exit 7", login="options")
    assert (done.returncode, done.stdout) == (0, b"forced\n")


@pytest.mark.security("S65")
def test_a_line_with_an_option_that_can_not_be_kept_lets_nobody_in(asking: Daemon) -> None:
    assert asking.ssh("true", login="unkept").returncode == 255
    assert "line 1 is passed over" in warned(asking, "program ")


@pytest.mark.security("S118")
@pytest.mark.parametrize("name", ["family", "leaver"])
def test_nothing_that_it_started_outlives_the_answer(asking: Daemon, place: Path, name: str) -> None:
    admitted = asking.ssh("true", login=name).returncode == 0
    assert admitted == (name == "leaver")
    started = [int(pid) for pid in (place / "family").read_text().split()]
    assert len(started) >= (3 if name == "family" else 1)
    for pid in started:
        until(lambda pid=pid: not is_running(pid))  # type: ignore[misc]


def test_one_that_hangs_holds_up_nobody_else(asking: Daemon) -> None:
    waiting = [asking.client.start("true", login="slow") for _ in range(5)]
    until(lambda: len(helpers(asking)) >= 5)
    for _ in range(3):
        assert asking.ssh("exit 7").returncode == 7
    assert [client.wait(20) for client in waiting] == [255] * 5


def test_a_client_that_leaves_ends_the_program(asking: Daemon, place: Path) -> None:
    client = asking.client.start("true", login="family")
    until(lambda: len((place / "family").read_text().split()) >= 3)
    started = [int(pid) for pid in (place / "family").read_text().split()]
    client.kill()
    client.wait(10)
    for pid in started:
        until(lambda pid=pid: not is_running(pid))  # type: ignore[misc]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_daemon_that_ends_leaves_no_program(serve: Serve, keys: Keys, folder: Path, number: int) -> None:
    program(folder, keys)
    with serve(filled(PROGRAM, folder)) as daemon:
        client = daemon.client.start("true", login="family")
        until(lambda: len((folder / "family").read_text().split()) >= 3)
        started = [int(pid) for pid in (folder / "family").read_text().split()]
        os.kill(daemon.pid, number)
        end = daemon.wait_end()
        assert end["status"] == (0 if number == signal.SIGTERM else -signal.SIGKILL)
        assert client.wait(20) == 255
        for pid in started:
            until(lambda pid=pid: not is_running(pid))  # type: ignore[misc]


@pytest.mark.security("S118")
@pytest.mark.security("S113")
def test_what_it_sees(asking: Daemon, place: Path) -> None:
    assert asking.ssh("exit 7", login="seeing").returncode == 7
    check_seen((place / "seen").read_text(), service_user().pw_uid, service_user().pw_name)


def check_seen(seen: str, uid: int, name: str) -> None:
    lines = seen.splitlines()
    assert lines[0] == str(uid)
    entry = pwd.getpwuid(uid)
    assert set(map(int, lines[1].split())) == set(os.getgrouplist(entry.pw_name, entry.pw_gid))
    assert lines[2:4] == ["/", "0022"]
    descriptors = {found[1] for found in map(re.compile(r" (\d+) -> ").search, lines) if found}
    assert descriptors <= {"0", "1", "2", "3"}  # the last one is that of ls
    variables = {line.split("=")[0] for line in lines if re.fullmatch(r"[A-Z_]+=.*", line)}
    assert variables <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "SHLVL", "_"}
    assert f"USER={name}" in lines
    assert "NoNewPrivs:\t1" in lines
    assert "0" in lines


def test_it_is_asked_again_at_a_reload(asking: Daemon, place: Path) -> None:
    client, _ = running(asking)
    assert ctl(asking, "reload").returncode == 0
    until(lambda: (place / "asked").read_text().count("alice alice") == 2)
    assert client.poll() is None
    (place / "alice.pub").write_text("")
    since = len(asking.events())
    assert ctl(asking, "reload").returncode == 0
    assert client.wait(20) == 255
    assert "nobody may log in as that" in asking.wait_event("connection.revoked", since=since)["reason"]


def test_a_program_that_fails_at_a_reload_is_asked_once_more_and_then_ends_the_connection(
    asking: Daemon, place: Path, keys: Keys
) -> None:
    client, _ = running(asking)
    program(place, keys, f"#!/bin/sh\necho again >> {place}/asked\nexit 1\n")
    since = len(asking.events())
    assert ctl(asking, "reload").returncode == 0
    assert client.wait(20) == 255
    assert (place / "asked").read_text() == "alice alice\nagain\nagain\n"
    reason = asking.wait_event("connection.revoked", since=since)["reason"]
    assert f"the keys that {place}/keys-of has are not known, for it exited with status 1" in reason


def test_a_revocation_does_not_wait_for_a_program_that_hangs(asking: Daemon, place: Path, keys: Keys) -> None:
    client, _ = running(asking)
    program(place, keys, "#!/bin/sh\nexec sleep 600\n")
    replace_with(asking, asking.policy.read_text().replace("roles: box}", "roles: box, not_after: 2020-01-01}"))
    assert ctl(asking, "reload").returncode == 0
    assert client.wait(20) == 255
    # The session ends first, by what the program said before; what it does now is not known before it is killed.
    told = [event for event in asking.events() if "keys-of" in str(event) or event["event"] == "session.revoked"]
    told = [event for event in told if event["event"] in ("session.revoked", "daemon.warning")]
    assert told[0]["event"] == "session.revoked"


def test_a_key_of_the_file_lets_in_where_the_program_fails(serve: Serve, keys: Keys, folder: Path) -> None:
    """But what hangs on the groups of the program's people is refused: whether she is one of them is not known."""
    program(folder, keys, "#!/bin/sh\nexit 1\n")
    policy = filled(PROGRAM, folder) + "  - {who: carol, roles: box}\n  - {who: group:staff, deny: {exec: any}}\n"
    policy += 'users: {carol: {keys: ["@@carol@@"]}, dave: {keys: ["@@dave@@"]}}\n'
    policy = policy.replace("grants: [{who: group:staff, roles: box}]", "grants:\n  - {who: dave, roles: box}")
    with serve(policy) as daemon:
        done = daemon.ssh("exit 7", login="carol", key="carol")
        assert done.returncode != 7
        assert b"refused" in done.stderr
        denied = daemon.wait_event("request.refused")
        assert denied["person"] == "carol"


@pytest.mark.security("S118")
@pytest.mark.parametrize("fault", ["missing", "writable", "folder", "not_executable"])
def test_a_program_that_is_not_to_be_trusted_any_more_is_not_run(asking: Daemon, place: Path, fault: str) -> None:
    file = place / "keys-of"
    if fault == "missing":
        file.unlink()
    elif fault == "writable":
        file.chmod(0o775)
    elif fault == "not_executable":
        file.chmod(0o644)
    else:
        place.chmod(0o777)
    try:
        assert asking.ssh("true").returncode == 255
        assert "it can not be run" in warned(asking, "program ")
        assert (place / "asked").read_text() == ""
        said = ctl(asking, "reload")
        assert said.returncode == 1
    finally:
        place.chmod(0o755)


# Accounts of the host


@pytest.mark.security("S118")
@pytest.mark.security("S113")
@pytest.mark.root
def test_programs_and_folders_with_accounts_of_the_host(keys: Keys, folder: Path) -> None:
    program(folder, keys)
    drop(folder, keys, "pysshd-t-bob", "bob")
    drop(folder, keys, "root", "bob")
    drop(folder, keys, "daemon", "bob")
    policy = f"""
limits: {{startups: {{start: 100, rate: 30%, full: 200}}}}
groups: [staff, dropped]
sources:
  - {{directory: "{folder}/keys/*.pub", groups: dropped}}
  - {{command: [{folder}/keys-of, "{{user}}"], run_as: nobody, timeout: 2s, groups: staff}}
grants: [{{who: [group:staff, group:dropped, root], roles: login-shell}}]
"""
    policy = policy.replace(", root]", "]")
    with own_host() as host:
        host.add("alice")
        host.add("seeing")
        host.add("pysshd-t-bob")
        with serving_host(host, policy, keys) as daemon:
            assert daemon.ssh("id -un").stdout.strip() == b"alice"
            assert daemon.ssh("id -un", login="pysshd-t-bob", key="bob").stdout.strip() == b"pysshd-t-bob"
            # The name of a file is none that the policy's file writes: no account below min_uid, and not root.
            for name in ("root", "daemon"):
                since = len(daemon.events())
                assert daemon.ssh("true", login=name, key="bob").returncode == 255
                assert "below min_uid" in daemon.wait_event("login.key_refused", since=since)["reason"]
            assert daemon.ssh("exit 7", login="seeing").returncode == 7
            check_seen((folder / "seen").read_text(), 65534, "nobody")


@pytest.mark.root
def test_a_program_that_is_asked_for_the_keys_of_the_hosts_people(keys: Keys, folder: Path) -> None:
    """As AuthorizedKeysCommand: it adds to what people have in their homes, and makes nobody a person."""
    program(folder, keys)
    policy = f"""
limits: {{startups: {{start: 100, rate: 30%, full: 200}}}}
sources:
  - system: {{min_uid: 1000}}
    keys:
      - authorized_keys: ~/.ssh/authorized_keys
      - {{command: [{folder}/keys-of, "{{user}}"], run_as: nobody, timeout: 2s}}
grants: [{{who: "*", roles: login-shell}}]
"""
    with own_host() as host:
        for name in ("alice", "failing", "bob"):
            host.add(name, keys=keys.public("bob") + "\n")
        with serving_host(host, policy, keys) as daemon:
            assert daemon.ssh("id -un").stdout.strip() == b"alice"
            assert daemon.ssh("id -un", key="bob").stdout.strip() == b"alice"
            assert daemon.ssh("true", login="bob").returncode == 255
            assert daemon.ssh("true", login="seeing").returncode == 255
            # A key that stands in a home lets in whatever the program does.
            assert daemon.ssh("id -un", login="failing", key="bob").stdout.strip() == b"failing"
            assert daemon.ssh("true", login="failing").returncode == 255
