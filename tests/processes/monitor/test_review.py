"""A guarded connection over the built-in server, judged again: what ends, what stays, and what was on its way."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pysshd.daemon.clock import new_id
from pysshd.policy.load import load_text
from pysshd.policy.query import UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.processes.boundary.calls.channels import CloseChannel, Exited, Finished, Notice, OpenChannel
from pysshd.processes.boundary.calls.connection import EndConnection
from pysshd.processes.boundary.calls.login import OfferPassword
from pysshd.processes.boundary.calls.requests import RequestEnv, RequestExec, RequestPty, StartAnswer, Streams
from pysshd.processes.monitor.children import ExitStatus
from pysshd.processes.monitor.edges import Edges
from pysshd.processes.monitor.standing import Review
from pysshd.server.known import HostAccount, Known
from pysshd.server.policy_server import PolicyServer
from pysshd.server.rules import Rules
from tests.processes.monitor.house import House, Wire, in_house
from tests.server.house import CHEAP, FakePeople

POLICY = f"""
version: 1
server: {{owner: alice}}
users: {{alice: {{password: "{CHEAP}"}}}}
login: [{{who: "*", methods: password}}]
grants: [{{who: alice, allow: {{exec: [ls, cat]}}}}]
"""
NOBODY = POLICY.replace("alice", "bob")
LISTS = POLICY.replace("[ls, cat]", "ls")


class Time:
    """The wall clock of a test; timers run on the loop's."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class HostPeople(FakePeople):
    """People of a host that takes its time."""

    def __init__(self, ruleset: Ruleset, judged: "Judged") -> None:
        super().__init__(ruleset)
        self._judged = judged

    async def look_up(self, account: str, peer: Hashable) -> Known:
        self._judged.questions += 1
        await self._judged.answers.wait()
        fault = self._judged.fault
        return Known(accounts={account: HostAccount(UnixFacts(account, 2000, fault=fault), 2000, 2000, (), "/", "/sh")})


class Judged:
    """A house whose connections the policy decides for. answers: whether the host does; questions: put to it."""

    def __init__(self, house: House, text: str = POLICY) -> None:
        self.house = house
        self.answers = asyncio.Event()
        self.answers.set()
        self.fault = ""
        self.questions = 0
        self.time = Time()
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.edges = Edges(self.time, self._later)
        self.rules = self._rules(text)
        review = Review(lambda: self.rules, self.edges, asyncio.Semaphore(1))
        house.services = replace(house.services, make_server=self._make, review=review, clock=self.time)

    def _rules(self, text: str) -> Rules:
        ruleset = load_text(text).ruleset
        return Rules(ruleset, HostPeople(ruleset, self) if "accounts: system" in text else FakePeople(ruleset))

    def _make(self, connection: Any, journal: Any) -> PolicyServer:
        return PolicyServer(self.rules.ruleset, connection, self.rules.identity, journal, new_id)

    def _later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append((seconds, call))
        return asyncio.get_running_loop().call_later(3600, call)

    def reload(self, text: str, *wires: Wire) -> None:
        self.rules = self._rules(text)
        for wire in wires:
            wire.connection.judge_again()


async def running(wire: Wire, channel: int, command: bytes) -> None:
    assert (await wire.ask(OpenChannel, channel, "session")).code == 0
    answer = await wire.ask(RequestExec, channel, command)
    assert answer == StartAnswer(answer.call, Streams.PIPES)


async def bye(wire: Wire) -> None:
    wire.close()
    wire.fake.exits(ExitStatus(0, None))
    await wire.over()


def judged(test: Callable[[Judged, House], Awaitable[None]], text: str = POLICY) -> House:
    async def run(house: House) -> None:
        made = Judged(house, text)
        try:
            await test(made, house)
        finally:
            made.edges.close()

    return in_house(run)


