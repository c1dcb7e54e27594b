"""Terminals: a shell at a prompt, its modes and size, job control, and the end."""

import contextlib
import re
import termios
import time

import pytest

from tests.live.daemon import Daemon, children_of, is_running, until, until_foreground, until_runs
from tests.live.looking import descriptors
from tests.live.terminal import PROMPT, Terminal, at_prompt, at_terminal

IUTF8 = 0o40000


def test_the_account_s_own_shell(daemon: Daemon) -> None:
    """Whatever its prompt is, it is a login shell on a terminal, and its status is the client's."""
    with at_terminal(daemon.client) as person:
        person.line("shopt -q login_shell && echo is''login; tty; exit 7")
        person.see(r"islogin\r+\n/dev/pts/\d+\r+\n")
        assert person.end() == 7


def test_prompt_terminal_and_size(every_daemon: Daemon) -> None:
    with at_prompt(every_daemon.client, size=(31, 101)) as person:
        tty = person.ask("tty").strip()
        assert re.fullmatch(r"/dev/pts/\d+", tty)
        assert person.ask("echo $SSH_TTY $TERM").split() == [tty, "xterm"]
        assert person.ask("stty size").strip() == "31 101"
        assert person.ask(f"echo to-the-terminal > {tty}").strip() == "to-the-terminal"
        assert person.ask("[ $(cut -d' ' -f6 /proc/$$/stat) = $$ ]; echo $?").strip() == "0"  # leads its session
        person.line("exit 7")
        assert person.end() == 7


def test_resize(every_daemon: Daemon) -> None:
    listen = "trap 'stty size' WINCH; echo listening; while :; do sleep 0.02; done"
    with at_terminal(every_daemon.client, f'exec sh -c "{listen}"', options=("-tt",)) as person:
        person.see("listening")
        for rows, columns in ((40, 120), (10, 20), (24, 80)):
            person.resize(rows, columns)
            person.see(rf"{rows} {columns}\r")
        person.type("\x03")
        assert person.end() == 255


def test_modes_are_those_of_the_client_s_terminal(daemon: Daemon) -> None:
    person = Terminal(daemon.client, "stty -a; sleep 0.1", options=("-tt",))
    person.mode(VINTR="^G", VERASE="^H")
    person.flags(0, on=IUTF8 | termios.IXANY, off=termios.IXON)
    person.flags(3, off=termios.ECHOCTL)
    person.start()
    try:
        assert person.end() == 0
        said = person.shown.decode()
    finally:
        person.close()
    for word in ("intr = ^G;", "erase = ^H;", "iutf8", "ixany", "-ixon", "-echoctl", "icanon", "onlcr"):
        assert f" {word}" in said.replace("\r\n", " "), word


@pytest.mark.parametrize("on", [True, False])
def test_iutf8_is_as_asked(daemon: Daemon, on: bool) -> None:
    person = Terminal(daemon.client, "stty -a", options=("-tt",))
    person.flags(0, on=IUTF8 if on else 0, off=0 if on else IUTF8)
    person.start()
    try:
        assert person.end() == 0
    finally:
        person.close()
    assert bool(re.search(r"[^-]iutf8", person.shown.decode())) is on


@pytest.mark.parametrize(("term", "seen"), [("vt100", "vt100"), ("xterm-256color", "xterm-256color"), (None, "dumb")])
def test_term(daemon: Daemon, term: str | None, seen: str) -> None:
    with at_terminal(daemon.client, "test -t 0 && echo TERM is $TERM", options=("-tt",), term=term) as person:
        person.see(f"TERM is {seen}\r")
        assert person.end() == 0


def test_job_control(every_daemon: Daemon) -> None:
    with at_prompt(every_daemon.client) as person:
        shell = int(person.ask("echo $$"))
        person.line("sleep 100; echo in''terrupted=$?")
        until_foreground(shell, "sleep", "100")
        person.type("\x03")
        person.see(PROMPT)
        person.line("echo it-was-$?")
        person.see("it-was-130\r")
        person.see(PROMPT)
        person.line("cat")
        until_foreground(shell, "cat")
        person.type("\x1a")
        person.see("Stopped")
        person.see(PROMPT)
        person.line("fg")
        person.see("cat\r")
        person.line("again")
        person.see("again\r+\nagain")
        person.type("\x04")
        person.see(PROMPT)
        person.type("\x04")
        assert person.end() == 0


