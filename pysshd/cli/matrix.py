"""`pysshd matrix`: people × permissions, as a table, as JSON, or as a page for a browser."""

import shutil
from dataclasses import asdict
from pathlib import Path

import click

from pysshd.cli.matrix_html import page
from pysshd.cli.matrix_text import table
from pysshd.cli.show import as_given, load_or_end, write_json
from pysshd.policy.diff_sessions import Side
from pysshd.policy.matrix import Matrix
from pysshd.policy.matrix import matrix as matrix_of


@click.command(short_help="Who may do what: people and permissions at a glance.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--html", "html", type=click.Path(path_type=Path), help="Write a page for a browser to this file.")
def matrix(file: Path, as_json: bool, html: Path | None) -> None:
    """Show who may do what by the policy FILE: a row for each person, a column for each kind of permission.

    'yes' is always, 'if' under the conditions of its footnotes, 'denied' what a grant allows and another one denies.
    The page of --html stands alone, and can be filtered by person, group, permission and source. Exit status: 0, or 2
    where the file is refused.
    """
    loaded = load_or_end(file, as_json=as_json)
    found = matrix_of(Side(loaded.ruleset, loaded.key_files))
    if html is not None:
        _write(html, page(found, str(file)))
    if as_json:
        write_json({"file": str(file)} | _plain(found))
    elif html is None:
        click.echo(as_given(table(found, shutil.get_terminal_size().columns)))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} can not be written: {error.strerror}") from None
    click.secho(f"{file}: written", fg="green", err=True)


def _plain(found: Matrix) -> dict[str, object]:
    """As data; the ranges of addresses are for the page, and what they say stands in the conditions."""
    rows = []
    for row in found.rows:
        plain = asdict(row)
        for cell in plain["cells"].values():
            for reason in cell["reasons"]:
                for name in ("sources", "others", "bare", "whole"):
                    del reason[name]
        rows.append(plain)
    return {"columns": list(found.columns), "people": rows}
