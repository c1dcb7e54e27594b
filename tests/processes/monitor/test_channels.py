"""Channels in the monitor: what starts, what is refused, and how it ends."""

import asyncio
import contextlib
import os
import signal
import termios
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.bounds import Bounds
from pysshd.policy.ways import Forced, Program
from pysshd.processes.boundary.calls.channels import CloseChannel, Exited, OpenChannel, OpenDirectTcpip
from pysshd.processes.boundary.calls.global_requests import CancelForward, RequestForward
from pysshd.processes.boundary.calls.requests import (
    RequestAgent,
    RequestBreak,
    RequestEnv,
    RequestExec,
    RequestPty,
    RequestShell,
    RequestSignal,
    RequestSubsystem,
    RequestX11,
    StartAnswer,
    Streams,
)
from pysshd.processes.monitor.children import ExitStatus
from pysshd.processes.monitor.launcher import LaunchError
from pysshd.processes.monitor.terminal import CHARACTERS, FLAGS, SPEEDS, PtyRequest, open_terminal
from pysshd.server.plan import Account, Plan
from pysshd.ssh.wire.modes import TTY_OP_ISPEED, TTY_OP_OSPEED, encode_modes
from tests.processes.monitor.house import House, Wire, in_house


@contextlib.asynccontextmanager
async def channel(house: House) -> Any:
    """A connection with one open channel, number 0."""
    wire = await house.open().to_open()
    assert (await wire.ask(OpenChannel, 0, "session")).code == 0
    try:
        yield wire
    finally:
        wire.close()
        wire.fake.exits(ExitStatus(0))
        await wire.over()


def close_fds(wire: Wire) -> None:
    for descriptor in wire.fds:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("call", "described"),
    [((RequestShell, 0), "shell"), ((RequestExec, 0, b"id"), b"exec id"),
     ((RequestSubsystem, 0, "sftp"), "subsystem sftp")],
)  # fmt: skip
def test_a_program_starts_with_pipes_and_its_end_is_told(call: tuple[Any, ...], described: Any) -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            answer = await wire.ask(*call)
            assert answer.streams == Streams.PIPES
            assert len(wire.fds) == 3
            close_fds(wire)
            assert house.memory.the("session.started")["request"] == described
            ((_, child),) = house.launcher.sessions
            child.exits(ExitStatus(7))
            assert await wire.hear() == Exited(0, 7, "", False)
            assert house.memory.the("session.ended")["status"] == "status 7"
            wire.say(CloseChannel(0))
            while not child.ends:
                await asyncio.sleep(0.005)

    in_house(run)


def test_a_signal_is_told_by_its_name() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            await wire.ask(RequestShell, 0)
            close_fds(wire)
            house.launcher.sessions[0][1].exits(ExitStatus(None, signal.SIGSEGV, True))
            assert await wire.hear() == Exited(0, 0, "SEGV", True)

    in_house(run)


@pytest.mark.security("S116")
@pytest.mark.parametrize("how", ["gone", "violation"])
def test_programs_end_with_the_connection(how: str) -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            assert (await wire.ask(OpenChannel, 1, "session")).code == 0
            for number in (0, 1):
                await wire.ask(RequestShell, number)
                close_fds(wire)
            if how == "gone":
                wire.close()
            else:
                wire.say(b"\xff")
            wire.fake.exits(ExitStatus(0))
            await wire.over()
            assert [child.ends for _, child in house.launcher.sessions] == [1, 1]

    in_house(run)


@pytest.mark.security("S116")
def test_a_program_that_starts_while_its_channel_closes_is_ended() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            wire.say(RequestShell(50, 0))
            wire.say(CloseChannel(0))
            assert isinstance(await wire.hear(), StartAnswer)
            close_fds(wire)
            while not house.launcher.sessions[0][1].ends:
                await asyncio.sleep(0.005)

    in_house(run)


@pytest.mark.security("S83")
def test_one_program_for_a_channel() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            await wire.ask(RequestShell, 0)
            close_fds(wire)
            for call in ((RequestExec, 0, b"id"), (RequestShell, 0), (RequestSubsystem, 0, "sftp")):
                assert (await wire.ask(*call)).streams == Streams.NONE
            for late in ((RequestEnv, 0, b"LANG", b"C"), (RequestPty, 0, b"vt", 80, 24, 0, 0, b"\0")):
                assert (await wire.ask(*late)).ok is False
            assert len(house.launcher.sessions) == 1
            assert house.server.count("check_channel_exec_request") == 0
            assert house.server.count("check_channel_pty_request") == 0

    in_house(run)


def test_no_more_channels_than_allowed() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            codes = [(await wire.ask(OpenChannel, n, "session")).code for n in range(1, 6)]
            assert codes == [0, 0, 0, 4, 4]
            wire.say(CloseChannel(2))
            assert (await wire.ask(OpenChannel, 9, "session")).code == 0
            wire.say(CloseChannel(0))
            wire.say(OpenChannel(99, 9, "session"))
            await wire.killed("opened twice")

    in_house(run)


