"""Steps of the clock (S128): durations are of the monotonic clock, and only what ends on a date goes by the date."""

import ast
import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pysshd.daemon.clock import SystemClock
from pysshd.daemon.turnstile import Turnstile
from pysshd.processes.boundary.calls.host_keys import Sign
from pysshd.processes.monitor.children import ExitStatus
from pysshd.ssh.events.userauth import Outcome
from tests.architecture.sources import modules, tree_of
from tests.processes.monitor import house as monitor
from tests.server.house import ALICE, CAROL
from tests.server.house import House as Login
from tests.server.test_policy_login import EITHER, policy

pytestmark = pytest.mark.security("S128")

WALL = {
    "pysshd.daemon.clock": "the one wall clock, handed to whoever judges by date",
    "pysshd.daemon.api": "the times of the lines of the log",
    "pysshd.cli.scene": "the moment that is asked about, where nobody names another",
    "pysshd.identity.host.lookup": "the day on which an account of the host expires",
    "pysshd.identity.host.password": "the day on which a password of the host expires",
}
"""Who reads the date, and what for."""

_NAMES = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow", "date.today"}


def test_hardly_anybody_reads_the_date() -> None:
    found = {
        name
        for name in modules()
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Attribute) and ast.unparse(node).removeprefix("datetime.") in {*_NAMES, "now", "utcnow"}
        if ast.unparse(node) in {*_NAMES, "datetime.datetime.now"}
    }
    assert found == WALL.keys()


class Stepping(SystemClock):
    """A wall clock that jumps by years, in both directions, whenever it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def wall(self) -> datetime:
        self.reads += 1
        return datetime.now(UTC) + timedelta(days=3650 if self.reads % 2 else -3650)


def test_the_grace_time_is_as_long_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Stepping()
    monkeypatch.setattr(time, "time", lambda: clock.wall().timestamp())

    async def run(house: monitor.House) -> None:
        house.services = replace(house.services, clock=clock)
        house.terms_are(login_grace=0.5)
        started = time.monotonic()
        wire = await house.open().to_auth()
        assert (await wire.hear()).text == "login took too long"
        assert 0.4 < time.monotonic() - started < 20
        wire.close()
        wire.fake.exits(ExitStatus(0))
        await wire.over()
        assert float(str(house.memory.the("connection.closed")["seconds"])) < 20

    monitor.in_house(run)


def test_the_turnstile_and_the_pace_of_signatures_know_no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Stepping()
    monkeypatch.setattr(time, "time", lambda: clock.wall().timestamp())
    inside: list[object] = []

    async def run(house: monitor.House) -> None:
        house.services = replace(house.services, clock=clock)
        turnstile = Turnstile(50, 5, clock.monotonic, asyncio.get_running_loop().call_later)
        for _ in range(50):
            turnstile.arrive("a", inside.append, lambda: None)
        began = time.monotonic()
        assert len(inside) == 5
        wire = await house.open().to_kex()
        started = time.monotonic()
        for number in range(110):
            wire.say(Sign(number, "ssh-ed25519", monitor.HASH))
            await wire.hear()
        assert 0.1 < time.monotonic() - started < 20
        assert 5 <= len(inside) <= 5 * (time.monotonic() - began) + 10
        turnstile.clear()
        wire.close()
        wire.fake.exits(ExitStatus(0))
        await wire.over()

    monitor.in_house(run)


def test_a_key_that_was_good_when_it_was_shown_is_judged_again_when_it_signs() -> None:
    house = Login(policy(EITHER))
    house.clock.now = datetime(2027, 3, 31, 12, tzinfo=UTC)
    assert house.probe("carol", CAROL) is Outcome.SUCCESS
    house.clock.now = datetime(2027, 4, 1, 12, tzinfo=UTC)
    assert house.key("carol", CAROL) is Outcome.FAILURE


def test_a_decision_does_not_outlast_a_date_that_the_clock_has_passed() -> None:
    """The clock steps over the end of a key's time between the login and the next request."""
    until = "accounts: [alice, git], not_after: 2027-03-31}"
    house = Login(policy(EITHER).replace("accounts: [alice, git]}", until))
    house.clock.now = datetime(2027, 3, 31, 12, tzinfo=UTC)
    house.logged_in("alice", ALICE)
    assert house.server.check_channel_request("session", 0) == 0
    channel = house.session(1)
    house.clock.now = datetime(2027, 7, 1, 12, tzinfo=UTC)
    assert house.server.check_channel_shell_request(channel) is False
    house.clock.now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    assert house.server.check_channel_shell_request(channel) is True
