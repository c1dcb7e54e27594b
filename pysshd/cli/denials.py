"""`pysshd why`: what was decided, and why, by the id that a client was told; from the log, in JSON lines."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import click

from pysshd.audit.escape import printable
from pysshd.server.traces import SEPARATOR

FOUND, NOT_FOUND = 0, 1

_FIRST: Final = ("event", "time", "person", "account", "source", "method", "key", "request", "reason", "decided_by")
"""What is shown of an event, in this order; the rest follows, and the trace last."""

_UNSAID: Final = frozenset({"level", "trace", "decision"})

_MOST: Final = 4096
"""Characters of a value that are shown: a line of the daemon's log has no more."""


@click.command(short_help="What was decided, by the id that a client was told?")
@click.argument("decision", metavar="ID")
@click.option(
    "--log", "log", type=click.File("rb"), required=True, help="The log, as JSON lines; - for standard input."
)
@click.option("--json", "as_json", is_flag=True, help="Print the events as they stand in the log.")
def why(decision: str, log: IO[bytes], as_json: bool) -> None:
    """Show the decision with this ID: who asked for what, what decided, and every entry that was tried.

    The log is what the daemon writes with --log-format json. Exit status: 0 found, 1 not in this log, 2 no such log.
    """
    sys.exit(show(decision, log, as_json))


def show(decision: str, log: IO[bytes], as_json: bool) -> int:
    """Print the events of a decision; whether there were any is the exit status."""
    found = list(events_of(decision, log))
    for event in found:
        click.echo(json.dumps(event) if as_json else told(event))
    if not found:
        click.echo(f"no decision {decision!r} in this log; is it the one of that day, in JSON lines?", err=True)
    return FOUND if found else NOT_FOUND


def events_of(decision: str, log: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The events of a decision, in the order of the log; what is no line of JSON is passed over."""
    wanted = decision.encode("utf-8", "replace")
    for line in log:
        if wanted not in line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("decision") == decision:
            yield event


def told(event: Mapping[str, Any]) -> str:
    """An event for a person: a field on each line, and each entry of the trace.

    A log is a file that anybody may have written, and a terminal is to obey none of it.
    """
    names = [name for name in _FIRST if event.get(name) is not None]
    names += [name for name in event if name not in (*_FIRST, *_UNSAID) and event[name] is not None]
    shown = [(printable(name), printable(str(event[name]), _MOST)) for name in names]
    width = max((len(name) for name, _ in shown), default=0)
    lines = [f"{name:<{width}}  {value}" for name, value in shown]
    if trace := event.get("trace"):
        lines += ["tried:", *(f"  {printable(part, _MOST)}" for part in str(trace).split(SEPARATOR))]
    return "\n".join(lines)