@pytest.mark.parametrize("error", [LaunchError("no zygote"), OSError(24, "too many"), LookupError("no program"),
                                   ValueError("embedded null byte")])  # fmt: skip
def test_a_program_that_can_not_start_is_a_refusal(error: Exception) -> None:
    async def run(house: House) -> None:
        house.launcher.fails = error
        async with channel(house) as wire:
            before = len(os.listdir("/proc/self/fd"))
            assert (await wire.ask(RequestShell, 0)).streams == Streams.NONE
            assert wire.fds == ()
            assert len(os.listdir("/proc/self/fd")) == before
            assert house.memory.the("session.failed")["detail"] == str(error)
            # It may be tried again.
            house.launcher.fails = None
            assert (await wire.ask(RequestShell, 0)).streams == Streams.PIPES
            close_fds(wire)

    in_house(run)


@pytest.mark.security("S130")
@pytest.mark.parametrize("answer", [lambda server, request: 1 / 0, 7])
def test_a_yes_with_a_plan_that_is_none_runs_nothing(answer: Any) -> None:
    async def run(house: House) -> None:
        house.answers["plan"] = answer
        async with channel(house) as wire:
            assert (await wire.ask(RequestShell, 0)).streams == Streams.NONE
            assert house.launcher.sessions == []
            assert house.memory.the("hook.failed")["hook"] == "plan"

    in_house(run)


@pytest.mark.security("S114")
def test_where_sessions_are_accounts_of_the_host_a_plan_without_one_runs_nothing() -> None:
    async def run(house: House) -> None:
        house.terms_are(own_user=False)
        async with channel(house) as wire:
            assert (await wire.ask(RequestShell, 0)).streams == Streams.NONE
            assert house.launcher.sessions == []
            assert "names no uid" in house.memory.the("session.failed")["detail"]

    in_house(run)


def test_a_terminal_that_can_not_be_had_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise OSError(28, "no more terminals")

    async def run(house: House) -> None:
        async with channel(house) as wire:
            assert (await wire.ask(RequestPty, 0, b"vt100", 80, 24, 0, 0, b"\0")).ok
            with monkeypatch.context() as patch:
                patch.setattr("pysshd.processes.monitor.terminal.os.openpty", none)
                assert (await wire.ask(RequestShell, 0)).streams == Streams.NONE
            assert "no more terminals" in house.memory.the("session.failed")["detail"]
            assert (await wire.ask(RequestShell, 0)).streams == Streams.PTY
            assert len(wire.fds) == 1
            close_fds(wire)
            assert house.memory.names.count("session.started") == 1

    in_house(run)


def test_what_a_program_is_given() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            for name, value in ((b"LANG", b"C"), (b"LANG", b"en"), (b"LC_ALL", b"x"), (b"LD_PRELOAD", b"/x")):
                assert (await wire.ask(RequestEnv, 0, name, value)).ok
            assert (await wire.ask(RequestPty, 0, b"vt100", 80, 24, 0, 0, b"\0")).ok
            await wire.ask(RequestExec, 0, b"ignored")
            close_fds(wire)
        spec, _ = house.launcher.sessions[0]
        environment = dict(spec.environment)
        assert environment[b"LANG"] == b"en"
        assert environment[b"TERM"] == b"vt100"
        assert environment[b"USER"] == b"alice"
        assert environment[b"SSH_CLIENT"] == b"192.0.2.7 4022 22"
        assert b"LD_PRELOAD" not in environment
        assert spec.has_pty
        assert spec.argv == (b"sh", b"-c", b"true")

    in_house(run)


@pytest.mark.security("S86")
def test_a_forced_program_answers_everything() -> None:
    def forced(server: Any, request: Any) -> Plan:
        account = Account("alice", None, None, (), "/", "/bin/sh", "alice")
        return Plan(account, Forced((b"/bin/true",), b"rm -rf /", False), Bounds(), None, "d")

    async def run(house: House) -> None:
        house.answers["plan"] = forced
        for call in ((RequestShell, 0), (RequestExec, 0, b"rm -rf /"), (RequestSubsystem, 0, "sftp")):
            async with channel(house) as wire:
                await wire.ask(RequestEnv, 0, b"LANG", b"C")
                await wire.ask(*call)
                close_fds(wire)
        for spec, _ in house.launcher.sessions:
            assert (spec.executable, spec.argv) == (b"/bin/true", (b"/bin/true",))
            assert dict(spec.environment)[b"SSH_ORIGINAL_COMMAND"] == b"rm -rf /"
            assert b"LANG" not in dict(spec.environment)

    in_house(run)


def test_a_program_is_looked_up_in_the_path_of_its_session() -> None:
    async def run(house: House) -> None:
        account = Account("alice", None, None, (), "/", "/bin/sh", "alice")
        for name in (b"true", b"no-such-program-here"):
            plan = Plan(account, Program((name,), False), Bounds(), None, "d")
            house.answers["plan"] = lambda server, request, plan=plan: plan
            async with channel(house) as wire:
                await wire.ask(RequestShell, 0)
                close_fds(wire)
        ((spec, _),) = house.launcher.sessions
        assert spec.executable.endswith(b"/true")
        assert spec.argv == (b"true",)
        assert "is not in the PATH" in house.memory.the("session.failed")["detail"]

    in_house(run)


