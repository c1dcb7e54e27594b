"""Programs that are asked for keys: what of their output counts, and what is said of the rest."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.identity.host import key_program
from pysshd.identity.host.authorized_keys import LINES_MAX, AuthorizedKeys
from pysshd.identity.host.calls import AskProgram, ProgramSaid
from pysshd.identity.host.helper import MESSAGE_MAX
from pysshd.identity.host.key_program import Ran, Task, answer, keys_of
from pysshd.ssh.crypto.generate import generate_private_key

ONE, OTHER = (generate_private_key("ed25519").public for _ in range(2))
ME = pwd.getpwuid(os.geteuid())


@dataclass(frozen=True)
class Fake:
    """What a program came to."""

    output: bytes = b""
    said: bytes = b""
    fault: str = ""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    file = tmp_path / "keys-of"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def asked(program: Path | str, run_as: str = "", owners: tuple[int, ...] = (0, os.geteuid())) -> AskProgram:
    return AskProgram((str(program), "--for=zoe"), ("zoe", "hunter2"), run_as, 1500, owners)


def said(program: Path | str, ran: Fake, run_as: str = "", **more: tuple[int, ...]) -> tuple[ProgramSaid, list[Task]]:
    tasks: list[Task] = []

    def run(task: Task, hangup: int) -> Ran:
        tasks.append(task)
        assert hangup == 9
        return ran

    found = answer(asked(program, run_as, **more), run, 9)
    assert ProgramSaid.decode(found.encode()) == found
    return found, tasks


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are for good, and this process runs other tests."""
    monkeypatch.setattr(key_program, "limit", lambda cpu, seconds: None)


def test_keys_are_told_by_their_digests(program: Path) -> None:
    found, (task,) = said(program, Fake(f"# keys\n\n{ONE.line} laptop\n{OTHER.line}\r\n{ONE.line}\n".encode()))
    assert found == ProgramSaid(((sha256(ONE.blob).digest(), 3, ""), (sha256(OTHER.blob).digest(), 4, "")), "", ())
    assert task.argv == (str(program), "--for=zoe")
    own = os.getgrouplist(ME.pw_name, ME.pw_gid) if ME.pw_uid == 0 else os.getgroups()
    assert (task.uid, task.gid, task.groups) == (os.geteuid(), os.getegid(), tuple(own))
    assert task.seconds == 1.5
    assert set(task.environment) == {"PATH", "HOME", "USER", "LOGNAME", "SHELL"}
    assert task.environment["USER"] == ME.pw_name


def test_nothing_printed_is_no_key_and_no_fault(program: Path) -> None:
    assert said(program, Fake(b"# nobody\n"))[0] == ProgramSaid((), "", ())


@pytest.mark.security("S118")
@pytest.mark.parametrize(
    "output",
    [b"Warning: stale cache", b"no key", b"\0", b"AAAA", b"ssh-agent is not running", b"{}", b"<html>", b"\xff\xfe",
     b"ssh-ed25519 BBBB", b"-----BEGIN OPENSSH PRIVATE KEY-----"],
)  # fmt: skip
def test_a_line_that_is_no_key_makes_all_of_it_unknown(program: Path, output: bytes) -> None:
    found, _ = said(program, Fake(f"{ONE.line}\n".encode() + output + f"\n{OTHER.line}\n".encode()))
    assert found == ProgramSaid((), "line 2 of what it printed is no key", ())


@pytest.mark.security("S65")
@pytest.mark.parametrize(
    "line",
    [
        f"restrict,verify-required {ONE.line}",
        f"no-such-option {ONE.line}",
        f'command="id {ONE.line}',
        ONE.line[:-6],
        "ssh-dss AAAAB3NzaC1kc3MAAACB",
        f"sk-{ONE.line}",
    ],
)
def test_a_line_that_is_meant_to_be_a_key_lets_nobody_in_and_the_others_do(program: Path, line: str) -> None:
    found, _ = said(program, Fake(f"{line}\n{OTHER.line}\n".encode()))
    assert found.keys == ((sha256(OTHER.blob).digest(), 2, ""),)
    assert found.fault == ""
    (note,) = found.notes
    assert note.startswith("line 1 is passed over")


def test_options_come_along(program: Path) -> None:
    found, _ = said(program, Fake(f'restrict,command="id" {ONE.line}\n'.encode()))
    assert found == ProgramSaid(((sha256(ONE.blob).digest(), 1, 'restrict,command="id"'),), "", ())


def test_more_than_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keys_of(b"# x\n" * LINES_MAX) == AuthorizedKeys()
    assert keys_of(b"# x\n" * (LINES_MAX + 1)) == f"it printed {LINES_MAX + 1} lines, expected {LINES_MAX} at most"
    monkeypatch.setattr(key_program, "KEYS_MAX", 1)
    assert keys_of(f"{ONE.line}\n{OTHER.line}\n".encode()) == "it printed 2 keys, expected 1 at most"


def test_more_options_than_an_answer_has_room_for(program: Path) -> None:
    """Said as a fault: what is too long to be sent would be none of the program's doing."""
    lines = [f'command="{"x" * 1100}" {generate_private_key("ed25519").public.line}\n' for _ in range(42)]
    size = 40 + len('command=""') + 1100
    found, _ = said(program, Fake("".join(lines[:41]).encode()))
    assert (len(found.keys), found.fault) == (41, "")
    found, _ = said(program, Fake("".join(lines).encode()))
    assert found.keys == ()
    assert found.fault.startswith("its 42 keys have more options than can be looked at: ")
    assert found.fault.endswith(f"{42 * size} bytes at 40 a key and what stands in front, expected 48000 at most")


