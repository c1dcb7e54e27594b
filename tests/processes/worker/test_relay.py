"""Bytes between a client and a program, over real pipes and terminals, with a client that is real on the wire."""

import contextlib
import fcntl
import math
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from functools import partial

import pytest

from pysshd.processes.boundary.calls.channels import CloseChannel, Exited
from pysshd.processes.boundary.calls.requests import RequestExec, RequestWindow, StartAnswer
from pysshd.processes.boundary.pipes import WIDE
from pysshd.processes.worker import glance, relay
from pysshd.processes.worker.driver import REST
from pysshd.processes.worker.gathering import AFTER
from pysshd.processes.worker.loop import READ, WRITE
from pysshd.processes.worker.relay import CHUNK, CHUNK_BUSY, MAX_QUEUED
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.stack import Stack
from pysshd.ssh.wire.messages.connection import ChannelClose, ChannelOpen, ChannelRequest
from pysshd.ssh.wire.messages.requests import Break, Exec, ExitSignal, ExitStatus, PtyReq, WindowChange
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.processes.worker.house import CHANNEL, House, Program, house, small


@pytest.fixture
def home() -> Iterator[House]:
    with house() as made:
        yield made


def exited(home: House, status: int = 0) -> None:
    home.say(Exited(CHANNEL, status, "", False))


def test_both_ways(home: House) -> None:
    program = home.to_program()
    home.data(b"question")
    home.until(lambda: program.read() == b"question")
    program.write(b"answer")
    os.write(program.stderr, b"complaint")
    home.until(lambda: home.output == b"answer" and home.errors == b"complaint")


def test_exit_status_comes_after_all_output_and_before_close(home: House) -> None:
    program = home.to_program()
    program.write(b"x" * 60_000)
    os.close(program.stdout)
    exited(home, 3)
    home.settle()
    assert N.CHANNEL_CLOSE not in home.numbers()
    os.write(program.stderr, b"late")
    os.close(program.stderr)
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
    assert home.output == b"x" * 60_000
    assert home.errors == b"late"
    tail = [p for p in home.came if p[0] not in (N.CHANNEL_DATA, N.CHANNEL_EXTENDED_DATA)][-3:]
    assert [p[0] for p in tail] == [N.CHANNEL_REQUEST, N.CHANNEL_EOF, N.CHANNEL_CLOSE]
    request = ChannelRequest.decode(tail[0])
    assert (request.kind, ExitStatus.decode(request.data).status) == ("exit-status", 3)
    home.close_channel()
    home.until(lambda: CloseChannel(CHANNEL) in home.told)


def test_exit_signal(home: House) -> None:
    program = home.to_program()
    os.close(program.stdout)
    os.close(program.stderr)
    home.say(Exited(CHANNEL, 0, "TERM", True))
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
    (request,) = [ChannelRequest.decode(p) for p in home.came if p[0] == N.CHANNEL_REQUEST]
    said = ExitSignal.decode(request.data)
    assert (request.kind, said.name, said.core_dumped) == ("exit-signal", "TERM", True)


def test_what_comes_before_the_program_waits_for_it(home: House) -> None:
    home.to_channel()
    home.data(b"early")
    number = home.ask_exec()
    home.data(b" bird")
    program = home.pipes()
    home.start(number, program)
    got = b""
    while got != b"early bird":
        home.turn()
        got += program.read() or b""


@pytest.mark.parametrize("before", [True, False])
def test_eof_before_the_program(home: House, before: bool) -> None:
    home.to_channel()
    if before:
        home.data(b"all of it")
    number = home.ask_exec()
    home.eof()
    program = home.pipes()
    home.start(number, program)
    got = b""
    for _ in range(1000):
        home.turn()
        data = program.read()
        if data == b"":
            break
        got += data or b""
    else:
        raise AssertionError("its input did not end")
    assert got == (b"all of it" if before else b"")
    program.write(b"and still it speaks")
    home.until(lambda: home.output == b"and still it speaks")