def test_signals_and_breaks() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            assert (await wire.ask(RequestSignal, 0, "TERM")).ok is False
            assert (await wire.ask(RequestBreak, 0, 500)).ok is False
            assert house.server.count("check_channel_signal_request") == 0
            await wire.ask(RequestShell, 0)
            close_fds(wire)
            for name, ok in (("TERM", True), ("KILL", True), ("STOP", False), ("SIGTERM", False), ("", False)):
                assert (await wire.ask(RequestSignal, 0, name)).ok is ok
            assert (await wire.ask(RequestBreak, 0, 500)).ok
            child = house.launcher.sessions[0][1]
            assert child.signals == [signal.SIGTERM, signal.SIGKILL, signal.SIGINT]
            house.answers["check_channel_signal_request"] = False
            assert (await wire.ask(RequestSignal, 0, "TERM")).ok is False
            assert len(child.signals) == 3

    in_house(run)


def test_what_is_not_served_is_refused_whatever_the_server_says() -> None:
    asked = [
        (RequestX11, 0, False, "MIT", b"cookie", 0), (RequestAgent, 0),
        (OpenDirectTcpip, 5, "h", 1, "h", 2), (RequestForward, "", 8080), (CancelForward, "", 8080),
    ]  # fmt: skip

    async def run(house: House) -> None:
        house.answers.update(
            check_channel_x11_request=True, check_channel_forward_agent_request=True,
            check_channel_direct_tcpip_request=0, check_port_forward_request=8080,
        )  # fmt: skip
        async with channel(house) as wire:
            for call in asked:
                answer = await wire.ask(*call)
                assert not getattr(answer, "ok", False)
                assert not getattr(answer, "port", 0)
                assert getattr(answer, "code", 1) == 1
            assert house.memory.names.count("hook.failed") == 4

    in_house(run)


@pytest.mark.security("S84", "S112")
def test_modes_that_no_worker_checked_kill_it() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            wire.say(RequestPty(70, 0, b"vt100", 80, 24, 0, 0, b"\x01\0"))
            await wire.killed("passed on unchecked")

    in_house(run)


@pytest.mark.security("S84", "S112")
@pytest.mark.parametrize("term", [b"\x1b[2J", b"a\0b", b"../../x", b"\xff", b"x" * 60_000, b"x\n"])
def test_a_terminal_type_that_no_worker_checked_kills_it(term: bytes) -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            wire.say(RequestPty(70, 0, term, 80, 24, 0, 0, b"\0"))
            await wire.killed("passed on unchecked")
            assert house.server.count("check_channel_pty_request") == 0

    in_house(run)


def test_a_terminal_of_no_type_is_a_dumb_one() -> None:
    async def run(house: House) -> None:
        async with channel(house) as wire:
            assert (await wire.ask(RequestPty, 0, b"", 80, 24, 0, 0, b"\0")).ok
            await wire.ask(RequestShell, 0)
            close_fds(wire)
        assert dict(house.launcher.sessions[0][0].environment)[b"TERM"] == b"dumb"

    in_house(run)


@given(
    st.lists(
        st.tuples(st.integers(1, 159), st.integers(0, 0xFFFFFFFF) | st.sampled_from([0, 1, 255, *SPEEDS])), max_size=40
    ),
    st.integers(0, 0xFFFFFFFF),
)
def test_no_modes_or_sizes_break_a_terminal(modes: list[tuple[int, int]], size: int) -> None:
    try:
        master, slave, path = open_terminal(PtyRequest("vt100", size, size, size, size, tuple(modes)))
    except OSError:
        return
    try:
        assert os.path.exists(path)
    finally:
        os.close(master)
        os.close(slave)


def test_modes_are_set() -> None:
    off = tuple((opcode, 0) for opcode, (_, flag) in FLAGS.items() if flag in (termios.ECHO, termios.ICANON))
    modes = (*off, (1, 5), (3, 255), (TTY_OP_ISPEED, 9600), (TTY_OP_OSPEED, 9600), (200, 1))
    assert encode_modes(modes)
    assert 1 in CHARACTERS
    master, slave, _ = open_terminal(PtyRequest("vt100", 100, 40, 0, 0, modes))
    try:
        attributes = termios.tcgetattr(slave)
        assert not attributes[3] & (termios.ECHO | termios.ICANON)
        assert attributes[6][termios.VINTR] == b"\5"
        assert attributes[6][termios.VERASE] == b"\0"
        assert attributes[4] == attributes[5] == termios.B9600
        assert os.get_terminal_size(slave) == (100, 40)
        assert not os.get_inheritable(master)
    finally:
        os.close(master)
        os.close(slave)
