"""Runs the programs that the gates are made of."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# What would make one machine's result differ from another's: another interpreter's settings, an agent with keys.
_FOREIGN = ("PYTHON", "VIRTUAL_ENV", "PYTEST_", "SSH_", "COV_", "MYPY", "RUFF")


class NotReadyError(Exception):
    """The preparations cannot go on; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a program runs as, where that is not who started the tests."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit status (negative: a signal; None: stopped at its deadline), and its output."""

    status: int | None
    output: str
    seconds: float


def clean_environment(account: Account | None = None, path_first: Path | None = None) -> dict[str, str]:
    """The environment of a gate: the starter's without what is foreign, or a fresh one for another `account`."""
    if account is None:
        env = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    else:
        env = {name: os.environ[name] for name in ("CI", "HYPOTHESIS_PROFILE", "TERM") if name in os.environ}
        env |= {"HOME": account.home, "USER": account.name, "LOGNAME": account.name, "SHELL": account.shell}
        env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    env["LC_ALL"] = "C.UTF-8"
    if path_first is not None:
        env["PATH"] = f"{path_first}:{env.get('PATH', '/usr/bin:/bin')}"
    return env


@dataclass(frozen=True, slots=True)
class Begun:
    """A program at work, and since when (monotonic seconds)."""

    process: "subprocess.Popen[str]"
    started: float

    def finish(self, seconds: float) -> Ended:
        """Wait for its end, until `seconds` after its start; nothing of its session is left then."""
        process = self.process
        try:
            output, _ = process.communicate(timeout=max(0.0, self.started + seconds - time.monotonic()))
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            _end_group(process)
            output, status = process.communicate()[0], None
        except BaseException:
            _end_group(process)
            raise
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        return Ended(status, output or "", time.monotonic() - self.started)

    def stand_back(self, nice: int) -> None:
        """Let the other programs of this machine go first."""
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PGRP, self.process.pid, nice)
        # Where the kernel shares the CPUs between sessions first, nice counts within one alone.
        with suppress(OSError):
            Path(f"/proc/{self.process.pid}/autogroup").write_text(str(nice))

    def stop(self) -> None:
        """End it and all of its session, whatever it was doing."""
        _end_group(self.process)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    seconds: float,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    live: bool = False,
) -> Ended:
    """Run `command` to its end or for `seconds`, without standard input, in a session of its own that dies with it.

    With `live` its output goes where ours goes; otherwise it is in the answer.
    """
    output = None if live else subprocess.PIPE
    return begin(command, cwd=cwd, env=env, account=account, output=output).finish(seconds)


def begin(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    output: "int | IO[str] | None" = None,
) -> Begun:
    """Start `command`; its output goes to `output` (None: where ours goes)."""
    started = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment(account) if env is None else env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        umask=0o022,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
    return Begun(process, started)


def _end_group(process: subprocess.Popen[str]) -> None:
    """End a program and all of its group: asked first, so that it can clean up and say where it stood."""
    for number, patience in ((signal.SIGINT, 10.0), (signal.SIGKILL, 10.0)):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(patience)
            return


def must(command: Sequence[str | Path], *, cwd: Path, why: str, seconds: float = 600) -> str:
    """Run a step of the preparations and return its output; `NotReadyError` with all of it where it fails."""
    ended = run(command, cwd=cwd, seconds=seconds)
    if ended.status != 0:
        how = f"exit status {ended.status}" if ended.status is not None else f"no end within {seconds:.0f} s"
        raise NotReadyError(f"{why} failed ({how}): {' '.join(str(word) for word in command)}\n{ended.output.rstrip()}")
    return ended.output
