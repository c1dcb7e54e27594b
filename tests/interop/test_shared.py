"""The same clients on workers that serve many connections each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.clients.kit import InteropKeys
from tests.interop.clients.table import CLIENTS
from tests.interop.conftest import ARGUMENTS
from tests.interop.errand import Errand
from tests.interop.running import Person
from tests.interop.test_bulk import MIB, round_trip
from tests.interop.test_login import COMMAND, check_command
from tests.live.daemon import Daemon, open_folder, serving


@pytest.fixture(scope="module")
def shared(policy: str, keys: InteropKeys) -> Iterator[Daemon]:
    text = f"{policy}crypto: {{profile: compatible, rekey: {{bytes: 1MiB}}}}\n"
    with serving(text, keys, server=["isolation: shared"], arguments=ARGUMENTS) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def test_a_command_and_data_both_ways(shared: Daemon, person: Person, folder: Path) -> None:
    check_command(shared, person, Errand(COMMAND, key=str(person.keys.user("ed25519"))), "publickey")
    errand = Errand("cat", rekey=MIB if CLIENTS[person.name].rekeys else None)
    round_trip(shared, person, errand, folder, 4, 50)
