"""`pysshd migrate`: bring a policy file to the version that this daemon reads."""

from pathlib import Path

import click

from pysshd.cli.show import load_or_end
from pysshd.policy.model import VERSION


@click.command(short_help="Bring a policy file to the newest version of the language.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
def migrate(file: Path) -> None:
    """Rewrite the policy FILE, and the files that it includes, for the newest version of the language.

    There is one version so far, and nothing to rewrite: the files are read, and left as they are. Exit status: 0
    nothing is to be done, 2 the file is refused.
    """
    loaded = load_or_end(file, as_json=False)
    click.echo(f"{file}: version {VERSION}, the only one there is; nothing to do")
    for included in loaded.ruleset.files[1:]:
        click.echo(f"{included}: version {VERSION}, as the file that includes it; nothing to do")