def test_what_is_not_allowed_any_more_ends_and_its_neighbour_stays() -> None:
    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        await running(wire, 0, b"ls")
        await running(wire, 1, b"cat")
        judged.reload(LISTS, wire)
        told = await wire.hear()
        assert isinstance(told, Notice)
        assert told.channel == 1
        ended = await wire.hear()
        assert isinstance(ended, Exited)
        assert (ended.channel, ended.signal) == (1, "HUP")
        assert [child.ends for _, child in house.launcher.sessions] == [0, 1]
        assert f"(id {house.memory.the('session.revoked')['decision']})".encode() in told.text
        wire.say(CloseChannel(1))
        await running(wire, 2, b"ls")
        await bye(wire)

    judged(test)


def test_a_channel_that_has_nothing_yet_is_closed() -> None:
    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        assert (await wire.ask(OpenChannel, 0, "session")).code == 0
        judged.reload(POLICY.replace("allow: {exec: [ls, cat]}", "allow: {env: {accept: LANG}}"), wire)
        assert isinstance(await wire.hear(), Notice)
        assert await wire.hear() == Finished(0)
        answer = await wire.ask(RequestExec, 0, b"ls")
        assert answer == StartAnswer(answer.call, Streams.NONE)
        await bye(wire)

    judged(test)


def test_a_program_that_is_just_being_started_does_not_escape() -> None:
    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        assert (await wire.ask(OpenChannel, 0, "session")).code == 0
        go = asyncio.Event()
        start = house.launcher.session

        async def slowly(spec: Any, fds: Any) -> Any:
            child = await start(spec, fds)
            await go.wait()
            return child

        house.launcher.session = slowly  # type: ignore[method-assign]
        asking = asyncio.create_task(wire.ask(RequestExec, 0, b"cat"))
        while not house.launcher.sessions:
            await asyncio.sleep(0)
        judged.reload(LISTS, wire)
        while "session.revoked" not in house.memory.names:
            await asyncio.sleep(0)
        go.set()
        await asking
        ended = await wire.hear()
        assert isinstance(ended, Exited)
        assert house.launcher.sessions[0][1].ends == 1
        await bye(wire)

    judged(test)


def test_a_person_who_is_gone_is_disconnected_and_the_programs_end_at_once() -> None:
    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        await running(wire, 0, b"ls")
        judged.reload(NOBODY, wire)
        end = await wire.hear()
        assert isinstance(end, EndConnection)
        event = house.memory.the("connection.revoked")
        assert end.text == f"access has ended (id {event['decision']})"
        assert event["person"] == "alice"
        assert house.launcher.sessions[0][1].ends == 1
        await bye(wire)

    judged(test)


def test_a_window_that_closes_ends_a_session_without_a_reload() -> None:
    text = POLICY.replace("who: alice, allow", "who: alice, not_after: 2999-01-01, allow")

    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        await running(wire, 0, b"ls")
        judged.time.ahead = datetime(2999, 1, 3, tzinfo=UTC) - datetime.now(UTC)
        judged.timers[-1][1]()
        assert isinstance(await wire.hear(), Notice)
        assert isinstance(await wire.hear(), Exited)
        assert "connection.revoked" not in house.memory.names
        await bye(wire)

    judged(test, text)


def test_nothing_is_waited_for_where_nothing_changes_with_time() -> None:
    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        await running(wire, 0, b"ls")
        assert judged.timers == []
        judged.reload(POLICY + "# the same\n", wire)
        while "connection.renewed" not in house.memory.names:
            await asyncio.sleep(0)
        assert house.memory.the("connection.renewed")["rules"] == judged.rules.version
        assert "session.revoked" not in house.memory.names
        await bye(wire)

    judged(test)


def test_a_login_of_the_moment_of_a_reload_is_asked_again() -> None:
    """The yes of the old rules comes when the new ones are in force, and nobody had this connection judged yet."""

    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_auth()
        judged.reload(NOBODY)
        answer = await wire.ask(OfferPassword, b"right")
        assert answer.outcome == 0
        assert isinstance(await wire.hear(), EndConnection)
        assert house.memory.the("connection.revoked")["reason"] == "alice is not in the policy any more"
        await bye(wire)

    judged(test)


