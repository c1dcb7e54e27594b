"""`pysshd diff`: who may do more under a new policy than under an old one, and who less."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from pysshd.cli.show import as_given, load_or_end, write_json
from pysshd.policy.diff import Change, Difference, difference
from pysshd.policy.diff_sessions import Side

NOTHING_GAINED, GAINED = 0, 1

_PEOPLE_SHOWN: Final = 8


@click.command(short_help="Who may do more under a new policy, and who less?")
@click.argument("old", type=click.Path(path_type=Path, readable=False))
@click.argument("new", type=click.Path(path_type=Path, readable=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Compare the access that the policy OLD gives with that of NEW.

    Not lines that changed, but access gained and lost: who, what, under which conditions, and the line of each file
    that decides. A '+' was gained and is shown by a request, a '?' may have been gained: that it was not could not be
    shown. Both count. A '-' was lost.

    Exit status: 0 nothing was gained, 1 access was gained, 2 a file is refused or can not be read.
    """
    found = difference(_side(old, as_json), _side(new, as_json))
    if as_json:
        write_json({"old": str(old), "new": str(new)} | _plain(found))
    else:
        _show(found)
    sys.exit(GAINED if found.gained else NOTHING_GAINED)


def _side(file: Path, as_json: bool) -> Side:
    """A policy, also one that this version could not serve; one that is refused ends the command."""
    loaded = load_or_end(file, as_json=as_json)
    return Side(loaded.ruleset, loaded.key_files)


def _plain(found: Difference) -> dict[str, object]:
    return {
        "gained": [asdict(change) for change in found.gained],
        "lost": [asdict(change) for change in found.lost],
    }


def _show(found: Difference) -> None:
    for title, changes, sign, colour in (
        ("gained", found.gained, "+", "red"),
        ("lost", found.lost, "-", "green"),
    ):
        if changes:
            click.secho(f"{title}:", bold=True)
        for change in sorted(changes, key=lambda one: (not one.sure, one.people)):
            unsure = sign == "+" and not change.sure
            _show_change(change, "?" if unsure else sign, "yellow" if unsure else colour)
    gained = len(found.gained)
    doubtful = sum(not change.sure for change in found.gained)
    text = "nothing was gained" if not gained else f"{gained - doubtful} gained, {doubtful} may have been gained"
    click.secho(f"{text}, {len(found.lost)} lost", fg="red" if gained else "green", bold=True)


def _show_change(change: Change, sign: str, colour: str) -> None:
    may = " (may be)" if sign == "?" else ""
    click.secho(f"{sign} {_named(change.people)}: {as_given(change.what)}{may}", fg=colour)
    if change.conditions:
        click.echo(f"    where   {change.conditions}")
    if change.example:
        click.echo(f"    such as {change.example}")
    click.echo(f"    old     {as_given(change.old)}")
    click.echo(f"    new     {as_given(change.new)}")


def _named(people: Iterable[str]) -> str:
    names = list(people)
    more = len(names) - _PEOPLE_SHOWN
    return ", ".join(names[:_PEOPLE_SHOWN]) + (f" and {more} more" if more > 0 else "")