def test_eof_comes_behind_the_data_that_wait(home: House) -> None:
    program = home.to_program()
    sent = os.urandom(1 << 20)
    home.data(sent)
    home.eof()
    got = b""
    while (data := program.read()) != b"":
        got += data or b""
        home.turn()
    assert got == sent


def test_what_a_refused_program_would_have_had_is_dropped_with_credit() -> None:
    with house(small(window=65536)) as home:
        home.to_channel()
        home.data(b"x" * 65536)
        number = home.ask_exec()
        home.say(StartAnswer(number, 0))
        home.until(lambda: N.CHANNEL_FAILURE in home.numbers())
        home.until(lambda: home.credit == 65536)
        home.data(b"y" * 65536)
        home.until(lambda: home.credit == 131072)
        program = home.pipes()
        home.start(home.ask_exec(), program)
        home.data(b"for the second")
        home.until(lambda: program.read() == b"for the second")


def test_a_program_that_reads_nothing_bounds_what_the_client_may_send() -> None:
    size = 4 << 20
    with house(small(window=size)) as home:
        program = home.to_program()
        home.data(bytes(size))
        home.settle()
        # Only what the pipe took was given back, and it is less than what would be told of.
        assert home.credit == 0
        held = home.driver._relays[CHANNEL]._inflow._waiting
        assert len(held) == size - WIDE
        read = 0
        while read < size:
            read += len(program.read() or b"")
            home.turn()
        home.until(lambda: home.credit > size // 2)


def pipes(program: Program) -> list[int]:
    """What the program's pipes hold."""
    return [fcntl.fcntl(end, fcntl.F_GETPIPE_SZ) for end in (program.stdin, program.stdout, program.stderr)]


def test_the_pipe_that_much_goes_through_is_widened_and_nothing_is_lost(home: House) -> None:
    program = home.to_program()
    usual = pipes(program)
    home.data(b"typed")
    home.until(lambda: program.read() == b"typed")
    program.write(b"answered")
    home.until(lambda: home.output == b"answered")
    assert pipes(program) == usual

    sent = os.urandom(3 * WIDE)
    home.data(sent)
    home.settle()
    assert pipes(program) == [WIDE, *usual[1:]]
    read = b""
    while len(read) < len(sent):
        read += program.read() or b""
        home.turn()
    assert read == sent

    written, at = os.urandom(3 * WIDE), 0
    home.came.clear()
    while at < len(written):
        at += program.write(written[at : at + WIDE])
        home.turn()
    home.until(lambda: home.size == len(written))
    assert home.output == written
    assert pipes(program) == [WIDE, WIDE, usual[2]]


def test_a_pipe_that_can_not_be_widened_serves_as_it_is(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[int] = []

    def refuse(descriptor: int, command: int, argument: int = 0) -> int:
        refused.append(command)
        raise PermissionError(1, os.strerror(1))

    program = home.to_program()
    monkeypatch.setattr("pysshd.processes.boundary.pipes.fcntl.fcntl", refuse)
    sent, read = os.urandom(1 << 20), b""
    home.data(sent)
    while len(read) < len(sent):
        read += program.read() or b""
        home.turn()
    assert read == sent
    assert refused == [fcntl.F_GETPIPE_SZ]


def test_complaints_are_passed_on_without_a_wider_pipe(home: House) -> None:
    program = home.to_program()
    usual, written, at = pipes(program), os.urandom(1 << 20), 0
    while at < len(written):
        with contextlib.suppress(BlockingIOError):
            at += os.write(program.stderr, written[at : at + WIDE])
        home.turn()
    home.until(lambda: len(home.errors) == len(written))
    assert home.errors == written
    assert pipes(program) == usual


def test_turns_are_small_while_somebody_types_on_another_channel(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home.to_program()
    mine = id(home.driver._relays[CHANNEL])
    limits: list[int] = []
    reserve = Stack.reserve

    def noted(stack: Stack, channel: ChannelId, size: int) -> list[memoryview]:
        limits.append(size)
        return reserve(stack, channel, size)

    monkeypatch.setattr(Stack, "reserve", noted)
    # However slow this machine is just now.
    monkeypatch.setattr(glance, "TYPING", math.inf)

    def largest() -> int:
        limits.clear()
        before = home.size
        program.write(b"x" * 65536)
        home.until(lambda: home.size == before + 65536)
        return max(limits)

    assert largest() == CHUNK
    home.loop.handed(1, mine + 1)
    assert largest() == CHUNK_BUSY
    home.loop.handed(1, mine)
    assert largest() == CHUNK
    home.loop.handed(1, mine + 1)
    monkeypatch.setattr(glance, "TYPING", 0.0)
    assert largest() == CHUNK


def test_a_client_that_reads_nothing_stops_the_program(home: House) -> None:
    program = home.to_program()
    home.reads = False
    written = idle = 0
    while idle < 20:
        took = program.write(b"x" * 65536)
        written += took
        idle = 0 if took else idle + 1
        home.turn()
    assert home.stack.output.waiting <= MAX_QUEUED + CHUNK + 65536
    assert written < 4 << 20
    home.reads = True
    while home.size < written + (1 << 20):
        program.write(b"x" * 65536)
        home.turn()


def test_a_window_of_nothing_stops_the_program() -> None:
    with house() as home:
        program = home.to_program(window=1000)
        for _ in range(100):
            program.write(b"x" * 4096)
            home.turn()
        assert len(home.output) == 1000
        home.widen(500)
        home.until(lambda: len(home.output) == 1500)


def test_a_program_that_ends_where_the_window_does_ends_the_channel() -> None:
    """Its output filled the window to the byte: nobody owes us more of it, and the channel ends all the same."""
    with house() as home:
        program = home.to_program(window=1000)
        program.write(b"x" * 1000)
        home.until(lambda: len(home.output) == 1000)
        os.close(program.stdout)
        os.close(program.stderr)
        exited(home)
        home.until(lambda: N.CHANNEL_CLOSE in home.numbers())


def test_a_program_that_closes_its_input_is_drained_with_credit() -> None:
    with house(small(window=65536)) as home:
        program = home.to_program()
        os.close(program.stdin)
        for _ in range(5):
            home.data(b"x" * 65536)
            home.until(lambda: home.stack.output.waiting == 0)
        home.until(lambda: home.credit == 5 * 65536)
        program.write(b"still here")
        home.until(lambda: home.output == b"still here")


def test_a_program_that_closes_its_input_with_data_waiting_gives_credit() -> None:
    with house(small(window=1 << 20)) as home:
        program = home.to_program()
        home.data(b"x" * (1 << 20))
        home.settle()
        os.close(program.stdin)
        home.until(lambda: home.credit == 1 << 20)


def test_closing_the_channel_lets_go_of_the_program(home: House) -> None:
    program = home.to_program()
    home.close_channel()
    home.until(lambda: program.read() == b"")
    with pytest.raises(BrokenPipeError):
        os.write(program.stdout, b"x")
    home.until(lambda: CloseChannel(CHANNEL) in home.told)


def test_a_program_for_a_channel_that_is_gone_is_let_go(home: House) -> None:
    home.to_channel()
    number = home.ask_exec()
    home.close_channel()
    home.until(lambda: CloseChannel(CHANNEL) in home.told)
    program = home.pipes()
    home.start(number, program)
    home.until(lambda: program.read() == b"")


def finish(program: Program, text: bytes) -> None:
    program.write(text)
    os.close(program.stdout)


@pytest.mark.security("S98")
def test_many_short_programs_one_after_another(home: House) -> None:
    home.to_open()
    for number in range(300):
        home.came.clear()
        home.told.clear()
        home.send(ChannelOpen("session", 7, 1 << 20, 32768).encode())
        home.until(lambda: N.CHANNEL_OPEN_CONFIRMATION in home.numbers())
        home.send(ChannelRequest(number, "exec", True, Exec(b"true").encode()).encode())
        home.until(lambda: any(isinstance(call, RequestExec) for call in home.told))
        program = home.pipes()
        home.start(home.the(RequestExec).call, program)
        text = b"%d" % number
        ends = [
            partial(home.say, Exited(number, number % 256, "", False)),
            partial(finish, program, text),
            partial(os.close, program.stderr),
        ]
        for end in (ends[number % 3], ends[(number + 1) % 3], ends[(number + 2) % 3]):
            end()
            if number % 2:
                home.turn()
        home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
        os.close(program.stdin)
        assert home.output == text
        order = [n for n in home.numbers() if n in (N.CHANNEL_DATA, N.CHANNEL_REQUEST, N.CHANNEL_CLOSE, N.CHANNEL_EOF)]
        assert order == [N.CHANNEL_DATA, N.CHANNEL_REQUEST, N.CHANNEL_EOF, N.CHANNEL_CLOSE]
        (request,) = [ChannelRequest.decode(p) for p in home.came if p[0] == N.CHANNEL_REQUEST]
        assert ExitStatus.decode(request.data).status == number % 256
        home.send(ChannelClose(number).encode())
        home.until(lambda: any(isinstance(call, CloseChannel) for call in home.told))
    assert home.driver._relays == {}


# --- terminals


def terminal(
    home: House, script: str, before: tuple[bytes, ...] = (), window: int = 1 << 30
) -> "subprocess.Popen[bytes]":
    """A shell behind a terminal."""
    home.to_channel(window)
    home.send(ChannelRequest(CHANNEL, "pty-req", True, PtyReq("vt100", 80, 24, 0, 0, b"\0").encode()).encode())
    home.until(lambda: N.CHANNEL_SUCCESS in home.numbers())
    home.send(*before)
    number = home.ask_exec()
    home.settle(3)
    master, slave = os.openpty()
    process = subprocess.Popen(
        ["/bin/sh", "-c", script], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    program = Program.__new__(Program)
    program.theirs = (master,)
    home.start(number, program)
    home.until(lambda: home.numbers().count(N.CHANNEL_SUCCESS) >= 2)
    return process


def resized(columns: int, rows: int, reply: bool = False) -> bytes:
    return ChannelRequest(CHANNEL, "window-change", reply, WindowChange(columns, rows, 0, 0).encode()).encode()


def ends(home: House, process: "subprocess.Popen[bytes]") -> int:
    """Wait for the program, tell of its end, and wait for the channel's."""
    home.until(lambda: process.poll() is not None)
    status = process.returncode
    home.say(Exited(CHANNEL, max(status, 0), "" if status >= 0 else signal.Signals(-status).name[3:], False))
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
    return status


def test_a_terminal(home: House) -> None:
    process = terminal(home, "read word; echo [$word]; exit 4")
    home.data(b"hello\r")
    assert ends(home, process) == 4
    assert home.output == b"hello\r\n[hello]\r\n"


def test_all_that_a_terminal_holds_is_sent_before_the_status(home: House) -> None:
    process = terminal(home, "seq 1 3000; exit 0")
    ends(home, process)
    assert home.output == b"".join(b"%d\r\n" % n for n in range(1, 3001))
    assert home.numbers().index(N.CHANNEL_REQUEST) > max(i for i, n in enumerate(home.numbers()) if n == N.CHANNEL_DATA)


def test_a_job_in_the_background_does_not_hold_the_channel(home: House) -> None:
    process = terminal(home, "trap '' HUP; sleep 30 & echo $!; exit 0")
    ends(home, process)
    os.kill(int(home.output), signal.SIGKILL)


def test_a_program_that_lets_go_of_its_terminal_ends_as_it_wants(home: House) -> None:
    """Nobody holds the terminal, and nobody is woken for that; the program lives, and is not hung up."""
    process = terminal(home, "echo first; exec 0<&- 1>&- 2>&-; sleep 0.3; exit 3")
    home.until(lambda: home.driver._relays[CHANNEL]._edge)
    home.settle()
    assert home.loop._core.epoll.poll(0) == []
    home.data(b"is there anybody?\r")
    home.settle()
    assert home.loop._core.epoll.poll(0) == []
    assert process.poll() is None
    assert ends(home, process) == 3
    assert home.output.startswith(b"first\r\n")


def test_a_terminal_that_is_opened_again(home: House) -> None:
    script = "stty -echo; exec 0<&- 1>&- 2>&-; sleep 0.1; {}; sleep 0.1; {}; exit 3"
    process = terminal(home, script.format("echo again >/dev/tty", "read word </dev/tty; echo [$word] >/dev/tty"))
    home.until(lambda: home.output == b"again\r\n")
    home.data(b"word\r")
    home.until(lambda: b"[word]" in home.output)
    assert ends(home, process) == 3


def test_a_terminal_that_nobody_holds_while_the_window_is_full() -> None:
    with house() as home:
        process = terminal(
            home, "printf 12345678; exec 0<&- 1>&- 2>&-; sleep 0.1; printf 9 >/dev/tty; exit 3", window=6
        )
        home.until(lambda: home.output == b"123456")
        home.settle()
        assert home.loop._core.epoll.poll(0) == []
        home.widen(100)
        home.until(lambda: home.output == b"123456789")
        assert ends(home, process) == 3


def test_closing_the_channel_hangs_up(home: House) -> None:
    process = terminal(home, "trap 'exit 9' HUP; echo ready; while :; do sleep 0.02; done")
    home.until(lambda: b"ready" in home.output)
    home.close_channel()
    assert process.wait(5) in (9, -signal.SIGHUP)


def test_sizes_before_and_after_the_start(home: House) -> None:
    process = terminal(home, "stty size; read x; stty size", (resized(100, 40),))
    home.until(lambda: b"40 100" in home.output)
    home.send(resized(70_000, 1))
    home.settle(3)
    home.data(b"\r")
    ends(home, process)
    assert b"1 10000" in home.output


def test_a_break_interrupts_what_is_in_front(home: House) -> None:
    process = terminal(home, "trap 'exit 7' INT; echo ready; while :; do sleep 0.02; done")
    home.until(lambda: b"ready" in home.output)
    home.send(ChannelRequest(CHANNEL, "break", True, Break(500).encode()).encode())
    assert ends(home, process) == 7


def test_a_paste_that_nobody_reads_is_bounded() -> None:
    with house(small(window=1 << 20)) as home:
        process = terminal(home, "stty raw -echo; echo ready; sleep 0.3; head -c 1048576 | wc -c")
        home.until(lambda: b"ready" in home.output)
        home.data(b"x" * (1 << 20))
        assert home.credit < 1 << 18
        ends(home, process)
        assert b"1048576" in home.output


def test_a_size_of_a_terminal_is_what_the_client_said(home: House) -> None:
    process = terminal(home, "read x")
    relay = home.driver._relays[CHANNEL]
    (master,) = relay._outputs
    home.send(resized(132, 50))
    home.until(lambda: any(isinstance(call, RequestWindow) for call in home.told))
    home.settle(3)
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(master, termios.TIOCGWINSZ, bytes(8)))
    assert (rows, columns) == (50, 132)
    home.data(b"\r")
    ends(home, process)


def test_the_memory_of_a_transfer_is_given_back_after_a_rest(home: House) -> None:
    program = home.to_program()
    for _ in range(100):
        program.write(b"x" * 65536)
        home.data(b"y" * 32768)
        home.turn()
        program.read()
    home.until(lambda: not home.stack.output.waiting)
    home.settle()
    assert home.stack.scratch.size > 1 << 18
    assert home.driver.deadline is not None
    at = home.driver.deadline
    home.driver.tick(at)
    assert home.stack.scratch.size > 1 << 18, "something went through since that time was set"
    assert home.driver.deadline == at + REST
    home.driver.tick(at + REST)
    assert home.stack.scratch.size < 1 << 15
    program.write(b"and on")
    home.until(lambda: home.output.endswith(b"and on"))


def requests(home: House) -> list[ChannelRequest]:
    return [ChannelRequest.decode(p) for p in home.came if p[0] == N.CHANNEL_REQUEST]


@pytest.mark.parametrize("openssh", [True, False])
def test_openssh_hears_that_the_program_reads_no_more(home: House, openssh: bool) -> None:
    if openssh:
        home.client.identification = b"SSH-2.0-OpenSSH_9.9"
    program = home.to_program()
    os.close(program.stdin)
    home.data(b"nobody reads this")
    home.data(b"nor this")
    home.settle()
    program.write(b"but it speaks")
    home.until(lambda: home.output == b"but it speaks")
    assert [(request.kind, request.want_reply, request.data) for request in requests(home)] == (
        [("eow@openssh.com", False, b"")] if openssh else []
    )


@pytest.mark.security("S98")
def test_the_end_of_the_output_waits_for_the_status(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that closes as soon as it hears that there is no more output has heard the status before."""
    monkeypatch.setattr(relay, "STATUS_WITHIN", 1000.0)
    program = home.to_program()
    program.write(b"all")
    os.close(program.stdout)
    os.close(program.stderr)
    home.until(lambda: home.output == b"all")
    home.settle()
    assert N.CHANNEL_EOF not in home.numbers()
    exited(home, 7)
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
    assert home.numbers()[-3:] == [N.CHANNEL_REQUEST, N.CHANNEL_EOF, N.CHANNEL_CLOSE]


def test_a_program_that_goes_on_without_its_outputs_has_its_client_told(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "STATUS_WITHIN", 0.01)
    program = home.to_program()
    os.close(program.stdout)
    os.close(program.stderr)
    home.until(lambda: N.CHANNEL_EOF in home.numbers())
    home.data(b"it still reads")
    home.until(lambda: program.read() == b"it still reads")
    exited(home, 7)
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())
    assert home.numbers().count(N.CHANNEL_EOF) == 1


def test_a_client_that_wants_no_more_output_breaks_the_programs_pipe(home: House) -> None:
    program = home.to_program()
    program.write(b"wanted")
    home.until(lambda: home.output == b"wanted")
    home.send(ChannelRequest(CHANNEL, "eow@openssh.com", False, b"").encode())
    home.until(lambda: N.CHANNEL_EOF in home.numbers())
    with pytest.raises(BrokenPipeError):
        os.write(program.stdout, b"unwanted")
    home.data(b"it still reads")
    home.until(lambda: program.read() == b"it still reads")
    exited(home, 141)
    home.until(lambda: N.CHANNEL_CLOSE in home.numbers())


@pytest.mark.parametrize("data", [b"", b"x"])
def test_an_eow_that_asks_for_an_answer_or_says_more_is_an_unknown_request(home: House, data: bytes) -> None:
    program = home.to_program()
    home.send(ChannelRequest(CHANNEL, "eow@openssh.com", True, data).encode())
    home.until(lambda: N.CHANNEL_FAILURE in home.numbers())
    program.write(b"still wanted")
    home.until(lambda: home.output == b"still wanted")


def test_somebody_who_sends_much_is_not_waited_for_longer_than_a_moment(home: House) -> None:
    program = home.to_program()
    for _ in range(2 * AFTER // 32768):
        home.data(b"y" * 32768)
        while program.read():
            pass
    until = home.driver._gathering.until
    assert until is not None, "the client's socket is read in large pieces"
    assert home.driver.deadline == until
    home.driver.tick(until)
    assert home.driver._gathering.until is None
    assert home.driver.deadline != until


def test_a_turn_that_made_room_ends_every_pause(home: House) -> None:
    program = home.to_program()
    relay = home.driver._relays[CHANNEL]
    stdout = next(iter(relay._outputs))
    # As where many answers waited when it was looked, and the socket took them before the turn was over.
    relay.paused = True
    home.loop.watch(stdout, 0, relay._ready[stdout])
    home.driver._flush()
    assert not relay.paused
    program.write(b"heard")
    home.until(lambda: home.output == b"heard")


def test_a_socket_that_has_taken_all_is_not_asked_again(home: House) -> None:
    home.to_program()
    home.driver._mask = READ | WRITE
    home.loop.watch(home.driver._socket.fileno(), READ | WRITE, home.driver._socket_ready)
    home.driver._flush()
    assert home.driver._mask == READ
    assert home.loop._core.watched[home.driver._socket.fileno()].mask == READ
