"""Channels that the server interface serves itself, from the monitor's side: what a worker is told, and when."""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from pysshd.processes.boundary.calls.channels import CloseChannel, Exited, Finished, Joined, OpenChannel
from pysshd.processes.boundary.calls.connection import Bye, EndConnection
from pysshd.processes.boundary.calls.requests import RequestBreak, RequestExec, RequestSignal, StartAnswer, Streams
from pysshd.processes.monitor import served
from pysshd.processes.monitor.children import ExitStatus
from pysshd.server.channel import Channel
from tests.processes.monitor.house import House, Wire, in_house


@contextlib.asynccontextmanager
async def channel(house: House, act: Callable[[Channel], object]) -> AsyncIterator[Wire]:
    """A connection with channel 0, whose exec hook does `act` in a thread."""
    house.inline = False
    house.answers |= {"check_channel_exec_request": lambda server, channel, command: act(channel), "plan": None}
    wire = await house.open().to_open()
    assert (await wire.ask(OpenChannel, 0, "session")).code == 0
    try:
        yield wire
    finally:
        wire.close()
        wire.fake.exits(ExitStatus(0))
        await wire.over()


class Ends:
    """The worker's descriptors of a channel."""

    def __init__(self, wire: Wire) -> None:
        self.input, self.output, self.errors = (socket.socket(fileno=descriptor) for descriptor in wire.fds)
        self.output.settimeout(5)

    def __enter__(self) -> "Ends":
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.input, self.output, self.errors):
            end.close()

    def read(self) -> tuple[bytes, bytes]:
        with self.output.makefile("rb") as output, self.errors.makefile("rb") as errors:
            return output.read(), errors.read()


def test_what_a_hook_wrote_comes_with_the_answer_and_its_end_after_it() -> None:
    def act(channel: Channel) -> bool:
        channel.sendall("out")
        channel.sendall_stderr("err")
        channel.send_exit_status(7)
        channel.close()
        return True

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            assert (await wire.ask(RequestExec, 0, b"id")).streams == Streams.PIPES
            with Ends(wire) as ends:
                assert ends.read() == (b"out", b"err")
            assert await wire.hear() == Exited(0, 7, "", False)
            assert house.memory.the("session.served")["request"] == b"exec id"
            assert house.memory.the("session.finished")["status"] == "status 7"
            assert house.launcher.sessions == []
            wire.say(CloseChannel(0))
            assert (await wire.ask(OpenChannel, 0, "session")).code == 0

    in_house(run)


def test_a_hook_that_goes_on_before_it_answers_is_joined_to_its_client() -> None:
    def act(channel: Channel) -> bool:
        channel.sendall(bytes(1 << 20))
        channel.sendall(channel.recv(100))
        channel.close()
        return True

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            wire.say(RequestExec(wire._number + 1, 0, b"cat"))
            wire._number += 1
            assert await wire.hear() == Joined(0)
            with Ends(wire) as ends:
                ends.input.sendall(b"question")
                assert (await asyncio.to_thread(ends.read))[0] == bytes(1 << 20) + b"question"
            assert await wire.hear() == StartAnswer(wire._number, Streams.JOINED)
            assert await wire.hear() == Finished(0)

    in_house(run)


@pytest.mark.parametrize("slow", [False, True])
def test_a_hook_that_used_its_channel_and_says_no_has_ended_it(slow: bool) -> None:
    def act(channel: Channel) -> bool:
        channel.send_exit_status(0)
        channel.sendall("never mind")
        time.sleep(0.3 * slow)
        return False

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            wire._number += 1
            wire.say(RequestExec(wire._number, 0, b"x"))
            if slow:
                assert await wire.hear() == Joined(0)
                Ends(wire).__exit__()
            assert await wire.hear() == StartAnswer(wire._number, Streams.NONE)
            assert await wire.hear() == Finished(0)
            assert (await wire.ask(RequestExec, 0, b"again")).streams == Streams.NONE
            assert "session.served" not in house.memory.names

    in_house(run)


