"""Terminals, shells, variables and several channels, from each client that has them."""

import json
import re

import pytest

from tests.interop.clients.table import CLIENTS
from tests.interop.errand import Ended, Errand, seeded, sum_of
from tests.interop.running import Person
from tests.live.daemon import Daemon

SEVERAL = 8
PIECE = 300_000


def test_a_terminal(daemon: Daemon, person: Person) -> None:
    done = person.run(daemon, Errand("tty; stty -a | head -n 1; exit 7", terminal=True))
    assert done.status == 7
    assert re.search(rb"/dev/pts/\d+\r\nspeed \d+ baud; rows \d+; columns \d+", done.output), done


def test_a_shell_on_a_terminal(daemon: Daemon, person: Person) -> None:
    """What is typed is echoed, obeyed and, with `exit`, ends it with its status."""
    done = person.run(daemon, Errand(terminal=True), b"echo on $((20 + 3))\nexit 7\n")
    assert done.status == 7
    assert re.search(rb"on 23\r\n", done.output), done


def test_variables(daemon: Daemon, person: Person) -> None:
    if not CLIENTS[person.name].environment:
        pytest.skip(f"{person.name}: it sends no variables")
    done = person.run(daemon, Errand('echo "$LC_INTEROP"', environment={"LC_INTEROP": "as sent"}))
    assert (done.status, done.output) == (0, b"as sent\n")


def test_several_channels_on_one_connection(daemon: Daemon, person: Person) -> None:
    if not CLIENTS[person.name].channels:
        pytest.skip(f"{person.name}: one channel for each connection (the ControlMaster of ssh: tests/live)")
    check_channels(daemon, person, Errand("cat; exit 7", channels=SEVERAL, amount=PIECE))


def check_channels(daemon: Daemon, person: Person, errand: Errand, timeout: float = 50) -> dict[str, int]:
    """Each channel brings its own bytes back; the report of the client."""
    since = len(daemon.events())
    done = person.run(daemon, errand, timeout=timeout)
    assert done.status == 0, done
    ended = {each.number: each for each in (Ended(**json.loads(line)) for line in done.output.splitlines())}
    assert sorted(ended) == list(range(errand.channels))
    for number, each in ended.items():
        assert (each.status, each.summed) == (7, sum_of(seeded(number, errand.amount))), number
    opened = [event for event in daemon.events()[since:] if event["event"] == "connection.opened"]
    assert len(opened) == 1
    return done.report
