"""Options of keys and of certificates, with OpenSSH's client: each takes away what it says, and nothing gives more."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.channel import session
from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import PLAIN, Daemon, open_folder, serving
from tests.live.test_reload import ctl, ended, goes_on, rewrite, running

POLICY = r"""
users:
  alice:
    keys:
      - 'command="printf ''%s'' \"forced[$SSH_ORIGINAL_COMMAND]\"; env | grep -c ^LANG=; exec cat" @@forced@@'
      - {name: far, key: 'from="192.0.2.0/24,gate.example" @@far@@'}
      - 'from="127.*,!127.0.0.3" @@near@@'
      - {key: "@@here@@", from: 127.0.0.2}
      - 'restrict,pty @@tty@@'
      - {key: "@@bare@@", options: [restrict]}
      - 'expiry-time="202001010000Z" @@old@@'
      - 'permitopen="localhost:80" @@opens@@'
      - 'environment="SAYS=so much",environment="LANG=C" @@sets@@'
      - 'cert-authority,principals="web,alice",no-pty @@signs@@'
      - {name: files, file: @FILE@}
authorities:
  staff: {keys: ["@@ca@@"]}
  guarded: {keys: ["@@guard@@"], from: 127.0.0.2, options: no-pty}
login:
  - {from: 127.0.0.4, methods: publickey}
  - {methods: publickey, set: {key_options: [environment, cert-authority]}}
