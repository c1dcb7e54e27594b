"""`pysshd check`: is this policy right, and if not, where."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pysshd.cli.show import counted, load, show, write_json
from pysshd.policy.problems import PolicyError, Problem
from pysshd.policy.settings import Settings
from pysshd.records import dataclass

OK, WARNED, REFUSED = 0, 1, 2


@click.command(short_help="Is this policy right, and if not, where?")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--strict", is_flag=True, help="Exit with 1 where there are warnings.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, readable=False),
    metavar="RUNNING",
    help="Say what a daemon that was started with RUNNING would not apply before a restart.",
)
@click.option("--language", is_flag=True, help="Judge what is written, also what this version does not serve yet.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")
def check(file: Path, strict: bool, against: Path | None, language: bool, as_json: bool) -> None:
    """Check the policy FILE, and the files that it includes, without serving it.

    Every problem of each of them is reported in one run, with its place, the line that it stands in and what to do.
    Exit status: 0 clean or warned, 1 warned under --strict, 2 refused. The `tests` are judged, too, and one that fails
    is an error here. A file that asks for what this version of the daemon does not serve yet is refused, by name;
    --language judges the rest of it.
    """
    waits: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    try:
        loaded = load(file, language=language)
        problems: tuple[Problem, ...] = loaded.warnings
        files = loaded.ruleset.files
        waits = _waits(loaded.ruleset.settings, against, language) if against is not None else waits
    except PolicyError as error:
        problems = error.problems
    refusing = ("error", "failed") if language else ("error", "failed", "unserved")
    errors = sum(problem.severity in refusing for problem in problems)
    warnings = sum(problem.severity == "warning" for problem in problems)
    answer = _Answer(file, problems, errors, warnings, waits, files)
    if as_json:
        _write(answer)
    else:
        _show(answer)
    sys.exit(REFUSED if errors else WARNED if warnings and strict else OK)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said of a policy. files: all that it was read from; of one that is refused it is not known."""

    file: Path
    problems: Sequence[Problem]
    errors: int
    warnings: int
    waits: Sequence[str]
    files: Sequence[str]


def _show(answer: _Answer) -> None:
    file, errors, warnings = answer.file, answer.errors, answer.warnings
    for problem in answer.problems:
        show(problem)
    for name in answer.waits:
        click.secho(f"{file}: {name} waits for restart", fg="yellow", err=True)
    unserved = sum(problem.severity == "unserved" for problem in answer.problems)
    waiting = [f"{unserved} not served"] if unserved else []
    odd = [f"with {counted(warnings, 'warning')}"] if warnings else []
    included = [counted(len(answer.files) - 1, "included file")] if len(answer.files) > 1 else []
    if not errors:
        text = f"{file}: {', '.join(['good', *odd, *waiting, *included])}"
        click.secho(text, fg="yellow" if warnings else "green", err=True)
    elif not any(problem.severity in ("error", "failed") for problem in answer.problems):
        text = f"{file}: {', '.join(['refused', *waiting, *odd])}; pysshd check --language judges the rest"
        click.secho(text, fg="red", err=True)
    else:
        text = f"{file}: refused, {counted(errors, 'error')} and {counted(warnings, 'warning')}"
        click.secho(text, fg="red", err=True)


def _write(answer: _Answer) -> None:
    write_json(
        {
            "file": str(answer.file),
            "status": "refused" if answer.errors else "warned" if answer.warnings else "good",
            "errors": answer.errors,
            "warnings": answer.warnings,
            "problems": [problem.plain() for problem in answer.problems],
            "waits_for_restart": list(answer.waits),
            "files": list(answer.files),
        }
    )


def _waits(new: Settings, against: Path, language: bool) -> tuple[str, ...]:
    """Each setting that a reload would leave as it is; whether the running file is good does not matter here."""
    from pysshd.daemon.restart import kept

    try:
        started = load(against, language=language)
    except PolicyError as error:
        raise click.UsageError(f"--against {against} can not be read: {error.problems[0]}") from None
    return tuple(kept(started.ruleset.settings, new).waits)
