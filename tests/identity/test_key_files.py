"""A file of keys is read only where nobody untrusted could have had a hand in it, and never makes us wait."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pysshd.errors import InvalidKeyError
from pysshd.identity import key_files
from pysshd.identity.key_files import FILE_SIZE_MAX, KeyFiles
from pysshd.ssh.crypto.keys import parse_public_key_line

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
TRUSTED = frozenset({0, os.geteuid()})


def keygen(folder: Path, name: str) -> str:
    """The line of a new key."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
    subprocess.run(command, check=True, timeout=50)
    return (folder / f"{name}.pub").read_text()


def fingerprint(line: str) -> str:
    return parse_public_key_line(line).fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


def test_keys_of_a_file(folder: Path) -> None:
    one, two = keygen(folder, "one"), keygen(folder, "two")
    both = folder / "both.pub"
    both.write_text(f"# two keys\n\n{one}{two}")
    files = KeyFiles(TRUSTED)
    assert files.fingerprints(str(both)) == {fingerprint(one), fingerprint(two)}
    assert files.fingerprints(str(folder / "one.pub")) == {fingerprint(one)}


def test_a_file_that_changed_is_read_again(folder: Path) -> None:
    one, two = keygen(folder, "one"), keygen(folder, "two")
    file, files = folder / "k.pub", KeyFiles(TRUSTED)
    for line in (one, two, one):
        other = folder / "new"
        other.write_text(line)
        other.rename(file)
        assert files.fingerprints(str(file)) == {fingerprint(line)}
    file.unlink()
    with pytest.raises(FileNotFoundError):
        files.fingerprints(str(file))


@pytest.mark.parametrize("content", ["", "restrict ssh-ed25519 AAAA\n", "ssh-ed25519 AAAA\n", "garbage\n", "\xa0\n"])
def test_a_file_that_is_not_understood_holds_no_key(folder: Path, content: str) -> None:
    good = keygen(folder, "one")
    file = folder / "k.pub"
    file.write_text((good if content else "") + content)
    with pytest.raises(InvalidKeyError, match=str(file)) as caught:
        KeyFiles(TRUSTED).fingerprints(str(file))
    assert "AAAA" not in str(caught.value)


@pytest.mark.security("S57", "S66")
def test_what_is_no_small_regular_file_is_not_read(folder: Path) -> None:
    os.mkfifo(folder / "fifo", 0o600)
    (folder / "folder").mkdir()
    (folder / "large").write_text("# " + "x" * FILE_SIZE_MAX)
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "null").symlink_to("/dev/null")
    (folder / "loop").symlink_to("loop")
    (folder / "through").symlink_to("large/more")
    for name in ("fifo", "folder", "large", "zero", "null", "loop", "through", "missing"):
        with pytest.raises(OSError):
            KeyFiles(TRUSTED).fingerprints(str(folder / name))


def test_trusted_links_are_followed(folder: Path) -> None:
    # As a mounted secret has them: NAME -> ..data/NAME, ..data -> a folder with a date.
    line = keygen(folder, "one")
    (folder / "..2026").mkdir(mode=0o755)
    (folder / "one.pub").rename(folder / "..2026" / "key.pub")
    (folder / "..data").symlink_to("..2026")
    (folder / "key.pub").symlink_to("..data/key.pub")
    (folder / "absolute").symlink_to(folder / "..data" / ".." / "key.pub")
    for name in ("key.pub", "absolute", "./key.pub", "..data/../key.pub"):
        assert KeyFiles(TRUSTED).fingerprints(f"{folder}/{name}") == {fingerprint(line)}


@pytest.mark.security("S66")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_read(folder: Path, mode: int) -> None:
    keygen(folder, "one")
    (folder / "one.pub").chmod(mode)
    with pytest.raises(PermissionError, match="may write it"):
        KeyFiles(TRUSTED).fingerprints(str(folder / "one.pub"))


@pytest.mark.security("S66")
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_may_write_is_not_trusted(folder: Path, mode: int) -> None:
    inner = folder / "inner"
    inner.mkdir()
    keygen(inner, "one")
    inner.chmod(mode)
    if mode & 0o1000 and os.geteuid() == 0:  # the sticky folder of root is as good as /tmp
        assert KeyFiles(TRUSTED).fingerprints(str(inner / "one.pub"))
        return
    with pytest.raises(PermissionError, match="folder"):
        KeyFiles(TRUSTED).fingerprints(str(inner / "one.pub"))


@pytest.mark.security("S66")
def test_an_owner_who_is_not_trusted(folder: Path) -> None:
    keygen(folder, "one")
    with pytest.raises(PermissionError, match="not trusted"):
        KeyFiles(frozenset({12345})).fingerprints(str(folder / "one.pub"))


@pytest.mark.root
@pytest.mark.security("S66")
def test_the_file_and_the_link_of_someone_else(folder: Path) -> None:
    keygen(folder, "one")
    (folder / "link").symlink_to("one.pub")
    assert KeyFiles(TRUSTED).fingerprints(str(folder / "link"))
    os.chown(folder / "link", 65534, 65534, follow_symlinks=False)
    with pytest.raises(PermissionError, match="link"):
        KeyFiles(TRUSTED).fingerprints(str(folder / "link"))
    os.chown(folder / "one.pub", 65534, 65534)
    with pytest.raises(PermissionError, match="uid 65534"):
        KeyFiles(TRUSTED).fingerprints(str(folder / "one.pub"))


def test_no_descriptor_is_left(folder: Path) -> None:
    keygen(folder, "one")
    os.mkfifo(folder / "fifo")
    files = KeyFiles(TRUSTED)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        files.fingerprints(str(folder / "one.pub"))
        with pytest.raises(OSError):
            files.fingerprints(str(folder / "fifo"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_account_of_many_files_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = keygen(folder, "one")
    paths = [folder / f"{number}.pub" for number in range(1100)]
    for path in paths:
        path.write_text(line)
    reads: list[str] = []
    content = key_files.read_all  # type: ignore[attr-defined]

    def counted(descriptor: int, path: str, size: int) -> bytes:
        reads.append(path)
        return content(descriptor, path, size)

    monkeypatch.setattr(key_files, "read_all", counted)
    files = KeyFiles(TRUSTED)
    for _ in range(2):
        assert {files.fingerprints(str(path)) for path in paths} == {frozenset([fingerprint(line)])}
    assert len(reads) == len(paths)
