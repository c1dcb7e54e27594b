"""A channel that a server of one's own serves, with each client: also what it says before the reply."""

from collections.abc import Iterator

import pytest

from tests.interop.clients.kit import InteropKeys
from tests.interop.errand import Errand
from tests.interop.running import Person
from tests.live.daemon import Daemon
from tests.live.test_hooks import hooked


@pytest.fixture(scope="module")
def served(keys: InteropKeys) -> Iterator[Daemon]:
    """A daemon whose hooks serve."""
    with hooked(keys, "Says") as daemon:
        yield daemon


@pytest.mark.parametrize(
    ("command", "typed", "status", "output"),
    [
        ("at once", b"", 7, b"out"),
        ("late", b"", 4, b"late"),
        ("some", b"", 0, bytes(500_000)),
        ("echo", bytes(range(256)) * 2000, 3, bytes(range(256)) * 2000),
    ],
    ids=["in the hook", "after the reply", "more than a buffer holds before the reply", "both ways"],
)
def test_a_hook_serves_every_client(
    served: Daemon, person: Person, command: str, typed: bytes, status: int, output: bytes
) -> None:
    done = person.run(served, Errand(command), typed)
    assert done.status == status, done.errors
    assert done.output == output