def test_every_byte_passes_a_raw_terminal(daemon: Daemon) -> None:
    """What the terminal would act on goes through once the program has made it raw."""
    with at_terminal(
        daemon.client, "stty raw -echo; echo go; head -c 256 | od -An -v -tu1", options=("-tt",)
    ) as person:
        person.see("go")
        person.process.poll()
        person.type("".join(map(chr, range(126))))
        person.type("".join(map(chr, range(126))))
        person.type("last")
        assert person.end() == 0
        numbers = [int(word) for word in person.shown.decode().split("go", 1)[1].split() if word.isdigit()]
    assert numbers == [*range(126), *range(126), *b"last"]


@pytest.mark.security("S116")
def test_the_channel_closes_though_a_background_job_keeps_the_terminal(daemon: Daemon) -> None:
    with at_prompt(daemon.client) as person:
        person.line("setsid sh -c 'echo job''=$$; exec sleep 300' &")
        job = int(person.see(r"job=(\d+)\r")[1])
        person.line("exit 4")
        assert person.end() == 4
        assert is_running(job)
        daemon.ssh(f"kill {job}")


def test_a_program_that_lets_go_of_its_terminal_ends_as_it_wants(daemon: Daemon) -> None:
    """It is not hung up for it, and what it says when it has opened the terminal again is shown."""
    script = "exec 0<&- 1>&- 2>&-; sleep 0.4; echo again >/dev/tty; sleep 0.2; exit 3"
    with at_terminal(daemon.client, script, options=("-tt",)) as person:
        person.see("again")
        assert person.end() == 3


@pytest.mark.security("S116")
def test_a_daemon_without_a_terminal_does_not_keep_the_channel(daemon: Daemon) -> None:
    """Nobody holds the terminal open when the leader ends."""
    script = "setsid sleep 30 <&- >&- 2>&- & echo job=$!; sleep 0.2; exec 0<&- 1>&- 2>&-; sleep 0.2; exit 4"
    started = time.monotonic()
    with at_terminal(daemon.client, script, options=("-tt",)) as person:
        job = int(person.see(r"job=(\d+)\r")[1])
        assert person.end() == 4
        assert time.monotonic() - started < 5
        assert is_running(job)
        daemon.ssh(f"kill {job}")


@pytest.mark.security("S116")
def test_hang_up(every_daemon: Daemon) -> None:
    """A client that is gone takes its shell and what runs in it along, and the terminal is given back."""
    with at_prompt(every_daemon.client) as person:
        shell = int(person.ask("echo $$"))
        tty = person.ask("tty").strip()
        # What the shell is still starting when it is told to hang up, it may leave behind: both have to run.
        person.line("sleep 1000 & echo job=$!; sh -c 'echo fore=$$; exec sleep 2000'")
        until_runs(int(person.see(r"job=(\d+)\r")[1]), "sleep", "1000")
        until_runs(int(person.see(r"fore=(\d+)\r")[1]), "sleep", "2000")
        person.process.kill()
        until(lambda: not is_running(shell), what="the shell")
    # Another daemon's session may have been given a terminal of this number since.
    until(lambda: not holders(every_daemon, tty), what=f"{tty} is given back")


def holders(daemon: Daemon, tty: str) -> list[int]:
    """Which processes of a daemon, or left by it, have a terminal open, as far as we may look."""
    found = []
    for pid in [*daemon.processes(), *children_of(daemon.keeper.pid)]:
        with contextlib.suppress(OSError):
            if tty in descriptors(pid).values():
                found.append(pid)
    return found


def test_much_output_on_a_terminal(daemon: Daemon) -> None:
    with at_terminal(daemon.client, "seq 100000; echo the-end; exit 5", options=("-tt",)) as person:
        assert person.end(30) == 5
        assert person.shown.decode().split() == [*map(str, range(1, 100_001)), "the-end"]
