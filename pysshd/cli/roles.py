"""`pysshd roles`: the built-in roles, those of a policy, and who holds them."""

from pathlib import Path
from typing import Any

import click

from pysshd.cli.show import load_or_end, say, write_json
from pysshd.policy.roles import Holding, Role, roles_of


@click.command(short_help="The built-in roles, those of a policy, and who holds them.")
@click.argument("file", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")
def roles(file: Path | None, as_json: bool) -> None:
    """Print the built-in roles as YAML, and with FILE those of that policy, too, with the grants that give them.

    Exit status: 0, or 2 where FILE is refused.
    """
    loaded = load_or_end(file, as_json=as_json) if file is not None else None
    found = roles_of(loaded.document, loaded.ruleset) if loaded is not None else roles_of(None, None)
    if as_json:
        write_json({"file": str(file) if file is not None else None, "roles": [_plain(role) for role in found]})
        return
    for role in found:
        _show(role, named=file is not None)


def _show(role: Role, *, named: bool) -> None:
    say(f"# {role.where or 'built in, and the name is reserved'}", colour="bright_black")
    for holding in role.holdings:
        say(f"# {_held(holding)}", colour="bright_black")
    if named and not role.holdings:
        say("# no grant gives it", colour="bright_black")
    click.echo(click.style(f"{role.name}:", bold=True) + f" {role.text}")


def _held(holding: Holding) -> str:
    people = ", ".join(holding.people) or "nobody of users"
    beside = f", if {' and '.join(holding.conditions)}" if holding.conditions else ""
    return f"{holding.grant} ({holding.where}) gives it to {people} by {holding.who}{beside}"


def _plain(role: Role) -> dict[str, Any]:
    held = [
        {"grant": one.grant, "where": one.where, "who": one.who, "people": list(one.people),
         "conditions": list(one.conditions)} for one in role.holdings
    ]  # fmt: skip
    return {"name": role.name, "permissions": role.text, "where": role.where or None, "given_by": held}