roles: {all: {shell: true, exec: any, pty: true, env: {accept: LANG}, subsystems: {sftp: [cat]}}}
grants: [{who: alice, roles: all}]
"""


def with_file(keys: Keys, folder: Path) -> str:
    file = folder / "keys.pub"
    file.write_text(f'# two keys\nno-pty,command="id -u" {keys.public("line")}\n{keys.public("plain")}\n')
    file.chmod(0o644)
    return POLICY.replace("@FILE@", str(file))


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    with open_folder() as folder, serving(with_file(keys, folder), keys, mode=PLAIN) as daemon:
        yield daemon


def certify(keys: Keys, name: str, *words: str, ca: str = "ca", person: str = "alice", principal: str = "alice") -> str:
    """Have a key certified, as ssh-keygen does it; the client finds the certificate beside the key."""
    subject = keys.private(name).with_suffix(".pub")
    said = ["-I", person, *(["-n", principal] if principal else []), *words]
    subprocess.run(["ssh-keygen", "-q", "-s", str(keys.private(ca)), *said, str(subject)], check=True)
    return name


# --- keys


@pytest.mark.security("S86")
@pytest.mark.parametrize(
    ("words", "options", "original"),
    [
        ((), ("-T",), ""),
        (("rm -rf / # 'x'",), (), "rm -rf / # 'x'"),
        (("sftp",), ("-s",), "sftp"),
        (("scp -t /tmp",), (), "scp -t /tmp"),
    ],
)
def test_the_command_of_a_key_answers_everything(
    house: Daemon, words: tuple[str, ...], options: tuple[str, ...], original: str
) -> None:
    done = house.ssh(*words, key="forced", options=(*options, "-o", "SetEnv=LANG=C"), stdin=b"in")
    assert (done.stdout.decode(), done.returncode) == (f"forced[{original}]0\nin", 0)


@pytest.mark.security("S87")
def test_beside_the_command_of_a_key_a_client_has_no_signals_and_no_variables(house: Daemon) -> None:
    with session(house, "alice", key="forced") as channel:
        assert not channel.env("LANG", "C")
        assert channel.exec("anything")
        channel.see(b"forced[anything]0")
        assert not any(channel.signal(name) for name in ("KILL", "TERM", "INT", "USR1"))
        channel.eof()


@pytest.mark.security("S59")
def test_a_key_is_good_from_where_it_says(house: Daemon) -> None:
    since = len(house.events())
    assert house.ssh("echo in", key="far").returncode == 255
    refused = house.wait_event("login.key_refused", since=since)
    assert refused["reason"] == "key far is good from 192.0.2.0/24,gate.example alone"
    place, _, number = refused["decided_by"].rpartition(":")
    assert "name: far" in Path(place).read_text().splitlines()[int(number) - 1]
    for key, source, status in (("near", "127.0.0.1", 7), ("near", "127.0.0.3", 255), ("here", "127.0.0.2", 7),
                                ("here", "127.0.0.1", 255)):  # fmt: skip
        assert house.ssh("exit 7", key=key, options=("-b", source)).returncode == status, (key, source)


@pytest.mark.security("S63")
def test_a_key_without_a_terminal_and_one_with_it(house: Daemon) -> None:
    assert house.ssh("tty", key="tty", options=("-tt",)).stdout.startswith(b"/dev/pts/")
    for key in ("bare", "line"):
        done = house.ssh("tty", key=key, options=("-tt",))
        assert b"PTY allocation request failed" in done.stderr
        assert not done.stdout.startswith(b"/dev/pts/")
    event = house.wait_event("request.refused", reason="key files allows no pty")
    assert event["decided_by"].endswith("/keys.pub:2")


def test_a_line_of_a_file_forces_its_command_and_its_neighbour_does_not(house: Daemon) -> None:
    said = house.ssh("echo mine", key="line").stdout
    assert said.strip().isdigit()
    assert house.ssh("echo mine", key="plain").stdout == b"mine\n"


def test_a_key_that_has_expired_is_none(house: Daemon) -> None:
    assert house.ssh("echo in", key="old").returncode == 255
    assert house.wait_event("login.key_refused", reason="alice or a key of theirs is not valid at this time")


def test_a_key_with_destinations_runs_commands_and_forwards_nothing(house: Daemon) -> None:
    assert house.ssh("exit 7", key="opens").returncode == 7
    assert house.ssh(key="opens", options=("-W", "localhost:80")).returncode == 255


@pytest.mark.security("S85")
def test_variables_of_a_key_where_they_are_accepted(house: Daemon) -> None:
    assert house.ssh('echo "$SAYS $LANG"', key="sets").stdout == b"so much C\n"


# --- certificates


@pytest.mark.security("S58", "S63")
@pytest.mark.parametrize(
    ("words", "tty", "said"),
    [
        ((), True, None),
        (("-O", "no-pty"), False, None),
        (("-O", "clear"), False, None),
        (("-O", "clear", "-O", "permit-pty"), True, None),
        (("-O", "force-command=echo forced $SSH_ORIGINAL_COMMAND"), True, b"forced tty"),
        (("-O", "source-address=127.0.0.0/8,192.0.2.1"), True, None),
    ],
)
def test_what_a_certificate_leaves(
    house: Daemon, keys: Keys, words: tuple[str, ...], tty: bool, said: bytes | None
) -> None:
    name = certify(keys, f"c{abs(hash(words))}", *words)
    done = house.ssh("tty", key=name, options=("-tt",))
    assert (b"PTY allocation request failed" in done.stderr) is not tty
    assert done.stdout.strip().startswith(said or (b"/dev/pts/" if tty else b""))
    assert house.ssh("exit 7", key=name).returncode == (0 if said else 7)


@pytest.mark.security("S58", "S59", "S60", "S61")
@pytest.mark.parametrize(
    ("words", "options", "reason"),
    [
        (("-O", "source-address=192.0.2.0/24"), {}, "the certificate of staff is good from 192.0.2.0/24 alone"),
        (("-O", "critical:new@example.org=x"), {}, "has the critical option 'new@example.org', which is not served"),
        (("-O", "verify-required"), {}, "has the critical option 'verify-required', which is not served"),
        (("-V", "20200101:20200201"), {}, "is not valid at this time"),
        ((), {"principal": "bob"}, "staff lets no principal of the certificate log in as this account"),
        ((), {"principal": ""}, "staff lets no principal of the certificate log in as this account"),
        ((), {"principal": "*"}, "staff lets no principal of the certificate log in as this account"),
        ((), {"ca": "stranger"}, "is none of the policy"),
        ((), {"ca": "guard"}, "authority guarded is good from 127.0.0.2/32 alone"),
        ((), {"person": "../x"}, "the certificate of staff names nobody by its key_id"),
    ],
)
def test_a_certificate_that_is_none(
    house: Daemon, keys: Keys, words: tuple[str, ...], options: dict[str, str], reason: str
) -> None:
    name = certify(keys, f"n{abs(hash((words, *options.items())))}", *words, **options)
    since = len(house.events())
    assert house.ssh("echo in", key=name).returncode == 255
    told = [event["reason"] for event in house.events()[since:] if event["event"].endswith("refused")]
    assert any(reason in one for one in told), told


def test_an_authority_narrows_all_its_certificates(house: Daemon, keys: Keys) -> None:
    name = certify(keys, "guarded", ca="guard")
    done = house.ssh("tty", key=name, options=("-tt", "-b", "127.0.0.2"))
    assert b"PTY allocation request failed" in done.stderr
    assert house.ssh("exit 7", key=name, options=("-b", "127.0.0.2")).returncode == 7


def test_a_key_with_cert_authority_signs_where_that_is_accepted(house: Daemon, keys: Keys) -> None:
    name = certify(keys, "by_line", ca="signs", person="any words", principal="web")
    assert house.ssh("exit 7", key=name).returncode == 7
    assert b"PTY allocation request failed" in house.ssh("tty", key=name, options=("-tt",)).stderr
    since = len(house.events())
    assert house.ssh("exit 7", key=name, options=("-b", "127.0.0.4")).returncode == 255
    reasons = [event.get("reason") for event in house.events()[since:]]
    assert "login entry 1 does not accept the option cert-authority" in reasons
    assert house.ssh("exit 7", key=certify(keys, "by_line2", ca="signs", principal="bob")).returncode == 255
    assert house.ssh("exit 7", key="signs").returncode == 255


def test_a_certificate_of_rsa(house: Daemon, keys: Keys) -> None:
    keys.private("crsa", "rsa", 3072)
    assert house.ssh("exit 7", key=certify(keys, "crsa")).returncode == 7


# --- live


def test_a_key_whose_options_change_narrows_what_runs(serve: Serve, keys: Keys) -> None:
    policy = """
