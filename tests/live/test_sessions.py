"""Commands: their status, their streams, their end."""

import os
import subprocess
import threading
import time

import pytest

from tests.live.daemon import ROOT, Daemon, is_running, until

PLENTY = 10_000_000


@pytest.mark.parametrize("status", [0, 7, 255])
def test_the_status_of_a_command_is_the_client_s(every_daemon: Daemon, status: int) -> None:
    done = every_daemon.ssh(f"exit {status}")
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


@pytest.mark.parametrize("name", ["TERM", "KILL", "USR1", "SEGV"])
def test_a_command_that_a_signal_ended(every_daemon: Daemon, name: str) -> None:
    """The client has no status for it (RFC 4254 §6.10: exit-signal instead of exit-status), and says 255."""
    done = every_daemon.ssh(f"kill -{name} $$", LogLevel="DEBUG1")
    assert done.returncode == 255
    assert b"rtype exit-signal" in done.stderr
    assert b"rtype exit-status" not in done.stderr
    every_daemon.wait_event("session.ended", status=f"signal SIG{name}")


def test_streams_stay_apart_and_each_in_order(daemon: Daemon) -> None:
    done = daemon.ssh("for i in $(seq 2000); do echo out $i; echo err $i >&2; done")
    assert done.stdout.decode() == "".join(f"out {i}\n" for i in range(1, 2001))
    assert done.stderr.decode() == "".join(f"err {i}\n" for i in range(1, 2001))


@pytest.mark.parametrize("data", [b"", b"a\nb\n", bytes(range(256)) * 1000, b"\r\n\xff\0~." * 50_000])
def test_the_end_of_input_reaches_the_program(daemon: Daemon, data: bytes) -> None:
    assert daemon.ssh("cat", stdin=data).stdout == data
    assert int(daemon.ssh("wc -c", stdin=data).stdout) == len(data)


LONGEST = 32 << 10
"""Bytes of a command that are served."""


def test_a_long_command(daemon: Daemon) -> None:
    command = "printf %s ".ljust(LONGEST, "a")
    assert daemon.ssh(command).stdout.decode() == command[10:]
    done = daemon.ssh(command + "a")
    assert (done.returncode, done.stdout, done.stderr) == (255, b"", b"exec request failed on channel 0\r\n")


def test_a_command_in_no_encoding(daemon: Daemon) -> None:
    words = [os.fsencode(word) for word in daemon.client.words()]
    done = subprocess.run([*words, b"printf %s '\xff\xfe\x01\t\n\xc3'"], capture_output=True, timeout=30, check=True)
    assert done.stdout == b"\xff\xfe\x01\t\n\xc3"


def test_a_program_that_reads_nothing(daemon: Daemon) -> None:
    """It closes its input while the client still sends: what comes is dropped, and its output arrives."""
    done = daemon.ssh("exec <&-; sleep 0.3; echo deaf; exit 3", stdin=bytes(5_000_000))
    assert (done.returncode, done.stdout) == (3, b"deaf\n")


def test_a_program_that_ends_while_the_client_sends(daemon: Daemon) -> None:
    client = daemon.client.start("head -c 5; exit 4")
    assert client.stdin is not None
    client.stdin.write(b"hello, world")
    client.stdin.flush()
    assert client.wait(20) == 4
    assert client.stdout is not None
    assert client.stdout.read() == b"hello"


def test_a_program_that_closes_its_outputs_first(daemon: Daemon) -> None:
    started = time.monotonic()
    done = daemon.ssh("echo said; exec >&- 2>&-; sleep 1; exit 5")
    assert (done.returncode, done.stdout) == (5, b"said\n")
    assert time.monotonic() - started > 0.9


def test_a_background_process_that_keeps_the_output_is_heard(daemon: Daemon) -> None:
    """Nobody can know that it has nothing more to say: the channel stays until it lets go."""
    done = daemon.ssh("(sleep 1; echo late) & echo early; exit 6")
    assert (done.returncode, done.stdout) == (6, b"early\nlate\n")


def test_a_background_process_with_other_streams_is_not_waited_for(daemon: Daemon) -> None:
    done = daemon.ssh("sleep 300 >/dev/null 2>&1 </dev/null & echo $!; exit 6")
    assert done.returncode == 6
    until(lambda: not is_running(int(done.stdout)), what="the end of a background process with its connection")


@pytest.mark.security("S98")
@pytest.mark.parametrize("stream", ["", " >&2"])
def test_much_output_and_the_end_at_once(daemon: Daemon, stream: str) -> None:
    done = daemon.ssh(f"head -c {PLENTY} /dev/zero{stream}; exit 9")
    assert done.returncode == 9
    assert (done.stderr if stream else done.stdout) == bytes(PLENTY)


@pytest.mark.security("S98")
def test_output_of_a_dead_program_waits_for_a_slow_client(daemon: Daemon) -> None:
    client = daemon.client.start(f"head -c {PLENTY} /dev/zero; exit 9")
    assert client.stdout is not None
    time.sleep(1)
    assert len(client.stdout.read()) == PLENTY
    assert client.wait(20) == 9


@pytest.mark.security("S115")
def test_a_session_has_three_descriptors_and_a_built_environment(every_daemon: Daemon) -> None:
    done = every_daemon.ssh("ls -l /proc/$$/fd; tr '\\0' '\\n' < /proc/$$/environ; true")
    lines = done.stdout.decode().splitlines()
    found = {line.split(" -> ")[0].split()[-1]: line.split(" -> ")[1] for line in lines if " -> " in line}
    assert found.keys() - {"255"} == {"0", "1", "2"}  # 255 is what bash keeps for itself
    assert all(found[number].startswith("pipe:") for number in "012")
    names = {line.partition("=")[0] for line in lines if "=" in line}
    own = {"MAIL"} if every_daemon.mode == ROOT else set()
    assert names - own == {"HOME", "LOGNAME", "PATH", "SHELL", "SHLVL", "SSH_CLIENT", "SSH_CONNECTION", "USER"}


LIBRARY_SIGNALS = 0b11 << 31
"""32 and 33 are the C library's own, which its posix_spawn ignores, and it lets nobody change that before an exec."""


@pytest.mark.security("S115")
def test_a_session_has_no_signal_blocked_or_ignored_and_leads_itself(every_daemon: Daemon) -> None:
    done = every_daemon.ssh("exec grep -E '^(SigBlk|SigIgn|NSsid|NSpgid|NSpid):' /proc/self/status")
    status = dict(line.split(":\t") for line in done.stdout.decode().splitlines())
    assert int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) & ~LIBRARY_SIGNALS == 0
    assert status["NSsid"] == status["NSpgid"] == status["NSpid"]


@pytest.mark.security("S116")
def test_a_session_dies_with_its_client(every_daemon: Daemon) -> None:
    client = every_daemon.client.start("echo $$; exec sleep 1000")
    assert client.stdout is not None
    program = int(client.stdout.readline())
    assert is_running(program)
    client.kill()
    took = until(lambda: not is_running(program), what="the program of a client that was killed")
    assert took < 4.5  # after five seconds it would have been killed, and not asked to hang up


def test_many_clients_at_once(daemon: Daemon) -> None:
    answers: dict[int, bytes] = {}

    def one(number: int) -> None:
        answers[number] = daemon.ssh(f"echo {number}", timeout=50).stdout

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"{number}\n".encode() for number in range(12)}
    until(lambda: not daemon.zombies(), what="zombies")