def test_an_answer_fits_into_a_message_whatever_its_lines_say(program: Path) -> None:
    long = b'from="' + b"\xff" * 1900 + b'" '
    lines = [long + generate_private_key("ed25519").public.line.encode() for _ in range(9)]
    found, _ = said(program, Fake(b"\n".join(lines)))
    assert (found.keys, found.fault, len(found.notes)) == ((), "", 9)
    assert len(found.encode()) < MESSAGE_MAX


@given(st.binary(max_size=500))
def test_whatever_is_printed_nothing_is_raised_and_no_key_is_made_up(output: bytes) -> None:
    found = keys_of(output)
    assert isinstance(found, str) or not found.keys


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (b"", "it exited with status 3"),
        (b"no zoe here\nmore", "it exited with status 3: no … here"),
        (b"\n hunter2: unknown\n", "it exited with status 3: …: unknown"),
        (b"x" * 500, "it exited with status 3: " + "x" * 200),
        (b"\xff", "it exited with status 3: \N{REPLACEMENT CHARACTER}"),
    ],
)
@pytest.mark.security("S120")
def test_an_error_is_told_without_names(program: Path, words: bytes, shown: str) -> None:
    """Somebody may have typed their password where a name is asked for."""
    found, _ = said(program, Fake(ONE.line.encode(), words, "exited with status 3"))
    assert found == ProgramSaid((), shown, ())


def test_a_short_name_stays(program: Path) -> None:
    found = answer(
        AskProgram((str(program),), ("ab",), "", 1000, (0, os.geteuid())), lambda *_: Fake(b"", b"cabin", "x"), 0
    )
    assert found.fault == "it x: cabin"


@pytest.mark.security("S118")
@pytest.mark.parametrize("fault", ["missing", "mode", "group", "above", "folder", "owner", "link"])
def test_a_program_that_is_not_to_be_trusted_is_not_run(program: Path, fault: str) -> None:
    owners: tuple[int, ...] = (0, os.geteuid())
    path: Path = program
    if fault == "missing":
        path = program.parent / "none"
    elif fault == "folder":
        path = program.parent
    elif fault == "owner":
        owners = (12345,)
    elif fault == "link":
        (program.parent / "other").symlink_to(program.parent / "other")
        path = program.parent / "other"
    else:
        (program.parent if fault == "above" else program).chmod({"mode": 0o644, "group": 0o775, "above": 0o777}[fault])
    found, tasks = said(path, Fake(ONE.line.encode()), owners=owners)
    program.parent.chmod(0o755)
    assert found.keys == ()
    assert found.fault.startswith("it can not be run: ")
    assert tasks == []


def test_a_link_that_is_to_be_trusted_is_run_by_its_own_name(program: Path) -> None:
    link = program.parent / "link"
    link.symlink_to("keys-of")
    _, (task,) = said(link, Fake())
    assert task.argv[0] == str(link)


def test_accounts(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, tasks = said(program, Fake(), "no-such-account")
    assert (found.fault, tasks) == ("run_as: the host has no account no-such-account", [])
    assert said(program, Fake(), "a\0b")[0].fault.startswith("run_as: the host has no account")
    root = pwd.getpwnam("root")
    monkeypatch.setattr("pysshd.identity.host.key_program.pwd.getpwnam", lambda name: root)
    assert (
        said(program, Fake(), "toor")[0].fault
        == "run_as: account toor is uid 0, which only root may be that is written so"
    )
    _, (task,) = said(program, Fake(), "root")
    assert (task.uid, task.gid) == (0, 0)


def test_a_user_without_an_entry(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.identity.host.key_program.os.geteuid", lambda: 424242)
    assert "uid not found" in said(program, Fake())[0].fault


def over_a_socket(question: bytes, run: Callable[[Task, int], Ran]) -> tuple[int, bytes]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        ours.send(question)
        ours.shutdown(socket.SHUT_WR)
        status = key_program.main(theirs.detach(), run)
        return status, ours.recv(65536)


def test_one_question_and_its_answer(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarms: list[int] = []
    monkeypatch.setattr("pysshd.identity.host.key_program.signal.alarm", alarms.append)
    status, answered = over_a_socket(asked(program).encode(), lambda task, hangup: Fake(ONE.line.encode()))
    assert status == 0
    assert ProgramSaid.decode(answered).keys == ((sha256(ONE.blob).digest(), 1, ""),)
    assert alarms == [2 + key_program.SECONDS_BESIDE]
    assert over_a_socket(b"nonsense", lambda *_: Fake()) == (1, b"")


def test_no_program_at_all() -> None:
    assert answer(AskProgram((), (), "", 1000, (0,)), lambda *_: Fake(), 0).fault.startswith("it can not be run")


def test_nothing_is_loaded_when_it_is_asked() -> None:
    """A helper may be kept from the files of the interpreter: it is another user, or they have been replaced."""
    code = """
import os, sys
from pysshd.identity.host.calls import KEY_PROGRAM, AskProgram, ProgramSaid
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.zygote.warm import PROGRAMS, warm_up

warm_up()
ours, theirs = Endpoint.pair()
known = set(sys.modules)
if not os.fork():
    ours.close()
    PROGRAMS.helpers[KEY_PROGRAM](theirs.detach())
    print(sorted(set(sys.modules) - known), flush=True)
    os._exit(0)
theirs.close()
ours.send(AskProgram(("/bin/echo", "LINE"), ("a", "a"), "", 9000, (0,)).encode())
received = ours.recv()
said = ProgramSaid.decode(received.message)
ours.close()
os.wait()
print(said.fault, len(said.keys))
""".replace("LINE", ONE.line)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n 1\n", done.stderr
