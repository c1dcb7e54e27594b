"""Children that do to themselves what can not be undone, and say what came of it."""

import json
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from pysshd.processes.sandbox import namespaces, process
from pysshd.processes.sandbox.tree import Confinement

NOBODY = 65534
IS_ROOT = os.geteuid() == 0

# Who a child becomes: started as root another user, else whoever runs the tests.
UID = NOBODY if IS_ROOT else os.getuid()
GID = NOBODY if IS_ROOT else os.getgid()


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` returns (as JSON carries it) when a forked child runs it; its exception fails the test."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, reader, writer)
    os.close(writer)
    text = _read_all(reader)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, f"child ended with {status}: {text}"
    return json.loads(text)


def _answer(work: Callable[[], Any], reader: int, writer: int) -> NoReturn:
    status = 1
    try:
        os.close(reader)
        os.write(writer, json.dumps(work()).encode())
        status = 0
    except BaseException:
        os.write(writer, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _read_all(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8", errors="replace") as stream:
        return stream.read()


def as_ordinary_user(work: Callable[[], Any]) -> Any:
    """As `in_child`, by an ordinary user."""

    def become_and_work() -> Any:
        if IS_ROOT:
            process.become_user(UID, GID)
        return work()

    return in_child(become_and_work)


def outcomes(attempts: Mapping[str, Callable[[], Any]]) -> dict[str, str]:
    """What came of each attempt: `done`, or the name of the exception with its errno."""
    results = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            results[name] = "done"
        except Exception as error:
            results[name] = f"{type(error).__name__} {getattr(error, 'errno', None)}"
    return results


def status_of_self() -> dict[str, str]:
    """The fields of /proc/self/status."""
    with open("/proc/self/status") as stream:
        return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)


def confined(
    confinement: Confinement, execute: Callable[[], NoReturn], started: Callable[[int, int], None] | None = None
) -> tuple[int, str]:
    """Run `execute` confined: the exit status (negative: a signal) and what went to its standard output and error.

    `started` is called with the process id of the session, as the monitor knows it, and where to read what it writes;
    what it reads is not in the answer.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            os.setsid()
            if IS_ROOT:
                process.become_user(UID, GID)
            namespaces.run_confined(confinement, execute)
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(99)
    os.close(writer)
    if started is not None:
        started(child, reader)
    text = _read_all(reader)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def shell(script: str, home: str = "/") -> Callable[[], NoReturn]:
    """A program for `confined`: `script`, run by /bin/sh in `home`."""

    def execute() -> NoReturn:
        os.chdir(home)
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LC_ALL": "C"}
        os.execve("/bin/sh", ["sh", "-c", script], environment)

    return execute


def python(work: Callable[[], Any]) -> Callable[[], NoReturn]:
    """A program for `confined` that writes what `work` returns, as JSON."""

    def execute() -> NoReturn:
        try:
            os.write(1, json.dumps(work()).encode())
        finally:
            os._exit(0)

    return execute


def lines_of(text: str) -> Iterator[str]:
    """The lines of a program's output, without blanks at their ends."""
    return (line.strip() for line in text.splitlines())
