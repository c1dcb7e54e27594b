"""Host certificates as ssh-keygen makes them: the right are found, those out of their time left out, others refused."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pysshd.daemon.host_certificates import SOON, HostCertificate, load_certificates
from pysshd.daemon.host_keys import HostKey, load_folder, write_host_key
from pysshd.errors import StartupError

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen (openssh-client)")

ME = os.geteuid()
OWNERS = frozenset({0, ME})
NOW = 1_800_000_000.0
"""In January 2027."""


class Host:
    """A folder with host keys, and an authority beside it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder / "keys"
        self.authority = folder / "authority"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.authority))
        self.add()
        self.said: list[str] = []

    def add(self, name: str = "", kind: str = "ed25519") -> Path:
        return write_host_key(self.folder, kind, ME, lambda text: None, 3072, name).file

    def certify(self, key: Path, *words: str, host: bool = True) -> Path:
        """A certificate beside the key."""
        kind = ["-h"] if host else ["-n", "alice"]
        run("ssh-keygen", "-q", "-s", str(self.authority), "-I", "an id", *kind, *words, f"{key}.pub")
        made = key.with_name(f"{key.name}-cert.pub")
        made.chmod(0o644)
        return made

    @property
    def keys(self) -> list[HostKey]:
        return load_folder(self.folder, OWNERS)

    def load(self, *listed: Path, now: float = NOW) -> list[HostCertificate]:
        return load_certificates(self.keys, [str(path) for path in listed], OWNERS, now, self.said.append)


def run(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, env={**os.environ, "TZ": "UTC"})


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_no_certificate_is_no_matter(host: Host) -> None:
    assert host.load() == []
    assert host.said == []


def test_a_certificate_beside_its_key_is_found(host: Host) -> None:
    key = host.keys[0]
    file = host.certify(key.file, "-n", "one.example,two.example", "-V", "20260101:20280101")
    (loaded,) = host.load()
    assert (loaded.file, loaded.host_key.file, loaded.certificate.key) == (file, key.file, key.key.public)
    assert loaded.certificate.algorithms == ("ssh-ed25519-cert-v01@openssh.com",)
    assert (loaded.names, loaded.until) == ("one.example, two.example", "2028-01-01 00:00:00 UTC")
    assert host.said == []
    # Named beside that it is the same one.
    assert [again.certificate for again in host.load(file)] == [loaded.certificate]


def test_a_certificate_that_is_listed_may_lie_anywhere(host: Host, tmp_path: Path) -> None:
    file = host.certify(host.keys[0].file)
    elsewhere = tmp_path / "host.pub"
    file.rename(elsewhere)
    (loaded,) = host.load(elsewhere)
    assert (loaded.names, loaded.until) == ("every name", "for ever")


def test_each_key_has_its_own(host: Host) -> None:
    following, rsa = host.add("next"), host.add(kind="rsa")
    for file in (following, rsa, host.keys[0].file):
        host.certify(file)
    assert [loaded.host_key.file for loaded in host.load()] == [host_key.file for host_key in host.keys]


@pytest.mark.parametrize(
    ("window", "offered", "said"),
    [
        ("20200101:20210101", False, "expired at 2021-01-01 00:00:00 UTC, and is not offered"),
        ("20280101:20290101", False, "is not valid before 2028-01-01 00:00:00 UTC"),
        ("20260101:20270120", True, "expires at 2027-01-20 00:00:00 UTC; renew it"),
        ("20260101:20270301", True, ""),
    ],
)
def test_time(host: Host, window: str, offered: bool, said: str) -> None:
    host.certify(host.keys[0].file, "-V", window)
    assert bool(host.load()) == offered
    assert len(host.said) == bool(said)
    assert all(said in text for text in host.said)


def test_the_edges_of_its_time(host: Host) -> None:
    host.certify(host.keys[0].file, "-V", "20260101:20280101")
    (loaded,) = host.load()
    first, end = loaded.certificate.valid_after, loaded.certificate.valid_before
    for now, offered, warned in (
        (first - 1, False, True), (first, True, False), (end - SOON, True, False), (end - SOON + 1, True, True),
        (end - 1, True, True), (end, False, True),
    ):  # fmt: skip
        host.said.clear()
        assert (bool(host.load(now=now)), bool(host.said)) == (offered, warned)


def test_what_can_never_be_used_stops_the_start(host: Host, tmp_path: Path) -> None:
    key = host.keys[0].file

    def refused(why: str, *listed: Path) -> None:
        with pytest.raises(StartupError, match=why) as caught:
            host.load(*listed)
        assert str(caught.value).startswith("host certificate /")

    beside = host.certify(key, host=False)
    refused("of kind user, expected host")
    host.certify(key, "-O", "critical:something=1")
    refused("has the critical option 'something'")
    good = host.certify(key).read_bytes()
    beside.write_bytes(good[:-40] + b"\n")
    refused("no valid base64|malformed")
    beside.write_bytes(Path(f"{key}.pub").read_bytes())
    refused("starts with 'ssh-ed25519'")
    beside.write_bytes(b"\xff\xfe")
    refused("starts with|control character")
    beside.write_bytes(good)
    beside.chmod(0o666)
    refused("mode is 0666, which lets others in; run chmod 0644")
    beside.chmod(0o644)
    with pytest.raises(StartupError, match=f"belongs to uid {ME}"):
        load_certificates(host.keys, [], frozenset({ME + 1}), NOW, pytest.fail)
    other = tmp_path / "other"
    other.write_bytes(good)
    other.chmod(0o644)
    refused("is for the same key as", other)
    beside.unlink()
    beside.symlink_to(other)
    refused("symbolic links")
    beside.unlink()
    refused("No such file", tmp_path / "missing")
    stranger = Host(tmp_path / "strange")
    refused("which is none of the host keys", stranger.certify(stranger.keys[0].file))
