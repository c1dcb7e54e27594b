"""What the commands on a policy share: reading the file, and showing its problems to a person and to a machine."""

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from pysshd.audit.escape import printable
from pysshd.policy.load import Loaded, load_file
from pysshd.policy.problems import PolicyError, Problem
from pysshd.policy.report import NOT_YET

TROUBLE: Final = 2
"""The exit status where there is no answer."""

COLOURS: Final = {"error": "red", "unserved": "magenta", "failed": "red", "warning": "yellow"}


_FOLDER: Final = "pysshd.folder"
"""In the context of a command: the folder of its policy, as it is and as it was given."""


def load(file: Path, *, language: bool) -> Loaded:
    """Read a policy as the daemon does; PolicyError where it is refused."""
    note_folder(file)
    return load_file(str(file), owner_uids=frozenset({0, os.geteuid()}), language=language)


def load_or_end(file: Path, *, as_json: bool) -> Loaded:
    """Read a policy to ask it something; where it is refused, say why and end with TROUBLE."""
    try:
        return load(file, language=True)
    except PolicyError as error:
        end_refused(file, error.problems, as_json=as_json)


def end_refused(file: Path, problems: Sequence[Problem], *, as_json: bool) -> NoReturn:
    """Say why a policy is refused, and end with TROUBLE."""
    if as_json:
        write_json({"file": str(file), "status": "refused", "problems": [problem.plain() for problem in problems]})
    else:
        for problem in problems:
            # Whatever is not served is judged all the same, and is not why.
            if problem.severity != "unserved":
                show(problem)
        click.secho(f"{file}: refused; pysshd check {file} says more", fg="red", err=True)
    sys.exit(TROUBLE)


def note_folder(file: Path) -> None:
    """Have `as_given` name places of this policy as its path was given: from where somebody stands."""
    context = click.get_current_context(silent=True)
    given = os.path.dirname(str(file))
    if context is not None:
        folder = os.path.dirname(os.path.abspath(file)).rstrip("/") + "/"
        context.meta.setdefault(_FOLDER, {})[folder] = f"{given}/" if given not in ("", "/") else given


def as_given(text: str) -> str:
    """The text with the places of policies (`FILE:LINE`, `FILE: …`) as the command line names their folders."""
    context = click.get_current_context(silent=True)
    for folder, given in (context.meta.get(_FOLDER, {}) if context is not None else {}).items():
        text = given.join(re.split(rf"(?<![^\s(]){re.escape(folder)}(?=[^\s:()]+(?::\d|: ))", text))
    return text


def show(problem: Problem) -> None:
    """Show a problem with its source line on standard error."""
    first, *rest = as_given(str(problem)), *problem.render().splitlines()[1:]
    if problem.severity == "unserved":
        first = first.removesuffix(f"{problem.message}") + f"not served: {problem.message.removesuffix(f' {NOT_YET}')}"
    click.secho(first, fg=COLOURS[problem.severity], err=True)
    for line in rest:
        click.echo(line, err=True)


def write_json(answer: Any) -> None:
    """Write an answer on standard output, as one document of ASCII."""
    click.echo(json.dumps(answer, indent=2))


def say(text: str, *, colour: str | None = None, bold: bool = False) -> None:
    """Write a line for a person on standard output; what a client might have chosen is made harmless."""
    click.secho(printable(as_given(text)), fg=colour, bold=bold)


def counted(number: int, noun: str) -> str:
    """Return `1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
