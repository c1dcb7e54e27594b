"""`pysshd hash-password`: from a password to what a policy may hold."""

import sys

import click

from pysshd.identity.hashing import acceptable, make_hash
from pysshd.ssh.crypto.entropy import SystemEntropy

MAX_LINE = 4096
"""Bytes that are read of a line, more than any password may have."""


@click.command("hash-password", short_help="From a password to what `password:` takes.")
def hash_password() -> None:
    """Ask for a password and print its argon2id hash for `users: {NAME: {password: "…"}}`.

    On a terminal it is asked for twice and not shown; else one line of standard input is read. It is never taken from
    the command line, which every user of the host can read.
    """
    if sys.stdin.isatty():
        text = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
        password = text.encode(errors="surrogateescape")
    else:
        # Bytes: a password need not be text, and an error of a decoder would show what it stumbled over.
        password = sys.stdin.buffer.readline(MAX_LINE).removesuffix(b"\n").removesuffix(b"\r")
    if not acceptable(password):
        raise click.ClickException("password is empty, too long or has a NUL; expected 1 to 1024 bytes")
    click.echo(make_hash(password, SystemEntropy()))