@pytest.mark.parametrize("asked", ["pty", "env"])
def test_what_a_session_has_beside_its_program_has_an_edge_too(asked: str) -> None:
    text = POLICY.replace("grants: [", "grants: [{who: alice, not_after: 2999-01-01, allow: {MORE}}, ").replace(
        "MORE", "pty: true" if asked == "pty" else "env: {accept: LANG}"
    )

    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        assert (await wire.ask(OpenChannel, 0, "session")).code == 0
        if asked == "pty":
            assert (await wire.ask(RequestPty, 0, b"vt100", 80, 24, 0, 0, b"\0")).ok
            assert (await wire.ask(RequestExec, 0, b"ls")).streams == Streams.PTY
        else:
            assert (await wire.ask(RequestEnv, 0, b"LANG", b"C")).ok
        judged.time.ahead = datetime(2999, 1, 3, tzinfo=UTC) - datetime.now(UTC)
        judged.timers[-1][1]()
        assert isinstance(await wire.hear(), Notice)
        assert house.memory.the("session.revoked")["request"].startswith(asked)
        assert isinstance(await wire.hear(), Exited if asked == "pty" else Finished)
        await bye(wire)

    judged(test, text)


ON_HOST = POLICY.replace("server: {owner: alice}", "server: {accounts: system}")


@pytest.mark.security("S129")
def test_a_host_that_hangs_holds_no_revocation_up() -> None:
    """Neither that of whoever hangs it, nor of others, nor a second one; what the host says counts when it says it."""

    async def test(judged: Judged, house: House) -> None:
        wires = [await house.open().to_open() for _ in range(2)]
        for wire in wires:
            await running(wire, 0, b"ls")
            await running(wire, 1, b"cat")
        judged.answers.clear()
        judged.reload(ON_HOST + "# the same\n", *wires)
        before = judged.questions
        while judged.questions == before:
            await asyncio.sleep(0)
        judged.reload(LISTS.replace("server: {owner: alice}", "server: {accounts: system}"), *wires)
        for wire in wires:
            told = await wire.hear()
            assert isinstance(told, Notice)
            assert told.channel == 1
            assert isinstance(await wire.hear(), Exited)
        assert "connection.revoked" not in house.memory.names
        judged.reload(NOBODY.replace("server: {owner: bob}", "server: {accounts: system}"), wires[0])
        assert isinstance(await wires[0].hear(), EndConnection)
        assert judged.questions == before + 1
        judged.reload(ON_HOST, wires[1])
        judged.fault = "account alice is locked"
        judged.answers.set()
        assert isinstance(await wires[1].hear(), EndConnection)
        assert [event.fields["reason"] for event in house.memory.events if event.name == "connection.revoked"] == [
            "alice is not in the policy any more", "account alice is locked"
        ]  # fmt: skip
        for wire in wires:
            await bye(wire)

    judged(test, ON_HOST)


def test_an_answer_of_the_host_is_judged_by_the_rules_that_are_in_force_by_then() -> None:
    """A reload that closed too much was put right while the host was asked what it had not been asked before."""
    closed = ON_HOST.replace("who: alice, allow", "who: 'system-group:adm', allow")

    async def test(judged: Judged, house: House) -> None:
        wire = await house.open().to_open()
        await running(wire, 0, b"ls")
        judged.answers.clear()
        before = judged.questions
        judged.reload(closed, wire)
        while judged.questions == before:
            await asyncio.sleep(0)
        judged.reload(closed.replace("grants: [", "grants: [{who: alice, allow: {exec: ls}}, "), wire)
        judged.answers.set()
        while "connection.renewed" not in house.memory.names:
            await asyncio.sleep(0)
        assert house.memory.the("connection.renewed")["rules"] == judged.rules.version
        assert "session.revoked" not in house.memory.names
        await bye(wire)

    judged(test, ON_HOST)
