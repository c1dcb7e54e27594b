"""`pysshd keygen`: host keys, made before the first start or beside those that are there."""

import os
from pathlib import Path

import click

from pysshd.daemon.host_keys import PLAIN, RSA_BITS, write_host_key
from pysshd.daemon.state import default_state_directory


@click.command(short_help="Make a host key before the first start.")
@click.option("--kind", type=click.Choice(PLAIN), default="ed25519", show_default=True, help="The kind of key.")
@click.option(
    "--bits", type=click.IntRange(3072, 16384), default=RSA_BITS, show_default=True, help="Size of an RSA key."
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it goes; absent: host_keys in the state folder.",
)
@click.option("--name", default="", help="A word in its file's name: a second key of a kind, for clients to learn.")
def keygen(kind: str, bits: int, directory: Path | None, name: str) -> None:
    """Make a host key, mode 0600, with its public half beside it.

    A key that is there is never overwritten. The daemon makes its keys by itself on the first start; this is for those
    who want to know the fingerprint before.
    """
    if not all(char.isalnum() or char in "._-" for char in name):
        raise click.UsageError(f"--name: {name!r} has more than letters, digits and ._- in it")
    uid = os.geteuid()
    folder = directory or default_state_directory(os.environ, uid) / "host_keys"
    made = write_host_key(folder, kind, uid, lambda text: click.echo(text, err=True), bits, name)
    click.echo(f"{made.key.public.fingerprint} {made.file}")
