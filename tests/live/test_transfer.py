"""Bytes through the daemon: both ways, with every cipher, across key exchanges that either side starts."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pysshd.ssh.crypto.catalogue import DEFAULT_CIPHERS, DEFAULT_MACS
from tests.live.client import Keys
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import PLAIN, Daemon, open_folder, serving

MIB = 1 << 20

SETTINGS = [(cipher, None) for cipher in DEFAULT_CIPHERS] + [("aes128-ctr", mac) for mac in DEFAULT_MACS]


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    with serving(OWNER, keys, mode=PLAIN) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def filled(folder: Path, mebibytes: int) -> tuple[Path, str]:
    """A file of random bytes, and its SHA-256."""
    path = folder / f"{mebibytes}"
    summed = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(mebibytes):
            piece = os.urandom(MIB)
            summed.update(piece)
            file.write(piece)
    return path, summed.hexdigest()


def sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cpu_seconds(daemon: Daemon) -> dict[str, float]:
    """Seconds of CPU that the processes of a daemon have used, by their names."""
    used: dict[str, float] = {}
    for pid in daemon.processes():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used[name] = used.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def round_trip(daemon: Daemon, folder: Path, mebibytes: int, **more: Any) -> None:
    """`ssh … cat < file > copy`, both ways at once; prints how fast, for whoever runs this with -s."""
    source, summed = filled(folder, mebibytes)
    copy, errors = folder / "copy", folder / "errors"
    before, started = cpu_seconds(daemon).get("pysshd: worker", 0.0), time.monotonic()
    with source.open("rb") as reading, copy.open("wb") as writing, errors.open("wb") as complaining:
        client = daemon.client.start("cat", stdin=reading, stdout=writing, stderr=complaining, **more)
        while client.poll() is None:
            used = cpu_seconds(daemon).get("pysshd: worker", 0.0)
            time.sleep(0.05)
            assert time.monotonic() - started < 900
    seconds = time.monotonic() - started
    assert sum_of(copy) == summed, errors.read_text()
    words = " ".join(f"{name}={value}" for name, value in more.items())
    rate = mebibytes / seconds
    print(f"\n{mebibytes} MiB each way, {words}: {rate:.1f} MiB/s, worker at least {(used - before) / seconds:.0%} CPU")
    copy.unlink()
    source.unlink()


def test_round_trip_with_new_keys_every_megabyte(house: Daemon, folder: Path) -> None:
    round_trip(house, folder, 32, RekeyLimit="1M")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_gibibyte_with_new_keys_every_megabyte(house: Daemon, folder: Path) -> None:
    round_trip(house, folder, 1024, RekeyLimit="1M")


def settings_of(cipher: str, mac: str | None) -> dict[str, str]:
    return {"Ciphers": cipher, **({"MACs": mac} if mac else {})}


@pytest.mark.parametrize(("cipher", "mac"), SETTINGS)
def test_every_cipher_and_mac(house: Daemon, folder: Path, cipher: str, mac: str | None) -> None:
    round_trip(house, folder, 4, RekeyLimit="1M", **settings_of(cipher, mac))


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("cipher", "mac"), SETTINGS)
def test_every_cipher_and_mac_in_full(house: Daemon, folder: Path, cipher: str, mac: str | None) -> None:
    round_trip(house, folder, 100, RekeyLimit="1M", **settings_of(cipher, mac))


@pytest.mark.parametrize("command", ["head -c 33554432 /dev/zero", "cat > /dev/null; echo $?"])
def test_one_way(house: Daemon, command: str) -> None:
    sent = bytes(32 * MIB) if "cat" in command else b""
    done = house.ssh(command, stdin=sent, timeout=50)
    assert done.returncode == 0
    assert done.stdout == (b"0\n" if sent else bytes(32 * MIB))


def test_the_server_renews_keys_by_bytes(serve: Serve, folder: Path) -> None:
    """The client's own limit is far away, and it says when the server begins."""
    with serve(OWNER + "crypto: {rekey: {bytes: 1MiB}}\n") as daemon:
        done = daemon.ssh("cat", stdin=bytes(8 * MIB), LogLevel="DEBUG1", RekeyLimit="4G")
        assert done.stdout == bytes(8 * MIB)
        # The first keys, and new ones for each MiB and what a window had on its way until then: two MiB at the most.
        assert done.stderr.count(b"SSH2_MSG_NEWKEYS received") >= 1 + 8 // 3
        round_trip(daemon, folder, 16, RekeyLimit="1M")


def test_the_client_renews_keys_by_time(house: Daemon) -> None:
    done = house.ssh("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done", RekeyLimit="default 1", LogLevel="DEBUG1")
    assert done.stdout == b"1\n2\n3\n4\n5\n6\n"
    assert done.stderr.count(b"SSH2_MSG_NEWKEYS received") >= 3
