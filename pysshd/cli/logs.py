"""The options of logging, and the log that they make: for a person on a terminal, as JSON lines on request."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pysshd.audit.events import Level
from pysshd.audit.sinks import RENDERERS

F = TypeVar("F", bound=Callable[..., Any])


def log_options(command: F) -> F:
    """Add `--log-format` and `--log-level` to a command that serves."""
    command = click.option(
        "--log-format",
        type=click.Choice(sorted(RENDERERS, reverse=True)),
        default="text",
        show_default=True,
        help="One line an event on standard error: text for a person, json for a machine.",
    )(command)
    return click.option(
        "--log-level",
        type=click.Choice([level.name.lower() for level in Level]),
        default="info",
        show_default=True,
        help="The quietest events that are written.",
    )(command)
