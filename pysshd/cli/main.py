"""`pysshd`: the group of commands, and serving, which needs none."""

import sys
from importlib import import_module
from pathlib import Path

import click

from pysshd.cli.logs import log_options
from pysshd.cli.serving import serve_policy
from pysshd.cli.statuses import REFUSED, STOPPED
from pysshd.errors import StartupError
from pysshd.version import __version__

EPILOG = """\b
Start here:
  pysshd quickstart                 a daemon of your own, in one minute
  pysshd check policy.yaml          is this file right, and if not, where
  pysshd explain policy.yaml --as alice --from 10.1.2.3 exec ls -l
  pysshd --config policy.yaml       serve it
"""


COMMANDS = {
    "quickstart": ("pysshd.cli.quickstart", "quickstart"),
    "check": ("pysshd.cli.check", "check"),
    "test": ("pysshd.cli.test", "test"),
    "explain": ("pysshd.cli.explain", "explain"),
    "roles": ("pysshd.cli.roles", "roles"),
    "ctl": ("pysshd.cli.ctl", "ctl"),
    "why": ("pysshd.cli.denials", "why"),
    "diff": ("pysshd.cli.diff", "diff"),
    "matrix": ("pysshd.cli.matrix", "matrix"),
    "schema": ("pysshd.cli.schema", "schema"),
    "migrate": ("pysshd.cli.migrate", "migrate"),
    "keygen": ("pysshd.cli.keygen", "keygen"),
    "hash-password": ("pysshd.cli.passwords", "hash_password"),
    "import-sshd-config": ("pysshd.cli.import_sshd", "import_sshd_config"),
}
"""Each command, and where it stands: whoever serves imports none of them."""


class Commands(click.Group):
    """The commands; a policy file in the place of one is answered with how to serve it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of their help."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names; UsageError where there is none."""
        if self.get_command(ctx, args[0]) is None and Path(args[0]).is_file():
            raise click.UsageError(f"{args[0]} is a file and no command; to serve it: pysshd --config {args[0]}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="pysshd %(version)s")
@click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Serve this policy, in the foreground.",
)
@click.option("--strict", is_flag=True, help="With --config: refuse a policy whose tests fail.")
@log_options
@click.pass_context
def commands(context: click.Context, config: Path | None, strict: bool, log_format: str, log_level: str) -> None:
    """An SSH daemon whose behaviour is one policy file.

    Everything that a client may do comes from FILE, and what it does not allow is refused. SIGTERM and SIGINT (Ctrl-C)
    end the daemon; SIGHUP, or `pysshd ctl reload`, has it read FILE again. Exit status: 0 ended as asked, 2 could not
    start (one line says why), 1 anything else.
    """
    if context.invoked_subcommand is not None:
        if config is not None or strict:
            word = "--config" if config is not None else "--strict"
            raise click.UsageError(f"{word} here is for serving a policy and goes with no command")
        return
    if config is None:
        click.echo(context.get_help())
        context.exit(REFUSED)
    serve_policy(config, log_format, log_level, strict=strict)


def main() -> None:
    """Run the command line; what can not start says why and exits with 2."""
    try:
        # An Exit comes back as its status here, and is not raised.
        status = commands(prog_name="pysshd", standalone_mode=False)
    except click.Abort:
        click.echo("pysshd: stopped", err=True)
        sys.exit(STOPPED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except StartupError as error:
        click.echo(str(error), err=True)
        sys.exit(REFUSED)
    sys.exit(status if isinstance(status, int) else 0)
