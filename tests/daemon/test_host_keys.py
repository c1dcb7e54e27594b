"""Host keys on disk: made once, private, whole, and never loaded where another could have read or put them (S122)."""

import os
import stat
from pathlib import Path

import pytest

from pysshd.daemon import host_keys
from pysshd.daemon.host_keys import file_name, load_host_key, load_or_generate, write_host_key
from pysshd.errors import StartupError
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.private_keys import private_key_to_openssh

pytestmark = pytest.mark.security("S122")

ME = os.geteuid()
OWNERS = frozenset({0, ME})


def silent(text: str) -> None:
    """Progress that nobody reads."""


def written(folder: Path) -> Path:
    return write_host_key(folder, "ed25519", ME, silent).file


def test_a_key_is_made_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = write_host_key(tmp_path / "a" / "b", "ed25519", ME, silent)
    finally:
        os.umask(old)
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.file.with_name("ssh_host_ed25519_key.pub").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert sorted(path.name for path in made.file.parent.iterdir()) == [made.file.name, f"{made.file.name}.pub"]
    assert load_host_key(made.file, OWNERS).key.public == made.key.public
    public = made.file.with_name(f"{made.file.name}.pub").read_text()
    assert public.startswith(made.key.public.line)


def test_all_kinds_are_made_once_and_loaded_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_keys, "RSA_BITS", 3072)
    said: list[str] = []
    first = load_or_generate(tmp_path, OWNERS, ME, said.append)
    assert [entry.key.public.key_type for entry in first] == ["ssh-ed25519", "ssh-rsa"]
    assert len(said) == 2
    again = load_or_generate(tmp_path, OWNERS, ME, pytest.fail)
    assert [entry.key.public for entry in again] == [entry.key.public for entry in first]


def test_one_key_that_is_there_is_the_only_one(tmp_path: Path) -> None:
    file = written(tmp_path)
    (loaded,) = load_or_generate(tmp_path, OWNERS, ME, pytest.fail)
    assert loaded.file == file


@pytest.mark.parametrize("what", ["file", "link", "dangling", "folder", "public"])
def test_nothing_is_ever_overwritten(what: str, tmp_path: Path) -> None:
    path = tmp_path / "keys" / file_name("ed25519")
    path.parent.mkdir()
    other = tmp_path / "other"
    if what == "file":
        path.write_text("precious")
    elif what == "link":
        other.write_text("precious")
        path.symlink_to(other)
    elif what == "dangling":
        path.symlink_to(other)
    elif what == "folder":
        path.mkdir()
    else:
        path.with_name(f"{path.name}.pub").write_text("precious")
    before = sorted(str(file) for file in tmp_path.rglob("*"))
    with pytest.raises(StartupError, match=r"host key .*ssh_host_ed25519_key(\.pub)?: is there already"):
        write_host_key(path.parent, "ed25519", ME, pytest.fail)
    assert sorted(str(file) for file in tmp_path.rglob("*")) == before
    if what == "file":
        assert path.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o610])
