"""The policy that the quickstart writes is a right one, whoever starts it and wherever."""

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.cli import quickstart
from pysshd.cli.starter_keys import StarterKeys, find_or_make
from pysshd.daemon.host_keys import HostKey
from pysshd.errors import StartupError
from pysshd.policy.load import load_text
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import parse_public_key_line
from pysshd.ssh.crypto.private_keys import load_private_key, private_key_to_openssh

KEYS = [generate_private_key("ed25519").public.line, generate_private_key("ecdsa").public.line]
NAMES = [
    "alice", "root", "true", "yes", "123", "1e3", "0x10", "_x", "a.b@c-d", "any", "all", "starter", "login-shell",
    "own-shell", "somebody-else", "nobody", "2026-01-01", "m" * 64, "1" * 64,
]  # fmt: skip
FOLDERS = ["/s", "/a b/ü", "/a'b\"c", "/a: b # c", "/a\\b", "/%h {x}", "/tmp/😀", "/\\u0041", "/ends "]
PRINTABLE = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), min_size=1).filter(
    lambda text: text.isprintable() and "/" not in text
)


def compiled(name: str, folder: str, keys: list[str], port: int = 2222) -> None:
    text = quickstart.filled(quickstart.template(), name, Path(folder), StarterKeys(tuple(keys), None), port)
    loaded = load_text(text)
    assert loaded.warnings == ()
    server = loaded.ruleset.settings.server
    assert (server.state, server.owner) == (folder, name)
    assert [(listen.host, listen.port) for listen in server.listen] == [("127.0.0.1", port)]
    assert list(loaded.ruleset.people) == [name]
    for key in keys:
        found = loaded.ruleset.person_of_key(name, parse_public_key_line(key).fingerprint).found
        assert [person.name for person, _ in found] == [name]


def test_a_second_person_is_a_second_entry_and_a_grant() -> None:
    keys = StarterKeys(tuple(KEYS[:1]), None)
    text = quickstart.filled(quickstart.template(), "alice", Path("/s"), keys, 2222)
    text = text.replace("\nlogin:\n", f"  bob:\n    keys:\n      - {KEYS[1]}\n\nlogin:\n")
    grant = "{who: bob, allow: {shell: true, exec: any, pty: true, confined: true}}"
    case = "{as: bob, from: 127.0.0.1, login: publickey, allow: exec ls}"
    text = text.replace("\ntests:\n", f"  - {grant}\n\ntests:\n  - {case}\n")
    loaded = load_text(text)
    assert loaded.warnings == ()
    assert [verdict.case.person.name for verdict in loaded.verdicts] == ["bob", "alice", "alice", "alice"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_it_compiles(name: str, folder: str) -> None:
    compiled(name, folder, KEYS, 4022)


@given(st.from_regex(quickstart.NAME, fullmatch=True).filter(lambda name: name.lower() != "null"), PRINTABLE)
def test_it_compiles_for_anybody(name: str, folder: str) -> None:
    compiled(name, f"/{folder}".rstrip("."), KEYS[:1])


def test_comments_of_keys_are_harmless(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    key = generate_private_key("ed25519")
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(private_key_to_openssh(key))
    (tmp_path / ".ssh" / "id_ed25519.pub").write_text(f'{key.public.line} my "key" \\ # : ü {{x}}\n')
    found = find_or_make(tmp_path, tmp_path)
    assert found.identity is None
    compiled("alice", "/s", list(found.public))


@pytest.mark.parametrize("line", ["", "junk", "ssh-dss AAAA", "ssh-ed25519 AAAA"])
def test_a_key_that_can_not_be_used_is_passed_over(line: str, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_text("x")
    (tmp_path / ".ssh" / "id_ed25519.pub").write_text(line)
    found = find_or_make(tmp_path, tmp_path)
    assert found.identity == tmp_path / "quickstart_key"


@pytest.mark.security("S122")
def test_a_generated_key_is_private_and_used_again(tmp_path: Path) -> None:

    old = os.umask(0)
    try:
        found = find_or_make(tmp_path, tmp_path)
    finally:
        os.umask(old)
    assert found.identity is not None
    assert stat.S_IMODE(found.identity.stat().st_mode) == 0o600
    assert load_private_key(found.identity.read_bytes()).public.blob == parse_public_key_line(found.public[0]).blob
    assert find_or_make(tmp_path, tmp_path) == found
    found.identity.with_name("quickstart_key.pub").unlink()
    with pytest.raises(StartupError, match="remove"):
        find_or_make(tmp_path, tmp_path)


def test_a_policy_is_written_once_and_for_its_user(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    keys = StarterKeys(tuple(KEYS), None)
    quickstart.write_policy(file, quickstart.template(), "alice", tmp_path, keys, 2222)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    with pytest.raises(StartupError, match="can not be written"):
        quickstart.write_policy(file, quickstart.template(), "bob", tmp_path, keys, 2222)
    assert file.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["policy.yaml"]


@pytest.mark.parametrize("folder", ["plain", "with blank", "100%h", 'quote"s'])
def test_the_printed_line_is_what_ssh_reads(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / folder
    home.mkdir()
    host_key = HostKey(home / "key", generate_private_key("ed25519"))
    known = quickstart.write_known_hosts(home, [host_key], ["127.0.0.1:2222", "[::1]:22"])
    places = [line.split()[0] for line in known.read_text().splitlines()]
    assert places == ["[127.0.0.1]:2222", "::1"]
    identity = home / "quickstart_key"
    quickstart.announce(home / "p", "alice", StarterKeys((), identity), [host_key], ["127.0.0.1:2222"], known)
    said = capsys.readouterr().out
    assert host_key.key.public.fingerprint in said
    (line,) = [line for line in said.splitlines() if line.strip().startswith("ssh ")]
    if '"' in folder:
        return
    config = subprocess.run([*shlex.split(line), "-G"], capture_output=True, text=True, check=True).stdout.splitlines()
    options = dict(option.split(" ", 1) for option in config if " " in option)
    assert options["userknownhostsfile"] in (str(known), str(known).replace("%", "%%"))
    assert (options["user"], options["port"], options["hostname"]) == ("alice", "2222", "127.0.0.1")


def test_names_that_a_policy_can_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        pw_name = "x"

    for name, said in (("alice", "alice"), ("null", "owner"), ("a b", "owner"), ("-x", "owner"), ("ü", "owner")):
        entry = Entry()
        entry.pw_name = name
        monkeypatch.setattr("pwd.getpwuid", lambda uid, entry=entry: entry)
        assert quickstart.starter_name(1) == said
