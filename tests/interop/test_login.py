"""Each client logs in by whatever it knows, runs a command, and is turned away cleanly where it may not."""

import pytest

from tests.interop.clients.table import CLIENTS, USER_KEYS
from tests.interop.conftest import PASSWORD
from tests.interop.errand import Errand
from tests.interop.running import Person
from tests.live.daemon import Daemon

COMMAND = "cat; echo to output; echo to errors >&2; exit 7"
OUTPUT, ERRORS = b"fed\nto output\n", b"to errors\n"


def check_command(daemon: Daemon, person: Person, errand: Errand, method: str) -> None:
    since = len(daemon.events())
    done = person.run(daemon, errand, b"fed\n")
    assert (done.status, done.output, done.errors) == (7, OUTPUT, ERRORS)
    daemon.wait_event("login.accepted", since=since, person="alice", methods=method)


@pytest.mark.parametrize("kind", USER_KEYS)
def test_a_key_of_each_kind(daemon: Daemon, person: Person, kind: str) -> None:
    check_command(daemon, person, Errand(COMMAND, key=str(person.keys.user(kind))), "publickey")


def test_a_password(daemon: Daemon, person: Person) -> None:
    check_command(daemon, person, Errand(COMMAND, password=PASSWORD), "password")


def test_a_wrong_key_and_a_wrong_password(daemon: Daemon, person: Person) -> None:
    """Refused in the log as in the client, which says so and runs nothing."""
    for errand in (Errand("echo in", key=str(person.keys.private("stranger"))), Errand("echo in", password="not it")):
        since = len(daemon.events())
        done = person.run(daemon, errand)
        assert b"in\n" not in done.output
        assert done.errors
        assert b"Traceback" not in done.errors
        if CLIENTS[person.name].tells_refusal:
            assert done.status not in (0, 7), done
        daemon.wait_event("connection.closed", since=since)
        names = {each["event"] for each in daemon.events()[since:]}
        # Some clients ask first whether a key would do, and others sign at once.
        assert names & {"login.key_refused", "login.refused"}
        assert "login.accepted" not in names
