"""Data both ways at once, across key exchanges that the server begins after every MiB, and the client where it can."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.clients.table import CLIENTS
from tests.interop.errand import Errand
from tests.interop.running import Person
from tests.interop.test_sessions import check_channels
from tests.live.daemon import Daemon, open_folder

MIB = 1 << 20
SHORT, FULL = 16, 1024
REKEY = 64 * 1024


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def filled(folder: Path, mebibytes: int) -> tuple[Path, str]:
    """A file of random bytes, made once, and its SHA-256."""
    path = folder / f"{mebibytes}"
    if not path.exists():
        with path.open("wb") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(MIB))
    return path, sum_of_file(path)


def sum_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def round_trip(daemon: Daemon, person: Person, errand: Errand, folder: Path, mebibytes: int, timeout: float) -> int:
    """Through `cat` and back. The key exchanges that the client counted, 0 where it counts none."""
    source, summed = filled(folder, mebibytes)
    copy = folder / f"copy-{person.name}"
    try:
        with source.open("rb") as reading, copy.open("wb") as writing:
            done = person.run(daemon, errand, reading, writing, timeout)
        assert done.status == 0, done
        assert sum_of_file(copy) == summed
    finally:
        copy.unlink()
    return done.report.get("exchanges", 0)


def check_default(daemon: Daemon, person: Person, folder: Path, mebibytes: int, timeout: float) -> None:
    errand = Errand("cat", rekey=MIB if CLIENTS[person.name].rekeys else None)
    counted = round_trip(daemon, person, errand, folder, mebibytes, timeout)
    assert counted == 0 or counted >= mebibytes // 2


def test_new_keys_every_megabyte(daemon: Daemon, person: Person, folder: Path) -> None:
    check_default(daemon, person, folder, SHORT, 50)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_gibibyte_with_new_keys_every_megabyte(daemon: Daemon, person: Person, folder: Path) -> None:
    check_default(daemon, person, folder, FULL, 1700)


def hundred_channels(daemon: Daemon, person: Person, amount: int, timeout: float) -> None:
    """Every channel gets back what it sent, though the client begins new keys after every 64 KiB.

    The first seconds all of them are open: their worker has the descriptors for that.
    """
    errand = Errand("sleep 2; cat; exit 7", channels=100, amount=amount, rekey=REKEY)
    counted = check_channels(daemon, person, errand, timeout)
    assert counted["exchanges"] >= 100 * amount // REKEY // 4


@pytest.mark.security("S38")
@pytest.mark.parametrize("person", ["asyncssh"], indirect=True)
def test_a_hundred_channels_across_new_keys_every_64_kibibytes(daemon: Daemon, person: Person) -> None:
    hundred_channels(daemon, person, 128 * 1024, 55)


@pytest.mark.security("S38")
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("person", ["asyncssh"], indirect=True)
def test_a_hundred_channels_across_new_keys_every_64_kibibytes_in_full(daemon: Daemon, person: Person) -> None:
    hundred_channels(daemon, person, 2 * MIB, 850)
