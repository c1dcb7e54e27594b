"""Programs that may not be trusted to end: what comes of them, and that nothing is left."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from pysshd.processes.sandbox import bounded
from pysshd.processes.sandbox.bounded import SAID_MAX, Ran, Task
from tests.processes.sandbox.forks import GID, UID, in_child

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def ran(script: str, *, seconds: float = 20, output: int = 1000, argv: tuple[str, ...] = (), gone: bool = False) -> Any:
    """What comes of a script of the shell, in a child of the test: what it sweeps is its own."""

    def work() -> dict[str, Any]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if gone:
            theirs.close()
        words = argv or ("/bin/sh", "-c", script)
        task = Task(words, ENVIRONMENT, UID, GID, (), seconds, output)
        found: Ran = bounded.run(task, ours.fileno())
        try:
            os.waitpid(-1, os.WNOHANG)
            left = True
        except ChildProcessError:
            left = False
        return {"output": found.output.decode(), "said": found.said.decode(), "fault": found.fault, "left": left}

    return in_child(work)


@pytest.mark.security("S118")
@pytest.mark.parametrize(
    ("script", "output", "said", "fault"),
    [
        ("echo hello; echo there >&2", "hello\n", "there\n", ""),
        ("exit 3", "", "", "exited with status 3"),
        ("echo x; kill -TERM $$", "", "", "was ended by SIGTERM"),
        ("kill -34 $$", "", "", "was ended by SIGRTMIN"),
        ("kill -40 $$", "", "", "was ended by signal 40"),
        ("printf %01000d 0", "0" * 1000, "", ""),
        ("printf %01001d 0", "", "", "printed more than 1000 bytes"),
        ("while :; do echo yes; done", "", "", "printed more than 1000 bytes"),
        ("echo late >&2; exec sleep 60", "", "late\n", "took more than 0.5 s"),
        ("exec >&- 2>&-; exec sleep 60", "", "", "took more than 0.5 s"),
        ("echo a; (sleep 60 & ) ; exit 0", "a\n", "", ""),
        ("setsid sh -c '(trap \"\" HUP TERM; sleep 60) & sleep 60' & echo b", "b\n", "", ""),
    ],
)  # fmt: skip
def test_what_comes_of_it(script: str, output: str, said: str, fault: str) -> None:
    found = ran(script, seconds=0.5 if "0.5" in fault else 20)
    assert found == {"output": output, "said": said, "fault": fault, "left": False}


def test_an_error_is_cut_and_drained() -> None:
    found = ran("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done")
    assert len(found["said"]) == SAID_MAX
    assert found["fault"] == ""


def test_what_can_not_be_executed(tmp_path: Path) -> None:
    assert ran("", argv=("/nonexistent/program",))["fault"] == "could not be executed: No such file or directory"
    assert ran("", argv=("/bin/sh", "-c", "a\0b"))["fault"] == "exited with status 127"
    assert ran("", argv=("/etc/passwd",))["fault"] == "could not be executed: Permission denied"


@pytest.mark.root
def test_who_can_not_be_become() -> None:
    def work() -> str:
        ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return bounded.run(Task(("/bin/true",), {}, 1 << 33, 0, (), 5, 10), ours.fileno()).fault

    assert in_child(work).startswith("change of user: uid is")


def test_nobody_waits_for_it_any_more() -> None:
    found = ran("sleep 60", gone=True)
    assert found["fault"] == "was ended, for nobody waits for it"
    assert not found["left"]


def test_children_are_found_without_the_kernels_list() -> None:
    def work() -> list[bool]:
        child = os.fork()
        if child == 0:
            os.execv("/bin/sleep", ["sleep", "60"])
        patch = pytest.MonkeyPatch()
        patch.setattr(
            "pysshd.processes.sandbox.bounded.Path",
            lambda path: Path("/nonexistent") if "children" in path else Path(path),
        )
        found = [
            bounded._children() == [child],
            bounded._parent_of(child) == os.getpid(),
            bounded._parent_of(1 << 30) is None,
        ]
        bounded.sweep()
        return [*found, not bounded._children()]

    assert in_child(work) == [True] * 4


def test_it_has_limits_of_its_own() -> None:
    found = ran("ulimit -c; ulimit -n; ulimit -t; umask; pwd; ls /proc/self/fd | wc -l", seconds=5)
    lines = found["output"].split()
    assert lines[:5] == ["0", "1024", "6", "0022", "/"]
    assert int(lines[5]) == 4  # 0, 1, 2 and the folder that ls reads
