"""`pysshd ctl`: ask a running daemon, on the control socket in its state folder."""

import json
import os
import re
import socket
import stat
import sys
from pathlib import Path
from typing import Any, Final

import click

from pysshd.audit.escape import printable
from pysshd.daemon.control import FOLDER, SECRET, SOCKET
from pysshd.daemon.state import default_state_directory
from pysshd.errors import StartupError
from pysshd.policy.problems import Problem

REFUSED: Final = 1
WITHIN: Final = 120.0
"""Seconds for an answer: a reload reads every file that the policy names."""

ANSWER_MAX: Final = 8 << 20
_SECRET = re.compile(r"[0-9a-f]{64}")


@click.group(short_help="Ask a running daemon: reload, status.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, readable=False),
    metavar="FOLDER",
    help="The state folder of the daemon (server.state), where that is not the default of whoever runs this.",
)
@click.pass_context
def ctl(context: click.Context, state: Path | None) -> None:
    """Ask a running daemon, as its user or as root.

    Exit status: 0 done, 1 refused by the daemon, 2 it could not be asked.
    """
    context.obj = state or default_state_directory(os.environ, os.geteuid())


@ctl.command(short_help="Read the policy file again.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one line of JSON.")
@click.pass_obj
def reload(state: Path, as_json: bool) -> None:
    """Have the daemon read its policy file again.

    A good file is in force when this returns (status 0). A bad one changes nothing; its problems are printed as
    `pysshd check` prints them (status 1).
    """
    answer = ask(state, "reload")
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _show_reload(answer)
    sys.exit(0 if answer["ok"] else REFUSED)


@ctl.command(short_help="What is in force, since when, and what waits for a restart.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one line of JSON.")
@click.pass_obj
def status(state: Path, as_json: bool) -> None:
    """Show what the daemon is, which version of the policy is in force, and what waits for a restart."""
    answer = ask(state, "status")
    click.echo(json.dumps(answer) if as_json else _status(answer))
    sys.exit(0 if answer["ok"] else REFUSED)


def _show_reload(answer: dict[str, Any]) -> None:
    for problem in answer.get("problems", ()):
        for line in _rendered(problem).splitlines():
            click.echo(printable(line), err=True)
    for name in answer.get("waits_for_restart", ()):
        click.secho(f"{printable(str(name))} waits for restart", fg="yellow", err=True)
    policy, rules = printable(str(answer.get("policy", "?"))), printable(str(answer.get("rules", "?")))
    if answer["ok"]:
        click.secho(f"{policy}: rules {rules} are in force", fg="green", err=True)
    elif "error" in answer:
        click.secho(f"pysshd ctl: {printable(str(answer['error']))}", fg="red", err=True)
    else:
        click.secho(f"{policy}: refused, rules {rules} go on", fg="red", err=True)


def _rendered(problem: Any) -> str:
    """A problem as `pysshd check` shows it; whatever else is told, as it is."""
    try:
        return Problem(**problem).render()
    except TypeError:
        return str(problem)


def _status(answer: dict[str, Any]) -> str:
    if not answer["ok"]:
        return f"pysshd ctl: {printable(str(answer.get('error', 'refused')))}"
    told = {name: printable(str(value)) for name, value in answer.items()}
    waits = ", ".join(printable(str(name)) for name in answer["waits_for_restart"])
    lines = [
        f"pysshd {told['version']}, process {told['pid']}, since {told['since']}",
        f"policy       {told['policy']}",
        f"rules        {told['rules']}, since {told['rules_since']}",
        f"connections  {told['connections']}, of which {told['logged_in']} are logged in",
    ]
    if answer["reload_refused"] is not None:
        lines.append(f"the file was refused at {told['reload_refused']}; pysshd ctl reload says why")
    if waits:
        lines.append(
            f"{waits} waits for restart" if len(answer["waits_for_restart"]) == 1 else f"{waits} wait for restart"
        )
    return "\n".join(lines)


def ask(state: Path, name: str) -> dict[str, Any]:
    """Ask the daemon of a state folder; StartupError where nobody answers, or what answers is no daemon."""
    folder = _opened(state)
    try:
        line = json.dumps({"secret": _secret(folder), "do": name}).encode() + b"\n"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(WITHIN)
            # By its descriptor: the path may be longer than the name of a socket can be.
            asking.connect(f"/proc/self/fd/{folder}/{SOCKET}")
            asking.sendall(line)
            answer = _line(asking)
    except TimeoutError:
        raise StartupError(f"pysshd ctl: the daemon of {state} gave no answer within {WITHIN:.0f} s") from None
    except OSError as error:
        raise StartupError(f"pysshd ctl: no daemon answers in {state}: {error.strerror or error}") from None
    finally:
        os.close(folder)
    try:
        found = json.loads(answer)
        if isinstance(found, dict) and isinstance(found.get("ok"), bool):
            return found
    except ValueError:
        pass
    raise StartupError(f"pysshd ctl: what answers in {state} is no daemon of this version")


def _opened(state: Path) -> int:
    try:
        return os.open(state / FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise StartupError(
            f"pysshd ctl: no daemon runs with the state folder {state}, or you may not ask it: {error.strerror}; "
            "name its state folder with --state, and ask as its user or as root"
        ) from None


def _secret(folder: int) -> str:
    """What proves that we may read the folder. Whoever owns it must not have us hand out another file of ours."""
    descriptor = os.open(SECRET, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        text = file.read(128).decode("ascii", "replace") if stat.S_ISREG(found.st_mode) else ""
    if found.st_uid != os.fstat(folder).st_uid or not _SECRET.fullmatch(text):
        raise OSError(0, "the secret beside the socket is none")
    return text


def _line(asking: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\n") and len(answer) <= ANSWER_MAX:
        part = asking.recv(1 << 16)
        if not part:
            break
        answer += part
    return answer
