"""`pysshd import-sshd-config`: what sshd does on this host, as a policy."""

import os
import sys
from pathlib import Path

import click

from pysshd.cli.host_files import HostFiles
from pysshd.errors import StartupError
from pysshd.importing.importer import Imported, Sources, import_policy
from pysshd.importing.language import Language
from pysshd.importing.notes import Remark
from pysshd.patterns.names import is_name
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.report import meant

COMPLETE, INCOMPLETE, TROUBLE = 0, 1, 2

_COLOURS = {"refused": "red", "warning": "yellow", "note": "cyan"}
_EPILOG = """\b
Begin with, beside sshd on another port:
  pysshd import-sshd-config --port 2222 -o policy.yaml
  pysshd check policy.yaml
  pysshd --config policy.yaml
Another machine's file tree, say a backup:
  pysshd import-sshd-config --root /srv/backup/web1 -o web1.yaml
Keys with options become rules of the policy:
  pysshd import-sshd-config --authorized-keys root=/root/.ssh/authorized_keys
"""


@click.command(name="import-sshd-config", short_help="What sshd does here, as a policy.", epilog=_EPILOG)
@click.argument("file", default="/etc/ssh/sshd_config", metavar="[FILE]")
@click.option(
    "--authorized-keys",
    "key_files",
    multiple=True,
    metavar="USER=FILE",
    help="Take the keys of an account into the policy, with what their options say. May stand more than once.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("/"),
    show_default=True,
    help="Where the host's file tree begins: absolute paths are looked for below it.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new file, mode 0600; absent: standard output.")
@click.option("--min-uid", type=click.IntRange(1, 999_999_999), default=1000, show_default=True,
              help="From which uid on accounts are people's.")  # fmt: skip
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Listen on this port instead of sshd's, for trying it beside sshd."
)
@click.option("--language", is_flag=True, help="With what this version of the daemon does not serve yet, too.")
def import_sshd_config(
    file: str,
    key_files: tuple[str, ...],
    root: Path,
    output: Path | None,
    min_uid: int,
    port: int | None,
    language: bool,
) -> None:
    """Make a policy of an sshd_config FILE (absent: /etc/ssh/sshd_config), with its Match blocks and Includes.

    The policy lets nobody in and permits nothing that sshd would not. Accounts and groups are those of the host. What
    has no equivalent is named with its file and line: a warning where somebody may then do less, 'refused' where
    leaving it out would let somebody do more, so that they are kept out until you have said it otherwise. Read the
    policy before you serve it.

    What this version of the daemon does not serve yet is left out, and named.

    Exit status: 0 all of it has an equivalent, 1 something has none and is named, 2 trouble, and nothing is written.
    """
    files = HostFiles(root)
    host = files.host()
    keys: dict[str, list[tuple[str, str]]] = {}
    for option in key_files:
        user, equals, name = option.partition("=")
        if not equals or not name or not is_name(user):
            raise click.UsageError(f"--authorized-keys {option}: expected USER=FILE")
        if user not in host.accounts and not files.knows(user):
            hint = meant(user, host.accounts)
            raise click.UsageError(
                f"--authorized-keys {option}: the host has no account {user!r}" + (f" ({hint})" if hint else "")
            )
        keys.setdefault(user, []).append((name, files.text(name)))
    sources = Sources(files.text(file), file, files.included, host, keys, min_uid, port)
    made = import_policy(sources, Language(served=not language), files.banner)
    _check(made)
    if output is None:
        click.echo(made.policy, nl=False)
    else:
        _write(output, made.policy)
    _tell(made, output)
    sys.exit(COMPLETE if made.complete else INCOMPLETE)


def _check(made: Imported) -> None:
    """StartupError where the policy would be refused: then nothing is written."""
    try:
        load_text(made.policy, "policy.yaml", language=True)
    except PolicyError as error:
        for remark in made.remarks:
            _show(remark)
        for problem in error.problems:
            if problem.severity == "error":
                click.secho(problem.render(), fg="red", err=True)
        raise StartupError("the policy that came out is refused, and not written") from None


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise StartupError(f"{path}: is there already; name a new file") from None
    except OSError as error:
        raise StartupError(f"{path}: can not be written: {error.strerror}") from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _show(remark: Remark) -> None:
    text = str(remark)
    click.secho("".join(char if char.isprintable() else "?" for char in text), fg=_COLOURS[remark.kind], err=True)


def _tell(made: Imported, output: Path | None) -> None:
    for remark in made.remarks:
        _show(remark)
    without = sum(remark.kind != "note" for remark in made.remarks)
    state = "everything has an equivalent" if not without else f"without an equivalent: {without}"
    click.secho(f"{output or 'policy'}: {state}", fg="green" if not without else "yellow", err=True)
