"""`pysshd check`: is this policy right, and if not, where."""

import os
import sys
from pathlib import Path

import click

from pysshd.policy.load import load_file
from pysshd.policy.problems import PolicyError, Problem

OK, WARNED, REFUSED = 0, 1, 2

_COLOURS = {"error": "red", "unserved": "magenta", "warning": "yellow"}


@click.command(short_help="Is this policy right, and if not, where?")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--strict", is_flag=True, help="Exit with 1 where there are warnings.")
@click.option("--language", is_flag=True, help="Judge what is written, also what this version does not serve yet.")
def check(file: Path, strict: bool, language: bool) -> None:
    """Check the policy FILE without serving it.

    Every problem is reported in one run, with its place, the line that it stands in and what to do. Exit status: 0
    clean or warned, 1 warned under --strict, 2 refused. A file that asks for what this version of the daemon does not
    serve yet is refused, by name; --language judges the rest of it.
    """
    owners = frozenset({0, os.geteuid()})
    try:
        problems: tuple[Problem, ...] = load_file(str(file), owner_uids=owners, language=language).warnings
    except PolicyError as error:
        problems = error.problems
    for problem in problems:
        _show(problem)
    refusing = ("error",) if language else ("error", "unserved")
    errors = sum(problem.severity in refusing for problem in problems)
    warnings = sum(problem.severity == "warning" for problem in problems)
    if errors:
        click.secho(f"{file}: refused, {_count(errors, 'error')} and {_count(warnings, 'warning')}", fg="red", err=True)
        sys.exit(REFUSED)
    if warnings:
        click.secho(f"{file}: good, with {_count(warnings, 'warning')}", fg="yellow", err=True)
        sys.exit(WARNED if strict else OK)
    click.secho(f"{file}: good", fg="green", err=True)


def _show(problem: Problem) -> None:
    first, *rest = problem.render().splitlines()
    click.secho(first, fg=_COLOURS[problem.severity], err=True)
    for line in rest:
        click.echo(line, err=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