users: {alice: {keys: ["@@alice@@", "@@other@@"]}}
roles: {all: {shell: true, exec: any, pty: true}}
grants: [{who: alice, roles: all}]
"""
    with serve(policy) as daemon:
        kept, _ = running(daemon, key="other")
        gone, pid = running(daemon)
        rewrite(daemon, '"@@alice@@"', "'command=\"true\" @@alice@@'")
        assert ctl(daemon, "reload").returncode == 0
        ended(gone, pid)
        assert "another way" in daemon.wait_event("session.revoked")["reason"]
        rewrite(daemon, "'command=\"true\" @@alice@@'", "'from=\"192.0.2.1\" @@alice@@'")
        assert ctl(daemon, "reload").returncode == 0
        assert daemon.ssh("exit 7").returncode == 255
        goes_on(kept)


def test_a_file_whose_line_changes_narrows_what_runs_at_a_reload(serve: Serve, keys: Keys) -> None:
    with open_folder() as folder:
        file = folder / "alice.pub"
        file.write_text(keys.public("alice") + "\n")
        file.chmod(0o644)
        policy = f"""
users: {{alice: {{keys: [{{file: {file}}}]}}}}
roles: {{all: {{shell: true, exec: any, pty: true}}}}
grants: [{{who: alice, roles: all}}]
"""
        with serve(policy) as daemon:
            gone, _ = running(daemon, "trap '' HUP; echo here $$; read x", options=("-tt",))
            file.write_text(f"restrict {keys.public('alice')}\n")
            assert ctl(daemon, "reload").returncode == 0
            assert daemon.wait_event("session.revoked")["request"] == "pty xterm"
            gone.wait(20)


def test_a_certificate_whose_authority_goes_ends_its_connections(serve: Serve, keys: Keys) -> None:
    policy = """
users: {alice: {keys: ["@@alice@@"]}}
authorities: {staff: {keys: ["@@ca@@"]}}
roles: {all: {shell: true, exec: any, pty: true}}
grants: [{who: alice, roles: all}]
"""
    with serve(policy) as daemon:
        kept, _ = running(daemon)
        gone, _ = running(daemon, key=certify(keys, "leaving"))
        rewrite(daemon, '"@@ca@@"', '"@@stranger@@"')
        assert ctl(daemon, "reload").returncode == 0
        assert gone.wait(20) == 255
        event = daemon.wait_event("connection.revoked")
        assert "a certificate lets nobody in under this account name any more: its authority" in event["reason"]
        goes_on(kept)
