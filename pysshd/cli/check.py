"""`pysshd check`: is this policy right, and if not, where."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pysshd.cli.show import counted, load, plain, show, write_json
from pysshd.policy.problems import PolicyError, Problem

OK, WARNED, REFUSED = 0, 1, 2


@click.command(short_help="Is this policy right, and if not, where?")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--strict", is_flag=True, help="Exit with 1 where there are warnings.")
@click.option("--language", is_flag=True, help="Judge what is written, also what this version does not serve yet.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")
def check(file: Path, strict: bool, language: bool, as_json: bool) -> None:
    """Check the policy FILE without serving it.

    Every problem is reported in one run, with its place, the line that it stands in and what to do. Exit status: 0
    clean or warned, 1 warned under --strict, 2 refused. Its `tests` are judged, too, and one that fails is an error
    here. A file that asks for what this version of the daemon does not serve yet is refused, by name; --language
    judges the rest of it.
    """
    try:
        problems: tuple[Problem, ...] = load(file, language=language).warnings
    except PolicyError as error:
        problems = error.problems
    refusing = ("error", "failed") if language else ("error", "failed", "unserved")
    errors = sum(problem.severity in refusing for problem in problems)
    warnings = sum(problem.severity == "warning" for problem in problems)
    if as_json:
        _write(file, problems, errors, warnings)
    else:
        _show(file, problems, errors, warnings)
    sys.exit(REFUSED if errors else WARNED if warnings and strict else OK)


def _show(file: Path, problems: Sequence[Problem], errors: int, warnings: int) -> None:
    for problem in problems:
        show(problem)
    if errors:
        text = f"{file}: refused, {counted(errors, 'error')} and {counted(warnings, 'warning')}"
        click.secho(text, fg="red", err=True)
    elif warnings:
        click.secho(f"{file}: good, with {counted(warnings, 'warning')}", fg="yellow", err=True)
    else:
        click.secho(f"{file}: good", fg="green", err=True)


def _write(file: Path, problems: Sequence[Problem], errors: int, warnings: int) -> None:
    status = "refused" if errors else "warned" if warnings else "good"
    found = [plain(problem) for problem in problems]
    write_json({"file": str(file), "status": status, "errors": errors, "warnings": warnings, "problems": found})
