"""`pysshd test`: does the policy do what its own tests say."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pysshd.cli.show import counted, load_or_end, say, show, write_json
from pysshd.policy.casebook import Verdict
from pysshd.policy.load import Loaded

PASSED, FAILED = 0, 1

EPILOG = """\b
A case is a login, and what it may and may not do:
  tests:
    - {as: alice, from: 10.1.2.3, login: publickey,
       allow: [shell, {exec: ls -l}], deny: [subsystem sftp]}
    - {name: contractors-are-out, as: carol, from: 192.0.2.7, refused: any}
"""


@click.command(short_help="Does the policy do what its own tests say?", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("-v", "--verbose", is_flag=True, help="Name the cases that pass, too.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")
def test(file: Path, verbose: bool, as_json: bool) -> None:
    """Judge every case in the section `tests` of the policy FILE.

    A case that fails names the decision that was made, and why. Exit status: 0 all pass, 1 some fail or there are none,
    2 the file is refused. What this version of the daemon does not serve yet is judged all the same.
    """
    loaded = load_or_end(file, as_json=as_json)
    verdicts = loaded.verdicts
    failed = sum(not verdict.passed for verdict in verdicts)
    if as_json:
        write_json(
            {
                "file": str(file),
                "status": "failed" if failed else "passed" if verdicts else "empty",
                "count": len(verdicts),
                "failed": failed,
                "cases": [_plain(verdict) for verdict in verdicts],
            }
        )
    else:
        _show(file, loaded, verdicts, failed, verbose)
    sys.exit(PASSED if verdicts and not failed else FAILED)


def _show(file: Path, loaded: Loaded, verdicts: Sequence[Verdict], failed: int, verbose: bool) -> None:
    for verdict in verdicts if verbose else ():
        word, colour = ("ok  ", "green") if verdict.passed else ("FAIL", "red")
        say(f"{word}  {verdict.case.name} ({verdict.case.mark.where})", colour=colour)
    for problem in loaded.warnings:
        if problem.severity == "failed":
            show(problem)
    if not verdicts:
        click.secho(f"{file}: has no tests, so that nothing was shown", fg="yellow", err=True)
    elif failed:
        click.secho(f"{file}: {failed} of {counted(len(verdicts), 'case')} failed", fg="red", err=True)
    else:
        click.secho(f"{file}: {counted(len(verdicts), 'case')} passed", fg="green", err=True)


def _plain(verdict: Verdict) -> dict[str, Any]:
    case = verdict.case
    failures = [
        {"file": failure.mark.file, "line": failure.mark.line, "column": failure.mark.column,
         "message": failure.message} for failure in verdict.failures
    ]  # fmt: skip
    return {"name": case.name, "where": case.mark.where, "passed": verdict.passed, "failures": failures}