def test_whoever_serves_later_has_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "USED_WITHIN", 1.0)
    kept: list[Channel] = []

    def act(channel: Channel) -> bool:
        kept.append(channel)
        return True

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            assert (await wire.ask(RequestExec, 0, b"x")).streams == Streams.PIPES
            with Ends(wire) as ends:
                await asyncio.to_thread(kept[0].sendall, b"later")
                assert ends.output.recv(100) == b"later"
                await asyncio.sleep(1.1)
                assert not kept[0].closed
                await asyncio.to_thread(kept[0].close)
            assert await wire.hear() == Finished(0)
            wire.say(CloseChannel(0))
            monkeypatch.setattr(served, "USED_WITHIN", 0.1)
            assert (await wire.ask(OpenChannel, 1, "session")).code == 0
            assert (await wire.ask(RequestExec, 1, b"x")).streams == Streams.PIPES
            with Ends(wire) as ends:
                assert await wire.hear() == Finished(1)
                assert ends.read() == (b"", b"")
            assert "neither uses the channel nor has a plan" in house.memory.the("session.failed")["detail"]
            with pytest.raises(OSError, match="closed"):
                kept[1].send(b"too late")

    in_house(run)


@pytest.mark.parametrize("how", ["channel", "connection"])
def test_a_client_that_goes_wakes_its_hook(how: str) -> None:
    came: list[Any] = []
    done = threading.Event()

    def serve(channel: Channel) -> None:
        came.append(channel.recv(10))
        came.append(channel.closed)
        came.append(channel.get_transport().is_active())
        done.set()

    def act(channel: Channel) -> bool:
        channel.settimeout(10)
        threading.Thread(target=serve, args=(channel,)).start()
        return True

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            assert (await wire.ask(RequestExec, 0, b"x")).streams == Streams.PIPES
            # A descriptor that a worker holds on to must not keep the hook.
            with Ends(wire):
                if how == "channel":
                    wire.say(CloseChannel(0))
                else:
                    wire.say(Bye("gone"))
                    wire.close()
                assert await asyncio.to_thread(done.wait, 5)
            assert came == [b"", True, how == "channel"]
            assert house.memory.the("session.finished")["status"] == "the client closed the channel"

    in_house(run)


def test_a_channel_that_the_daemon_runs_a_program_on_is_no_hooks() -> None:
    kept: list[Channel] = []

    def act(channel: Channel) -> bool:
        kept.append(channel)
        return True

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            del house.answers["plan"]
            assert (await wire.ask(RequestExec, 0, b"x")).streams == Streams.PIPES
            for descriptor in wire.fds:
                os.close(descriptor)
            assert len(house.launcher.sessions) == 1
            with pytest.raises(OSError, match="the daemon runs"):
                kept[0].send(b"x")

    in_house(run)


def test_signals_and_breaks_of_a_served_channel_are_its_hooks() -> None:
    async def run(house: House) -> None:
        async with channel(house, lambda channel: channel.send(b"x") == 1) as wire:
            assert not (await wire.ask(RequestSignal, 0, "INT")).ok
            assert (await wire.ask(RequestExec, 0, b"x")).streams == Streams.PIPES
            Ends(wire).__exit__()
            assert (await wire.ask(RequestSignal, 0, "odd@example")).ok
            assert (await wire.ask(RequestBreak, 0, 500)).ok
            house.answers["check_channel_signal_request"] = False
            assert not (await wire.ask(RequestSignal, 0, "INT")).ok
            assert house.server.count("check_channel_signal_request") == 2

    in_house(run)


def test_closing_the_transport_ends_the_connection() -> None:
    def act(channel: Channel) -> bool:
        channel.get_transport().close()
        return False

    async def run(house: House) -> None:
        async with channel(house, act) as wire:
            wire.say(RequestExec(99, 0, b"x"))
            heard = [await wire.hear(), await wire.hear()]
            (end,) = [call for call in heard if isinstance(call, EndConnection)]
            assert end.text == "the server interface closed the connection"

    in_house(run)


def test_a_yes_to_a_channel_that_nobody_would_be_given_is_refused() -> None:
    async def run(house: House) -> None:
        async with channel(house, bool) as wire:
            assert (await wire.ask(OpenChannel, 1, "chat@example")).code == 3
            assert house.memory.the("hook.failed")["hook"] == "check_channel_request"

    in_house(run)