def test_a_loose_mode_is_refused(mode: int, tmp_path: Path) -> None:
    file = written(tmp_path)
    file.chmod(mode)
    with pytest.raises(StartupError, match=f"mode is {mode:04o}, which lets others in; run chmod 0600"):
        load_host_key(file, OWNERS)


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(file)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    large = tmp_path / "large"
    large.write_bytes(file.read_bytes() + b"\n" * 70_000)
    junk = tmp_path / "junk"
    junk.write_bytes(b"the-canary-of-a-secret")
    short = tmp_path / "short"
    short.write_bytes(file.read_bytes()[:200])
    for path in (large, junk, short):
        path.chmod(0o600)
    for path, match in (
        (tmp_path / "missing", "run pysshd keygen"), (link, "symbolic"), (tmp_path, "no regular file"),
        (fifo, "no regular file"), (large, "larger than"), (junk, "no private key"), (short, "host key"),
    ):  # fmt: skip
        with pytest.raises(StartupError, match=match) as caught:
            load_host_key(path, OWNERS)
        assert "canary" not in str(caught.value)


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    file = tmp_path / "weak"
    file.write_bytes(rsa(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    file.chmod(0o600)
    with pytest.raises(StartupError, match="2048 bits, expected at least 3072"):
        load_host_key(file, OWNERS)


def test_another_owner_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path)
    with pytest.raises(StartupError, match=f"belongs to uid {ME}"):
        load_host_key(file, frozenset({ME + 1}))


@pytest.mark.root
def test_root_makes_what_the_daemons_user_will_own_and_changes_nothing_else(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    made = write_host_key(there, "ed25519", 65534, silent)
    assert there.stat().st_uid == 0
    assert (made.file.stat().st_uid, made.file.with_name(f"{made.file.name}.pub").stat().st_uid) == (65534, 65534)
    write_host_key(there / "new" / "deep", "ed25519", 65534, silent)
    assert [(there / name).stat().st_uid for name in ("new", "new/deep")] == [65534, 65534]


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="can not be written"):
        write_host_key(tmp_path / "file" / "keys", "ed25519", ME, pytest.fail)


def test_an_ecdsa_key_that_is_there_is_read(tmp_path: Path) -> None:
    file = tmp_path / file_name("ecdsa")
    file.write_bytes(private_key_to_openssh(generate_private_key("ecdsa")))
    file.chmod(0o600)
    (loaded,) = load_or_generate(tmp_path, OWNERS, ME, pytest.fail)
    assert loaded.key.public.key_type == "ecdsa-sha2-nistp256"


# --- several keys


def renamed(folder: Path, name: str, kind: str = "ed25519") -> Path:
    return write_host_key(folder, kind, ME, silent, 3072, name).file


def test_the_plain_names_come_first_and_others_of_their_kinds_behind(tmp_path: Path) -> None:
    written_first = [renamed(tmp_path, "2027"), renamed(tmp_path, "2026"), renamed(tmp_path, "", "ecdsa")]
    plain = written(tmp_path)
    (tmp_path / "ssh_host_ed25519_key-cert.pub").write_text("no key")
    (tmp_path / "known_hosts").write_text("no key")
    found = [host_key.file for host_key in host_keys.load_folder(tmp_path, OWNERS)]
    assert found == [plain, written_first[2], written_first[1], written_first[0]]
    assert [host_key.file for host_key in load_or_generate(tmp_path, OWNERS, ME, pytest.fail)] == found


def test_files_keep_their_order_and_go_before_a_folder(tmp_path: Path) -> None:
    a, b, c = renamed(tmp_path, "a"), renamed(tmp_path / "more", "b"), renamed(tmp_path, "c")
    named = host_keys.load_files([str(c), str(a)], OWNERS)
    assert [host_key.file for host_key in named] == [c, a]
    both = host_keys.joined(named, host_keys.load_folder(tmp_path / "more", OWNERS))
    assert [host_key.file for host_key in both] == [c, a, b]


def test_a_key_that_stands_twice_and_too_many_are_refused(tmp_path: Path) -> None:
    file = renamed(tmp_path, "a")
    other = tmp_path / "ssh_host_ed25519_b_key"
    other.write_bytes(file.read_bytes())
    other.chmod(0o600)
    with pytest.raises(
        StartupError, match=r"ssh_host_ed25519_b_key: is the same key as .*_a_key; leave one of them out"
    ):
        host_keys.load_folder(tmp_path, OWNERS)
    with pytest.raises(StartupError, match="is the same key"):
        host_keys.load_files([str(file), str(file)], OWNERS)
    for number in range(17):
        renamed(tmp_path / "many", f"{number}")
    with pytest.raises(StartupError, match="there are 17, expected at most 16"):
        host_keys.load_folder(tmp_path / "many", OWNERS)


def test_one_bad_key_of_a_folder_stops_the_start(tmp_path: Path) -> None:
    written(tmp_path)
    renamed(tmp_path, "next").chmod(0o644)
    with pytest.raises(StartupError, match="_next_key: mode is 0644"):
        load_or_generate(tmp_path, OWNERS, ME, pytest.fail)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="can not be read: Not a directory"):
        host_keys.load_folder(tmp_path / "file", OWNERS)
