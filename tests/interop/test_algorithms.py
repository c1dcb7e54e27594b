"""What each client negotiates with us: every algorithm that both know, with data both ways across key exchanges.

A client that can be told to offer one algorithm alone offers it to a daemon that has them all; for one that can not be
told, the policy of a daemon of its own names it alone.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pysshd.ssh.crypto.catalogue import PROFILES
from tests.interop.clients.kit import InteropKeys
from tests.interop.clients.table import CIPHER, CLIENTS, HOST_KEY, KEX, KINDS, MAC
from tests.interop.conftest import Houses
from tests.interop.errand import Errand
from tests.interop.running import Person
from tests.interop.test_bulk import MIB, round_trip
from tests.live.daemon import open_folder

SHORT, FULL = 2, 100
SECTIONS = {KEX: "kex", HOST_KEY: "host_key_algorithms", CIPHER: "ciphers", MAC: "macs"}
"""The names of `KINDS` in the section `crypto` of a policy."""

Choice = dict[str, str]
"""One algorithm of each kind; no MAC where the cipher brings its own."""


def common(client: str) -> dict[str, list[str]]:
    """What both know, of each kind."""
    ours = PROFILES["compatible"]
    known = CLIENTS[client].algorithms
    return {kind: [name for name in getattr(ours, SECTIONS[kind]) if name in known[kind]] for kind in KINDS}


def brings_its_mac(cipher: str) -> bool:
    """Whether this is an AEAD."""
    return "gcm" in cipher or "poly1305" in cipher


def choices(client: str, whole: bool) -> list[Choice]:
    """Choices in which each algorithm stands at least once, with `whole` each cipher with each MAC."""
    names = common(client)
    alone = [(cipher, "") for cipher in names[CIPHER] if brings_its_mac(cipher)]
    counters = [cipher for cipher in names[CIPHER] if not brings_its_mac(cipher)]
    if whole:
        pairs = [*alone, *product(counters, names[MAC])]
    else:
        longest = max(len(counters), len(names[MAC]))
        pairs = [*alone, *((_at(counters, number), _at(names[MAC], number)) for number in range(longest))]
    found = []
    for number in range(max(len(pairs), len(names[KEX]), len(names[HOST_KEY]))):
        cipher, mac = _at(pairs, number)
        choice = {KEX: _at(names[KEX], number), HOST_KEY: _at(names[HOST_KEY], number), CIPHER: cipher}
        found.append({**choice, MAC: mac} if mac else choice)
    return found


def _at(names: Sequence[Any], number: int) -> Any:
    return names[number % len(names)]


def cases(whole: bool) -> list[object]:
    """`client` and `choice` of every test."""
    return [
        pytest.param(client, choice, id="-".join([client, *choice.values()]))
        for client in CLIENTS
        for choice in choices(client, whole)
    ]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def check(client: str, choice: Choice, houses: Houses, keys: InteropKeys, folder: Path, mebibytes: int) -> None:
    person = Person(client, keys)
    person.need()
    can = CLIENTS[client]
    told = {kind: name for kind, name in choice.items() if kind in can.holds}
    lists = [f"{SECTIONS[kind]}: [{name}]" for kind, name in choice.items() if kind not in can.holds]
    daemon = houses("{" + ", ".join(["profile: compatible", "rekey: {bytes: 1MiB}", *lists]) + "}")
    since = len(daemon.events())
    errand = Errand(
        "cat",
        kex=told.get(KEX),
        host_key=told.get(HOST_KEY),
        cipher=told.get(CIPHER),
        mac=told.get(MAC),
        rekey=MIB if can.rekeys else None,
    )
    round_trip(daemon, person, errand, folder, mebibytes, 250)
    (said,) = [event for event in daemon.events()[since:] if event["event"] == "connection.negotiated"]
    for kind in (KEX, HOST_KEY, CIPHER):
        assert said[kind] == choice[kind]


@pytest.mark.parametrize(("client", "choice"), cases(whole=False))
def test_every_algorithm_that_both_know(
    client: str, choice: Choice, houses: Houses, keys: InteropKeys, folder: Path
) -> None:
    check(client, choice, houses, keys, folder, SHORT)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("client", "choice"), cases(whole=True))
def test_every_cipher_with_every_mac_and_key_exchange_in_full(
    client: str, choice: Choice, houses: Houses, keys: InteropKeys, folder: Path
) -> None:
    check(client, choice, houses, keys, folder, FULL)


def test_every_algorithm_of_ours_is_known_to_some_client() -> None:
    """The table is not forgotten when something is added; certificates have tests of their own."""
    for kind in KINDS:
        ours = {name for name in getattr(PROFILES["compatible"], SECTIONS[kind]) if "-cert-" not in name}
        assert ours == {name for client in CLIENTS for name in common(client)[kind]}
